"""Weights of rows and classes: as many copies of a row as its weight says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
)

ALL = pytest.mark.parametrize(
    "model", [LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor]
)
REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum"])
SEEDS = st.integers(0, 2**32 - 1)
BAD = [
    ([1.0] * 29 + [-1.0], "must be finite and not negative"),
    ([1.0] * 29 + [np.nan], "must be finite and not negative"),
    ([1.0] * 29 + [np.inf], "must be finite and not negative"),
    ([0.0] * 30, "sample_weight is zero for every row"),
    ([1.0] * 29, r"sample_weight has shape \(29,\), and X has 30 rows"),
    (np.ones((30, 1)), r"sample_weight has shape \(30, 1\), and X has 30 rows"),
]


def table(seed, model, classes=2):
    """Rows, their targets, and how often each is there: some not at all, but each class twice."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(30, 3))
    y = np.append(np.tile(range(classes), 2), random.integers(classes, size=30 - 2 * classes))
    copies = np.append(np.ones(2 * classes, dtype=int), random.integers(4, size=30 - 2 * classes))
    return X, y if model.kind == "classifier" else X[:, 0] + random.normal(size=30), copies


def settings_of(solver, reduction="mean"):
    rate = {"gd": 1e-3, "sgd": 1e-4, "adam": 1e-3}[solver]
    common = {"max_iter": 8, "tol": 0, "random_state": 0, "learning_rate_init": rate}
    return {"solver": solver, "reduction": reduction} | common


@ALL
@REDUCTIONS
@pytest.mark.parametrize("solver", ["gd", "adam", "sgd"])
@pytest.mark.parametrize("standardize", [False, True])
@given(SEEDS, st.sampled_from([2, 3]))
@settings(max_examples=4)
def test_a_weight_is_a_number_of_copies(model, reduction, solver, standardize, seed, classes):
    X, y, copies = table(seed, model, classes)
    options = {"standardize": standardize, "alpha": 0.1} | settings_of(solver, reduction)
    weighted = model(**options).fit(X, y, copies)
    repeated = model(**options).fit(np.repeat(X, copies, axis=0), np.repeat(y, copies))
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)
    for name, array in repeated.parameters_.items():
        np.testing.assert_allclose(weighted.parameters_[name], array, rtol=1e-6, atol=1e-9)
    assert weighted.score(X, y, copies) == pytest.approx(
        repeated.score(np.repeat(X, copies, axis=0), np.repeat(y, copies))
    )
    assert weighted.loss_graph(X, y, copies).item() == pytest.approx(weighted.loss_)


@ALL
@given(SEEDS)
@settings(max_examples=4)
def test_the_mean_is_that_of_the_weights(model, seed):
    """Weights that are all c times as large change nothing but the sum."""
    X, y, copies = table(seed, model)
    one = model(**settings_of("gd")).fit(X, y, copies)
    other = model(**settings_of("gd")).fit(X, y, 1e3 * copies)
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-9)
    L = model(reduction="sum", random_state=0).loss_graph(X, y, copies).item()
    double = model(reduction="sum", random_state=0).loss_graph(X, y, 2 * copies).item()
    assert double == pytest.approx(2 * L)


@ALL
@REDUCTIONS
@pytest.mark.parametrize("ones", [np.ones(30), np.ones(30, dtype=int), 1, True])
def test_weights_of_one_are_none(model, reduction, ones):
    X, y, _ = table(3, model)
    plain = model(**settings_of("adam", reduction)).fit(X, y)
    weighted = model(**settings_of("adam", reduction)).fit(X, y, ones)
    assert plain.loss_curve_ == weighted.loss_curve_


@settings(max_examples=15)
@given(SEEDS, st.sampled_from([2, 3]), st.sampled_from(["balanced", "each", "some"]), st.booleans())
def test_the_weights_of_classes_are_those_of_scikit_learn(seed, classes, kind, weighted):
    linear_model = pytest.importorskip("sklearn.linear_model", reason="no scikit-learn")
    X, y, _ = table(seed, LogisticRegression, classes)
    names = np.array(["a", "b", "c"])[y]
    weights = np.random.default_rng(seed).uniform(0.5, 2, 30) if weighted else None
    class_weight = {"balanced": "balanced", "each": {"a": 2.0, "b": 0.5, "c": 3}, "some": {"b": 4}}
    options = {"class_weight": class_weight[kind]}
    if classes == 2 and kind == "each":
        options = {"class_weight": {"a": 2.0, "b": 0.5}}
    own = LogisticRegression(alpha=0.5, reduction="sum", solver="lbfgs", tol=1e-8, **options)
    theirs = linear_model.LogisticRegression(C=2, tol=1e-10, max_iter=10_000, **options)
    own.fit(X, names, weights)
    theirs.fit(X, names, weights)
    np.testing.assert_allclose(own.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(own.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
@given(SEEDS, st.sampled_from([2, 3]))
@settings(max_examples=5)
def test_the_weight_of_a_class_is_that_of_its_rows(model, seed, classes):
    X, y, copies = table(seed, model, classes)
    factors = np.arange(1.0, classes + 1)
    by_class = model(class_weight=dict(enumerate(factors)), **settings_of("gd"))
    by_row = model(**settings_of("gd"))
    by_class.fit(X, y, copies)
    by_row.fit(X, y, copies * factors[y])
    np.testing.assert_allclose(by_class.loss_curve_, by_row.loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
def test_balanced_gives_all_classes_the_same_weight(model):
    X, y, _ = table(2, model, 3)
    sizes = np.bincount(y)
    balanced = model(class_weight="balanced", **settings_of("gd")).fit(X, y)
    by_row = model(**settings_of("gd")).fit(X, y, (30 / 3 / sizes)[y])
    np.testing.assert_allclose(balanced.loss_curve_, by_row.loss_curve_, rtol=1e-12)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("even", "class_weight must be \"balanced\", a mapping or None, not 'even'"),
        ([1, 2], 'class_weight must be "balanced", a mapping or None'),
        ({0: 1.0, 7: 2.0}, "class_weight names 7; the classes are 0, 1"),
        ({0: -1.0}, "class_weight"),
        ({0: np.nan}, "class_weight"),
    ],
)
def test_weights_of_classes_that_are_none(given, message):
    X, y, _ = table(0, LogisticRegression)
    with pytest.raises(ValueError, match=message):
        LogisticRegression(class_weight=given).fit(X, y)


@ALL
@pytest.mark.parametrize(("weights", "message"), BAD)
def test_weights_that_are_none(model, weights, message):
    X, y, _ = table(0, model)
    trained = model(**settings_of("gd")).fit(X, y)
    for ask in (model().fit, model().loss_graph, trained.score, model(solver="gd").partial_fit):
        with pytest.raises(ValueError, match=message):
            ask(X, y, sample_weight=weights)


@ALL
def test_weights_that_are_text(model):
    X, y, _ = table(0, model)
    with pytest.raises(ValueError, match="sample_weight must hold numbers, not <U1"):
        model().fit(X, y, ["a"] * 30)


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_do_not_change_the_dtype(model, dtype):
    X, y, copies = table(0, model)
    trained = model(**settings_of("adam")).fit(X.astype(dtype), y, copies)
    assert all(array.dtype == dtype for array in trained.parameters_.values())
