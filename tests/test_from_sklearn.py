"""Fitted models go to scikit-learn and come from it, and predict the same."""

import sys
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    NotFittedError,
    from_sklearn,
    from_state_dict,
)

pytest.importorskip("sklearn")

from sklearn import linear_model, neural_network
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3)) * [1, 100, 0.01] + [0, 1000, 5]
Z = X @ [1, 0.02, 30] + 0.3 * RANDOM.normal(size=40)
LABELS = {
    "texts": np.where(np.median(Z) < Z, "yes", "no"),
    "numbers": np.digitize(Z, np.quantile(Z, [0.3, 0.6])) * 10 - 10,
    "objects": np.digitize(Z, np.quantile(Z, [0.3, 0.6])).astype(str).astype(object),
    "booleans": np.quantile(Z, 0.3) < Z,
}


def mlp(kind, **options):
    """An MLP of scikit-learn that is trained for a few steps, without its warning."""
    options = {"max_iter": 15} | options
    return getattr(neural_network, kind)(solver="lbfgs", random_state=0, **options)


REGRESSORS = [
    linear_model.LinearRegression(),
    linear_model.LinearRegression(fit_intercept=False),
    linear_model.Ridge(alpha=2.0),
    linear_model.RidgeCV(),
    linear_model.Lasso(alpha=0.01),
    linear_model.LassoCV(cv=3),
    linear_model.ElasticNet(alpha=0.01),
    linear_model.ElasticNetCV(cv=3),
    mlp("MLPRegressor", hidden_layer_sizes=(4, 3), activation="tanh"),
    mlp("MLPRegressor", hidden_layer_sizes=()),
]
CLASSIFIERS = [
    linear_model.LogisticRegression(max_iter=50),
    linear_model.LogisticRegression(fit_intercept=False, C=0.5, max_iter=50),
    linear_model.LogisticRegressionCV(
        cv=3, Cs=2, max_iter=50, l1_ratios=(0,), scoring="accuracy", use_legacy_attributes=False
    ),
    mlp("MLPClassifier", hidden_layer_sizes=(5,), activation="relu"),
    mlp("MLPClassifier", hidden_layer_sizes=(4, 3), activation="logistic"),
    mlp("MLPClassifier", hidden_layer_sizes=(4,), activation="tanh"),
]
SCALERS = {
    "raw": [],
    "standard": [StandardScaler()],
    "mean": ["passthrough", StandardScaler(with_std=False)],
    "scale": [StandardScaler(with_mean=False)],
    "none": [StandardScaler(with_mean=False, with_std=False), None],
}


def trained(estimator, scaler, X, y):
    """The estimator behind a scaler; whether it converged does not matter here."""
    steps = [(f"{k}", step) for k, step in enumerate([*SCALERS[scaler], clone(estimator)])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (Pipeline(steps) if len(steps) > 1 else steps[0][1]).fit(X, y)


def close(found, expected, dtype=float):
    tolerance = 3e-5 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def the_same(model, theirs, X):
    """Whether both predict the same of rows."""
    if model.kind == "regressor":
        close(model.predict(X), np.reshape(theirs.predict(X), -1), X.dtype)
        return
    assert model.classes_.tolist() == theirs.classes_.tolist()
    close(model.predict_proba(X), theirs.predict_proba(X), X.dtype)
    assert model.predict(X).tolist() == theirs.predict(X).tolist()
    if hasattr(theirs, "decision_function"):
        close(model.decision_function(X), theirs.decision_function(X), X.dtype)


def there_and_back(theirs, X):
    model = from_sklearn(theirs)
    the_same(model, theirs, X)
    ours = model.to_sklearn()
    the_same(model, ours, X)
    again = from_sklearn(ours)
    assert type(again) is type(model)
    for name, array in model.parameters_.items():
        np.testing.assert_array_equal(again.parameters_[name], array)
    return model


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("estimator", REGRESSORS, ids=lambda e: type(e).__name__)
def test_regressors(estimator, scaler):
    scaled = X if SCALERS[scaler] else (X - X.mean(axis=0)) / X.std(axis=0)
    model = there_and_back(trained(estimator, scaler, scaled, Z), scaled)
    assert model.standardize == (scaler != "raw")


@pytest.mark.parametrize(
    ("labels", "scaler"),
    [("texts", "raw"), ("numbers", "standard"), ("objects", "raw"), ("booleans", "standard")],
)
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda e: type(e).__name__)
def test_classifiers(estimator, labels, scaler):
    y, scaled = LABELS[labels], X if SCALERS[scaler] else (X - X.mean(axis=0)) / X.std(axis=0)
    theirs = trained(estimator, scaler, scaled, y)
    model = there_and_back(theirs, scaled)
    assert model.classes_.dtype == theirs.classes_.dtype
    assert model.score(scaled, y) == theirs.score(scaled, y)


@pytest.mark.parametrize("estimator", [linear_model.LogisticRegression(), linear_model.Ridge(),
                                       linear_model.LinearRegression(fit_intercept=False),
                                       neural_network.MLPClassifier(4, max_iter=3)])  # fmt: skip
def test_float32_stays_float32(estimator):
    single = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    model = there_and_back(trained(estimator, "raw", single, LABELS["numbers"]), single)
    assert {array.dtype for array in model.parameters_.values()} == {np.dtype(np.float32)}


def test_the_mean_of_a_scaler_keeps_its_digits():
    far = (1e6 + RANDOM.normal(size=(40, 2))).astype(np.float32)
    theirs = trained(linear_model.Ridge(), "standard", far, Z.astype(np.float32))
    close(from_sklearn(theirs).predict(far), theirs.predict(far.astype(float)), far.dtype)


