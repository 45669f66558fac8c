"""`train --stream`: rows read by blocks have the weights and figures of those in memory."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written import content

from autograd_lite.commands import streaming
from autograd_lite.data import Encoder, pieces, read_table, spool
from autograd_lite.data.facts import hashed
from autograd_lite.data.targets import target_of
from autograd_lite.models import LinearRegression, LogisticRegression, load
from autograd_lite.models.block_metrics import Errors, Scores
from autograd_lite.models.metrics import figures as whole_figures
from autograd_lite.models.metrics import r2, rmse
from autograd_lite.models.monitor import Monitor

OPTIONS = ("--quiet", "--solver", "gd", "--max-iter", 20, "--tol", 0, "--model")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Pieces and blocks of few rows."""
    monkeypatch.setattr(
        pieces.open_table, "__kwdefaults__", pieces.open_table.__kwdefaults__ | {"piece": 2000}
    )
    monkeypatch.setattr(spool, "default_rows", lambda row_bytes: max(1, 5000 // row_bytes))


def students(rows=400, seed=0):
    """A table of every kind of column, with gaps; classes and a number to predict."""
    random = np.random.default_rng(seed)
    hours, town = random.normal(5, 2, rows).round(2), random.choice(["Ulm", "Köln", "Bonn"], rows)
    table = pd.DataFrame({"hours": hours, "town": town, "new": random.random(rows) < 0.5})
    table["points"] = (10 * hours + random.normal(0, 5, rows)).round(1)
    table["passed"] = np.where(table["points"] + 5 * (town == "Ulm") > 52, "yes", "no")
    table.loc[random.random(rows) < 0.1, "hours"] = np.nan
    table.loc[random.random(rows) < 0.1, "town"] = np.nan
    table.loc[random.random(rows) < 0.05, ["passed", "points"]] = np.nan
    return table


def in_memory(path, target, missing, drop, seed):
    """What the command learns from, computed at once."""
    frame = read_table(path)
    held = hashed(np.arange(len(frame)), seed) < np.uint64(2**62)
    found = target_of(frame.column(target), "")
    used = [c for c in frame.columns if c.name not in (target, drop)]
    frame = type(frame)(frame.source, tuple(used)).take(found.rows)
    held, y = held[found.rows], found.y
    if missing == "drop":
        there = ~np.any([c.missing for c in frame.columns], axis=0)
        frame, held, y = frame.take(there), held[there], y[there]
    encoder = Encoder.learn(frame.take(~held), missing)
    return encoder, encoder.encode(frame), y, held


@pytest.mark.parametrize("missing", ["mean", "indicator", "drop"])
@pytest.mark.parametrize(
    ("target", "drop", "model", "kind"),
    [
        ("passed", "points", "logistic-regression", LogisticRegression),
        ("points", "passed", "linear-regression", LinearRegression),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_models_and_figures_are_those_of_the_rows_in_memory(
    run, tmp_path, suffix, target, drop, model, kind, missing
):
    path, out = tmp_path / f"students.{suffix}", tmp_path / "out"
    table = students()
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    how = ("--stream", "--data", path, "--target", target, "--drop", drop, "--missing", missing)
    code, shown, complaints = run(
        "train", *how, *OPTIONS, model, "--out", out, "--json", "--random-state", 3
    )
    assert code == 0, complaints
    encoder, X, y, held = in_memory(path, target, missing, drop, 3)
    settings = {"solver": "gd", "max_iter": 20, "tol": 0, "standardize": True, "random_state": 3}
    expected = kind(**settings).fit(X[~held], y[~held])
    trained = load(out / f"{model}.npz")
    np.testing.assert_allclose(trained.coef_, expected.coef_, rtol=1e-9)
    assert trained.feature_names_in_.tolist() == encoder.names
    result = json.loads(shown)
    assert result["rows"] == {"train": int((~held).sum()), "held_out": int(held.sum())}
    figures = whole_figures(expected, X[held], y[held], y[~held])
    found = result["models"][model]
    within = found.pop("auc_within", 0)
    for key, value in figures.items():
        if isinstance(value, float):
            assert abs(found[key] - value) <= 1e-9 * abs(value) + within * (key == "auc"), key
        else:
            assert found[key] == value
    assert not [file for file in os.listdir(out) if file.startswith(".")]


def test_the_printed_figures_say_where_the_area_comes_from(run, tmp_path):
    path = tmp_path / "students.csv"
    students().to_csv(path, index=False)
    how = ("--stream", "--data", path, "--target", "passed", "--out", tmp_path / "out")
    code, shown, _ = run("train", *how, *OPTIONS, "both")
    assert code == 0
    assert "AUC comes from a histogram of the scores, " in shown
    assert "read piece by piece; the rows take 15 kB of a temporary file in" in shown


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 300), max_size=4), st.integers(2, 4))
def test_scores_by_blocks_are_those_of_all_rows(seed, ends, classes):
    random = np.random.default_rng(seed)
    X = random.normal(size=(300, 2)).round(1)
    y = random.integers(0, classes, 300)
    y[:classes] = range(classes)
    model = LogisticRegression(max_iter=5, tol=0, solver="gd").fit(X, y)
    log_p, predicted = model.predict_log_proba(X), model.predict(X)
    scores = Scores(model.classes_)
    for part in np.split(np.arange(300), sorted(ends)):
        scores.add(y[part], predicted[part], log_p[part])
    expected = whole_figures(model, X, y, y)
    assert (scores.rows, scores.accuracy) == (300, expected["accuracy"])
    np.testing.assert_allclose(scores.log_loss, expected["log_loss"], rtol=1e-12)
    area, within = scores.auc
    assert abs(area - expected["auc"]) <= within + 1e-12
    assert within < 0.01


@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_errors_by_blocks_are_those_of_all_rows(pairs, ends):
    y, predicted = np.array(pairs).T
    errors = Errors()
    for part in np.split(np.arange(len(y)), sorted(min(end, len(y)) for end in ends)):
        errors.add(y[part], predicted[part])
    np.testing.assert_allclose(errors.rmse, rmse(y, predicted), rtol=1e-9)
    assert np.isnan(errors.r2) == np.isnan(r2(y, predicted))
    if np.ptp(y) > 1e-3:
        np.testing.assert_allclose(1 - errors.r2, 1 - r2(y, predicted), rtol=1e-6)


@pytest.mark.parametrize("piece", [60, 500, 10**6])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_predict_writes_the_same_table_whatever_the_pieces(
    run, tmp_path, monkeypatch, suffix, piece
):
    table = students()
    table.to_csv(tmp_path / "train.csv", index=False)
    how = ("--data", tmp_path / "train.csv", "--target", "passed", "--drop", "points")
    model = "logistic-regression"
    assert run("train", *how, *OPTIONS, model, "--out", tmp_path / "out")[0] == 0
    table.loc[table.index % 50 == 7, "town"] = "Jena"
    table["note"] = np.where(table.index % 90 == 3, "=1+1", "a,b")
    path, out = tmp_path / f"new.{suffix}", tmp_path / "out.csv"
    table.to_parquet(path) if suffix == "parquet" else table.to_csv(path, index=False)
    predict = ("predict", "--weights", tmp_path / "out" / f"{model}.npz", "--data", path)
    found = []
    for size in (10**9, piece):
        monkeypatch.setattr(
            pieces.open_table, "__kwdefaults__", pieces.open_table.__kwdefaults__ | {"piece": size}
        )
        code, shown, complaints = run(*predict, "--out", out)
        found.append((code, shown, complaints, out.read_text()))
        assert run(*predict)[:2] == (0, out.read_text())
    assert found[0] == found[1]
    assert "column 'town': Jena in 8 rows not seen in training; taken as missing" in complaints
    assert "a spreadsheet may compute 5 cells, such as '=1+1'" in complaints
    assert len(out.read_text().splitlines()) == 401


def test_nothing_is_written_over_if_a_late_row_is_wrong(run, tmp_path):
    table = students()
    path, out = tmp_path / "students.csv", tmp_path / "out"
    table.to_csv(path, index=False)
    train = ("train", "--stream", "--data", path, "--target", "passed", "--out", out, *OPTIONS)
    assert run(*train, "logistic-regression")[0] == 0
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    with open(path, "a") as file:
        file.write("1,Ulm\n")
    code, shown, complaints = run(*train, "logistic-regression")
    assert (code, shown) == (2, "")
    assert "students.csv, line 402: 2 values where the header has 5" in complaints
    assert len(complaints.splitlines()) == 1
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    result = tmp_path / "predicted.csv"
    result.write_text("kept")
    weights = out / "logistic-regression.npz"
    for more in (("--out", result), ()):
        code, shown, complaints = run("predict", "--weights", weights, "--data", path, *more)
        assert (code, shown) == (2, "")
        assert "students.csv, line 402" in complaints
    assert result.read_text() == "kept"


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ("1,a\n2,b\n", ("--cv", 3), "--cv needs all rows in memory; leave out --cv, or --stream"),
        ("1,a\n2,b\n", ("--report",), "--report needs all rows in memory"),
        ("1,a\n2,a\n", (), "the target 'y' is always a; there is nothing to predict"),
        ("1,\n2,\n", (), "the target 'y' has no values"),
        (
            "1,a\n2,a\n3,a\n4,b\n",
            ("--random-state", 4, "--test-size", 0.5),
            "has no row of b to train on, because rows",
        ),
        ("1,a\n2,b\n", ("--columns", "z"), "has no column 'z'"),
        ("1,a\n2,b\n" * 9 + ",a\n", ("--drop", "x"), "has no column to learn from besides"),
        ("inf,a\n2.5,b\n" * 9, (), "column 'x' holds numbers or dates, but also 'inf'"),
    ],
)
def test_what_cannot_be_learned_from_is_said_in_one_line(run, tmp_path, rows, options, message):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + rows)
    how = ("--stream", "--data", path, "--target", "y", "--out", tmp_path / "out", "--quiet")
    code, shown, complaints = run("train", *how, *options)
    assert (code, shown) == (2, "")
    assert message in complaints
    assert len(complaints.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_large_beside_the_free_memory_is_streamed(run, tmp_path, monkeypatch):
    path = tmp_path / "students.csv"
    students().to_csv(path, index=False)
    size = path.stat().st_size
    how = ("--data", path, "--target", "passed", "--out", tmp_path / "out", *OPTIONS)
    for memory, streamed in ((4 * size, False), (4 * size - 4, True), (None, False)):
        monkeypatch.setattr(streaming, "_available", lambda memory=memory: memory)
        _, shown, _ = run("train", *how, "logistic-regression")
        assert ("read piece by piece" in shown) == streamed
    monkeypatch.setattr(streaming, "_available", lambda: 1)
    for option in ("--no-stream", "--cv=2"):
        assert "read piece by piece" not in run("train", *how, "logistic-regression", option)[1]


def test_a_folder_of_files_is_one_table(run, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    table = students()
    table.to_csv(tmp_path / "all.csv", index=False)
    for k in range(4):
        table[k * 100 : k * 100 + 100].to_csv(folder / f"part-{k}.csv", index=False)
    found = []
    for path in (tmp_path / "all.csv", folder):
        how = ("--data", path, "--target", "points", "--out", tmp_path / "out", "--json", *OPTIONS)
        code, shown, _ = run("train", "--stream", *how, "linear-regression")
        assert code == 0
        found.append(json.loads(shown)["models"])
    assert found[0] == found[1]


@pytest.mark.parametrize("changed", [False, True])
def test_a_training_that_was_stopped_goes_on(run, tmp_path, monkeypatch, changed):
    """By blocks again, though memory may be free by now; a late row that changed is noticed."""
    path, out, whole = tmp_path / "students.csv", tmp_path / "out", tmp_path / "whole"
    table = students()
    table.to_csv(path, index=False)
    given = ("--data", path, "--target", "passed", *OPTIONS, "both")
    record = Monitor._record

    def interrupted(self, *args):
        record(self, *args)
        if len(self.losses) == 7:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Monitor, "_record", interrupted)
        patch.setattr(streaming, "_available", lambda: 1)
        assert run("train", *given, "--out", out)[0] == 130
    table.loc[398, "hours"] = 1.25 if changed else table.loc[398, "hours"]
    table.to_csv(path, index=False)
    code, _, complaints = run("train", "--resume", out, "--quiet")
    if changed:
        assert code == 2
        assert "is not what it was: its rows or columns differ" in complaints
        assert (out / "checkpoint.npz").exists()
        return
    assert code == 0
    assert run("train", "--stream", *given, "--out", whole)[0] == 0
    for name in ("logistic-regression.npz", "mlp.npz"):
        assert content(out / name) == content(whole / name)


def test_memory_is_free():
    assert streaming._available() > 1 << 20


SCRIPT = """
import re, sys, threading, time
from pathlib import Path
from autograd_lite.cli import main

def private():
    return int(re.search(r"RssAnon:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10

peak = [0]
def watch():
    while True:
        peak[0] = max(peak[0], private())
        time.sleep(0.005)
threading.Thread(target=watch, daemon=True).start()
code = main(sys.argv[1:])
print("peak", peak[0], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux's /proc")
def test_memory_does_not_grow_with_the_table(tmp_path):
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(50_000, 10)).round(4)).add_prefix("x")
    table["y"] = np.where(table["x0"] + random.normal(size=50_000) > 0, "yes", "no")
    part = table.to_csv(index=False, header=False)
    (tmp_path / "run.py").write_text(SCRIPT)
    peaks, path = {}, tmp_path / "large.csv"
    for command, parts in (("train", 10), ("predict", 3), ("predict", 15), ("train", 50)):
        with open(path, "w") as file:
            file.write(",".join(table) + "\n")
            for _ in range(parts):
                file.write(part)
        how = ("--data", path, "--stream", "--target", "y", "--out", tmp_path / "out")
        model = ("--quiet", "--model", "logistic-regression", "--solver", "gd", "--max-iter", "5")
        weights = ("--weights", tmp_path / "out" / "logistic-regression.npz")
        out = ("--data", path, "--out", tmp_path / "predicted.csv")
        options = (*how, *model) if command == "train" else (*weights, *out)
        argv = [sys.executable, tmp_path / "run.py", command, *options]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        peaks.setdefault(command, []).append(int(done.stderr.split()[-1]))
    assert path.stat().st_size > 180e6
    for few, many in peaks.values():
        assert many < 1.15 * few + 20, peaks
        assert many < 500, peaks


def test_a_full_disk_is_an_error_that_names_the_folder(run, tmp_path):
    resource = pytest.importorskip("resource")
    path, out = tmp_path / "students.csv", tmp_path / "out"
    students().to_csv(path, index=False)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        how = ("--data", path, "--target", "passed", "--out", out, "--quiet")
        code, shown, complaints = run("train", "--stream", *how)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (code, shown) == (2, "")
    assert str(out) in complaints
    assert len(complaints.splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize("place", [0, 150, 399])
def test_a_text_among_numbers_is_named_wherever_it_is(run, tmp_path, place):
    table = students()
    path, out = tmp_path / "students.csv", tmp_path / "out"
    table.to_csv(path, index=False)
    how = ("--data", path, "--target", "passed", "--out", out)
    assert run("train", *how, *OPTIONS, "logistic-regression")[0] == 0
    table["hours"] = table["hours"].astype(object)
    table.loc[place, "hours"] = "many"
    table.to_csv(path, index=False)
    weights = ("--weights", out / "logistic-regression.npz")
    code, shown, complaints = run("predict", *weights, "--data", path)
    assert (code, shown) == (2, "")
    assert "column 'hours' holds 'many', but the model was trained on numbers" in complaints


def test_standard_input_is_streamed_if_asked_for(run, tmp_path, monkeypatch):
    table = students()
    table.to_csv(tmp_path / "students.csv", index=False)
    found = []
    for source in (tmp_path / "students.csv", "-"):
        content = io.BytesIO((tmp_path / "students.csv").read_bytes())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
        how = ("--stream", "--data", source, "--target", "passed", "--out", tmp_path / "out")
        code, shown, complaints = run("train", *how, "--json", *OPTIONS, "logistic-regression")
        assert code == 0, complaints
        found.append(json.loads(shown)["models"])
    assert found[0] == found[1]


@given(st.integers(0, 2**63), st.floats(0.05, 0.95))
def test_a_share_of_the_rows_is_held_out(seed, share):
    held = hashed(np.arange(4000), seed) < np.uint64(share * 2**64)
    assert abs(held.mean() - share) < 6 * np.sqrt(share * (1 - share) / 4000)
    other = hashed(np.arange(4000), seed + 1) < np.uint64(share * 2**64)
    both = share * share
    assert abs((held & other).mean() - both) < 6 * np.sqrt(both * (1 - both) / 4000)
