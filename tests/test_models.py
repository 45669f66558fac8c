"""What the models learn, what they read, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import arrays_of

import autograd_lite as ag
from autograd_lite.data import load_breast_cancer, split
from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    NotFittedError,
)

X = np.array([[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0], [2.0, 1.0]])
y = np.array([1, 0, 1, 0, 1])

BOTH = pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
ALL = pytest.mark.parametrize(
    "model", [LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor]
)


def small(model, **options):
    """A model that trains fast and the same each time."""
    defaults = {"max_iter": 20, "tol": 0, "random_state": 0}
    return model(**defaults | options)


@BOTH
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("standardize", [False, True])
def test_breast_cancer_with_default_options(model, seed, standardize):
    table = load_breast_cancer()
    X_train, X_test, y_train, y_test = split(table.X, table.y, random_state=seed)
    trained = model(standardize=standardize, random_state=0).fit(X_train, y_train)
    assert trained.score(X_test, y_test) >= 0.95


def test_the_perceptron_learns_what_no_line_can_tell_apart():
    corners, odd = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    perceptron = MLPClassifier((8, 8), tol=1e-2, random_state=0).fit(corners, odd)
    assert perceptron.score(corners, odd) == 1
    assert LogisticRegression(random_state=0).fit(corners, odd).score(corners, odd) < 1


@BOTH
@pytest.mark.parametrize(
    "labels", [[0, 1], [-1, 1], ["no", "yes"], [False, True], [2.5, 7.5]], ids=str
)
def test_labels_of_any_kind(model, labels):
    given = np.array(labels)[y]
    trained = small(model).fit(X, given)
    assert trained.classes_.tolist() == labels
    assert trained.predict(X).dtype == given.dtype
    assert set(trained.predict(X)) <= set(labels)
    np.testing.assert_array_equal(
        trained.decision_function(X), small(model).fit(X, y).decision_function(X)
    )


@BOTH
def test_predictions_hang_together(model):
    trained = small(model)
    assert trained.fit(X, y) is trained
    z, p = trained.decision_function(X), trained.predict_proba(X)
    assert z.shape == (5,)
    assert p.shape == (5, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(np.log(p[:, 1] / p[:, 0]), z)
    np.testing.assert_array_equal(trained.predict(X), (z > 0).astype(int))
    assert trained.score(X, y) == np.mean(trained.predict(X) == y)
    assert trained.n_features_in_ == 2


@BOTH
@given(X=arrays_of((6, 3), st.floats(-10, 10, width=32)))
def test_probabilities_are_probabilities(model, X):
    labels = [0, 1, 0, 1, 1, 0]
    p = (
        small(model, solver="gd", learning_rate_init=1e-3, max_iter=2)
        .fit(X, labels)
        .predict_proba(1e4 * X)
    )
    assert np.isfinite(p).all()
    assert ((p >= 0) & (p <= 1)).all()


@ALL
def test_the_same_seed_gives_the_same_model(model):
    one, other = small(model).fit(X, y), small(model).fit(X, y)
    for name, array in one.parameters_.items():
        np.testing.assert_array_equal(array, other.parameters_[name])


@ALL
def test_the_data_stay_as_they_were(model):
    given_X, given_y = X.copy(), y.copy()
    small(model, standardize=True).fit(given_X, given_y).predict(given_X)
    np.testing.assert_array_equal(given_X, X)
    np.testing.assert_array_equal(given_y, y)


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("standardize", [False, True])
def test_the_dtype_of_the_data_is_that_of_the_model(model, dtype, standardize):
    trained = small(model, standardize=standardize).fit(X.astype(dtype), y)
    assert all(array.dtype == dtype for array in trained.parameters_.values())
    predict = trained.predict if trained.kind == "regressor" else trained.predict_proba
    assert predict(X.astype(dtype)).dtype == dtype


@ALL
def test_standardising_is_part_of_the_model(model):
    mean, scale = X.mean(axis=0), X.std(axis=0)
    inside = small(model, standardize=True).fit(X, y)
    outside = small(model).fit((X - mean) / scale, y)
    for name, array in outside.parameters_.items():
        np.testing.assert_allclose(inside.parameters_[name], array, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(
        inside.predict(X), outside.predict((X - mean) / scale), rtol=1e-6, atol=1e-12
    )
    np.testing.assert_allclose(inside.loss_graph(X, y).item(), inside.loss_)


@ALL
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_a_column_that_never_changes(model, standardize, value):
    constant = np.column_stack([X, np.full(5, value)])
    trained = small(model, standardize=standardize).fit(constant, y)
    assert not standardize or trained.scale_[2] == 1
    assert trained.loss_ < trained.loss_curve_[0]
    assert np.isfinite(trained.loss_graph(constant, y).item())


def test_where_logistic_regression_starts():
    zeros = LogisticRegression().start(2)["w"]
    assert zeros.tolist() == [0, 0, 0]
    drawn = LogisticRegression(init="random", random_state=3).start(2)["w"]
    assert np.all(drawn != 0)
    np.testing.assert_array_equal(
        drawn, LogisticRegression(init="random", random_state=3).start(2)["w"]
    )
    model = LogisticRegression(
        init={"w": [1, 2, 3]}, solver="gd", max_iter=1, tol=0, learning_rate_init=1e-12
    )
    np.testing.assert_allclose(model.fit(X, y).parameters_["w"], [1, 2, 3])


def test_he_initialisation():
    start = MLPClassifier((400, 300), random_state=0).start(200)
    assert {name: array.shape for name, array in start.items()} == {
        "W1": (400, 200),
        "b1": (400,),
        "W2": (300, 400),
        "b2": (300,),
        "w": (300,),
        "b": (),
    }
    np.testing.assert_allclose(start["W1"].var(), 2 / 200, rtol=0.05)
    np.testing.assert_allclose(start["W2"].var(), 2 / 400, rtol=0.05)
    assert not start["b1"].any()


@pytest.mark.parametrize("intercept", ["column", "separate"])
def test_coefficients_in_the_shapes_of_scikit_learn(intercept):
    model = small(LogisticRegression, intercept=intercept).fit(X, y)
    assert model.coef_.shape == (1, 2)
    assert model.intercept_.shape == (1,)
    np.testing.assert_allclose(
        (X @ model.coef_.T + model.intercept_)[:, 0], model.decision_function(X)
    )


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_layers_of_any_number_and_width(sizes):
    model = small(MLPClassifier, hidden_layer_sizes=sizes, max_iter=2).fit(X, y)
    h = X
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        h = np.maximum(h @ W.T + b, 0)
    z = (h @ model.coefs_[-1].T + model.intercepts_[-1])[:, 0]
    np.testing.assert_allclose(model.decision_function(X), z)
    assert [W.shape[0] for W in model.coefs_] == [*sizes, 1]


@ALL
@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("alpha", [0, 0.1])
def test_every_node_up_to_the_cost_has_a_name(model, fitted, alpha):
    trained = small(model, alpha=alpha)
    L = (trained.fit(X, y) if fitted else trained).loss_graph(X, y)
    nodes = ag.Graph.of(L).nodes
    assert all(node.name for node in nodes if node.scope or (node.ndim and not node.op))
    names = [node.name for node in nodes if node.name]
    assert len(set(names)) == len(names)
    assert names[-1] == "L"
    assert {"y", "w", trained.output_name, "ŷ"} <= set(names)
    if fitted:
        np.testing.assert_allclose(L.item(), trained.loss_)


def test_the_names_and_scopes_of_the_perceptron():
    L = MLPClassifier((3, 2), random_state=0).loss_graph(X, y)
    node = {t.name: t for t in ag.Graph.of(L).nodes}
    assert {"X", "W⁽¹⁾", "b⁽¹⁾", "a⁽¹⁾", "h⁽¹⁾", "W⁽²⁾", "h⁽²⁾", "w", "b", "z", "ŷ"} < set(node)
    assert node["h⁽¹⁾"].scope == ("layer 1:  h⁽¹⁾ = ReLU(X W⁽¹⁾ᵀ + b⁽¹⁾)",)
    assert node["a⁽²⁾"].scope == ("layer 2:  h⁽²⁾ = ReLU(h⁽¹⁾ W⁽²⁾ᵀ + b⁽²⁾)",)
    assert node["ŷ"].scope == ("output:  ŷ = σ(h⁽²⁾ w + b)",)


@BOTH
@pytest.mark.parametrize(
    ("data", "labels", "error", "message"),
    [
        (X, y[:4], ValueError, "X has 5 rows, y has 4 targets"),
        (X, np.zeros(5), ValueError, "y must have two classes or more; it has 1 class: 0.0"),
        (X, [0.5, 1.5, 2.5, 0.5, 1], ValueError, "LinearRegression or MLPRegressor"),
        (X, np.ones((5, 2)), ValueError, "a target for each row"),
        (X, [0, 1, np.nan, 0, 1], ValueError, "the target of row 2 is missing"),
        (X, np.array([0, "a", 1, 0, 1], object), TypeError, "must not mix labels"),
        (X[0], y, ValueError, "two dimensions, rows and columns"),
        (X[:0], y[:0], ValueError, "X is empty"),
        (X[:, :0], y, ValueError, "X is empty"),
        (np.where(X == 8, np.inf, X), y, ValueError, "row 2, column 1 is inf"),
        (X.astype(complex), y, ValueError, "Complex data not supported"),
        (X.astype(str), y, TypeError, "real numbers, not <U"),
        (X.astype(str).astype(object), y, TypeError, "some of its elements are text"),
    ],
)
def test_bad_data(model, data, labels, error, message):
    trained = small(model).fit(X, y)
    before = trained.predict_proba(X)
    with pytest.raises(error, match=message):
        trained.fit(data, labels)
    np.testing.assert_array_equal(trained.predict_proba(X), before)


@ALL
def test_before_fitting(model):
    methods = {"predict", "predict_proba", "predict_log_proba", "decision_function"}
    for method in methods & set(dir(model)):
        with pytest.raises(NotFittedError, match="is not fitted; call fit"):
            getattr(model(), method)(X)
    with pytest.raises(NotFittedError, match="is not fitted; call fit"):
        model().score(X, y)
    for name in ("coef_", "intercept_", "coefs_", "intercepts_"):
        assert not hasattr(model(), name)


@BOTH
def test_other_data_than_those_of_the_fit(model):
    trained = small(model).fit(X, y)
    with pytest.raises(ValueError, match=r"X has 1 features, but .* is expecting 2 features"):
        trained.predict(X[:, :1])
    with pytest.raises(ValueError, match="y has the label 7; the classes are 0, 1"):
        trained.loss_graph(X, [0, 1, 7, 0, 1])
    with pytest.raises(ValueError, match="X has 5 rows, y has 3 targets"):
        trained.score(X, y[:3])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LogisticRegression(intercept="none"), 'intercept must be "column" or "separate"'),
        (LogisticRegression(init="ones"), 'init must be "zeros", "random" or'),
        (LogisticRegression(init={"v": [1]}), "weights for w; got v"),
        (LogisticRegression(init={"w": [1, 2]}), r"w have shape \(2,\); 2 columns need \(3,\)"),
        (LogisticRegression(init={"w": [1, 2, np.nan]}), "w must be finite"),
        (LogisticRegression(reduction="none", max_iter=1), "reduction"),
        (MLPClassifier(()), "hidden_layer_sizes must be positive integers"),
        (MLPClassifier((3, 0)), "hidden_layer_sizes must be positive integers"),
        (MLPClassifier(init="zeros"), 'init must be "he"'),
    ],
)
def test_bad_settings(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


@ALL
def test_a_row_without_an_output_has_no_prediction(model):
    trained = small(model, max_iter=1).fit(X, y)
    for name, array in trained.parameters_.items():
        trained.parameters_[name] = np.full_like(array, np.inf)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="output of row 1 is NaN"):
        trained.predict([[1.0, 1.0], [-1.0, 1.0]])
