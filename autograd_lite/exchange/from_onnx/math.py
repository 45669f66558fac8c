"""The operations of ONNX that compute with numbers: arithmetic, functions, sums and products."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from autograd_lite.exchange.from_onnx.nodes import READERS, Function, Node, known, plainly, reads
from autograd_lite.op import OPS

softplus, softmax, log_softmax = OPS["softplus"], OPS["softmax"], OPS["log_softmax"]
sigmoid, elu, norm, astype = OPS["sigmoid"], OPS["elu"], OPS["norm"], OPS["astype"]


def is_literal(x: Any) -> bool:
    """Whether it is a float without axes that the file fixes."""
    return type(x) is np.ndarray and not x.shape and x.dtype.kind == "f"


def weakly(function: Function) -> Function:
    """The function with literals as Python numbers, which take the dtype of the other operands."""

    @functools.wraps(function)
    def computed(*operands: Any) -> Any:
        literal = [*map(is_literal, operands)]
        if any(literal) and not all(literal):
            pairs = zip(operands, literal, strict=True)
            operands = tuple(x.item() if weak else x for x, weak in pairs)
        return function(*operands)

    return computed


def _quotient(a: Any, b: Any) -> Any:
    if np.result_type(a, b).kind not in "iu":
        return np.divide(a, b)
    floor = np.floor_divide(a, b)  # ONNX truncates quotients of integers
    inexact = np.not_equal(floor * b, a)
    return floor + np.logical_and(inexact, np.not_equal(np.less(a, 0), np.less(b, 0)))


def _power(a: Any, b: Any) -> Any:
    """The result has the dtype of the base."""
    if isinstance(a, float):
        return np.power(a, b)
    if not isinstance(b, float) and b.dtype != a.dtype:
        if a.dtype.kind in "iu":
            return astype(np.power(astype(a, dtype=np.float64), b), dtype=a.dtype)
        b = b.item() if type(b) is np.ndarray and not b.shape else astype(b, dtype=a.dtype)
    return np.power(a, b)


plainly(
    Add=weakly(np.add),
    Sub=weakly(np.subtract),
    Mul=weakly(np.multiply),
    Div=weakly(_quotient),
    Pow=weakly(_power),
    Equal=weakly(np.equal),
    Greater=weakly(np.greater),
    GreaterOrEqual=weakly(np.greater_equal),
    Less=weakly(np.less),
    LessOrEqual=weakly(np.less_equal),
    And=np.logical_and,
    Or=np.logical_or,
    Xor=np.logical_xor,
    Not=np.logical_not,
    BitwiseAnd=np.bitwise_and,
    BitwiseOr=np.bitwise_or,
    BitwiseXor=np.bitwise_xor,
    BitwiseNot=np.invert,
    IsNaN=np.isnan,
    Sum=lambda *terms: functools.reduce(weakly(np.add), terms),
    Mean=lambda *terms: functools.reduce(weakly(np.add), terms) / len(terms),
    Max=lambda *operands: functools.reduce(weakly(np.maximum), operands),
    Min=lambda *operands: functools.reduce(weakly(np.minimum), operands),
    Abs=np.absolute,
    Neg=np.negative,
    Reciprocal=np.reciprocal,
    Sign=np.sign,
    Floor=np.floor,
    Ceil=np.ceil,
    Round=np.rint,
    Sqrt=np.sqrt,
    Exp=np.exp,
    Log=np.log,
    Sin=np.sin,
    Cos=np.cos,
    Tan=np.tan,
    Asin=np.arcsin,
    Acos=np.arccos,
    Atan=np.arctan,
    Sinh=np.sinh,
    Cosh=np.cosh,
    Tanh=np.tanh,
    Asinh=np.arcsinh,
    Acosh=np.arccosh,
    Atanh=np.arctanh,
    Relu=OPS["relu"],
    Sigmoid=sigmoid,
    Softplus=softplus,
    Erf=OPS["erf"],
    Softsign=lambda x: x / (1 + np.absolute(x)),
    HardSwish=lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    Mish=lambda x: x * np.tanh(softplus(x)),
    PRelu=lambda x, slope: np.where(np.greater(x, 0), x, slope * x),
    MatMul=np.matmul,
    Det=np.linalg.det,
)

# What stable.py writes in place of several nodes.
plainly(
    Expm1=np.expm1,
    Log1p=np.log1p,
    LogAddExp=weakly(np.logaddexp),
    LogSigmoid=lambda x: -softplus(-x),
    Silu=OPS["silu"],
    Erfc=OPS["erfc"],
    NormalDistribution=OPS["ndtr"],
    LogNormalDistribution=OPS["log_ndtr"],
)


@reads("AtLeast")
def _at_least(node: Node) -> Function:
    ndim = node.attributes["ndim"]
    return lambda x: np.reshape(x, (1,) * (ndim - x.ndim) + x.shape) if x.ndim < ndim else x


@reads("Mod")
def _mod(node: Node) -> Function:
    return weakly(np.fmod if node.get("fmod", 0) else np.remainder)


@reads("IsInf")
def _is_inf(node: Node) -> Function:
    signs = node.get("detect_negative", 1), node.get("detect_positive", 1)
    functions: dict[Any, Function] = {(1, 1): np.isinf, (1, 0): np.isneginf, (0, 1): np.isposinf}
    return functions.get(signs, lambda x: np.zeros_like(x, dtype=bool))


@reads("Clip")
def _clip(node: Node) -> Function:
    low, high = node.get("min"), node.get("max")  # attributes before version 11

    def clip(x: Any, least: Any = None, most: Any = None) -> Any:
        least, most = (low if least is None else least), (high if most is None else most)
        x = x if least is None else weakly(np.maximum)(x, least)
        return x if most is None else weakly(np.minimum)(x, most)

    return clip


@reads("LeakyRelu")
def _leaky_relu(node: Node) -> Function:
    return functools.partial(OPS["leaky_relu"], negative_slope=node.get("alpha", 0.01))


@reads("ThresholdedRelu")
def _thresholded_relu(node: Node) -> Function:
    alpha = node.get("alpha", 1.0)
    return lambda x: np.where(np.greater(x, alpha), x, np.zeros_like(x))


@reads("Elu")
def _elu(node: Node) -> Function:
    return functools.partial(elu, alpha=node.get("alpha", 1.0))


@reads("Selu")
def _selu(node: Node) -> Function:
    # The defaults are float32 numbers, as ONNX writes them.
    alpha = node.get("alpha", 1.67326319217681884765625)
    gamma = node.get("gamma", 1.05070102214813232421875)
    return lambda x: gamma * elu(x, alpha=alpha)


@reads("Celu")
def _celu(node: Node) -> Function:
    alpha = node.get("alpha", 1.0)
    return elu if alpha == 1 else lambda x: alpha * elu(x / alpha)


@reads("HardSigmoid")
def _hard_sigmoid(node: Node) -> Function:
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    return lambda x: np.clip(alpha * x + beta, 0, 1)


@reads("Swish")
def _swish(node: Node) -> Function:
    alpha = node.get("alpha", 1.0)
    return OPS["silu"] if alpha == 1 else lambda x: x * sigmoid(alpha * x)


@reads("Softmax", "LogSoftmax")
def _softmax(node: Node) -> Function:
    function = softmax if node.kind == "Softmax" else log_softmax
    if node.version >= 13:
        return functools.partial(function, axis=node.get("axis", -1))
    first = node.get("axis", 1)

    def flattened(x: Any) -> Any:
        """Over this axis and all that follow."""
        axes = tuple(range(first + x.ndim if first < 0 else first, x.ndim))
        return function(x, axis=axes[0] if len(axes) == 1 else axes)

    return flattened


@reads("Gemm")
def _gemm(node: Node) -> Function:
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    first, second = node.get("transA", 0), node.get("transB", 0)

    def gemm(a: Any, b: Any, c: Any = None) -> Any:
        product = (a.T if first else a) @ (b.T if second else b)
        product = product if alpha == 1 else alpha * product
        if c is None or beta == 0:
            return product
        return product + (c if beta == 1 else beta * c)

    return gemm


@reads("Einsum")
def _einsum(node: Node) -> Function:
    return functools.partial(np.einsum, node.attributes["equation"])


def _like(x: Any, sums: Any) -> Any:
    """Sums of integers in the dtype of x; NumPy's have a wider one."""
    return astype(sums, dtype=x.dtype) if x.dtype.kind in "iu" else sums


