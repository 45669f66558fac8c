"""The command line reports bad input in one line that names it, and leaves files alone."""

import argparse
import math
import sys
from contextlib import redirect_stderr
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import without_graphviz

from autograd_lite.cli import main
from autograd_lite.commands import options, train

TABLE = "studied,slept,passed\n" + "3,5,yes\n1,4,no\n4,8,yes\n0.5,6,no\n2,1,yes\n1.5,2,no\n" * 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "the following arguments are required"),
        (("trian",), "invalid choice: 'trian'; did you mean train? See"),
        (("train", "--data", "students.csv"), "--data and --target must be given together"),
        (("train", "--target", "passed"), "--data and --target must be given together"),
        (("train", "--data", "none.csv", "--target", "t"), "error: none.csv: No such file"),
        (("train", "--data", "students.csv", "--target", "t"), "has no column 't'"),
        (("train", "--data", "rare.csv", "--target", "t"), "has a single row of 1"),
        (("train", "--data", "text.csv", "--target", "t"), "text.csv has no column to learn from"),
        (("train", "--data", "weights", "--target", "t"), "is not a text file"),
        (("train", "--data", "one.csv", "--target", "t"), "the target 't' is always 0"),
        (("train", "--out", "file"), "--out must be a folder; "),
        (("train", "--out", "file/deeper"), "--out must be a folder; "),
        (("train", "--test-size", 1.5), "--test-size: '1.5' is not a number between 0 and 1"),
        (("train", "--learning-rate", 0), "--learning-rate: '0' is not a positive number"),
        (("train", "--learning-rate", "fast"), "--learning-rate: 'fast' is not a positive number"),
        (("train", "--max-iter", 0), "--max-iter: '0' is not a whole number of at least 1"),
        (("train", "--batch-size", 0), "--batch-size: '0' is not a whole number of"),
        (("train", "--alpha", -1), "--alpha: '-1' is not a number of at least 0"),
        (("train", "--tol", "nan"), "--tol: 'nan' is not a number of at least 0"),
        (("train", "--solver", "newton"), "'newton'; did you mean newton-cg? See"),
        (("train", "--activation", "gelu"), "'gelu'; did you mean relu? See"),
        (("train", "--random-state", -1), "--random-state: '-1' is not a whole number from 0"),
        (("train", "--backend", "torch"), "'torch'; choose from numpy, numba, auto; see"),
        (("train", "--backend", "numba"), 'pip install "autograd_lite[native]"'),
        (("train", "--hidden", "4,x"), "'4,x' is not a list of positive integers"),
        (("train", "--hidden", "0"), "'0' is not a list of positive integers"),
        (("train", "--hidden", "4", "--model", "logistic-regression"), "an option of mlp"),
        (("train", "--activation", "tanh", "--model", "logistic-regression"), "an option of mlp"),
        (("walkthrough", "--x", "1,2,3"), "x and w must have the same length"),
        (("walkthrough", "--x", "1,two"), "'1,two' is not a list of numbers"),
        (("walkthrough", "--y", "2"), "y must be between 0 and 1"),
        (("walkthrough", "--out", "none/walk.md"), "none/walk.md"),
        (("draw", "graph"), "'graph' is no example (student, logistic-regression, mlp), no FILE"),
        (("draw", "student", "--out", "graph.bmp"), "must end in .svg, .png, .pdf, .dot or .html"),
        (("draw", "student", "--out", "none/graph.dot"), "none"),
        (("plot",), "required: NAME"),
        (("plot", "loss"), "invalid choice: 'loss'"),
        (("plot", "sigmoid", "--out", "graph.bmp"), "graph.bmp must end in .svg, .png or .pdf"),
        (("predict",), "required: --weights, --data"),
        (("predict", "--weights", "none.npz", "--data", "students.csv"), "none.npz"),
        (("predict", "--weights", "weights", "--data", "students.csv"), "does not hold a model's"),
    ],
)
def test_bad_input_is_one_line_and_leaves_files_alone(run, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("autograd_lite.compiler.machine_code.installed", lambda: False)
    monkeypatch.setitem(sys.modules, "scipy", None)
    (tmp_path / "results").mkdir()
    contents = {
        "students.csv": TABLE.encode(),
        "text.csv": b"a,t\n1,0\nx,1\n",
        "rare.csv": b"a,t\n1,0\n2,0\n3,1\n",
        "one.csv": b"a,t\n1,0\n2,0\n",
        "weights": b"PK\x03\x04\xff",
        "file": b"before",
        "graph.bmp": b"before",
        "results/mlp.npz": b"before",
    }
    for name, written in contents.items():
        (tmp_path / name).write_bytes(written)

    code, shown, complaints = run(*argv, *["--quiet"] * ("train" in argv))
    assert (code, shown) == (2, "")
    assert message in complaints
    assert len(complaints.splitlines()) == 1
    found = {p.relative_to(tmp_path).as_posix(): p for p in tmp_path.rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in found.items()} == contents


def test_drawing_without_graphviz_names_the_fix(run, tmp_path, monkeypatch):
    without_graphviz(monkeypatch)
    path = tmp_path / "graph.svg"
    path.write_text("before")
    code, shown, complaints = run("draw", "mlp", "--out", path)
    assert (code, shown) == (2, "")
    assert "pip install" in complaints
    assert len(complaints.splitlines()) == 1
    assert path.read_text() == "before"


def test_more_numbers_than_there_is_memory_for(run, tmp_path):
    out = tmp_path / "out"
    code, _, complaints = run("train", "--hidden", 10**13, "--quiet", "--out", out)
    assert code == 2
    assert complaints.startswith("autograd-lite: error: Unable to allocate ")
    assert len(complaints.splitlines()) == 1
    assert not out.exists()


def test_an_interruption_ends_quietly(run, monkeypatch, tmp_path):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("autograd_lite.commands.train.prepared", interrupted)
    code, _, complaints = run("train", "--out", tmp_path / "out")
    assert code == 130
    assert len(complaints.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def refused(*argv):
    """The line that the command line ends with."""
    shown = StringIO()
    with redirect_stderr(shown), pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    line, end, rest = shown.getvalue().partition("\n")
    assert (end, rest) == ("\n", "")
    return line


not_finite = st.sampled_from(["nan", "inf", "-inf", "1e999"])
below_zero = st.floats(max_value=0, exclude_max=True).map(repr)
no_number = st.sampled_from(["", "x", "1,5", "0x10", "1 2", "٣x"])
BAD = {
    "--alpha": not_finite | below_zero | no_number,
    "--tol": not_finite | below_zero | no_number,
    "--learning-rate": not_finite | below_zero | no_number | st.just("0"),
    "--test-size": not_finite | below_zero | no_number | st.floats(min_value=1).map(repr),
    "--max-iter": not_finite | no_number | st.integers(max_value=0).map(str) | st.just("1.5"),
    "--batch-size": not_finite | no_number | st.integers(max_value=0).map(str) | st.just("1e3"),
    "--cv": not_finite | no_number | st.integers(max_value=1).map(str),
    "--hidden": not_finite
    | no_number.filter(lambda text: "," not in text)
    | st.integers(max_value=0).map(lambda n: f"4,{n}"),
    "--random-state": not_finite
    | no_number
    | st.integers(max_value=-1).map(str)
    | st.integers(min_value=2**32).map(str)
    | st.just(str(2**400)),
}


@pytest.mark.parametrize("option", BAD)
@given(data=st.data())
def test_a_bad_number_is_refused_by_name_before_the_table_is_read(option, data):
    text = data.draw(BAD[option])
    given = (option, text) if data.draw(st.booleans()) else (f"{option}={text}",)
    line = refused("train", "--data", "none.csv", "--target", "t", *given)
    assert line.startswith(f"autograd-lite train: error: argument {option}: ")
    assert " is not " in line
    assert len(line) < 200


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False), st.integers(1))
def test_a_good_number_is_itself(x, n):
    assert options.positive(repr(x)) == options.at_least_zero(repr(x)) == x
    assert options.at_least_zero("0") == 0
    assert options.share(repr(math.exp(-1 - x % 100))) == math.exp(-1 - x % 100)
    assert options.count(str(n)) == options.fold_count(str(n + 1)) - 1 == n
    assert options.seed(str(n % 2**32)) == n % 2**32
    assert options.sizes(f"{n},1") == (n, 1)


