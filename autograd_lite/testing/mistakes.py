"""Common mistakes in gradients by hand, as wrong gradient rules and as changes of the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.core.tensor import Node, Outline, value_of
from autograd_lite.op import OPS
from autograd_lite.ops.losses import label_over, per_example

__all__ = ["CHANGES", "KINK", "MISTAKES", "WRONG_RULES", "Edge", "scale_of"]

KINK = "another derivative at a kink"

MISTAKES: dict[str, str] = {
    "wrong sign": "The sign is wrong: these are the numbers of the negative gradient. With a "
    "sigmoid and cross-entropy the gradient contains ŷ − y, not y − ŷ.",
    "forgotten 1/m": "The loss is a mean, and its 1/m is missing. Divide the sum over the examples "
    "by their number.",
    "1/m twice": "The gradient is divided by m twice. The factor 1/m enters once, at the loss; "
    "later sums over the examples are sums.",
    "mean in place of a sum": "The gradient is divided by the number of terms of a sum{where}. The "
    "derivative of a sum with respect to each of its terms is 1.",
    "forgotten transpose": "A transpose is missing in the product{where}. The gradients of A B are "
    "G Bᵀ and Aᵀ G.",
    "transposed gradient": "The gradient is transposed. It must have the shape of its parameter: "
    "for weights of shape (units, inputs) it is (∂L/∂a)ᵀ X, or the outer product of ∂L/∂a and x, "
    "in this order.",
    "dot product in place of the outer product": "The result is a single number, the dot product. "
    "The gradient of W in W x is the outer product of ∂L/∂a and x, which has the shape of W.",
    "rows not summed": "The gradients of the examples are not added up. A parameter that all "
    "examples share gets the sum over the rows, for example with sum(axis=0).",
    "summed over all axes": "The sum runs over all axes. Only the rows are summed: sum(axis=0).",
    "wrong shape": "The numbers are correct, but their shape is not. It must be the shape of the "
    "parameter; otherwise w − α·dw broadcasts to a larger array.",
    "missing derivative": "The derivative of {op} is missing{where}. The chain rule multiplies the "
    "gradient that arrives by it: {rule}.",
    "missing mask": "The mask of {op} is missing{where}. The gradient passes only where {op} "
    "selected its operand; elsewhere it is 0.",
    "inverted mask": "The mask of {op} is inverted{where}. The gradient passes where the operand "
    "is positive.",
    "value in place of the mask": "The gradient is multiplied by the value of {op}{where}. Its "
    "derivative is 1 where the operand is positive, and 0 elsewhere.",
    KINK: "The derivative of {op} at its kink is a convention{where}. This answer uses another "
    "one than the engine.",
    "derivative applied twice": "The derivative of {op} is applied twice{where}. With "
    "cross-entropy, ŷ − y already contains σ′.",
    "derivative at the wrong place": "The derivative of {op} is computed from the wrong value"
    "{where}. It is σ′(z) = ŷ(1 − ŷ) with ŷ = σ(z), and tanh′(a) = 1 − h² with h = tanh(a).",
    "incomplete derivative": "A factor of the derivative of {op} is missing{where}. The rule is "
    "{rule}.",
    "missing factor": "A factor is missing{where}. The gradient of a product with respect to one "
    "factor contains the other one.",
    "missing constant": "The constant factor {value} is missing{where}.",
    "wrong factor": "The gradient of the product contains the wrong factor{where}: that of one "
    "factor contains the other one.",
    "pre-activation in place of the activation": "The product{where} uses the value before the "
    "activation. The gradient of w in w·h contains h, not a.",
    "missing part": "One part of the gradient is missing: the one that comes back through {op}"
    "{where}. A value that is used several times gets the sum of all parts.",
    "wrong sign of a part": "One part of the gradient has the wrong sign: the one that comes back "
    "through {op}{where}.",
    "missing term of the cross-entropy": "One of the two terms of the cross-entropy is missing. "
    "Its derivative is −y/ŷ + (1 − y)/(1 − ŷ).",
    "gradient of another argument": "This is the gradient of another argument. Compare the order "
    "of the results with the order of the arguments.",
    "gradient of an intermediate result": "This is the gradient of {op}{where}, an intermediate "
    "result. The chain rule goes on from there, with the derivative of the result with respect to "
    "the argument.",
    "loss in place of its gradient": "This is the value of the loss, not its gradient.",
    "zero gradient": "All numbers are 0, and the gradient is not.",
    "not finite": "The answer is not finite where the derivative is. If exp overflows, write the "
    "formula so that exp gets only arguments ≤ 0.",
    "constant factor": "The numbers are {ratio} times the derivative, at every point{count}.",
    "missing learning rate": "The learning rate is missing. A step subtracts the learning rate "
    "times the gradient.",
    "gradient in place of the parameters": "This is the gradient. A step returns the new "
    "parameters, w − α ∂L/∂w.",
    "change in place of the parameters": "This is the change of the parameters. A step returns the "
    "new parameters.",
    "parameters not changed": "The parameters are those from before the step.",
    "parameters changed too early": "The gradient uses parameters that the step has already "
    "changed. Compute all gradients first, then change the parameters.",
}
"""The mistakes that are recognised, each with its explanation."""

Rule = Callable[..., Any]


class Edge(NamedTuple):
    """One edge of the record: the gradient rule of the k-th input of a node."""

    node: Node
    k: int

    @property
    def name(self) -> str:
        """The name of the operation."""
        return str(self.node.op.name)

    @property
    def rule(self) -> Rule:
        """The right rule."""
        return self.node.rules[self.k]  # type: ignore[no-any-return]

    @property
    def other(self) -> Node:
        """The other operand of an operation on two."""
        return self.node.inputs[1 - self.k]  # type: ignore[no-any-return]

    def with_other(self, change: Callable[[Any], Any]) -> Rule:
        """The rule with another value of the other operand."""

        def rule(g: Any, out: Any, *operands: Any, **attributes: Any) -> Any:
            changed = list(operands)
            changed[1 - self.k] = change(changed[1 - self.k])
            return self.rule(g, out, *changed, **attributes)

        return rule


LINEAR = {"add", "subtract", "negative", "astype", "identity"}
PRODUCTS = {"multiply", "divide"}


def _pass_on(g: Any, *saved: Any, **attributes: Any) -> Any:
    return g


def _shape(x: Any) -> tuple[int, ...]:
    """The shape of an array, which need not be saved, or of a number."""
    return getattr(x, "shape", ())


def _is_relu(edge: Edge) -> bool:
    """Whether the edge is that of a in max(a, 0)."""
    if edge.name != "maximum":
        return edge.name == "relu"
    other = edge.other
    return (
        not other.requires_grad and not isinstance(other.form, Outline) and not np.any(other.form)
    )


def _selects(edge: Edge) -> bool:
    return bool(edge.node.op.traits.chooses) and edge.node.op.traits.elementwise


def _missing_derivative(edge: Edge) -> Iterator[Rule]:
    elementwise = edge.node.op.traits.elementwise
    if elementwise and not _selects(edge) and edge.name not in LINEAR | PRODUCTS:
        yield _pass_on


def _missing_mask(edge: Edge) -> Iterator[Rule]:
    if _selects(edge):
        yield _pass_on


def _inverted_mask(edge: Edge) -> Iterator[Rule]:
    if _is_relu(edge):
        yield lambda g, out, *_, **__: g * (out <= 0)


def _value_for_mask(edge: Edge) -> Iterator[Rule]:
    if _is_relu(edge):
        yield lambda g, out, *_, **__: g * out


def _kink(edge: Edge) -> Iterator[Rule]:
    if edge.name == "relu":
        yield lambda g, out, x: g * (x >= 0)
        yield lambda g, out, x: g * (np.sign(x) + 1) / 2
    elif edge.name in ("maximum", "minimum"):
        yield lambda g, out, *operands: g * (operands[edge.k] == out)
        yield lambda g, out, *operands: g * (operands[1 - edge.k] != out)
    elif edge.name == "absolute":
        yield lambda g, out, x: np.where(x >= 0, g, -g)
        yield lambda g, out, x: np.where(x > 0, g, -g)


def _twice(edge: Edge) -> Iterator[Rule]:
    if edge.node.op.arity == 1 and edge.node.op.traits.elementwise and edge.name not in LINEAR:
        yield lambda g, *saved, **rest: edge.rule(edge.rule(g, *saved, **rest), *saved, **rest)


def _sigmoid(z: Any) -> Any:
    return OPS["sigmoid"].forward(z)


def _wrong_place(edge: Edge) -> Iterator[Rule]:
    if edge.name == "sigmoid":
        yield lambda g, out, z: g * (_sigmoid(out) * (1 - _sigmoid(out)))
        yield lambda g, out, z: g * (z * (1 - z))
    elif edge.name == "tanh":
        yield lambda g, out, a: g * (1 - np.tanh(out) ** 2)
        yield lambda g, out, a: g * (1 - a * a)
    elif edge.name in ("exp", "log", "sqrt", "sin", "cos"):
        yield lambda g, out, x: edge.rule(g, edge.node.op.forward(out), out)


def _incomplete(edge: Edge) -> Iterator[Rule]:
    if edge.name == "sigmoid":
        yield lambda g, out, z: g * out
        yield lambda g, out, z: g * (1 - out)
    elif edge.name == "tanh":
        yield lambda g, out, a: g * (1 - out)
        yield lambda g, out, a: g * (out * out)
    elif edge.name in ("square", "squared_error"):
        yield lambda g, *saved, **rest: edge.rule(g, *saved, **rest) / 2
    elif edge.name == "power" and edge.k == 0:
        yield lambda g, out, a, b: edge.rule(g, out, a, b) / b
        yield lambda g, out, a, b: g * b
        yield lambda g, out, a, b: g * b * out
    elif edge.name == "sqrt":
        yield lambda g, out, x: g / out


def scale_of(edge: Edge) -> Any:
    """The constant by which the node multiplies or divides its operand, or None."""
    constant = edge.name in PRODUCTS and not edge.other.requires_grad
    if not constant or prod(_shape(edge.other.form)) != 1 or (edge.name == "divide" and edge.k):
        return None
    value = float(np.asarray(edge.node.saved[2 - edge.k]).item())
    return 1 / value if edge.name == "divide" and value else value


def _is_mean(edge: Edge) -> bool:
    """Whether the edge is that of a sum which the node divides by its number of terms."""
    total, scale = edge.node.inputs[edge.k], scale_of(edge)
    while total.op is not None and total.op.name == "negative":
        total = total.inputs[0]
    if scale is None or total.op is None or total.op.name != "sum":
        return False
    count = total.inputs[0].form.size / max(total.form.size, 1)
    rows = (total.inputs[0].form.shape or (1,))[0]
    return any(n > 1 and abs(scale * n - 1) < 1e-9 for n in (count, rows))


def _forgotten_mean(edge: Edge) -> Iterator[Rule]:
    if edge.name == "mean":
        yield OPS["sum"].rules[0]  # type: ignore[misc]
    elif edge.node.op.notation.averages and edge.node.attributes.get("reduction") != "sum":
        yield lambda g, *saved, **rest: edge.rule(g, *saved, **(rest | {"reduction": "sum"}))
    elif _is_mean(edge):
        yield _pass_on


def _count(edge: Edge) -> float:
    """The number of terms that the node adds up for each of its results."""
    return float(edge.node.inputs[edge.k].form.size / max(edge.node.form.size, 1))


def _mean_twice(edge: Edge) -> Iterator[Rule]:
    averages = edge.node.op.notation.averages and edge.node.attributes.get("reduction") != "sum"
    if averages or _is_mean(edge):
        share = scale_of(edge) if _is_mean(edge) else 1 / _count(edge)
        yield lambda g, *saved, **rest: edge.rule(g, *saved, **rest) * share


def _mean_for_sum(edge: Edge) -> Iterator[Rule]:
    if edge.name == "sum" or edge.node.attributes.get("reduction") == "sum":
        yield lambda g, *saved, **rest: edge.rule(g, *saved, **rest) / _count(edge)


def _forgotten_transpose(edge: Edge) -> Iterator[Rule]:
    if edge.name == "matmul":
        shape = edge.other.form.shape
        if len(shape) > 1 and shape[-1] == shape[-2]:
            yield edge.with_other(lambda x: np.swapaxes(x, -1, -2))


def _missing_factor(edge: Edge) -> Iterator[Rule]:
    if edge.name in PRODUCTS and scale_of(edge) is None:
        yield _pass_on
    elif edge.name == "matmul" and edge.other.form.ndim == 1:
        shape = edge.node.inputs[edge.k].form.shape
        yield lambda g, *_: np.broadcast_to(np.expand_dims(g, -1), shape)


def _missing_constant(edge: Edge) -> Iterator[Rule]:
    if scale_of(edge) not in (None, 1, -1) and not _is_mean(edge):
        yield _pass_on


def _wrong_factor(edge: Edge) -> Iterator[Rule]:
    if edge.name in ("multiply", "matmul"):
        mine = edge.node.inputs[edge.k]
        if _shape(mine.form) == _shape(edge.other.form):
            yield edge.with_other(lambda x: value_of(mine).array)


def _before_activation(edge: Edge) -> Iterator[Rule]:
    if edge.name in ("multiply", "matmul"):
        op = edge.other.op
        if op is not None and (op.notation.activation or op.name == "maximum"):
            yield edge.with_other(lambda x: value_of(edge.other.inputs[0]).array)


def _one_term(edge: Edge) -> Iterator[Rule]:
    if edge.name == "binary_cross_entropy" and edge.k == 0:

        def first(g: Any, out: Any, p: Any, y: Any, reduction: str = "mean") -> Any:
            return -per_example(g, p, reduction) * label_over(y, p)

        def second(g: Any, out: Any, p: Any, y: Any, reduction: str = "mean") -> Any:
            return per_example(g, p, reduction) * label_over(1 - y, 1 - p)

        yield from (first, second)


def _missing_part(edge: Edge) -> Iterator[Rule]:
    yield lambda g, *saved, **rest: np.zeros_like(edge.rule(g, *saved, **rest))


def _wrong_sign(edge: Edge) -> Iterator[Rule]:
    yield lambda g, *saved, **rest: -edge.rule(g, *saved, **rest)


WRONG_RULES: dict[str, Callable[[Edge], Iterable[Rule]]] = {
    "forgotten 1/m": _forgotten_mean,
    "1/m twice": _mean_twice,
    "mean in place of a sum": _mean_for_sum,
    "missing derivative": _missing_derivative,
    "missing mask": _missing_mask,
    "inverted mask": _inverted_mask,
    "value in place of the mask": _value_for_mask,
    KINK: _kink,
    "derivative applied twice": _twice,
    "derivative at the wrong place": _wrong_place,
    "incomplete derivative": _incomplete,
    "forgotten transpose": _forgotten_transpose,
    "pre-activation in place of the activation": _before_activation,
    "missing factor": _missing_factor,
    "missing constant": _missing_constant,
    "wrong factor": _wrong_factor,
    "missing term of the cross-entropy": _one_term,
    "missing part": _missing_part,
    "wrong sign of a part": _wrong_sign,
}
"""For each mistake the wrong rules that it puts in place of the rule of an edge."""


def _transposed(answer: Any, gradient: Any) -> Any:
    return answer.T if answer.ndim == 2 and min(answer.shape) > 1 else None


def _summed(answer: Any, gradient: Any) -> Any:
    rows = answer.ndim and len(answer) > 1 and answer.shape[1:] == gradient.shape
    return answer.sum(axis=0) if rows else None


def _reshaped(answer: Any, gradient: Any) -> Any:
    fits = answer.size == gradient.size and answer.shape != gradient.shape
    return answer.reshape(gradient.shape) if fits else None


def _trace(gradient: Any) -> Any:
    square = gradient.ndim == 2 and gradient.shape[0] == gradient.shape[1] > 1
    return np.trace(gradient) if square else None


class Change(NamedTuple):
    """A mistake as two arrays that are equal if it was made; None if it cannot have been made.

    Attributes:
        name: its name in `MISTAKES`.
        repaired: the answer without the mistake, given the answer and the right gradient.
        spoiled: the gradient with the mistake.
    """

    name: str
    repaired: Callable[[Any, Any], Any] = lambda answer, gradient: answer
    spoiled: Callable[[Any], Any] = lambda gradient: gradient


CHANGES: tuple[Change, ...] = (
    Change("wrong sign", lambda answer, gradient: -answer),
    Change("transposed gradient", _transposed),
    Change("wrong shape", _reshaped),
    Change("rows not summed", _summed),
    Change("dot product in place of the outer product", spoiled=_trace),
    Change(
        "summed over all axes", spoiled=lambda gradient: gradient.sum() if gradient.ndim else None
    ),
)
"""The mistakes that change the gradient as a whole."""