def _reduction(kind: str, function: Function) -> None:
    """Enter a reduction; its axes are an input, or in older versions an attribute."""

    def read(node: Node) -> Function:
        keepdims, noop = bool(node.get("keepdims", 1)), node.get("noop_with_empty_axes", 0)
        fixed = node.get("axes")

        def reduce(x: Any, axes: Any = None) -> Any:
            axes = fixed if axes is None else axes
            numbers = () if axes is None else known(axes, node, "axes")
            none: Any = () if noop else None
            axis = none if not numbers else numbers if len(numbers) > 1 else numbers[0]
            return _like(x, function(x, axis=axis, keepdims=keepdims))

        return reduce

    READERS[kind] = read


_reduction("ReduceSum", np.sum)
_reduction("ReduceMean", np.mean)
_reduction("ReduceMax", np.max)
_reduction("ReduceMin", np.min)
_reduction("ReduceProd", np.prod)
_reduction("ReduceL1", lambda x, **over: np.sum(np.absolute(x), **over))
_reduction("ReduceL2", norm)
_reduction("ReduceSumSquare", lambda x, **over: np.sum(np.square(x), **over))
_reduction("ReduceLogSum", lambda x, **over: np.log(np.sum(x, **over)))
_reduction("ReduceLogSumExp", OPS["logsumexp"])


