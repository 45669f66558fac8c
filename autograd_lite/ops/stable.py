"""Stable forms: equal expressions that are computed more accurately.

The record of a Tensor keeps the operation as written. It may also have a stable form: an equal
Tensor from which its value comes, and to which its gradient flows. The tables below have one entry
for each notation. An operation that matches no entry only looks up the operations of its operands.
`docs/stable.md` lists the expressions that are covered.
"""

import math
from typing import Any

import numpy as np

from autograd_lite.core.tensor import Outline, apply, value_of
from autograd_lite.op import OPS
from autograd_lite.ops.norms import hypot, norm
from autograd_lite.ops.statistics import std
from autograd_lite.ops.trigonometric import cos, cosh

# Operations that move elements commute with elementwise operations.
VIEWS = {
    OPS["getitem"],
    OPS["reshape"],
    OPS["transpose"],
    OPS["swapaxes"],
    OPS["squeeze"],
    OPS["expand_dims"],
    OPS["broadcast_to"],
    OPS["flip"],
    OPS["roll"],
    OPS["tile"],
    OPS["take_along_axis"],
}

# The largest number of nested operations that are searched for a form.
DEPTH = 64

exp, negative, add, multiply = OPS["exp"], OPS["negative"], OPS["add"], OPS["multiply"]
power, total, where = OPS["power"], OPS["sum"], OPS["where"]
sigmoid, softmax, tanh = OPS["sigmoid"], OPS["softmax"], OPS["tanh"]


def stable_form_of(x: Any) -> Any:
    """The stable form of a Tensor, or the Tensor itself."""
    while x.stable_form is not None:
        x = x.stable_form
    return x


def source(node: Any, k: Any = 0) -> Any:
    """The k-th input of a node, or None if its data have changed or are not floats."""
    record = node.node
    was = record.saved[1 + k]
    x = value_of(record.inputs[k], None if type(was) is Outline else was)
    if x.dtype.kind != "f" and node.op is not where and node.op not in VIEWS:
        return None
    if x.node.requires_grad and not record.requires_grad and record.op.differentiable:
        return None  # no_grad() shields it
    unchanged = x.op is not None or x.kept is was or np.array_equal(x.array, was)
    return x if unchanged else None


def made(name: Any, *operands: Any, **attributes: Any) -> Any:
    """The result of an operation, or None if an operand is None."""
    if any(x is None for x in operands):
        return None
    return apply(OPS[name], operands, attributes)


def is_number(x: Any, value: Any) -> Any:
    """Whether a Tensor is this literal number."""
    return type(x.kept) in (int, float) and x.kept == value


def same(x: Any, y: Any, depth: Any = 4) -> Any:
    """Whether two Tensors are the same, or the same expression of the same Tensors."""
    if x is None or y is None:
        return False
    if x is y:
        return True
    # Two arguments with the same value are different: each has its own derivative.
    if x.op is None or x.op is not y.op or x.op is OPS["identity"]:
        return type(x.kept) in (int, float) and is_number(y, x.kept)
    return (
        depth > 0
        and x.shape == y.shape
        and _equal(x.attributes, y.attributes)
        and all(same(a, b, depth - 1) for a, b in zip(x.inputs, y.inputs, strict=True))
        and np.array_equal(x.array, y.array)
    )


def _equal(attributes, others):
    try:
        return attributes == others
    except ValueError:  # arrays among them
        return False


def like(form: Any, x: Any) -> Any:
    """The form, if it has the shape and dtype of x, else None."""
    if form is None or form.shape != x.shape or form.dtype != x.dtype:
        return None
    return form


def below(view: Any, find: Any, depth: Any) -> Any:
    """The form found for the operand of a view, in the same view."""
    x, *places = (source(view, k) for k in range(len(view.inputs)))
    found = None if x is None or not depth else find(x, depth - 1)
    return made(view.op.name, found, *places, **view.attributes)


def minus(z: Any) -> Any:
    """−z, without a double negative."""
    if z is None:
        return None
    node = stable_form_of(z)
    return source(node) if node.op is negative else apply(negative, (z,))


def exponent(node: Any) -> Any:
    """The z of exp z."""
    return source(node) if node.op is exp else None


def exponent_beside_one(node: Any) -> Any:
    """The z of 1 + exp z."""
    if node.op is add:
        for one, other in (node.inputs, node.inputs[::-1]):
            if other.op is exp and is_number(one, 1):
                return exponent(other)
    return None


def log_odds(node: Any, depth: Any = DEPTH) -> Any:
    """The z of σ(z), in any notation."""
    node = stable_form_of(node)
    if node.op is sigmoid:
        return source(node)
    return below(node, log_odds, depth) if node.op in VIEWS else None


# Logarithms


def log_of(node: Any, depth: Any = DEPTH) -> Any:
    """The logarithm of the result of an operation in `LOGARITHMS`."""
    node = stable_form_of(node)
    form = LOGARITHMS.get(node.op)
    return None if form is None or not depth else like(form(node, depth), node)


