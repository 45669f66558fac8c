"""Any number of classes: softmax where there are more than two, and σ for two."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import arrays_of

import autograd_lite as ag
from autograd_lite.models import LogisticRegression, MLPClassifier
from autograd_lite.sweep import gradients
from autograd_lite.viz import draw as picture

NUMBERS = st.floats(-3, 3, allow_subnormal=False, width=32)
SIZES = st.integers(1, 6)
BOTH = pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
FEW = {"max_iter": 5, "tol": 0, "learning_rate_init": 0.01, "random_state": 0}
X = np.random.default_rng(6).normal(size=(30, 3))


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


def labels(classes, rows=30):
    """Each class appears; the others are drawn."""
    random = np.random.default_rng(classes)
    return np.append(np.arange(classes), random.integers(classes, size=rows - classes))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@st.composite
def tables(draw, classes):
    rows, columns = draw(SIZES), draw(SIZES)
    X, W = draw(arrays_of((rows, columns), NUMBERS)), draw(arrays_of((classes, columns), NUMBERS))
    b = draw(arrays_of((classes,), NUMBERS))
    return (
        X,
        np.array(draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))),
        W,
        b,
    )


def evaluated(model, X, y, **θ):
    """The loss and the gradients, by the graph that the models build."""
    parameters = {name: ag.Tensor(array, name=name) for name, array in θ.items()}
    L = model.loss(ag.constant(X), ag.constant(np.asarray(y, float)), parameters)
    gradient = gradients(L).of
    return L.item(), {name: gradient[t] for name, t in parameters.items()}


@given(tables(2), st.sampled_from(["mean", "sum"]))
def test_softmax_of_two_classes_is_the_sigmoid(table, reduction):
    X, y, W, b = table
    model = LogisticRegression(intercept="separate", reduction=reduction)
    one, of_one = evaluated(model, X, y, w=W[1] - W[0], b=b[1] - b[0])
    two, of_two = evaluated(model, X, np.eye(2)[y], W=W, b=b)
    close(two, one)
    close(of_two["W"], [-of_one["w"], of_one["w"]])
    close(of_two["b"], [-of_one["b"], of_one["b"]])


@given(st.integers(3, 5).flatmap(tables), st.sampled_from(["mean", "sum"]), st.booleans())
def test_the_gradient_of_softmax_by_hand(table, reduction, column):
    X, y, W, b = table
    Y, m = np.eye(len(W))[y], len(y) if reduction == "mean" else 1
    error = (softmax(X @ W.T + b) - Y) / m
    if column:
        A, model = np.column_stack([np.ones(len(X)), X]), LogisticRegression(reduction=reduction)
        _, gradient = evaluated(model, A, Y, W=np.column_stack([b, W]))
        close(gradient["W"], error.T @ A)
    else:
        model = LogisticRegression(intercept="separate", reduction=reduction)
        value, gradient = evaluated(model, X, Y, W=W, b=b)
        close(value, -np.log((softmax(X @ W.T + b) * Y).sum(axis=1)).sum() / m)
        close(gradient["W"], error.T @ X)
        close(gradient["b"], error.sum(axis=0))


@given(st.integers(3, 5).flatmap(tables), SIZES)
def test_the_gradient_of_a_perceptron_of_classes_by_hand(table, units):
    X, y, W, b = table
    random, Y = np.random.default_rng(units), np.eye(len(W))[y]
    W1, b1 = random.normal(size=(units, X.shape[1])), random.normal(size=units)
    V = random.normal(size=(len(W), units))
    _, gradient = evaluated(MLPClassifier(units, activation="tanh"), X, Y, W1=W1, b1=b1, W=V, b=b)
    h = np.tanh(X @ W1.T + b1)
    error = (softmax(h @ V.T + b) - Y) / len(y)
    close(gradient["W"], error.T @ h)
    close(gradient["b"], error.sum(axis=0))
    close(gradient["b1"], (error @ V * (1 - h**2)).sum(axis=0))
    close(gradient["W1"], (error @ V * (1 - h**2)).T @ X)


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.integers(3, 5), st.sampled_from([0.1, 1.0, 30.0]))
def test_the_optimum_is_that_of_scikit_learn(seed, classes, C):
    linear_model = pytest.importorskip("sklearn.linear_model", reason="no scikit-learn")
    random = np.random.default_rng(seed)
    X = random.normal(size=(60, 3))
    y = np.append(np.arange(classes), random.integers(classes, size=60 - classes))
    options = {"solver": "lbfgs", "reduction": "sum", "alpha": 1 / C, "tol": 1e-7}
    own = LogisticRegression(**options).fit(X, y)
    theirs = linear_model.LogisticRegression(C=C, tol=1e-9, max_iter=10_000).fit(X, y)
    assert own.coef_.shape == theirs.coef_.shape == (classes, 3)
    np.testing.assert_allclose(own.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(own.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    # Biases are determined up to a constant.
    biases = own.intercept_ - own.intercept_.mean()
    np.testing.assert_allclose(biases, theirs.intercept_ - theirs.intercept_.mean(), atol=1e-5)


@BOTH
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_predictions_hang_together(model, classes):
    y = labels(classes)
    trained = model(**FEW).fit(X, y)
    p, logs, z = (
        trained.predict_proba(X),
        trained.predict_log_proba(X),
        trained.decision_function(X),
    )
    assert trained.classes_.tolist() == list(range(classes))
    assert p.shape == logs.shape == (30, classes)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(logs, np.log(p))
    np.testing.assert_array_equal(trained.predict(X), p.argmax(axis=1))
    assert trained.score(X, y) == np.mean(p.argmax(axis=1) == y)
    z = z if classes > 2 else np.column_stack([0 * z, z])
    np.testing.assert_allclose(z - z[:, :1], logs - logs[:, :1], rtol=1e-6, atol=1e-12)


@BOTH
@pytest.mark.parametrize("classes", [2, 3])
def test_logarithms_where_a_probability_rounds_to_zero(model, classes):
    trained = model(**FEW).fit(X, labels(classes))
    for array in trained.parameters_.values():
        array *= 1e5
    p, logs = trained.predict_proba(X), trained.predict_log_proba(X)
    assert (p == 0).any()
    assert np.isfinite(logs).all()
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(logs[p > 1e-300], np.log(p[p > 1e-300]), atol=1e-12)


@BOTH
@pytest.mark.parametrize(
    "names",
    [["b", "a", "c"], [-1, 7, 3], [2.0, 0.0, 1.0], ["ŷ", "", "0"], [10**12, 5, -(10**12)]],
    ids=str,
)
@pytest.mark.parametrize("dtype", [None, object])
def test_labels_of_any_kind(model, names, dtype):
    y = labels(3)
    given = np.array(names, dtype=dtype)[y]
    trained = model(**FEW).fit(X, given)
    order = np.argsort(np.array(names))
    assert trained.classes_.tolist() == sorted(names)
    assert trained.predict(X).dtype == given.dtype
    codes = np.argsort(order)[y]
    other = model(**FEW).fit(X, codes)
    np.testing.assert_array_equal(trained.predict_proba(X), other.predict_proba(X))
    np.testing.assert_array_equal(trained.predict(X), np.array(sorted(names))[other.predict(X)])


def test_the_order_of_the_names_of_classes_does_not_matter():
    y = labels(3)
    one = LogisticRegression(**FEW).fit(X, y).predict_proba(X)
    other = LogisticRegression(**FEW).fit(X, np.array([2, 0, 1])[y]).predict_proba(X)
    np.testing.assert_allclose(other[:, [2, 0, 1]], one, rtol=1e-9)


@BOTH
def test_labels_that_are_not_classes(model):
    trained = model(**FEW).fit(X, labels(3))
    with pytest.raises(ValueError, match="y has the label 9; the classes are 0, 1, 2"):
        trained.loss_graph(X[:1], [9])
    with pytest.raises(ValueError, match="LinearRegression or MLPRegressor"):
        model(**FEW).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="Complex data not supported"):
        model(**FEW).fit(X, labels(3) * 1j)
    with pytest.raises(ValueError, match="it has 1 class: only"):
        model(**FEW).fit(X, ["only"] * 30)


@BOTH
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_that_a_part_of_the_rows_does_not_have(model, classes):
    y = labels(classes)
    parts = [np.flatnonzero(y == k) for k in range(classes)]
    trained = model(**FEW).partial_fit(X[parts[0]], y[parts[0]], classes=range(classes))
    assert trained.classes_.tolist() == list(range(classes))
    for part in parts[1:]:
        trained.partial_fit(X[part], y[part])
    assert trained.predict_proba(X).shape == (30, classes)
    assert trained.n_iter_ == classes


def forms(L, **options):
    """The closed forms by the names of the weights."""
    return {t.name: str(form) for t, form in ag.derive(L, **options).closed_form.items()}


def test_the_derivations_of_three_classes():
    y = labels(3, 6)
    assert forms(LogisticRegression().loss_graph(X[:6], y), lengths=True) == {"W": "(1/m)(ŷ − y)ᵀA"}
    separate = LogisticRegression(intercept="separate", reduction="sum", alpha=0.1)
    assert forms(separate.loss_graph(X[:6], y)) == {
        "W": "(ŷ − y)ᵀX + αW",
        "b": "𝟏ᵀ (ŷ − y)",
    }
    perceptron = MLPClassifier(2, random_state=0).loss_graph(X[:6], y)
    assert forms(perceptron, lengths=True) == {
        "W⁽¹⁾": "(∂L/∂a⁽¹⁾)ᵀ X",
        "b⁽¹⁾": "𝟏ᵀ ∂L/∂a⁽¹⁾",
        "W": "(1/m)(ŷ − y)ᵀ h⁽¹⁾",
        "b": "(1/m) 𝟏ᵀ (ŷ − y)",
    }


@BOTH
@pytest.mark.parametrize("fitted", [False, True])
def test_the_picture_of_three_classes(model, fitted):
    y, shown = labels(3, 6), model(**FEW)
    L = (shown.fit(X[:6], y) if fitted else shown).loss_graph(X[:6], y)
    node = {t.name: t for t in ag.Graph.of(L).nodes if t.name}
    assert node["z"].shape == node["ŷ"].shape == node["y"].shape == (6, 3)
    np.testing.assert_array_equal(node["y"].numpy(), np.eye(3)[y])
    source = picture(L).source
    for text in ("softmax", "Wᵀ", "ŷ"):
        assert text in source


@BOTH
def test_compiled_code_of_three_classes(model):
    y = labels(3)
    trained = model(**FEW).fit(X, y)
    step = ag.compile(lambda θ, X, y: ag.value_and_grad(lambda θ: trained.loss(X, y, θ))(θ))
    value, gradient = step(trained.parameters_, trained.inputs(X).numpy(), np.eye(3)[y])
    L = trained.loss_graph(X, y)
    close(value, L.item())
    close(value, trained.loss_)
    for t, g in gradients(L).of.items():
        if t.name == "W":
            close(gradient["W"], g)
