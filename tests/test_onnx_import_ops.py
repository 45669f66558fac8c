"""Each operation that `import_onnx` reads, beside those of ONNX's evaluator and onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx import helper
from onnx_models import built, evaluated, imported, ran

import autograd_lite as ag

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4)).astype(np.float32)
Y = RNG.normal(size=(3, 4)).astype(np.float32)
P = np.exp(X)  # positive
U = np.tanh(X)  # from −1 to 1
CUBE = RNG.normal(size=(2, 3, 4)).astype(np.float32)
N = np.array([[7, -7, 5, -1], [0, 3, -9, 2], [4, 4, -4, 6]])
D = np.array([[2, 2, -3, 4], [5, -2, 4, -7], [4, -4, 3, 5]])
B = X > 0
TIES = np.array([[0.5, 1.5, 2.5, -0.5], [-1.5, 0, -0.0, 3.2]], np.float32)


def ints(*numbers):
    return np.array(numbers, np.int64)


REDUCTIONS = "Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"

# Operation, operands (those of floats with axes are inputs, unless "fixed"), attributes, opsets.
CASES = [
    *[
        (kind, [X], {}, (7, 13, 20))
        for kind in ["Abs", "Neg", "Exp", "Relu", "Sigmoid", "Tanh", "Floor", "Ceil"]
    ],
    *[
        (kind, [X], {}, (9, 20))
        for kind in ["Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Sign"]
    ],
    *[
        (kind, [X], {}, (20,))
        for kind in ["Softplus", "Softsign", "HardSwish", "Mish", "Elu", "Selu", "Celu"]
    ],
    *[(kind, [P], {}, (7, 20)) for kind in ["Log", "Sqrt", "Reciprocal"]],
    *[(kind, [U], {}, (9, 20)) for kind in ["Asin", "Acos", "Atanh"]],
    ("Acosh", [1 + P], {}, (9,)),
    ("Round", [TIES], {}, (11, 20)),
    *[(kind, [X, Y], {}, (7, 14)) for kind in ["Add", "Sub", "Mul", "Div"]],
    *[(kind, [X, Y[0]], {}, (7, 14)) for kind in ["Add", "Sub", "Mul", "Div"]],
    *[(kind, [N, D], {}, (14,)) for kind in ["Add", "Sub", "Mul", "Div", "Mod"]],
    *[(kind, [X, np.float32(0.1)], {}, (14,)) for kind in ["Add", "Sub", "Mul", "Div"]],
    *[(kind, [np.float32(0.1), X], {}, (14,)) for kind in ["Add", "Sub", "Mul", "Div"]],
    ("Mod", [X, Y], {"fmod": 1}, (13,)),
    ("Mod", [N, D], {"fmod": 1}, (13,)),
    ("Pow", [P, Y], {}, (7, 15)),
    ("Pow", [X, np.float32(2)], {}, (7, 15)),
    ("Pow", [X, np.int64(3)], {}, (15,)),
    ("Pow", [X, np.abs(N) % 4], {}, (15,)),
    ("Pow", [N, np.abs(D) % 4], {}, (15,)),
    ("Pow", [N, np.float32(2.5) + 0 * P], {}, ()),
    *[(kind, [X, Y, Y[:1]], {}, (8, 13)) for kind in ["Max", "Min", "Sum", "Mean"]],
    *[(kind, [X], {}, (8,)) for kind in ["Max", "Min", "Sum", "Mean"]],
    *[(kind, [X, np.float32(0.2)], {}, (13,)) for kind in ["Max", "Min"]],
    *[(kind, [X, Y], {}, (9, 13)) for kind in ["Greater", "Less"]],
    *[(kind, [X, np.float32(0)], {}, (16,)) for kind in ["GreaterOrEqual", "LessOrEqual"]],
    ("Equal", [N, N % 5], {}, (13,)),
    *[(kind, [B, Y > 0], {}, (7,)) for kind in ["And", "Or", "Xor"]],
    ("Not", [B], {}, (7,)),
    ("IsNaN", [np.where(B, np.nan, X)], {}, (13,)),
    ("IsInf", [np.where(B, -np.inf, X)], {"detect_negative": 0}, (10,)),
    ("IsInf", [np.where(B, -np.inf, X)], {"detect_positive": 0}, (10,)),
    ("Clip", [X], {"min": -0.5, "max": 0.25}, (7,)),
    ("Clip", [X], {"max": 0.25}, (7,)),
    ("Clip", [X, np.float32(-0.5), np.float32(0.25)], {}, (11, 13)),
    ("Clip", [X, None, np.float32(0.25)], {}, (13,)),
    ("Clip", [X, np.float32(0.1)], {}, (13,)),
    ("LeakyRelu", [X], {}, (7, 16)),
    ("LeakyRelu", [X], {"alpha": 0.3}, (16,)),
    ("PRelu", [X, np.abs(Y[0])], {}, (9, 16)),
    ("ThresholdedRelu", [X], {"alpha": 0.3}, (10,)),
    ("Elu", [X], {"alpha": 0.3}, (7,)),
    ("Selu", [X], {"alpha": 1.5, "gamma": 0.7}, (7,)),
    ("Celu", [X], {"alpha": 0.3}, (12,)),
    ("HardSigmoid", [X * 4], {}, (7,)),
    ("HardSigmoid", [X * 4], {"alpha": 0.3, "beta": 0.4}, (7,)),
    ("Gelu", [X], {"approximate": "tanh"}, (20,)),
    *[(kind, [X], {}, (7, 11, 13)) for kind in ["Softmax", "LogSoftmax"]],
    *[(kind, [CUBE], {}, (7, 13)) for kind in ["Softmax", "LogSoftmax"]],
    *[(kind, [CUBE], {"axis": 1}, (11, 13)) for kind in ["Softmax", "LogSoftmax"]],
    *[(kind, [CUBE], {"axis": 0}, (11, 13)) for kind in ["Softmax", "LogSoftmax"]],
    *[(kind, [CUBE], {"axis": -1}, (11, 13)) for kind in ["Softmax", "LogSoftmax"]],
    ("MatMul", [X, Y.T], {}, (9,)),
    ("MatMul", [CUBE, Y.T], {}, (9,)),
    ("MatMul", [X, Y[0]], {}, (9,)),
    ("Gemm", [X, Y.T, Y[:, 0]], {}, (7, 13)),
    ("Gemm", [X, Y, Y[:, :1]], {"transB": 1, "alpha": 0.5, "beta": 2.0}, (9, 13)),
    ("Gemm", [X, Y], {"transA": 1, "alpha": 2.0}, (11,)),
    ("Gemm", [X, Y.T, np.float32(3)], {"beta": 0.5}, (13,)),
    ("Einsum", [X, Y], {"equation": "ij,kj->ik"}, (12,)),
    *[
        (f"Reduce{kind}", [P.reshape(3, 2, 2)], attributes, (11, 12))
        for kind in REDUCTIONS
        for attributes in ({}, {"axes": [1], "keepdims": 0}, {"axes": [0, -1]})
    ],
    *[
        (f"Reduce{kind}", [P.reshape(3, 2, 2), *axes], attributes, (18, 20))
        for kind in REDUCTIONS
        for axes in ([], [ints(1)], [ints(0, -1)])
        for attributes in ({}, {"keepdims": 0})
    ],
    ("ReduceSum", [X, ints(1)], {}, (13,)),
    ("ReduceSum", [X], {"noop_with_empty_axes": 1}, (13,)),
    ("ReduceSum", [N, ints(0)], {}, (13,)),
    ("ReduceMax", [N], {}, (18,)),
    ("ArgMax", [X], {"axis": 1}, ()),
    ("CumSum", [X, ints(1)[0]], {}, (14,)),
    ("CumSum", [X, ints(-2)[0]], {"reverse": 1}, (14,)),
    ("BatchNormalization", [X, Y[0], Y[1], Y[2], P[0]], {"epsilon": 0.01}, (9, 15)),
    ("BatchNormalization", [CUBE, Y[:, 0], Y[:, 1], Y[:, 2], P[:, 0]], {}, (9, 15)),
    ("LayerNormalization", [X, Y[0], Y[1]], {}, (17,)),
    ("LayerNormalization", [CUBE, Y], {"axis": 1, "epsilon": 0.1}, (17,)),
    ("NegativeLogLikelihoodLoss", [X, ints(0, 3, 1)], {}, (13,)),
    ("NegativeLogLikelihoodLoss", [X, ints(0, 3, 1), P[0]], {"ignore_index": 3}, (13,)),
    ("NegativeLogLikelihoodLoss", [CUBE, ints(*[[0, 2, 1, 1], [2, 2, 0, 1]])], {}, (13,)),
    ("SoftmaxCrossEntropyLoss", [X, ints(0, 3, 1)], {}, (13,)),
    ("SoftmaxCrossEntropyLoss", [X, ints(0, 3, 1)], {"reduction": "none"}, (13,)),
    ("SoftmaxCrossEntropyLoss", [X, ints(0, 3, 1), P[0]], {"reduction": "sum"}, (13,)),
    ("SoftmaxCrossEntropyLoss", [X, ints(0, 3, 1)], {"ignore_index": 3}, (13,)),
    ("SoftmaxCrossEntropyLoss", [CUBE, ints(*[[0, 2, 1, 1], [2, 2, 0, 1]])], {}, (13,)),
    ("Identity", [X], {}, (7,)),
    ("Dropout", [X], {}, (7, 12)),
    ("Where", [B, X, Y], {}, (9,)),
    ("Where", [B, X, np.float32(0)], {}, (16,)),
    ("Cast", [X * 9], {"to": 7}, (9, 13)),
    ("Cast", [N], {"to": 1}, (9, 13)),
    ("Cast", [X], {"to": 11}, (13,)),
    ("Cast", [B], {"to": 1}, (13,)),
    ("CastLike", [N, X], {}, (15,)),
    ("Reshape", [X, ints(2, -1)], {}, (7, 14)),
    ("Reshape", [CUBE, ints(0, -1)], {}, (7, 14)),
    ("Reshape", [CUBE, ints(0, 0, 2, 2)], {"allowzero": 0}, (14,)),
    ("Reshape", [CUBE[:, :0], ints(4, 0)], {"allowzero": 1}, (14,)),
    *[("Flatten", [CUBE], {"axis": axis}, (9, 13)) for axis in (0, 1, 2, 3)],
    ("Flatten", [CUBE], {"axis": -1}, (13,)),
    ("Flatten", [X], {}, (9,)),
    ("Transpose", [CUBE], {}, (7,)),
    ("Transpose", [CUBE], {"perm": [1, 2, 0]}, (13,)),
    ("Squeeze", [X[:1, :, None]], {}, (11, 13)),
    ("Squeeze", [X[:1, :, None]], {"axes": [0]}, (11,)),
    ("Squeeze", [X[:1, :, None], ints(-1, 0)], {}, (13,)),
    ("Unsqueeze", [X], {"axes": [0, 3]}, (11,)),
    ("Unsqueeze", [X, ints(1)], {}, (13,)),
    ("Unsqueeze", [X, ints(-1, 1)], {}, (13,)),
    ("Expand", [X[:1], ints(3, 1)], {}, (8,)),
    ("Expand", [X[0], ints(2, 1, 1)], {}, (13,)),
    ("Tile", [X, ints(2, 1)], {}, (13,)),
    ("Concat", [X, Y, X], {"axis": 1}, (7, 13)),
    ("Concat", [X, Y], {"axis": -2}, (13,)),
    ("Slice", [CUBE], {"starts": [1, 0], "ends": [2, -1], "axes": [1, 2]}, (7,)),
    ("Slice", [CUBE], {"starts": [0, 1], "ends": [9, 9]}, (7,)),
    ("Slice", [CUBE, ints(1), ints(2**62)], {}, (10, 13)),
    ("Slice", [CUBE, ints(-1), ints(-(2**62)), ints(2), ints(-1)], {}, (13,)),
    ("Slice", [CUBE, ints(3, 2), ints(0, 0), ints(2, 1), ints(-2, -1)], {}, (13,)),
    ("Gather", [X, ints(1, -1, 1)], {}, (7, 13)),
    ("Gather", [X, ints([1, -2], [0, 0])], {"axis": 1}, (13,)),
    ("Gather", [X, ints(2)[0]], {"axis": 1}, (13,)),
    ("GatherElements", [X, ints([1, -2], [0, 0], [3, 3])], {"axis": 1}, (13,)),
    *[(f"Bitwise{kind}", [N, D], {}, (18,)) for kind in ("And", "Or", "Xor")],
    ("BitwiseNot", [N], {}, (18,)),
    (
        "ScatterElements",
        [X, ints([1, 1], [0, -1], [3, 3]), Y[:, :2]],
        {"axis": 1, "reduction": "add"},
        (16, 18),
    ),
    ("ScatterElements", [X, ints([1, 0, 1, 2]), Y[:1]], {"reduction": "add"}, (18,)),
    ("Pad", [X, ints(1, 0, 0, 2)], {}, (13, 18)),
    ("Pad", [X, ints(1, 0, 0, 2), np.float32(3)], {}, (13,)),
    ("Pad", [X, ints(1, 2), None, ints(1)], {"mode": "reflect"}, (18,)),
    ("Pad", [X, ints(0, 1, 2, 0)], {"mode": "edge"}, (13,)),
    ("Trilu", [X], {}, (14,)),
    ("Trilu", [X, ints(-1)[0]], {"upper": 0}, (14,)),
    ("Shape", [X], {}, (7,)),
    ("Shape", [CUBE], {"start": 1, "end": -1}, (15,)),
    ("Size", [CUBE], {}, (13,)),
    ("ConstantOfShape", [ints(2, 3)], {}, (9,)),
    ("Range", [ints(2)[0], ints(9)[0], ints(3)[0]], {}, (11,)),
    ("Det", [np.stack([X[:, :3], Y[:, 1:]])], {}, (11,)),
]


def is_input(kind, x):
    """Whether an operand is an input of the model; the others are constants of its file."""
    return (x.dtype.kind == "f" and x.ndim > 0) or kind in ("And", "Or", "Xor", "Not")


def model_of(kind, operands, attributes, opset, out=X):
    """A model with one node, and its inputs; `out` has the dtype and the axes of the result."""
    names = [name if x is not None else "" for name, x in zip("abcdefg", operands, strict=False)]
    given = {name: np.asarray(x) for name, x in zip(names, operands, strict=True) if name}
    inputs = {name: x for name, x in given.items() if is_input(kind, x)}
    fixed = {name: x for name, x in given.items() if name not in inputs}
    node = helper.make_node(kind, names, ["out"], **attributes)
    return built([node], inputs, {"out": out}, fixed, opset), inputs


ALL = [
    pytest.param(*case[:3], opset, id=f"{case[0]}-{opset}-{k}")
    for k, case in enumerate(CASES)
    for opset in case[3]
]


def by_definition(kind, operands, attributes, opset):
    """What the operators of ONNX define where its evaluator does not follow an old version."""
    x, *rest = operands
    if kind in ("Softmax", "LogSoftmax") and opset < 13:
        axis = attributes.get("axis", 1) % x.ndim
        e = np.exp(x.reshape(int(np.prod(x.shape[:axis])), -1))
        p = (e / e.sum(axis=1, keepdims=True)).reshape(x.shape)
        return np.log(p) if kind == "LogSoftmax" else p
    if kind == "BatchNormalization" and opset < 14:
        scale, shift, mean, variance = (v.reshape(-1, *[1] * (x.ndim - 2)) for v in rest)
        return scale * (x - mean) / np.sqrt(variance + attributes.get("epsilon", 1e-5)) + shift
    return None


@pytest.mark.parametrize(("kind", "operands", "attributes", "opset"), ALL)
def test_an_operation_is_that_of_onnx(kind, operands, attributes, opset, tmp_path):
    model, inputs = model_of(kind, operands, attributes, opset)
    expected = by_definition(kind, operands, attributes, opset)
    if expected is None:
        (expected,) = evaluated(model, inputs)
    read = imported(model, tmp_path)
    found = read(**inputs)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-6)
    if not inputs:
        return
    recorded = read(**{name: ag.constant(x) for name, x in inputs.items()})
    value = recorded.numpy() if isinstance(recorded, ag.Tensor) else recorded
    np.testing.assert_array_equal(value, found)
    compiled = ag.compile(read)(**inputs)
    np.testing.assert_allclose(compiled, found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("axis", [0, -1])
def test_the_first_of_equal_elements_is_chosen(largest, axis, tmp_path):
    x = np.array([[1, 3, 3, 2], [5, 3, 5, 1], [1, 3, 9, 2]], np.float32)
    node = helper.make_node("TopK", ["x", "k"], ["values", "places"], axis=axis, largest=largest)
    out = {"values": x, "places": N}
    model = built([node], {"x": x}, out, {"k": ints(2)}, 18)
    found, expected = imported(model, tmp_path)(x), evaluated(model, {"x": x})
    np.testing.assert_array_equal(found["values"], expected[0])
    np.testing.assert_array_equal(found["places"], expected[1])


@pytest.mark.parametrize("dtype", [np.uint64, np.int64, np.int8])
def test_the_largest_integers_are_chosen(dtype, tmp_path):
    limits = np.iinfo(dtype)
    x = np.array([[limits.min, 3, limits.max, 2]], dtype)
    form = helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(x.dtype), [1, 4])
    node = helper.make_node("TopK", ["x", "k"], ["values", "places"])
    found = imported(
        built([node], {"x": form}, {"values": X, "places": N}, {"k": ints(3)}), tmp_path
    )(x)
    np.testing.assert_array_equal(found["values"], [[limits.max, 3, 2]])
    np.testing.assert_array_equal(found["places"], [[2, 1, 3]])


def test_the_number_of_largest_elements_is_an_attribute_of_old_versions(tmp_path):
    node = helper.make_node("TopK", ["x"], ["y", "places"], k=2)
    found = imported(built([node], {"x": X}, {"y": X}, opset=9), tmp_path)(X)
    np.testing.assert_array_equal(found, np.sort(X, axis=-1)[:, :-3:-1])


def test_negative_lengths_of_a_padding_remove_elements(tmp_path):
    """Here ONNX's evaluator raises an error."""
    node = helper.make_node("Pad", ["x", "lengths"], ["y"])
    model = built([node], {"x": X}, {"y": X}, {"lengths": ints(-1, 2, 0, -2)})
    read = imported(model, tmp_path)
    expected = np.pad(X[1:, :-2], ((0, 0), (2, 0)))
    np.testing.assert_array_equal(read(X), expected)
    np.testing.assert_array_equal(ag.compile(read)(X), expected)
    with pytest.raises(ValueError, match="Pad → 'y': lengths 2 and -7"):
        imported(built([node], {"x": X}, {"y": X}, {"lengths": ints(0, 2, 0, -7)}), tmp_path)(X)
    (found,) = ran(model, {"x": X})
    np.testing.assert_array_equal(found, expected)


def test_sums_of_integers_keep_their_dtype(tmp_path):
    x = np.array([[1, 2, 3]], np.int32)
    form, out = (helper.make_tensor_value_info(name, 6, [1, None]) for name in "xy")
    for node, result in (("CumSum", [[1, 3, 6]]), ("ReduceSum", [[6]])):
        made = helper.make_node(node, ["x", "axis"], ["y"])
        axis = ints(1)[0] if node == "CumSum" else ints(1)
        found = imported(built([made], {"x": form}, {"y": out}, {"axis": axis}), tmp_path)(x)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, result)


def test_onnxruntime_agrees(tmp_path):
    pytest.importorskip("onnxruntime")
    compared = 0
    for case in ALL:
        model, inputs = model_of(*case.values)
        found = imported(model, tmp_path)(**inputs)
        model, inputs = model_of(*case.values, found)
        try:
            (expected,) = ran(model, inputs)
        except Exception as error:
            if "NOT_IMPLEMENTED" not in str(error):
                raise
            continue  # it has no kernel
        compared += 1
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6, err_msg=case.id)
    assert compared > 0.9 * len(ALL)
