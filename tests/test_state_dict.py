"""The layers of a network go to PyTorch and come from it, under PyTorch's names."""

import re
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
    from_state_dict,
)

ACTIVATIONS = {
    "relu": lambda a: np.maximum(a, 0),
    "tanh": np.tanh,
    "logistic": lambda a: 1 / (1 + np.exp(-a)),
}
PATTERNS = ("{}", "net.{}", "fc{}", "model.layers.{}.linear", "block{}.0")


@st.composite
def states(draw, most_outputs=4):
    """The layers of a network, as pairs, with the names that a module may give them, shuffled."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    sizes[-1] = draw(st.integers(1, most_outputs))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    layers = [
        (random.normal(size=(m, n)).astype(dtype), random.normal(size=m).astype(dtype))
        for n, m in pairwise(sizes)
    ]
    pattern = draw(st.sampled_from(PATTERNS))
    numbers = sorted(draw(st.sets(st.integers(0, 120), min_size=len(layers), max_size=len(layers))))
    items = [
        (f"{pattern.format(number)}.{kind}", array)
        for number, layer in zip(numbers, layers, strict=True)
        for kind, array in zip(("weight", "bias"), layer, strict=True)
    ]
    return layers, dict(draw(st.permutations(items)))


def outputs(layers, activation, X):
    """What the network gives, written by hand."""
    for weight, bias in layers[:-1]:
        X = ACTIVATIONS[activation](X @ weight.T + bias)
    return X @ layers[-1][0].T + layers[-1][1]


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def rows(layers):
    shape = (7, layers[0][0].shape[1])
    return np.random.default_rng(1).normal(size=shape).astype(layers[0][0].dtype)


def close(found, expected, dtype):
    tolerance = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@given(states(), st.sampled_from(sorted(ACTIVATIONS)), st.data())
def test_the_model_is_the_network(state, activation, data):
    layers, arrays = state
    X, count = rows(layers), len(layers[-1][1])
    z = outputs(layers, activation, X)
    if count == 1 and data.draw(st.booleans()):
        model = from_state_dict(arrays, activation=activation)
        assert isinstance(model, MLPRegressor if len(layers) > 1 else LinearRegression)
        close(model.predict(X), z[:, 0], X.dtype)
        return
    labels = ["b", "d", "a", "c"][: max(2, count)][:: data.draw(st.sampled_from([1, -1]))]
    model = from_state_dict(arrays, activation=activation, classes=labels)
    assert isinstance(model, MLPClassifier if len(layers) > 1 else LogisticRegression)
    assert model.classes_.tolist() == sorted(labels)
    p = softmax(z if count > 1 else np.hstack([0 * z, z]))
    close(model.predict_proba(X), p[:, np.argsort(labels)], X.dtype)
    assert model.predict_proba(X).dtype == X.dtype
    assert model.predict(X).tolist() == [labels[k] for k in p.argmax(axis=1)]


@given(states(most_outputs=1), st.sampled_from(sorted(ACTIVATIONS)))
def test_there_and_back(state, activation):
    layers, arrays = state
    for classes in (None, [0, 1]):
        given = from_state_dict(arrays, activation=activation, classes=classes).state_dict()
        assert list(given) == [
            f"{2 * k}.{n}" for k in range(len(layers)) for n in ("weight", "bias")
        ]
        for array, expected in zip(given.values(), sum(layers, ()), strict=True):
            np.testing.assert_array_equal(array, expected)
            assert array.dtype == expected.dtype
            assert array.flags.c_contiguous


def test_what_is_trained_here_has_the_names_of_sequential():
    X, y = np.random.default_rng(0).normal(size=(20, 3)), ["a", "b"] * 10
    few = {"max_iter": 2, "tol": 0}
    model = MLPClassifier((4, 2), random_state=0, standardize=True, **few).fit(X, y)
    shapes = {name: array.shape for name, array in model.state_dict().items()}
    assert shapes == {
        "0.weight": (4, 3),
        "0.bias": (4,),
        "2.weight": (2, 4),
        "2.bias": (2,),
        "4.weight": (1, 2),
        "4.bias": (1,),
    }
    back = from_state_dict(
        model.state_dict(), activation="relu", classes=["a", "b"], mean=model.mean_,
        scale=model.scale_, columns=["p", "q", "r"],
    )  # fmt: skip
    assert back.feature_names_in_.tolist() == ["p", "q", "r"]
    del back.feature_names_in_
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    for intercept in ("column", "separate"):
        linear = LogisticRegression(intercept=intercept, **few).fit(X, [1, 2, 3, 2] * 5)
        state = linear.state_dict()
        assert list(state) == ["0.weight", "0.bias"]
        np.testing.assert_array_equal(state["0.weight"], linear.coef_)
        np.testing.assert_array_equal(state["0.bias"], linear.intercept_)
    with pytest.raises(NotFittedError, match="state_dict"):
        LinearRegression().state_dict()


def test_the_arrays_are_copies():
    state = {"weight": np.ones((1, 2)), "bias": np.ones(1)}
    model = from_state_dict(state)
    state["weight"][:] = 5
    model.state_dict()["0.bias"][:] = 7
    assert model.predict([[1.0, 1.0]]).tolist() == [3.0]


def test_a_layer_without_a_bias_and_both_byte_orders():
    state = {"1.weight": np.array([[1.0, 2.0]], dtype=">f4"), "0.weight": np.eye(2, dtype=">f4")}
    model = from_state_dict(state, activation="relu", mean=[1, 1], scale=[2, 2])
    assert model.predict([[3.0, 5.0]]).tolist() == [5.0]
    assert all(array.dtype.isnative for array in model.parameters_.values())


ONE, TWO = {"0.weight": np.ones((1, 2)), "0.bias": np.ones(1)}, np.ones((2, 2))
REFUSED = [
    ({}, {}, "no layers"),
    ({**ONE, "1.running_mean": np.ones(1)}, {}, "'1.running_mean' is not the weight or the bias"),
    ({**ONE, "1.weight": np.ones(1)}, {}, r"'1.weight' must have shape \(units, inputs\)"),
    ({"0.weight": np.ones((4, 3, 2, 2))}, {}, "'0.weight' must have shape"),
    ({"0.weight": np.ones((0, 3))}, {}, "'0.weight' must have shape"),
    ({"0.bias": np.ones(1)}, {}, "'0.bias' has no weight"),
    ({**ONE, "0.bias": np.ones(2)}, {}, r"'0.bias' has shape \(2,\); '0.weight', of shape"),
    ({**ONE, "2.weight": TWO}, {}, r"'2.weight' has shape \(2, 2\), but the layer before .* 1 out"),
    ({"up.weight": TWO, "down.weight": TWO}, {}, "order of the layers 'up', 'down' is not known"),
    ({"up.0.weight": TWO, "down.1.weight": TWO}, {}, "order of the layers"),
    ({"fc1.weight": TWO, "fc01.weight": TWO}, {}, "order of the layers"),
    ({"0.weight": np.ones((1, 2), int)}, {}, "'0.weight' must be float32 or float64; it is int64"),
    ({"0.weight": np.ones((1, 2), "f2")}, {}, "'0.weight' must be float32 .* float16"),
    ({"0.weight": np.array([[1, np.inf]])}, {}, "'0.weight' has numbers that are not finite"),
    ({"0.weight": "text"}, {}, "'0.weight' must be float32"),
    ({"0.weight": TWO}, {}, "2 outputs; give the class of each"),
    ({"0.weight": TWO}, {"classes": "abc"}, "2 outputs, but there are 3 classes"),
    (ONE, {"classes": [0, 1, 2]}, "1 outputs, but there are 3 classes"),
    (ONE, {"classes": [0]}, "classes must be two or more"),
    (ONE, {"classes": [1, 1]}, "classes must be .* different"),
    (ONE, {"classes": [1, "a"]}, "classes must be .* of one type"),
    (ONE, {"classes": [None, "a"]}, "classes must be .* of one type"),
    (ONE, {"classes": np.array([1, "a"], object)}, "classes must be .* of one type"),
    (ONE, {"classes": [[1, 2]]}, "classes must be a list"),
    ({"0.weight": np.array([[-3e38], [3e38]], "f4")}, {"classes": [0, 1]}, "two outputs overflow"),
    (ONE, {"classes": [1, np.nan]}, "finite labels"),
    (ONE, {"columns": ["a"]}, "columns must be the 2 names"),
    (ONE, {"columns": [1, 2]}, "columns must be the 2 names"),
    (ONE, {"mean": [0, 0]}, "scale must be 2 finite numbers"),
    (ONE, {"mean": [0, np.nan], "scale": [1, 1]}, "mean must be 2 finite numbers"),
    (ONE, {"mean": [0, 0], "scale": [1, 0]}, "scale must be positive"),
    ({"0.weight": TWO, "1.weight": np.ones((1, 2))}, {}, "give the activation of the hidden"),
    ({"0.weight": TWO, "1.weight": np.ones((1, 2))}, {"activation": "elu"}, "activation must be"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "options", "message"), REFUSED)
def test_what_does_not_fit_is_named(state, options, message):
    with pytest.raises(ValueError, match=f"^from_state_dict: .*{message}") as caught:
        from_state_dict(state, **options)
    assert "\n" not in str(caught.value)


def test_a_module_is_not_its_state():
    with pytest.raises(TypeError, match=re.escape("use module.state_dict()")):
        from_state_dict(object())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_torch_gives_the_same_outputs(dtype, activation, count):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layer = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "logistic": torch.nn.Sigmoid}[activation]
    kind = getattr(torch, dtype)

    def network():
        sizes = (3, 5, 4, count)
        parts = [torch.nn.Linear(n, m, dtype=kind) for n, m in pairwise(sizes)]
        return torch.nn.Sequential(parts[0], layer(), parts[1], layer(), parts[2])

    theirs, X = network(), torch.randn(9, 3, dtype=kind)
    labels = ["a", "b", "c"][: max(2, count)]
    model = from_state_dict(theirs.state_dict(), activation=activation, classes=labels)
    with torch.no_grad():
        z = theirs(X)
        p = torch.hstack([1 - z.sigmoid(), z.sigmoid()]) if count == 1 else z.softmax(1)
    close(model.predict_proba(X.numpy()), p.numpy(), X.numpy().dtype)
    if count == 2:  # one output is kept
        return
    ours = network()
    state = {name: torch.from_numpy(array) for name, array in model.state_dict().items()}
    ours.load_state_dict(state, strict=True)
    with torch.no_grad():
        assert torch.equal(ours(X), z)
    close(model.decision_function(X.numpy()), z.numpy().squeeze(), X.numpy().dtype)


def test_torch_modules_of_other_kinds_are_refused_by_name():
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1))
    with pytest.raises(ValueError, match=r"'1\.running_mean' is not the weight"):
        from_state_dict(net.state_dict(), activation="relu")
    with pytest.raises(ValueError, match=r"'weight' is not an array that NumPy has: .*BFloat16"):
        from_state_dict(torch.nn.Linear(2, 1).bfloat16().state_dict())
    with pytest.raises(ValueError, match=r"'weight' is not an array that NumPy has: .*meta"):
        from_state_dict(torch.nn.Linear(2, 1, device="meta").state_dict())
    with pytest.raises(TypeError, match="not a Linear"):
        from_state_dict(torch.nn.Linear(2, 1))
    wanted = dict(torch.nn.Linear(2, 1).named_parameters())  # these want gradients
    assert from_state_dict(wanted).predict([[0.0, 0.0]]).dtype == np.float64
