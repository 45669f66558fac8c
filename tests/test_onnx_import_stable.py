"""Stable forms that exporters take apart: values and derivatives, also in the tails."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("onnx")
mpmath = pytest.importorskip("mpmath")

from onnx import helper, numpy_helper  # noqa: E402
from onnx_models import built, imported  # noqa: E402

import autograd_lite as ag  # noqa: E402

EXP, LOG = mpmath.exp, mpmath.log
TAILS = [-800.0, -90.0, -40.0, -1e-9, 0.0, 1e-20, 0.5, 3.0, 40.0, 90.0, 800.0]
SMALL = [-0.5, -1e-9, 1e-300, 1e-12, 0.3]


def chain(text):
    """Nodes from lines such as ``s = Sigmoid x``; the last makes ``y``."""
    nodes = []
    for line in text.split(";"):
        out, _, words = line.strip().partition(" = ")
        kind, *operands = words.split()
        attributes = {"axis": 1} if kind == "Softmax" else {}
        nodes.append(helper.make_node(kind, operands, [out], **attributes))
    return nodes


# The nodes as exporters write them, the function by mpmath, and where.
FORMS = {
    "logsigmoid": ("s = Sigmoid x; y = Log s", lambda x: -LOG(1 + EXP(-x)), TAILS),
    "log of 1 − σ": ("s = Sigmoid x; d = Sub 1 s; y = Log d", lambda x: -LOG(1 + EXP(x)), TAILS),
    "σ of −x": ("s = Sigmoid x; y = Sub 1 s", lambda x: 1 / (1 + EXP(x)), TAILS),
    "softplus": ("e = Exp x; a = Add 1 e; y = Log a", lambda x: LOG(1 + EXP(x)), TAILS),
    "softplus, other order": (
        "e = Exp x; a = Add e 1; y = Log a",
        lambda x: LOG(1 + EXP(x)),
        TAILS,
    ),
    "log1p": ("a = Add x 1; y = Log a", lambda x: LOG(1 + x), SMALL),
    "log1p of −x": ("a = Sub 1 x; y = Log a", lambda x: LOG(1 - x), SMALL),
    "expm1": ("e = Exp x; y = Sub e 1", lambda x: EXP(x) - 1, [-800.0, *SMALL]),
    "σ as a quotient": ("n = Neg x; e = Exp n; a = Add e 1; y = Div 1 a", None, TAILS),
    "σ as a reciprocal": ("n = Neg x; e = Exp n; a = Add 1 e; y = Reciprocal a", None, TAILS),
    "logaddexp": (
        "t = Mul 2 x; a = Exp x; b = Exp t; s = Add a b; y = Log s",
        lambda x: LOG(EXP(x) + EXP(2 * x)),
        TAILS,
    ),
    "silu": ("s = Sigmoid x; y = Mul s x", lambda x: x / (1 + EXP(-x)), TAILS),
    "erfc": ("e = Erf x; y = Sub 1 e", mpmath.erfc, [-5.0, 0.0, 1e-9, 3.0, 20.0]),
    "Φ": (
        "d = Div x root; e = Erf d; a = Add e 1; y = Mul a half",
        mpmath.ncdf,
        [-30.0, -6.0, 0.0, 2.0, 9.0],
    ),
    "log Φ": (
        "d = Div x root; e = Erf d; a = Add 1 e; p = Mul half a; y = Log p",
        lambda x: LOG(mpmath.ncdf(x)),
        [-90.0, -6.0, 0.0, 2.0, 9.0],
    ),
    "gelu": (
        "d = Div x root; e = Erf d; a = Add e 1; m = Mul x a; y = Mul m half",
        lambda x: x * mpmath.ncdf(x),
        [-30.0, -6.0, 0.0, 2.0, 9.0],
    ),
    "gelu, other order": (
        "m = Mul half x; d = Mul x over; e = Erf d; a = Add 1 e; y = Mul m a",
        lambda x: x * mpmath.ncdf(x),
        [-30.0, -6.0, 0.0, 2.0, 9.0],
    ),
}
LITERALS = {"1": 1.0, "2": 2.0, "half": 0.5, "root": 2**0.5, "over": 0.5**0.5}


def written(text, how, ndim):
    """The nodes and initializers, with literals of so many axes as initializers or constants."""
    literals = {name: np.full((1,) * ndim, value) for name, value in LITERALS.items()}
    used = {name: x for name, x in literals.items() if f" {name}" in text}
    if how == "initializers":
        return chain(text), used
    constants = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(x))
        for name, x in used.items()
    ]
    return [*constants, *chain(text)], {}


@pytest.mark.parametrize("how", ["initializers", "constants"])
@pytest.mark.parametrize("ndim", [0, 1])
@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_put_together_again(name, ndim, how, tmp_path):
    text, exact, places = FORMS[name]
    if "Erf" in text:
        pytest.importorskip("scipy")
    exact = exact or (lambda x: 1 / (1 + EXP(-x)))
    x = np.array(places)
    nodes, arrays = written(text, how, ndim)
    model = imported(built(nodes, {"x": x}, {"y": x}, arrays), tmp_path)
    with mpmath.workdps(800):
        values = np.array([float(exact(mpmath.mpf(v))) for v in places])
        slopes = np.array([float(slope(exact, v)) for v in places])
    with np.errstate(all="ignore"):
        found = model(x)
        recorded = model(ag.constant(x)).numpy()
    gradient = ag.grad(lambda x: np.sum(model(x)))(x)
    compiled = ag.compile(lambda x: (model(x), ag.grad(lambda x: np.sum(model(x)))(x)))(x)
    # SciPy's distribution function is this exact in its tail.
    close = {"rtol": 1e-12 if "Erf" in text else 4e-15, "atol": 1e-300}
    np.testing.assert_allclose(found, values, **close)
    np.testing.assert_array_equal(recorded, found)
    np.testing.assert_allclose(compiled[0], values, **close)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(compiled[1], slopes, rtol=1e-13, atol=1e-300)


def slope(exact, x):
    """The derivative by a central difference in 800 digits."""
    h = mpmath.mpf(10) ** -200
    return (exact(x + h) - exact(x - h)) / (2 * h)


def test_a_literal_with_more_axes_adds_them(tmp_path):
    x = np.array([0.0, 1.0])
    one = {"one": np.ones((1, 1))}
    for nodes in ("a = Add x one; y = Log a", "s = Sigmoid x; y = Sub one s"):
        model = imported(built(chain(nodes), {"x": x}, {"y": x[None]}, one), tmp_path)
        assert model(x).shape == (1, 2)
        assert ag.grad(lambda x: np.sum(model(x)))(x).shape == (2,)  # noqa: B023


def test_a_parameter_that_is_one_is_no_literal(tmp_path):
    """An initializer of several ones may be trained."""
    x = np.array([0.5, 1.5])
    nodes = chain("e = Exp x; a = Add e b; y = Log a")
    model = imported(built(nodes, {"x": x}, {"y": x}, {"b": np.ones(2)}), tmp_path)
    assert list(model.parameters) == ["b"]
    other = model(x, parameters={"b": np.array([2.0, 3.0])})
    np.testing.assert_allclose(other, np.log(np.exp(x) + [2, 3]))


def reduced(kind, axes, opset, x, keepdims=1):
    """A reduction, and its initializers: its axes are an attribute or an input."""
    attributes = {"keepdims": keepdims}
    if opset < 13:
        return helper.make_node(kind, [x], ["s"], axes=axes, **attributes), {}
    arrays = {"axes": np.array(axes, np.int64)}
    return helper.make_node(kind, [x, "axes"], ["s"], **attributes), arrays


@pytest.mark.parametrize("opset", [11, 13, 20])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_a_sum_of_exponentials(opset, keepdims, tmp_path):
    x = np.array([[1000.0, 999.0, -5.0], [-2000.0, -2001.0, -2000.5]])
    total, arrays = reduced("ReduceSum", [1], opset, "e", keepdims)
    exp, log = helper.make_node("Exp", ["x"], ["e"]), helper.make_node("Log", ["s"], ["y"])
    out = x if keepdims else x[:, 0]
    model = imported(built([exp, total, log], {"x": x}, {"y": out}, arrays, opset), tmp_path)
    expected = ag.logsumexp(x, axis=1, keepdims=bool(keepdims))
    np.testing.assert_array_equal(model(x), expected)
    gradient = ag.grad(lambda x: np.sum(model(x)))(x)
    np.testing.assert_allclose(gradient, ag.softmax(x, axis=1), rtol=1e-15)
    quotient = helper.make_node("Div", ["e", "s"], ["y"])
    if keepdims:
        model = imported(built([exp, total, quotient], {"x": x}, {"y": x}, arrays, opset), tmp_path)
        np.testing.assert_array_equal(model(x), ag.softmax(x, axis=1))


@pytest.mark.parametrize("opset", [11, 13, 20])
def test_the_logarithm_of_a_softmax_and_the_root_of_a_sum_of_squares(opset, tmp_path):
    x = np.array([[800.0, -800.0, 0.0]])
    nodes = [
        helper.make_node("Softmax", ["x"], ["s"], axis=1),
        helper.make_node("Log", ["s"], ["y"]),
    ]
    model = imported(built(nodes, {"x": x}, {"y": x}, (), opset), tmp_path)
    np.testing.assert_array_equal(model(x), [[0.0, -1600.0, -800.0]])
    for square in ("q = Mul x x", "q = Pow x two"):
        total, arrays = reduced("ReduceSum", [1], opset, "q")
        nodes = [*chain(square), total, helper.make_node("Sqrt", ["s"], ["y"])]
        arrays["two"] = np.array(2.0)
        model = imported(built(nodes, {"x": x}, {"y": x}, arrays, opset), tmp_path)
        np.testing.assert_allclose(model(x * 1e200), [[800e200 * 2**0.5]], rtol=1e-15)
        gradient = ag.grad(lambda x: np.sum(model(x)))(np.zeros((1, 3)))  # noqa: B023
        np.testing.assert_array_equal(gradient, 0)


@given(data=st.data())
def test_what_only_resembles_a_form_is_left(data, tmp_path_factory):
    """Near misses are computed as written."""
    pytest.importorskip("scipy")
    number = data.draw(st.sampled_from([0.999, 2.0, -1.0]))
    text = data.draw(
        st.sampled_from(
            [
                "e = Exp x; a = Add one e; y = Log a",
                "a = Add x one; y = Log a",
                "e = Exp x; y = Sub e one",
                "s = Sigmoid x; y = Sub one s",
                "e = Exp x; a = Add e one; y = Div one a",
                "s = Sigmoid x; t = Neg x; y = Mul s t",
                "e = Exp x; y = Sub one e",
                "d = Div one x; e = Erf d; a = Add e one; y = Mul a one",
            ]
        )
    )
    x = np.array(data.draw(st.lists(st.floats(2, 5), min_size=1, max_size=4)))
    model = built(chain(text), {"x": x}, {"y": x}, {"one": np.array(number)})
    values = {"x": x, "one": number}
    scipy_erf = np.vectorize(lambda v: float(mpmath.erf(v)))
    functions = {
        "Exp": np.exp, "Log": np.log, "Add": np.add, "Sub": np.subtract, "Div": np.divide,
        "Mul": np.multiply, "Neg": np.negative, "Erf": scipy_erf,
        "Sigmoid": lambda v: 1 / (1 + np.exp(-v)),
    }  # fmt: skip
    for node in model.graph.node:
        values[node.output[0]] = functions[node.op_type](*(values[name] for name in node.input))
    found = imported(model, tmp_path_factory.mktemp("near"))(x)
    np.testing.assert_allclose(found, values["y"], rtol=1e-12)


def test_sums_of_something_else_are_left(tmp_path):
    """A product of two arrays is no square, and another sum does not normalise."""
    x, w = np.array([[1.0, 2.0, 3.0]]), np.array([[4.0, 5.0, 0.5]])
    cases = {
        "q = Mul x w | y = Sqrt s": np.sqrt(np.sum(x * w, axis=1, keepdims=True)),
        "q = Exp w; e = Exp x | y = Div e s": np.exp(x) / np.sum(np.exp(w)),
        "e = Softmax x; q = Abs w | y = Div e s": ag.softmax(x) / 9.5,
        "e = Softmax x; q = Neg e | y = Div e s": -ag.softmax(x),
    }
    for text, expected in cases.items():
        before, after = text.split(" | ")
        total, arrays = reduced("ReduceSum", [1], 20, "q")
        nodes = [*chain(before), total, *chain(after)]
        model = imported(built(nodes, {"x": x, "w": w}, {"y": x}, arrays), tmp_path)
        np.testing.assert_allclose(model(x, w), expected, rtol=1e-14)


def test_probabilities_that_are_normalised_again_are_left_as_they_are(tmp_path):
    x = np.array([[1000.0, 2.0, -1000.0]])
    for axis, opset in ((-1, 13), (1, 11)):
        nodes = [
            helper.make_node("Softmax", ["x"], ["s"], axis=axis),
            helper.make_node("Normalizer", ["s"], ["y"], domain="ai.onnx.ml", norm="L1"),
        ]
        model = imported(built(nodes, {"x": x}, {"y": x}, (), opset), tmp_path)
        # The logarithm of a quotient would be −∞.
        logs = np.log(model(ag.constant(x))).numpy()
        np.testing.assert_array_equal(logs, [[0.0, -998.0, -2000.0]])


LINES = {
    "sum": "u = Add 1 x",
    "condition": "c = Equal u 1",
    "logarithm": "l = Log u",
    "quotient": "m = Sub u 1; d = Div x m",
}
WRONG = {
    "sum": "t = Mul 2 x; u = Add 1 t",
    "condition": "c = Equal u 2",
    "logarithm": "l = Log x",
    "quotient": "m = Sub u 1; d = Div u m",
}


@pytest.mark.parametrize("wrong", [None, *WRONG])
def test_the_form_of_kahan_and_what_resembles_it(wrong, tmp_path):
    """log1p x is log(u) (x / (u − 1)) with u = 1 + x, and x where u = 1."""
    lines = [WRONG[key] if key == wrong else line for key, line in LINES.items()]
    x = np.array([1.0, 1e-12, 3.0])
    nodes, arrays = written("; ".join([*lines, "p = Mul l d; y = Where c x p"]), "initializers", 0)
    model = imported(built(nodes, {"x": x}, {"y": x}, arrays), tmp_path)
    u = 1 + 2 * x if wrong == "sum" else 1 + x
    log = np.log(x if wrong == "logarithm" else u)
    naive = log * ((u if wrong == "quotient" else x) / (u - 1))
    expected = np.where(u == 2, x, naive) if wrong == "condition" else naive
    expected = np.log1p(x) if wrong is None else expected
    np.testing.assert_allclose(model(x), expected, rtol=1e-15)
    if wrong is None:
        gradient = ag.grad(lambda x: np.sum(model(x)))(x)
        np.testing.assert_allclose(gradient, 1 / (1 + x), rtol=1e-15)
