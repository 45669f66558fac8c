"""Models on rows by blocks, beside the same models on arrays."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_streams import cut

from autograd_lite.models import (
    ConvergenceWarning,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
)
from autograd_lite.models.block_rows import Moments
from autograd_lite.models.block_training import Tally
from autograd_lite.models.errors import DataConversionWarning
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.row_sources import ArraySource, BlockError

pytestmark = pytest.mark.filterwarnings("ignore::autograd_lite.models.ConvergenceWarning")

RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(403, 5)) * [1, 10, 0.1, 3, 1] + [0, 5, 1, 0, -3]
NUMBER = X @ RANDOM.normal(size=5) + RANDOM.normal(size=len(X))
WEIGHTS = np.abs(RANDOM.normal(size=len(X))) * (RANDOM.random(len(X)) > 0.1)
TARGETS = {
    "two classes": (NUMBER > 0).astype(int),
    "names": np.array(["lo", "mid", "high"])[np.digitize(NUMBER, [-4.0, 4.0])],
    "truth values": NUMBER > 1,
    "bytes": np.where(NUMBER > 0, b"more", b"less"),
    "objects": np.where(NUMBER > 0, "more", "less").astype(object),
    "one row of its class": np.where(np.arange(len(X)) == 7, 9, NUMBER > 0).astype("u1"),
    "floats": np.where(NUMBER > 0, 1.5, -1.0),
}
CLASSIFIERS = [LogisticRegression, MLPClassifier]
REGRESSORS = [LinearRegression, MLPRegressor]


@st.composite
def cases(draw):
    regression = draw(st.booleans())
    kind = draw(st.sampled_from(REGRESSORS if regression else CLASSIFIERS))
    y = NUMBER if regression else TARGETS[draw(st.sampled_from(sorted(TARGETS)))]
    options = {
        "solver": draw(st.sampled_from(["gd", "lbfgs", "newton-cg"])),
        "standardize": draw(st.booleans()),
        "alpha": draw(st.sampled_from([0.0, 0.1])),
        "reduction": draw(st.sampled_from(["mean", "sum"])),
        "max_iter": 4,
        "random_state": 0,
    }
    if options["reduction"] == "sum":
        options["learning_rate_init"] = 1e-4
    if not regression and draw(st.booleans()):
        options["class_weight"] = "balanced"
    weights = WEIGHTS if draw(st.booleans()) else None
    bounds = draw(st.lists(st.integers(0, len(X)), max_size=4))
    ends = [0, *sorted(bounds), len(X)]
    return kind, options, y, weights, [b - a for a, b in pairwise(ends)]


@settings(max_examples=40)
@given(cases(), st.booleans())
def test_full_batches_give_what_arrays_give(case, beside):
    kind, options, y, weights, lengths = case
    rows = cut(X, lengths), y if beside else cut(y, lengths)
    found = kind(**options).fit(*rows, weights)
    expected = kind(**options).fit(X, y, weights)
    assert found.loss_ == pytest.approx(expected.loss_, rel=1e-9)
    for name, array in expected.parameters_.items():
        np.testing.assert_allclose(found.parameters_[name], array, rtol=1e-7, atol=1e-9)
    if hasattr(expected, "classes_"):
        assert found.classes_.tolist() == expected.classes_.tolist()
    score = found.score(*rows, weights)
    assert score == pytest.approx(found.score(X, y, weights), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
@pytest.mark.parametrize("name", ["two classes", "names"])
def test_predictions_of_blocks(name, method):
    model = LogisticRegression().fit(X, TARGETS[name])
    found = getattr(model, method)(cut(X, [100, 0, 1, 302]))
    expected = getattr(model, method)(X)
    assert found.dtype == expected.dtype
    if method == "predict":
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_batches_come_from_blocks_and_take_each_row_once(solver, reduction):
    taken = []
    rate = 0.01 if reduction == "mean" else 1e-5

    class Seen(ArraySource):
        def read(self, k):
            taken.append(k)
            return super().read(k)

    rows = RowBlocks(Seen(X, 50)), RowBlocks(ArraySource(TARGETS["names"], 50))
    model = MLPClassifier(
        solver=solver, batch_size=20, max_iter=3, random_state=0, reduction=reduction,
        learning_rate_init=rate,
    )  # fmt: skip
    model.fit(*rows)
    assert len(model.loss_curve_) == 3
    epochs = [taken[k : k + 9] for k in range(0, len(taken), 9)]
    assert all(sorted(epoch) == [*range(9)] for epoch in epochs)
    assert any(epoch != sorted(epoch) for epoch in epochs)
    again = MLPClassifier(**model.get_params()).fit(*rows)
    assert again.loss_curve_ == model.loss_curve_


def test_float32_stays_float32():
    model = MLPRegressor(max_iter=3, random_state=0)
    model.fit(cut(X.astype(np.float32), [200, 203]), cut(NUMBER.astype(np.float32), [403]))
    assert {x.dtype for x in model.parameters_.values()} == {np.dtype(np.float32)}


def test_partial_fit_goes_on():
    rows, y = cut(X, [200, 203]), TARGETS["names"]
    model = MLPClassifier(solver="gd", random_state=0)
    for _ in range(5):
        model.partial_fit(rows, y)
    expected = MLPClassifier(solver="gd", random_state=0)
    for _ in range(5):
        expected.partial_fit(X, y)
    np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-9)


def test_early_stopping_holds_rows_out_by_their_numbers():
    rows, y = cut(X, [200, 203]), cut(NUMBER, [403])
    model = MLPRegressor(early_stopping=True, random_state=0, max_iter=20).fit(rows, y)
    assert len(model.validation_scores_) > 1
    other = MLPRegressor(early_stopping=True, random_state=0, max_iter=20)
    other.fit(cut(X, [100, 303]), cut(NUMBER, [403]))
    np.testing.assert_allclose(model.validation_scores_, other.validation_scores_, rtol=1e-3)


@pytest.mark.parametrize("rows", [1, 3, 200])
@pytest.mark.parametrize("kind", [LinearRegression, LogisticRegression])
def test_rows_without_weight_are_not_scored(kind, rows):
    """Nor blocks of which no row has one."""
    y = NUMBER if kind is LinearRegression else TARGETS["names"]
    weights = (np.arange(len(X)) % 3 == 0).astype(float)
    wrong = X.copy()
    wrong[weights == 0] *= 1e3
    lengths = [rows] * (len(X) // rows) + [len(X) % rows]
    found, expected = (
        kind(early_stopping=True, max_iter=5, solver="gd", learning_rate_init=1e-3).set_params(
            random_state=0
        ).fit(cut(data, lengths), cut(y, lengths), weights)
        for data in (wrong, X)
    )  # fmt: skip
    np.testing.assert_allclose(found.validation_scores_, expected.validation_scores_, rtol=1e-9)
    alone = np.zeros(len(X))
    alone[0] = 1
    with pytest.raises(ValueError, match="too few to hold out two"):
        found.fit(cut(X, lengths), cut(y, lengths), alone)


FAULTS = {
    "a missing number": (lambda X, y: (_with(X, (250, 3), np.nan), y), "block 1, row 250: .*NaN"),
    "an infinite number": (lambda X, y: (_with(X, (10, 0), np.inf), y), "block 0, row 10: .*inf"),
    "a missing target": (lambda X, y: (X, _with(y, 399, np.nan)), "block 1, row 399: y must be"),
}


def _with(array, place, value):
    array = array.astype(float)
    array[place] = value
    return array


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_by_its_block_and_row(name):
    change, text = FAULTS[name]
    faulty = change(X, NUMBER)
    model = LinearRegression().fit(X, NUMBER)
    before = model.parameters_["w"]
    with pytest.raises(BlockError, match=text):
        model.fit(cut(faulty[0], [200, 203]), cut(faulty[1], [200, 203]))
    assert model.parameters_["w"] is before


def test_errors_of_fit_and_predict():
    rows, y = cut(X, [200, 203]), cut(NUMBER, [200, 203])
    with pytest.raises(ValueError, match="0 sample"):
        LinearRegression().fit(cut(X[:0], [0]), NUMBER[:0])
    with pytest.raises(ValueError, match="X has 403 rows, y has 402 targets"):
        LinearRegression().fit(rows, NUMBER[1:])
    with pytest.raises(ValueError, match="y cannot be None"):
        LinearRegression().fit(rows, None)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        LogisticRegression().fit(rows, y)
    with pytest.raises(ValueError, match="1 class"):
        LogisticRegression().fit(rows, np.ones(403, dtype=int))
    model = LinearRegression().fit(rows, y)
    with pytest.raises(BlockError, match="block 0, from row 0 on: X has 4 features"):
        model.predict(rows[:, :4])
    with pytest.raises(BlockError, match="block 1, row 300: X must be finite; column 1 is NaN"):
        model.predict(cut(_with(X, (300, 1), np.nan), [200, 203]))


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
    st.sampled_from([1e-8, 1.0, 1e6]),
    st.booleans(),
)
def test_moments_of_blocks_are_those_of_all_rows(lengths, far, weighted):
    n = sum(lengths) + 2
    rows = RANDOM.normal(size=(n, 2)) + far
    weights = RANDOM.random(n) if weighted else None
    ends = np.cumsum([0, 2, *lengths])
    parts = [slice(i, j) for i, j in pairwise(ends) if j > i]
    found = [Moments.of(rows[p], None if weights is None else weights[p]) for p in parts]
    total = found[0]
    for other in found[1:]:
        total = total + other
    mean = np.average(rows, axis=0, weights=weights)
    np.testing.assert_allclose(total.mean, mean, rtol=1e-12)
    spread = np.average((rows - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(total.squares / total.weight, spread, rtol=1e-6)


def test_a_sum_of_squares_that_loses_the_mean_fails_the_test():
    """The test above sees that moments are joined about their means."""
    one, two = Moments.of(X[:200], None), Moments.of(X[200:] + 50, None)
    naive = one.squares + two.squares
    assert not np.allclose((one + two).squares, naive)


def test_tallies_are_scores():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LinearRegression(max_iter=2, solver="gd", learning_rate_init=1e-3).fit(X, NUMBER)
    z = model.predict(X)
    parts = [
        Tally.of(z[p], NUMBER[p], WEIGHTS[p], numbers=True) for p in (slice(99), slice(99, None))
    ]
    assert (parts[0] + parts[1]).score == pytest.approx(model.score(X, NUMBER, WEIGHTS))


def test_a_column_of_targets_is_warned_about_once():
    rows = cut(X, [200, 203]), cut(NUMBER[:, None], [103, 300])
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        model = LinearRegression().fit(*rows)
        model.score(*rows)
    assert len(found) == 2
    assert all(issubclass(x.category, DataConversionWarning) for x in found)
    expected = LinearRegression().fit(X, NUMBER).parameters_["w"]
    np.testing.assert_allclose(model.parameters_["w"], expected, rtol=1e-5)


BESIDE = {
    "masked targets": (
        (np.ma.array(TARGETS["names"], mask=X[:, 0] > 0), None),
        TypeError,
        "lose its mask",
    ),
    "masked weights": (
        (TARGETS["names"], np.ma.masked_greater(WEIGHTS, 1)),
        TypeError,
        "lose its mask",
    ),
    "no targets": ((None, None), ValueError, "y cannot be None"),
    "too few targets": (
        (TARGETS["names"][1:], None),
        ValueError,
        "X has 403 rows, y has 402 targets",
    ),
    "too few weights": (
        (TARGETS["names"], WEIGHTS[1:]),
        ValueError,
        r"\(402,\), and X has 403 rows",
    ),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_in_memory_beside_blocks_is_checked_as_in_memory(name):
    given, error, text = BESIDE[name]
    model = LogisticRegression().fit(X, TARGETS["names"])
    for method in (LogisticRegression().fit, model.score):
        with pytest.raises(error, match=text):
            method(cut(X, [200, 203]), *given)


@pytest.mark.parametrize("model", [LogisticRegression, LinearRegression])
def test_a_score_needs_rows_with_weight(model):
    y = TARGETS["names"] if model is LogisticRegression else NUMBER
    fitted = model().fit(X, y)
    with pytest.raises(ValueError, match="zero for every row"):
        fitted.score(cut(X, [200, 203]), cut(y, [200, 203]), cut(np.zeros(403), [403]))
    with pytest.raises(ValueError, match="0 sample"):
        fitted.score(cut(X[:0], [0]), cut(y[:0], [0]))


def test_the_missing_target_of_a_score_is_named():
    model = LinearRegression().fit(X, NUMBER)
    with pytest.raises(BlockError, match="block 1, row 250: y must be finite; it is NaN"):
        model.score(cut(X, [200, 203]), cut(_with(NUMBER, 250, np.nan), [200, 203]))


@pytest.mark.parametrize("constant", [0.0, 0.1])
def test_rows_without_weight_do_not_scale_columns(constant):
    columns = np.column_stack([X, np.where(WEIGHTS > 0, constant, 7)])
    options = {"solver": "lbfgs", "standardize": True, "max_iter": 4}
    found = LinearRegression(**options).fit(cut(columns, [99, 304]), NUMBER, WEIGHTS)
    expected = LinearRegression(**options).fit(columns, NUMBER, WEIGHTS)
    np.testing.assert_allclose(found.scale_, expected.scale_, rtol=1e-9)
    np.testing.assert_allclose(found.parameters_["w"], expected.parameters_["w"], rtol=1e-7)