def test_names_of_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    for scaler in ("raw", "standard", "mean"):
        theirs = trained(linear_model.Ridge(), scaler, frame, Z)
        model = from_sklearn(theirs)
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]
        close(model.predict(frame), theirs.predict(frame))
        back = model.to_sklearn()
        assert back.feature_names_in_.tolist() == ["a", "b", "c"]
        close(back.predict(frame), theirs.predict(frame))
        with pytest.raises(ValueError, match="order"):
            back.predict(frame[["b", "a", "c"]])


@given(st.data())
def test_any_weights_there_and_back(data):
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    labels = data.draw(st.sampled_from([None, [1, 2], ["a", "b", "c"], [False, True]]))
    sizes[-1] = 1 if labels is None or len(labels) == 2 else 3
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    state = {}
    for k, (n, m) in enumerate(pairwise(sizes)):
        state[f"{k}.weight"] = random.normal(size=(m, n)).astype(dtype)
        state[f"{k}.bias"] = random.normal(size=m).astype(dtype)
    options = {"activation": data.draw(st.sampled_from(["relu", "tanh", "logistic"]))}
    if data.draw(st.booleans()):
        options |= {"mean": random.normal(size=sizes[0]), "scale": random.random(sizes[0]) + 0.1}
    model = from_state_dict(state, classes=labels, **options)
    rows = random.normal(size=(5, sizes[0])).astype(dtype)
    theirs = model.to_sklearn()
    the_same(model, theirs, rows)
    back = from_sklearn(theirs)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(back.state_dict()[name], array)
        assert back.state_dict()[name].dtype == array.dtype
    np.testing.assert_array_equal(back.mean_, model.mean_)


@pytest.mark.parametrize(
    "kind", [MLPClassifier, MLPRegressor, LogisticRegression, LinearRegression]
)
def test_what_is_trained_here_is_fitted_there(kind):
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    y = LABELS["texts"] if kind in (MLPClassifier, LogisticRegression) else Z
    model = kind(max_iter=20, tol=0).fit(scaled, y)
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    theirs = model.to_sklearn()
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    the_same(model, theirs, scaled)
    # The weights are copies, and training may go on.
    if hasattr(theirs, "partial_fit"):
        assert theirs.loss_ == model.loss_
        first = theirs.score(scaled, y)
        for _ in range(30):
            theirs.partial_fit(scaled, y)
        assert theirs.score(scaled, y) >= first
        the_same(model, model.to_sklearn(), scaled)
    trained(theirs, "raw", scaled, y)


REFUSED = [
    (MinMaxScaler(), TypeError, "MinMaxScaler is not supported"),
    (object(), TypeError, "object is not supported"),
    (linear_model.RidgeClassifier(), TypeError, "RidgeClassifier is not supported"),
    (make_pipeline(MinMaxScaler(), linear_model.Ridge()), TypeError, "here is MinMaxScaler"),
    (make_pipeline(StandardScaler(), StandardScaler(), linear_model.Ridge()), TypeError,
     "here is StandardScaler, StandardScaler"),
    (make_pipeline(StandardScaler()), TypeError, "StandardScaler is not supported"),
    (linear_model.Ridge(), NotFittedError, "this Ridge is not fitted"),
    (make_pipeline(StandardScaler(), linear_model.Ridge()), NotFittedError, "Pipeline is not"),
    (linear_model.LinearRegression().fit(X, X[:, :2]), ValueError, "predicts 2 numbers of a row"),
    (trained(mlp("MLPRegressor", max_iter=2), "raw", X, X), ValueError, "predicts 3 numbers"),
    (trained(mlp("MLPClassifier", max_iter=2), "raw", X, X > 1), ValueError, "3 labels of a row"),
    (trained(mlp("MLPClassifier", activation="identity", max_iter=2), "raw", X, LABELS["texts"]),
     ValueError, "activation must be one of relu, tanh, logistic, not 'identity'"),
    (trained(mlp("MLPRegressor", loss="poisson", max_iter=2), "raw", X / 1e3, Z**2), ValueError,
     "no output 'exp' .loss='poisson'"),
]  # fmt: skip


@pytest.mark.parametrize(("estimator", "error", "message"), REFUSED)
def test_what_is_not_supported_is_refused_by_name(estimator, error, message):
    with pytest.raises(error, match=f"^from_sklearn: .*{message}") as caught:
        from_sklearn(estimator)
    assert "\n" not in str(caught.value)


def test_a_subclass_may_predict_something_else():
    class Ridge(linear_model.Ridge):
        def predict(self, X):
            return 2 * super().predict(X)

    with pytest.raises(TypeError, match="Ridge is not supported"):
        from_sklearn(Ridge().fit(X, Z))


def test_one_column_of_targets_and_sparse_weights():
    column = linear_model.LinearRegression().fit(X, Z[:, None])
    close(from_sklearn(column).predict(X), column.predict(X)[:, 0])
    sparse = linear_model.LogisticRegression(max_iter=50).fit(X / 1e3, LABELS["numbers"])
    expected = sparse.predict_proba(X)
    close(from_sklearn(sparse.sparsify()).predict_proba(X), expected)


def test_before_fit_and_without_the_package(monkeypatch):
    with pytest.raises(NotFittedError, match="to_sklearn"):
        LinearRegression().to_sklearn()
    model = LinearRegression(max_iter=2, tol=0).fit(X, Z)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "autograd_lite.models.to_scikit_learn", raising=False)
    with pytest.raises(ImportError, match=r"pip install \"autograd_lite\[sklearn\]\""):
        model.to_sklearn()