@reads("ArgMax", "ArgMin")
def _arg(node: Node) -> Function:
    axis, keepdims = node.get("axis", 0), node.get("keepdims", 1)
    if node.get("select_last_index", 0):
        raise node.refused("select_last_index=1 is not supported")
    function = np.argmax if node.kind == "ArgMax" else np.argmin
    return lambda x: function(x, axis=axis, keepdims=bool(keepdims))


@reads("CumSum")
def _cumsum(node: Node) -> Function:
    if node.get("exclusive", 0):
        raise node.refused("exclusive=1 is not supported")
    backwards = node.get("reverse", 0)

    def cumsum(x: Any, axis: Any) -> Any:
        (number,) = known(axis, node, "axis")
        if backwards:
            return _like(x, np.flip(np.cumsum(np.flip(x, number), axis=number), number))
        return _like(x, np.cumsum(x, axis=number))

    return cumsum


@reads("BatchNormalization")
def _batch_normalization(node: Node) -> Function:
    in_training = node.get("training_mode", 0) or any(node.outputs[1:])
    if in_training or not node.get("spatial", 1):
        raise node.refused("only the form for predictions is supported; export the model in it")
    epsilon = node.get("epsilon", 1e-5)

    def normalized(x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> Any:
        def along(v: Any) -> Any:
            return v if x.ndim <= 2 else np.reshape(v, (-1,) + (1,) * (x.ndim - 2))

        centred = (x - along(mean)) / along(np.sqrt(variance + epsilon))
        return centred * along(scale) + along(shift)

    return normalized


@reads("LayerNormalization")
def _layer_normalization(node: Node) -> Function:
    first, epsilon = node.get("axis", -1), node.get("epsilon", 1e-5)

    def normalized(x: Any, scale: Any, shift: Any = None) -> Any:
        axis = tuple(range(first % x.ndim, x.ndim))
        centred = x - np.mean(x, axis=axis, keepdims=True)
        variance = np.mean(np.square(centred), axis=axis, keepdims=True)
        scaled = centred / np.sqrt(variance + epsilon) * scale
        return scaled if shift is None else scaled + shift

    return normalized


@reads("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
def _cross_entropy(node: Node) -> Function:
    of_logits = node.kind == "SoftmaxCrossEntropyLoss"
    reduction, ignored = node.get("reduction", "mean"), node.get("ignore_index")

    def loss(x: Any, labels: Any, weights: Any = None) -> Any:
        logs = log_softmax(x, axis=1) if of_logits else x
        plain = weights is None and x.ndim == 2 and isinstance(labels, np.ndarray)
        if of_logits and plain and not (ignored is not None and np.any(labels == ignored)):
            result = OPS["cross_entropy"](x, labels, reduction=reduction)
        else:
            result = _of_labels(logs, labels, weights, ignored, reduction)
        return (result, logs) if len(node.outputs) > 1 else result

    return loss


def _of_labels(logs: Any, labels: Any, weights: Any, ignored: Any, reduction: str) -> Any:
    """Minus the logarithms that the labels select, weighted; NaN for a label that is no class."""
    count = logs.shape[1]
    counted = True if ignored is None else np.not_equal(labels, ignored)
    valid = np.logical_and(np.greater_equal(labels, 0), np.less(labels, count))
    places = np.where(valid, labels, 0)
    losses = -np.squeeze(np.take_along_axis(logs, np.expand_dims(places, 1), axis=1), axis=1)
    weight = np.ones((), logs.dtype) if weights is None else np.take(weights, places)
    weight = np.where(counted, weight, np.zeros((), logs.dtype))
    losses = np.where(counted, np.where(valid, losses, np.nan), 0.0) * weight
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.sum(losses)
    return np.sum(losses) / np.sum(np.broadcast_to(weight, losses.shape))


@reads("Gelu")
def _gelu(node: Node) -> Function:
    return functools.partial(OPS["gelu"], approximate=node.get("approximate", "none"))