def _log_of_sigmoid(node, depth):
    return made("negative", made("softplus", minus(source(node))))


def _log_of_softmax(node, depth):
    return made("log_softmax", source(node), **node.attributes)


def _log_of_one_plus_exp(node, depth):
    return made("softplus", exponent_beside_one(node))


def _log_of_sum(node, depth):
    e, attributes = node.inputs[0], node.attributes
    if not attributes.keys() <= {"axis", "keepdims"}:
        return None
    if node.always_recorded:  # a program that is traced has no values yet
        return made("logsumexp", exponent(e), **attributes)
    return made("logsumexp_of_exp", exponent(e), e, node, **attributes)


def _log_of_where(node, depth):
    condition, x, y = (source(node, k) for k in range(3))
    if condition is None or x is None or y is None:
        return None
    x = log_of(x, depth - 1)
    return made("where", condition, x, None if x is None else log_of(y, depth - 1))


LOGARITHMS = {
    sigmoid: _log_of_sigmoid,
    softmax: _log_of_softmax,
    add: _log_of_one_plus_exp,
    total: _log_of_sum,
    where: _log_of_where,
    OPS["ndtr"]: lambda node, depth: made("log_ndtr", source(node)),
} | dict.fromkeys(VIEWS, lambda node, depth: below(node, log_of, depth))


def _log(inputs, attributes):
    x = inputs[0]
    return log_of(x) if x.op in LOGARITHMS or x.stable_form is not None else None


def _log1p(inputs, attributes):
    x = inputs[0]
    if x.op is exp:
        return like(made("softplus", exponent(x)), x)
    if x.op is negative:
        return like(made("negative", made("softplus", log_odds(x.inputs[0]))), x)
    return None


def _in_base(scale):
    def form(inputs, attributes):
        natural = _log(inputs, attributes)
        return None if natural is None else apply(multiply, (natural, scale))

    return form


# σ and softmax

SIGMOIDS = VIEWS | {sigmoid}

COMPLEMENTS = {
    OPS["ndtr"]: lambda x: made("ndtr", minus(source(x))),
    OPS["erf"]: lambda x: made("erfc", source(x)),
    OPS["erfc"]: lambda x: made("erf", source(x)),
}


def _complement(inputs, attributes):
    one, x = inputs
    if (x.op in SIGMOIDS or x.stable_form is not None) and is_number(one, 1):
        return like(made("sigmoid", minus(log_odds(x))), x)
    if x.op in COMPLEMENTS and is_number(one, 1):
        return like(COMPLEMENTS[x.op](x), x)
    if x.op in SQUARES and is_number(one, 1):
        return like(_derivative_of_tanh(SQUARES[x.op](x, 1)), x)
    return None


def _derivative_of_tanh(t):
    """1 − tanh² z."""
    if t is None or t.op is not tanh:
        return None
    return made("tanh_derivative", source(t), t)


def _reciprocal(inputs, attributes):
    return like(made("sigmoid", minus(exponent_beside_one(inputs[0]))), inputs[0])


def _quotient(inputs, attributes):
    a, b = inputs
    if a.op is exp:
        z = exponent(a)
        if b.op is add:
            return like(made("sigmoid", z), b) if same(z, exponent_beside_one(b)) else None
        return like(_normalized(a, z, b), a)
    return _reciprocal((b,), attributes) if b.op is add and is_number(a, 1) else None


def _normalized(a, z, b):
    """The softmax for exp z over a sum of exp z, if the axes match."""
    shape = (1,) * (a.ndim - b.ndim) + b.shape
    while b.op in VIEWS and _only_adds_axes(b):
        b = b.inputs[0]
    if b.op is not total or b.attributes.keys() - {"axis", "keepdims"}:
        return None
    axis = b.attributes.get("axis")
    if shape != _kept(a.shape, axis) or not same(z, exponent(b.inputs[0])):
        return None
    return made("softmax", z, axis=axis)


def _only_adds_axes(view):
    if view.op is OPS["getitem"]:
        key = view.attributes["key"]
        parts = key if isinstance(key, tuple) else (key,)
        return all(part is None or part is Ellipsis or _is_whole(part) for part in parts)
    return view.op is OPS["expand_dims"] or (
        view.op is OPS["reshape"] and "order" not in view.attributes
    )


def _is_whole(part):
    return isinstance(part, slice) and part == slice(None)


def _kept(shape, axis):
    """The shape of a reduction over one or several axes with keepdims."""
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis) % len(shape)
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


def _either(inputs, attributes):
    condition, x, y = inputs
    if x.stable_form is not None and y.stable_form is not None:
        x, y = stable_form_of(x), stable_form_of(y)
        if x.op is sigmoid and y.op is sigmoid and source(x) is not None and same(x, y):
            return x if np.broadcast_shapes(condition.shape, x.shape) == x.shape else None
    return None


# Roots


