"""`train --stream`: rows read by blocks have the weights and figures of those in memory."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.data import Encoder, pieces, read_table, spool
from autograd_lite.data.facts import hashed
from autograd_lite.data.targets import target_of
from autograd_lite.models import LinearRegression, LogisticRegression, load
from autograd_lite.models.block_metrics import Errors, Scores
from autograd_lite.models.estimator import Estimator
from autograd_lite.models.metrics import figures as whole_figures
from autograd_lite.models.metrics import r2, rmse
from autograd_lite.row_blocks import RowBlocks

OPTIONS = ("--quiet", "--solver", "gd", "--max-iter", 20, "--tol", 0, "--model")


@pytest.fixture(autouse=True)
def fits_blocks(monkeypatch):
    """Models that read all blocks to train on them."""
    fit = Estimator.fit

    def reading(self, X, y, sample_weight=None):
        X, y = (a.read() if isinstance(a, RowBlocks) else a for a in (X, y))
        return fit(self, X, y, sample_weight)

    monkeypatch.setattr(Estimator, "fit", reading)


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