def names_of(add):
    parser = argparse.ArgumentParser()
    add(parser)
    return [name for action in parser._actions for name in action.option_strings if name[1] == "-"]


@given(st.sampled_from(names_of(train.add)), st.data())
def test_a_misspelled_option_is_told_what_was_meant(name, data):
    """One letter is left out, doubled, or changes places with the next."""
    k = data.draw(st.integers(2, len(name) - 2))
    wrong = data.draw(
        st.sampled_from(
            [name[:k] + name[k + 1 :], name[:k] + name[k] + name[k:]]
            + [name[:k] + name[k + 1] + name[k] + name[k + 2 :]]
        )
    )
    value = data.draw(st.sampled_from([(wrong, "1"), (f"{wrong}=1",)]))
    if wrong not in names_of(train.add):
        line = refused("train", "--data", "none.csv", *value)
        meant = line.partition("did you mean ")[2].partition("?")[0]
        assert line.startswith(f"autograd-lite train: error: there is no option {wrong}")
        assert meant in names_of(train.add)
        assert meant == name or len(name) < 8


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (("--versoin",), "there is no option --versoin; did you mean --version? See autograd-lite"),
        (("--quiet", "train"), "there is no option --quiet; see autograd-lite --help"),
        (("predict", "--weigths", "x"), "there is no option --weigths; did you mean --weights?"),
        (("train", "-quiet"), "there is no option -quiet; did you mean --quiet?"),
        (("train", "--rand", "3"), "there is no option --rand; did you mean --random-state?"),
        (("train", "--qq", "1"), "there is no option --qq; see autograd-lite train --help"),
        (("draw", "mlp", "a\nb"), "unrecognized arguments: a b; see autograd-lite --help"),
        (("plot", "momos"), "'momos'; did you mean moons?"),
    ],
)
def test_an_unknown_name(argv, line):
    assert line in refused(*argv)


def test_what_follows_two_dashes_or_an_equals_sign_is_no_option():
    line = refused("train", "--data=--tagret", "--target=-x", "--hidden", "0", "--", "--tagret")
    assert "argument --hidden: '0'" in line
