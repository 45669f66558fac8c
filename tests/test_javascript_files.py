"""Files in JavaScript: names, arguments, errors, and what cannot be written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.javascript import javascript
from autograd_lite.compiler.javascript_language import helpers
from autograd_lite.compiler.javascript_lines import declared, inlined
from autograd_lite.compiler.sizes import general, others


@pytest.fixture(scope="module")
def tab(browser):
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()


def saved(tmp_path, function, *args, **options):
    """The script of a call, and the file that it was saved to."""
    compiled = ag.compile(function, **options)
    compiled(*args)
    path = tmp_path / "program.js"
    compiled.save(path, namespace="javascript")
    return path.read_text(encoding="utf-8"), path


def ran(tab, text, call):
    """What a call of a saved function gives in the page, or the error as a text."""
    run = "([text, call]) => { try { return (0, eval)(text + call) } catch (e) { return `${e}` } }"
    return tab.evaluate(run, [text.partition("if (typeof module")[0], call])


def test_a_page_loads_the_file_and_calls_its_function(tmp_path, browser):
    def step(w, x):
        return ag.value_and_grad(lambda w: np.sum(np.tanh(w * x)))(w)

    w, x = np.array([0.5, -1.0]), np.array([1.0, 2.0])
    saved(tmp_path, step, w, x)
    (tmp_path / "page.html").write_text('<!doctype html><script src="program.js"></script>')
    tab = browser.new_context(offline=True).new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto((tmp_path / "page.html").as_uri())
    value, gradient = tab.evaluate(
        "() => { const [v, g] = step([0.5, -1], Float64Array.of(1, 2)); return [v, [...g]]; }"
    )
    assert tab.evaluate("Object.keys(window).includes('step')")
    expected = step(w, x)
    np.testing.assert_allclose(value, expected[0], rtol=1e-14)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-14)
    assert complaints == []
    tab.context.close()


class Pair(NamedTuple):
    first: np.ndarray
    second: np.ndarray


HOSTILE = ("W⁽¹⁾", 'a"b', "</script>", "*/", "__proto__", "class", "2", "a\nb", "ŷ", "constructor")


def test_containers_and_hostile_keys(tmp_path, tab):
    values = {key: np.array([k, 1.0]) for k, key in enumerate(HOSTILE)}

    def function(table, pair, items):
        total = sum(np.sum(x) for x in table.values())
        moved = {key: x + 1 for key, x in table.items()}
        return moved, Pair(pair.first * 2, total), [items[0] + items[1][0], (total, None, "</b>")]

    args = values, Pair(np.ones(2), np.zeros(2)), [np.ones(2), (np.ones(2),)]
    text, _ = saved(tmp_path, function, *args)
    assert "</" not in text
    assert text.index("*/") == text.index("*/\nfunction")
    pairs = ", ".join(f"[{json.dumps(key)}]: [{k}, 1]" for k, key in enumerate(HOSTILE))
    found = ran(
        tab,
        text,
        f"const [moved, pair, list] = function_({{ {pairs} }}, [[1, 1], [0, 0]], "
        "[[1, 1], [[1, 1]]]);"
        "[Object.entries(moved).map(([k, v]) => [k, [...v]]), [...pair[0]], pair[1], [...list[0]],"
        " list[1]]",
    )
    total = sum(range(len(HOSTILE))) + len(HOSTILE)
    moved = {key: [k + 1.0, 2.0] for k, key in enumerate(HOSTILE)}
    assert dict(found[0]) == moved
    assert found[1:] == [[2.0, 2.0], total, [2.0, 2.0], [total, None, "</b>"]]


def test_words_of_javascript_are_no_names(tmp_path, tab):
    def delete(new, var, arguments, read, Math, t1, ŷ, i):
        return new + var * arguments - read + Math * t1 + ŷ / i

    args = [np.array([float(k)]) for k in range(1, 9)]
    text, _ = saved(tmp_path, delete, *args)
    assert re.search(r"^function delete_\(new_, var_, arguments_, read_1, Math_, ", text, re.M)
    call = f"[...delete_({', '.join(f'[{k}]' for k in range(1, 9))})]"
    assert ran(tab, text, call) == delete(*args).tolist()


WRONG = {
    "[1, 2]": "RangeError: program: X must be an array of shape (2, 3), 6 numbers in all; not 2",
    "[[1, 2], [3, 4], [5, 6]]": "RangeError: program: X must be an array of shape (2, 3), 6"
    " numbers in all; not 3 arrays",
    "{ length: 6 }": "RangeError: program: X must be an array of shape (2, 3), 6 numbers in all;"
    " not an object",
    "[[1, 2, 3], [4, 5]]": "RangeError: program: X must be an array of shape (2, 3)",
    "new Float64Array(7)": "RangeError: program: X must be an array of shape (2, 3)",
    "1": "RangeError: program: X must be an array of shape (2, 3)",
    "undefined": "RangeError: program: X must be an array of shape (2, 3), 6 numbers in all; it is",
    "null": "RangeError: program: X must be an array of shape (2, 3)",
    '[1, 2, 3, 4, 5, "6"]': "TypeError: program: X must be of numbers, not of string",
    "[1, 2, 3, 4, 5, null]": "TypeError: program: X must be of numbers, not of null",
    "[1, 2, 3, 4, 5, , ]": "TypeError: program: X must be of numbers, not of undefined",
}


def test_arguments_are_checked(tmp_path, tab):
    def program(X, k, n, rate=0.5):
        return X * rate + k + n

    args = np.ones((2, 3)), np.array([1, 2, 3]), np.array(2.0)
    text, _ = saved(tmp_path, program, *args)
    rest = "[1, 2, 3], 2"
    assert ran(tab, text, f"[...program([[0, 0, 0], [1, 1, 1]], {rest})]") == [
        *(3.0, 4.0, 5.0, 3.5, 4.5, 5.5)
    ]
    assert ran(tab, text, f"[...program(new Float32Array(6), {rest}, 0.5)]") == [3, 4, 5] * 2
    for given, error in WRONG.items():
        assert ran(tab, text, f"program({given}, {rest})").startswith(error), given
    zeros = "new Float64Array(6)"
    for call, error in {
        f"program({zeros}, [1, 2, 0.5], 2)": "RangeError: program: k must be of dtype int64",
        f"program({zeros}, [1, 2, 2 ** 60], 2)": "RangeError: program: k must be of dtype int64",
        f"program({zeros}, {rest}, 0.25)": "RangeError: program: rate was 0.5 when",
        f"program({zeros}, [1, 2, 3], [2])": "TypeError: program: n must be a number; not 1 elem",
        f"program({zeros}, [1, 2, 3])": "TypeError: program: n must be a number; it is missing",
    }.items():
        assert ran(tab, text, call).startswith(error), call


def test_small_integers_and_booleans_are_checked(tmp_path, tab):
    text, _ = saved(tmp_path, lambda k, b: k[b.astype(int)], np.uint8([1, 2]), np.array([True]))
    assert "function compiled" not in text
    name = re.search(r"^function (\w+)", text, re.M)[1]
    assert ran(tab, text, f"[...{name}([7, 8], [true])]") == [8]
    assert ran(tab, text, f"[...{name}([7, 8], Uint8Array.of(0))]") == [7]
    assert "dtype uint8, and 300 is not" in ran(tab, text, f"{name}([7, 300], [true])")
    assert "dtype bool, and 2 is not" in ran(tab, text, f"{name}([7, 8], [2])")


def test_an_index_out_of_bounds_is_an_error(tmp_path, tab):
    text, _ = saved(tmp_path, lambda x, k: x[k] * 2, np.ones(3), np.array([0, 2]))
    name = re.search(r"^function (\w+)", text, re.M)[1]
    assert ran(tab, text, f"[...{name}([1, 2, 3], [-1, 1])]") == [6, 4]
    error = "RangeError: index 3 is out of bounds for an axis of 3 elements"
    assert ran(tab, text, f"{name}([1, 2, 3], [0, 3])") == error


def test_constants_of_any_length(tmp_path, tab):
    C = np.arange(70_000.0) / 3
    text, _ = saved(tmp_path, lambda x: np.sum(C * x), np.array(1.0))
    assert ran(tab, text, "function_(2)") == pytest.approx(np.sum(C) * 2, rel=1e-12)
    compiled = ag.compile(lambda x: x * np.arange(1e6))
    compiled(np.array(1.0))
    with pytest.raises(ValueError, match=r"closes over an array .* too large"):
        compiled.save(tmp_path / "large.js", namespace="javascript")
    assert not (tmp_path / "large.js").exists()


def test_rows_are_at_least_two(tmp_path, tab):
    def loss(w, X):
        return np.mean((X @ w) ** 2)

    rng = np.random.default_rng(0)
    text, _ = saved(tmp_path, loss, rng.normal(size=2), rng.normal(size=(9, 2)), rows="auto")
    assert ran(tab, text, "loss([1, 1], [1, 1, 2, 2, 3, 3])") == 56 / 3
    assert ran(tab, text, "loss([1, 1], [[1, 1], [2, 2], [3, 3]])") == 56 / 3
    for given in ("[1, 1]", "[1, 1, 1]", "1", "undefined", "[[1, 1]]"):
        error = "RangeError: loss: X must be an array of at least two rows of 2 numbers"
        assert ran(tab, text, f"loss([1, 1], {given})") == error, given


def test_what_javascript_lacks_is_refused_before_a_file_is_written(tmp_path):
    path = tmp_path / "step.js"
    path.write_text("old")
    for function, args, error in (
        (lambda x: np.linalg.det(x), [np.eye(2)], "has no equal of linalg.det"),
        (lambda x: x + 1, [np.longdouble([1])], "has no equal of the dtype"),
        (
            lambda d: d[0.5] + 1,
            [{0.5: np.ones(2)}],
            "has no equal of a dictionary with the key 0.5",
        ),
        (lambda d: d[1] + d["1"], [{1: np.ones(2), "1": np.ones(2)}], "keys such as 1 and '1'"),
        (lambda x: (x, b"raw"), [np.ones(2)], "has no equal of the plain value b'raw'"),
    ):
        compiled = ag.compile(function)
        compiled(*args)
        with pytest.raises(ValueError, match=f"save: JavaScript {error}|{error}"):
            compiled.save(path, namespace="javascript")
    with pytest.raises(ValueError, match="namespace 'javascript' goes with backend=\"numpy\""):
        compiled.save(path, backend="numba", namespace="javascript")
    assert path.read_text() == "old"


def test_a_program_that_is_traced_for_each_number_of_rows_is_refused(tmp_path):
    def loss(X):
        return np.sum(X**2) / X.shape[0]

    compiled = ag.compile(loss, rows="auto")
    compiled(np.ones((9, 2)))
    assert compiled._latest("").alike is not None
    with pytest.raises(ValueError, match="reads the shape of an array"):
        compiled.save(tmp_path / "loss.js", namespace="javascript")


# Sizes


def test_sizes_that_cannot_be_told_apart_are_refused():
    x = np.ones((4, 3))
    for sizes in ({"rows": 4, "units": 4}, {"rows": 1}, {"rows": 4.0}):
        with pytest.raises(ValueError, match="sizes must be different integers larger than 1"):
            javascript(np.mean, (x,), "mean", sizes)
    with pytest.raises(ValueError, match="a size cannot have the name 'class'"):
        javascript(np.mean, (x,), "mean", {"class": 4})


def test_a_program_that_is_another_one_for_other_sizes_is_refused():
    def loss(x):
        return np.sum(x) if x.shape[0] % 2 else np.sum(x**2)

    with pytest.raises(ValueError, match=r"loss: .* so it cannot serve other sizes"):
        javascript(lambda x: x * x.shape[0] ** 0.5, (np.ones(4),), "loss", {"rows": 4})
    with pytest.raises(ValueError, match=r"loss: .* so it cannot serve other sizes"):
        javascript(lambda x: x + np.arange(x.shape[0]), (np.ones(4),), "loss", {"rows": 4})
    assert "rows" in javascript(loss, (np.ones(4),), "loss", {"rows": 4})


def test_the_numbers_of_a_text_for_any_sizes():
    sizes = others({"m": 10, "n": 4})
    assert [*sizes[0]] == ["m", "n"]

    def text(m, n):
        return f'x[{m * n} * i + {n}] / {4 / m!r} - {m - 1} + {m * m * 3}, "{m}", t{m}, {2.5}'

    groups = [text(m, n) for m, n in ((11, 5), (13, 7), (17, 11))]
    given = [{"m": m, "n": n} for m, n in ((11, 5), (13, 7), (17, 11))]
    expected = 'x[m * n * i + n] / (4 / m) - (m - 1) + 3 * m * m, "11", t, 2.5'
    with pytest.raises(ValueError, match="another one"):
        general(groups, given)
    same = [re.sub(r'"\d+", t\d+', '"11", t', x) for x in groups]
    assert general(same, given) == expected
    with pytest.raises(ValueError, match="in another way"):
        general(["x + 3", "x + 9", "x + 27"], given)


# The functions that programs call


def test_the_file_of_helpers_exports_each():
    assert set(re.findall(r"\w+", re.search(r"exports = \{(.*?)\}", source(), re.S)[1])) == {
        *helpers()
    }


def source():
    from importlib.resources import files

    return files("autograd_lite.compiler").joinpath("helpers.js").read_text(encoding="utf-8")


def test_scripts_pass_the_linter(tmp_path):
    path = f"{os.environ['PATH']}{os.pathsep}{os.path.dirname(sys.executable)}"
    if (linter := shutil.which("oxlint", path=path)) is None:
        pytest.skip("no oxlint")

    def program(params, x, k):
        h = np.tanh(x @ params["W"]) ** 2.5 % 1.0
        return np.sort(np.cumsum(h, axis=0))[k], np.argmax(h), np.rint(h)

    args = {"W": np.ones((3, 2))}, np.ones((4, 3)), np.array([1, 0])
    _, path = saved(tmp_path, program, *args)
    found = subprocess.run(
        [linter, "--deny-warnings", path], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


# Lines


def test_a_value_that_is_used_once_stands_where_it_is_used():
    cases = {
        ("a + b", "{0} * c"): "(a + b) * c",
        ("a * b", "{0} + c"): "a * b + c",
        ("a + b", "{0} + c"): "a + b + c",
        ("a + b", "c + {0}"): "c + (a + b)",
        ("a * b", "c / {0}"): "c / (a * b)",
        ("-a", "-{0}"): "-(-a)",
        ("-a", "b - {0}"): "b - -a",
        ("-a", "{0} ** b"): "(-a) ** b",
        ("a ** b", "{0} ** c"): "(a ** b) ** c",
        ("a ? b : c", "{0} ? d : e"): "(a ? b : c) ? d : e",
        ("a ? b : c", "d ? e : {0}"): "d ? e : (a ? b : c)",
        ("a ? b : c", "Math.abs({0})"): "Math.abs(a ? b : c)",
        ("a === b", "!{0}"): "!(a === b)",
        ("a < b", "{0} & c"): "a < b & c",
        ("a & b", "{0} === c"): "(a & b) === c",
        ("x[2 * i + 1]", "{0} * c"): "x[2 * i + 1] * c",
        ("Math.exp(a + b)", "{0} / c"): "Math.exp(a + b) / c",
    }
    for (value, use), expected in cases.items():
        assert inlined([f"t = {value}", f"u = {use.format('t')}", "return [u, u]"])[0] == (
            f"u = {expected}"
        )


def test_a_value_does_not_move_past_what_changes_it():
    for between in ("x[0] = 1", "scatter(x, y, z)", "s = s + 1", "for (let i = 0; i < 2; i++) {"):
        lines = ["s = 0", "s = s + 2", "t = s * x[0]", between, "u = t + 1", "return [u, u, s]"]
        assert inlined(lines) == lines
    lines = ["t = s * x[0]", "v = 2", "u = t + v", "return [u, u, v]"]
    assert inlined(lines) == ["v = 2", "u = s * x[0] + v", "return [u, u, v]"]


def test_names_are_declared_in_the_block_that_has_all_their_uses():
    lines = [
        "a = 1",
        "for (let i = 0; i < 2; i++) {",
        "    b = a * i",
        "    c = b",
        "    d = 0",
        "    d = d + b",
        "e = c",
        "return [e, { d: a }]",
    ]
    assert declared(lines) == [
        "let c;",
        "const a = 1;",
        "for (let i = 0; i < 2; i++) {",
        "  const b = a * i;",
        "  c = b;",
        "  let d = 0;",
        "  d += b;",
        "}",
        "const e = c;",
        "return [e, { d: a }];",
    ]
