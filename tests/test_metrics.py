"""The figures of held-out rows: as scikit-learn computes them, and where it has none."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_lite.models import LinearRegression, LogisticRegression, MLPClassifier, MLPRegressor
from autograd_lite.models.metrics import (
    auc,
    below_baseline,
    calibration,
    figures,
    log_loss,
    margins,
    r2,
    rmse,
    roc,
)

metrics = pytest.importorskip("sklearn.metrics", reason="no scikit-learn")
from sklearn.calibration import calibration_curve  # noqa: E402
from sklearn.dummy import DummyClassifier  # noqa: E402

FEW = settings(max_examples=25)
SCORES = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e300, 1e300))


@st.composite
def scored(draw, both=True, scores=SCORES):
    """Which rows are positive, and a score of each, often tied."""
    positive = draw(hnp.arrays(bool, st.integers(2, 40)))
    if both:
        positive[:2] = True, False
    return positive, draw(hnp.arrays(float, len(positive), elements=scores))


@st.composite
def classified(draw, low=2, high=5, spread=30):
    """The true class of each row, and the logarithms of the probabilities of all classes."""
    count, rows = draw(st.integers(low, high)), draw(st.integers(1, 30))
    y = draw(hnp.arrays(int, rows, elements=st.integers(0, count - 1)))
    z = draw(hnp.arrays(float, (rows, count), elements=st.floats(-spread, spread)))
    return y, z - np.logaddexp.reduce(z, axis=1, keepdims=True)


def slow_auc(positive, score):
    """The share of pairs in the right order, a tie counting half."""
    difference = np.subtract.outer(score[positive], score[~positive])
    return np.mean((difference > 0) + (difference == 0) / 2)


# ROC


@given(scored())
def test_the_area_is_the_share_of_pairs_in_order(rows):
    assert auc(*rows) == pytest.approx(slow_auc(*rows), abs=1e-12)
    assert auc(*rows) == pytest.approx(metrics.roc_auc_score(*rows), abs=1e-12)


@given(scored())
def test_the_curve_is_that_of_scikit_learn_without_the_points_of_its_lines(rows):
    false, true = roc(*rows)
    theirs = metrics.roc_curve(*rows, drop_intermediate=False)[:2]
    assert set(zip(false, true, strict=True)) <= set(zip(*theirs, strict=True))
    assert metrics.auc(false, true) == pytest.approx(metrics.auc(*theirs), abs=1e-12)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    steps = np.diff([false, true])
    crossed = steps[0, 1:] * steps[1, :-1] - steps[0, :-1] * steps[1, 1:]
    assert (np.abs(crossed) > 1e-9).all()


@given(scored(scores=st.integers(-50, 50).map(float)), st.sampled_from([np.exp, np.cbrt, np.sinh]))
def test_only_the_order_of_the_scores_counts(rows, monotone):
    positive, score = rows
    assert auc(positive, monotone(score)) == auc(positive, score)


@given(scored(), st.randoms(use_true_random=False))
def test_other_orders_and_the_other_class(rows, random):
    positive, score = rows
    order = random.sample(range(len(score)), len(score))
    assert auc(positive[order], score[order]) == auc(positive, score)
    assert auc(~positive, -score) == auc(positive, score)
    assert auc(positive, -score) == pytest.approx(1 - auc(positive, score), abs=1e-12)
    assert auc(positive, np.zeros(len(score))) == 0.5
    assert auc(positive, positive.astype(float)) == 1
    assert auc(positive, np.where(positive, np.inf, -np.inf)) == 1


@given(st.booleans(), hnp.arrays(float, st.integers(1, 9), elements=SCORES))
def test_rows_of_one_kind_have_no_area(kind, score):
    positive = np.full(len(score), kind)
    assert math.isnan(auc(positive, score))
    rates = roc(positive, score)
    assert np.isnan(rates[not kind]).all()
    assert not np.isnan(rates[kind]).any()


# Probabilities


@given(classified(spread=15))
def test_the_log_loss_is_that_of_scikit_learn(rows):
    y, log_p = rows
    classes = np.arange(log_p.shape[1])
    theirs = metrics.log_loss(y, np.exp(log_p), labels=classes)
    assert log_loss(y, classes, log_p) == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@given(classified(spread=1e300))
def test_the_log_loss_is_finite_where_a_probability_rounds_to_0(rows):
    y, log_p = rows
    assert 0 <= log_loss(y, np.arange(log_p.shape[1]), log_p) < np.inf


def test_the_log_loss_of_certainty():
    log_p = np.array([[0.0, -1e4], [-1e4, 0.0]])
    assert str(log_loss(np.array([0, 1]), np.array([0, 1]), log_p)) == "0.0"
    assert log_loss(np.array([1, 0]), np.array([0, 1]), log_p) == 1e4
    assert log_loss(np.array(["b", "c"]), np.array(["a", "b"]), log_p) == np.inf


@given(hnp.arrays(float, st.integers(1, 30), elements=st.floats(-700, 700)))
def test_margins_of_two_classes_are_the_log_odds(z):
    log_p = -np.logaddexp(0, np.column_stack([z, -z]))
    np.testing.assert_allclose(margins(log_p)[:, 1], z, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(margins(log_p)[:, 0], -margins(log_p)[:, 1])


@given(scored(both=False, scores=st.floats(0, 1)), st.integers(1, 12))
def test_the_bins_of_the_calibration(rows, bins):
    for strategy in ("quantile", "uniform"):
        mean, share, counts = calibration(*rows, bins, strategy)
        assert counts.sum() == len(rows[0])
        assert (counts > 0).all()
        assert np.average(share, weights=counts) == pytest.approx(np.mean(rows[0]))
        assert np.average(mean, weights=counts) == pytest.approx(np.mean(rows[1]))
        assert (np.diff(mean) > -1e-12).all()
    if len(set(rows[0])) == 2:
        theirs = calibration_curve(*rows, n_bins=bins, strategy="uniform")
        np.testing.assert_allclose([share, mean], theirs, atol=1e-12)


@given(st.integers(1, 60), st.integers(1, 12))
def test_quantiles_hold_equally_many_rows_and_equal_probabilities_together(rows, bins):
    p = np.linspace(0, 1, rows)[::-1]
    counts = calibration(p > 0.5, p, bins)[2]
    assert len(counts) == min(rows, bins)
    assert np.ptp(counts) <= 1
    assert calibration(p > 0.5, np.full(rows, 0.3), bins)[2].tolist() == [rows]


# Numbers


@given(
    hnp.arrays(float, st.tuples(st.just(2), st.integers(2, 30)), elements=st.floats(-1e6, 1e6)),
    st.floats(0.1, 10),
)
def test_the_errors_are_those_of_scikit_learn(pair, unit):
    y, predicted = pair
    error = metrics.root_mean_squared_error(y, predicted)
    assert rmse(y, predicted) == pytest.approx(error, rel=1e-9, abs=1e-150)
    assert rmse(unit * y, unit * predicted) == pytest.approx(unit * error, rel=1e-9, abs=1e-9)
    if np.ptp(y) > 1e-3:
        assert r2(y, predicted) == pytest.approx(metrics.r2_score(y, predicted), rel=1e-9, abs=1e-9)
        assert r2(y, y) == 1
        assert r2(y, np.full(len(y), y.mean())) == pytest.approx(0, abs=1e-9)


def test_extreme_errors():
    for unit in (1e200, 1, 1e-200):
        error = rmse(np.zeros(2), np.array([3 * unit, 4 * unit]))
        assert error / unit == pytest.approx(math.sqrt(12.5))
    assert rmse(np.array([1.0]), np.array([1.0])) == 0
    assert r2(np.array([0.0, 1.0]), np.array([0.0, 1e200])) == -np.inf
    assert r2(np.array([0.0, 1e-200]), np.array([0.0, 1e200])) == -np.inf
    assert math.isnan(r2(np.array([0.1] * 3), np.array([0.1] * 3)))
    assert math.isnan(r2(np.array([1.0]), np.array([2.0])))


# Of models


def table(count, rows=60, names=str):
    random = np.random.default_rng(count)
    y = np.arange(rows) % count
    X = np.column_stack([np.cos(y), np.sin(y), y % 2]) + random.normal(size=(rows, 3))
    return X, np.array([names(k) for k in y])


NAMES = {"text": lambda k: "abcde"[k], "numbers": int, "floats": float, "bools": bool}
CLASSIFIERS = [LogisticRegression(max_iter=50), MLPClassifier(4, random_state=0, tol=0.1)]


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: model.title)
def test_the_figures_of_a_classifier(model, kind, count):
    X, y = table(min(count, 2) if kind == "bools" else count, names=NAMES[kind])
    X_train, X_test, y_train, y_test = X[:40], X[40:], y[:40], y[40:]
    y_train[:3] = y_train[1]  # a majority
    model = type(model)(**model.get_params()).fit(X_train, y_train)
    found = figures(model, X_test, y_test, y_train)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["accuracy"] == model.score(X_test, y_test)
    p = model.predict_proba(X_test)
    labels = model.classes_
    assert found["log_loss"] == pytest.approx(metrics.log_loss(y_test, p, labels=labels))
    area = metrics.roc_auc_score(y_test, p[:, 1] if len(labels) == 2 else p, multi_class="ovr")
    assert found["auc"] == pytest.approx(area)
    dummy = DummyClassifier(strategy="most_frequent").fit(X_train, y_train)
    assert found["baseline"] == dummy.score(X_test, y_test)
    assert found["majority"] == dummy.predict(X_test)[0]
    dummy = DummyClassifier(strategy="prior").fit(X_train, y_train)
    shares = metrics.log_loss(y_test, dummy.predict_proba(X_test), labels=labels)
    assert found["baseline_log_loss"] == pytest.approx(shares)
    theirs = metrics.precision_recall_fscore_support(
        y_test, model.predict(X_test), labels=labels, zero_division=np.nan
    )
    for k, precision, recall, _, rows in zip(labels, *theirs, strict=True):
        assert found["classes"][str(k)] == {
            "precision": None if np.isnan(precision) else precision,
            "recall": None if np.isnan(recall) else recall,
            "rows": rows,
        }


@pytest.mark.parametrize("model", [LinearRegression(), MLPRegressor(4, random_state=0, tol=0.1)])
def test_the_figures_of_a_regressor(model):
    X, _ = table(3)
    y = X @ [1.0, 2.0, 3.0] + 5
    model.fit(X[:40], y[:40])
    found = figures(model, X[40:], y[40:].tolist(), y[:40])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["r2"] == pytest.approx(model.score(X[40:], y[40:]))
    assert found["rmse"] == pytest.approx(
        metrics.root_mean_squared_error(y[40:], model.predict(X[40:]))
    )
    mean = np.full(20, y[:40].mean())
    assert found["baseline_rmse"] == pytest.approx(metrics.root_mean_squared_error(y[40:], mean))
    one = figures(model, X[40:41], y[40:41], y[:40])
    assert one["r2"] is None
    assert one["rmse"] > 0 or isinstance(model, LinearRegression)


def test_what_is_not_defined_is_none():
    X, y = table(3, names=NAMES["text"])
    model = LogisticRegression(max_iter=50).fit(X, y)
    some = y != "c"
    found = figures(model, X[some], y[some], y)
    assert found["auc"] is None
    assert found["classes"]["c"]["recall"] is None
    assert found["classes"]["c"]["rows"] == 0
    one = figures(model, X[y == "a"][:1], ["a"], y)
    precision = {k: of["precision"] for k, of in one["classes"].items()}
    assert sum(value is None for value in precision.values()) == 2
    assert (one["baseline"], one["majority"]) == (1, "a")


def test_a_class_that_only_the_held_out_rows_have():
    X, y = table(3, names=NAMES["text"])
    model = LogisticRegression(max_iter=50).fit(X[y != "b"], y[y != "b"])
    found = figures(model, X, y, y[y != "b"])
    assert found["log_loss"] is None
    assert found["baseline_log_loss"] is None
    assert list(found["classes"]) == ["a", "c", "b"]
    assert found["classes"]["b"] == {"precision": None, "recall": 0, "rows": 20}
    theirs = metrics.precision_recall_fscore_support(y, model.predict(X), labels=["a", "c"])
    for k, *(precision, recall, _, rows) in zip("ac", *theirs, strict=True):
        expected = {"precision": precision, "recall": recall, "rows": rows}
        assert found["classes"][k] == pytest.approx(expected)
    z = model.decision_function(X)
    areas = metrics.roc_auc_score(y == "c", z), metrics.roc_auc_score(y == "a", -z)
    assert found["auc"] == pytest.approx(np.mean(areas))
    assert found["accuracy"] == model.score(X, y)


def test_certain_and_wrong():
    """A probability that rounds to 0 costs much, not infinitely much, and still has its order."""
    X, y = np.array([[-1.0], [1.0], [-2.0], [2.0]]), np.array([0, 1, 0, 1])
    model = LogisticRegression(alpha=0.01).fit(X, y)
    far = np.array([[-1e8], [1e8], [-1e9], [1e9]])
    assert (model.predict_proba(far) % 1 == 0).all()
    right, wrong = figures(model, far, y, y), figures(model, far, 1 - y, y)
    assert right["log_loss"] == 0
    assert 1e6 < wrong["log_loss"] < np.inf
    assert (right["auc"], wrong["auc"]) == (1, 0)
    # In order, though all of their probabilities round to 1.
    assert figures(model, [[1e8], [1e9]], [0, 1], y)["auc"] == 1


# The sentence


CLASSES = {"accuracy": 0.8, "baseline": 0.6, "majority": "no"}
LOSSES = {"log_loss": 0.4, "baseline_log_loss": 0.6}


def test_the_sentence():
    assert below_baseline("mlp", CLASSES | LOSSES) is None
    assert below_baseline("mlp", CLASSES | {"accuracy": 0.5} | LOSSES) == (
        "mlp does not beat always predicting 'no': accuracy 0.5000, baseline 0.6000; "
        "its probabilities do (log-loss 0.4000, baseline 0.6000)"
    )
    assert below_baseline("mlp", CLASSES | {"log_loss": 0.7, "baseline_log_loss": 0.6}) == (
        "the probabilities of mlp do not beat the shares of the classes in the training rows: "
        "log-loss 0.7000, baseline 0.6000"
    )
    assert below_baseline("mlp", {"r2": 0.5, "rmse": 2.0, "baseline_rmse": 3.0}) is None
    assert below_baseline("mlp", {"r2": -0.5, "rmse": 3.0, "baseline_rmse": 2.5}) == (
        "mlp does not beat always predicting the mean of the training rows: RMSE 3, baseline 2.5"
    )


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 9), st.floats(0, 9))
def test_no_sentence_only_if_both_are_beaten(accuracy, baseline, loss, limit):
    found = {"accuracy": accuracy, "baseline": baseline, "majority": 1}
    said = below_baseline("mlp", found | {"log_loss": loss, "baseline_log_loss": limit})
    assert (said is None) == (accuracy > baseline and loss < limit)
    said = below_baseline("mlp", found | {"log_loss": None, "baseline_log_loss": None})
    assert (said is None) == (accuracy > baseline)
    said = below_baseline("line", {"r2": None, "rmse": loss, "baseline_rmse": limit})
    assert (said is None) == (loss < limit)


@FEW
@given(st.integers(2, 4), st.integers(0, 99))
def test_a_model_that_knows_only_the_shares_is_told(count, seed):
    y = np.random.default_rng(seed).permutation(np.arange(30) % count)
    nothing = np.zeros((30, 1))
    model = LogisticRegression(max_iter=50).fit(nothing[:20], y[:20])
    assert "not beat always" in below_baseline("m", figures(model, nothing[20:], y[20:], y[:20]))