def root_of(node: Any, depth: Any = DEPTH) -> Any:
    """The root of a sum of squares, up to its sign."""
    form = ROOTS.get(node.op)
    return None if form is None or not depth else form(node, depth)


def _root_of_power(node, depth):
    return source(node) if is_number(node.inputs[1], 2) else None


def _root_of_product(node, depth):
    return source(node) if same(*node.inputs) else None


def _root_of_sum(node, depth):
    if node.attributes.keys() <= {"axis", "keepdims"}:
        return made("norm", root_of(node.inputs[0], depth - 1), **node.attributes)
    return None


def _root_of_mean(node, depth):
    norm, squares = _root_of_sum(node, depth), node.inputs[0]
    return None if norm is None else norm / math.sqrt(squares.size / max(node.size, 1))


def _root_of_addition(node, depth):
    for zero, other in (node.inputs, node.inputs[::-1]):
        if is_number(zero, 0):
            return made("absolute", root_of(other, depth - 1))
    a, b = node.inputs
    a = root_of(a, depth - 1)
    return made("hypot", a, None if a is None else root_of(b, depth - 1))


def _root_of_dot(node, depth):
    x, y = node.inputs
    return made("norm", source(node)) if x.ndim == 1 and same(x, y) else None


SQUARES = {
    OPS["square"]: lambda node, depth: source(node),
    power: _root_of_power,
    multiply: _root_of_product,
}

ROOTS = SQUARES | {
    total: _root_of_sum,
    OPS["mean"]: _root_of_mean,
    add: _root_of_addition,
    OPS["matmul"]: _root_of_dot,
}


def _sqrt(inputs, attributes):
    x = inputs[0]
    root = root_of(x)
    if x.op in SQUARES:
        root = made("absolute", root)
    return like(root, x)


def _power(inputs, attributes):
    x, n = inputs
    if x.op in ROOTS and is_number(n, 0.5):
        return _sqrt((x,), attributes)
    if x.op in LENGTHS and type(n.kept) in (int, float) and n.kept > 0 and n.kept % 2 == 0:
        square = square_of(x)
        return square if square is None or n.kept == 2 else square ** (n.kept / 2)
    return _reciprocal((x,), attributes) if x.op is add and is_number(n, -1) else None


# Squares of lengths, which are smooth where a length has a kink


def square_of(node: Any) -> Any:
    """The square of a length, without its root."""
    form = LENGTHS.get(node.op)
    return None if form is None else like(form(node), node)


def _square_of_root(node):
    # A root has a stable form if it is the root of a sum of squares.
    return None if node.stable_form is None else source(node)


def _square_of_norm(node):
    x, attributes = source(node), dict(node.attributes)
    if x is None or attributes.pop("ord", 2) != 2:
        return None
    return np.sum(np.square(x), **attributes)


def _square_of_hypot(node):
    a, b = source(node, 0), source(node, 1)
    return None if a is None or b is None else np.square(a) + np.square(b)


LENGTHS = {
    OPS["absolute"]: lambda node: made("square", source(node)),
    hypot: _square_of_hypot,
    norm: _square_of_norm,
    std: lambda node: made("var", source(node), **node.attributes),
    OPS["sqrt"]: _square_of_root,
    power: lambda node: _square_of_root(node) if is_number(node.inputs[1], 0.5) else None,
}


def _multiply(inputs, attributes):
    return square_of(inputs[0]) if same(*inputs) else None


def _even(function):
    def form(inputs, attributes):
        x = inputs[0]
        return made(function.name, source(x)) if x.op is OPS["absolute"] else None

    return form


# The loss


def _cross_entropy(inputs, attributes):
    y_hat, y = inputs
    z = log_odds(y_hat) if y_hat.shape == y.shape else None
    return None if z is None else apply(of_sigmoid, (z, y_hat, y), attributes)


of_sigmoid = OPS["binary_cross_entropy_of_sigmoid"]

for _name, (_form, _after) in {
    "log": (_log, LOGARITHMS),
    "log1p": (_log1p, {exp, negative}),
    "log2": (_in_base(1 / math.log(2)), LOGARITHMS),
    "log10": (_in_base(1 / math.log(10)), LOGARITHMS),
    "subtract": (_complement, SIGMOIDS | SQUARES.keys() | COMPLEMENTS.keys()),
    "divide": (_quotient, {exp, add}),
    "reciprocal": (_reciprocal, {add}),
    "where": (_either, ()),
    "sqrt": (_sqrt, ROOTS),
    "power": (_power, {add, *ROOTS, *LENGTHS}),
    "square": (lambda inputs, attributes: square_of(inputs[0]), LENGTHS),
    "multiply": (_multiply, LENGTHS),
    "cos": (_even(cos), {OPS["absolute"]}),
    "cosh": (_even(cosh), {OPS["absolute"]}),
    "binary_cross_entropy": (_cross_entropy, SIGMOIDS),
}.items():
    OPS[_name].stable_form, OPS[_name].stable_after = _form, _after
