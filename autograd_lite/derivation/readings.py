"""Operations in index notation."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import sympy

from autograd_lite.derivation.entries import Expr, Opaque, called
from autograd_lite.derivation.reading import ELEMENTWISE, READINGS, Reader, axes_of
from autograd_lite.op import OPS
from autograd_lite.ops.comparisons import OPPOSITE

ZERO, ONE = sympy.S.Zero, sympy.S.One


def _where(r: Reader, node: Any, args: list[Expr]) -> Expr:
    condition, x, y = r.aligned(node, args)
    if condition.is_number:
        return x if condition else y
    if r.guards and condition.func.__name__ in ("equal", "not_equal") and ZERO in condition.args:
        kept, dropped = (y, x) if condition.func.__name__ == "equal" else (x, y)
        if dropped in (ZERO, sympy.S.One):
            return kept
    side = _side_of_share(node)
    if side:
        # Read from the operands: computed again, a result may differ in rounding.
        share = node.inputs[0]
        a, b = r.aligned(share, [r.read(operand) for operand in share.inputs])
        return x if a == b else called("heaviside")(side * (a - b), x)
    if y == 0 and condition.func.__name__ in OPPOSITE:
        return condition * x
    if x == 0 and condition.func.__name__ in OPPOSITE:
        return called(OPPOSITE[condition.func.__name__])(*condition.args) * y
    return called("where")(condition, x, y)


def _side_of_share(node: Any) -> int:
    """1 for the derivative of max(a, b) by a, which is ½ at a tie; −1 for that of min(a, b)."""
    tie, _, wins = node.inputs
    while wins.op is not None and wins.op.name == "astype":
        (wins,) = wins.inputs
    if not all(x.op is not None and x.op.name == "equal" for x in (tie, wins)):
        return 0
    mine, out = wins.inputs
    side = 0 if out.op is None else _SIDE.get(out.op.name, 0)
    return side if mine is tie.inputs[0] and {*tie.inputs} == {*out.inputs} else 0


_SIDE = {"maximum": 1, "fmax": 1, "minimum": -1, "fmin": -1}


def _compare(r: Reader, node: Any, args: list[Expr]) -> Expr:
    x = node.inputs[0]
    if node.op.name == "greater" and x.op is not None and x.op.name == "relu" and args[1] == 0:
        # max(a, 0) is positive where a is, and the shorter condition is the usual one.
        args = [r.read(x.inputs[0]), args[1]]
    a, b = r.aligned(node, args)
    if a.is_Rational and b.is_Rational:
        return sympy.Integer(int(getattr(np, node.op.name)(float(a), float(b))))
    return called(node.op.name)(a, b)


def _log(r: Reader, node: Any, args: list[Expr]) -> Expr:
    (x,) = args
    return ZERO if x == 1 else x.args[0] if x.func.__name__ == "exp" else called("log")(x)


def _exponential(x: Expr) -> Expr:
    """exp of an expression; logarithms among its terms become factors."""
    factors, rest = [], []
    for term in sympy.Add.make_args(sympy.expand_mul(x)):
        c, f = term.as_coeff_Mul()
        if f.func.__name__ == "log" and c.is_Integer:
            factors.append(f.args[0] ** c)
        else:
            rest.append(term)
    if rest:
        factors.append(called("exp")(sympy.Add(*rest) if factors else x))
    return sympy.Mul(*factors)


def _summed(r: Reader, x: Any, expr: Expr, axes: Iterable[int]) -> Expr:
    """The sum of an expression with the axes of a node over some of them."""
    return r.space.total(expr, {k: x.shape[k] for k in axes if x.shape[k] != 1})


def _reduction(r: Reader, node: Any, args: list[Expr], mean: bool = False) -> Expr:
    (x,) = node.inputs
    axes = axes_of(node.attributes.get("axis"), x.ndim)
    expr = _summed(r, x, args[0], axes)
    for k in axes if mean else ():
        if x.shape[k] != 1:
            expr = expr / r.space.length(x.shape[k])
    if node.attributes.get("keepdims"):
        return expr
    left = [k for k in range(x.ndim) if k not in axes]
    return r.space.rename(expr, {k: place for place, k in enumerate(left)})


def _norm(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    """√Σ x², for the 2-norm of a vector and the default norm."""
    (x,) = node.inputs
    if node.attributes.get("ord") is not None and (node.attributes["ord"] != 2 or x.ndim != 1):
        return None
    return _reduction(r, node, [args[0] ** 2]) ** sympy.Rational(1, 2)


def _logsumexp(r: Reader, node: Any, args: list[Expr]) -> Expr:
    return called("log")(_reduction(r, node, [_exponential(args[0])]))


def _softmax(r: Reader, node: Any, args: list[Expr]) -> Expr:
    (x,) = node.inputs
    e = _exponential(args[0])
    return e / _summed(r, x, e, axes_of(node.attributes.get("axis", -1), x.ndim))


def _log_softmax(r: Reader, node: Any, args: list[Expr]) -> Expr:
    (x,) = node.inputs
    axes = axes_of(node.attributes.get("axis", -1), x.ndim)
    return args[0] - called("log")(_summed(r, x, _exponential(args[0]), axes))


def _sum_to(r: Reader, node: Any, args: list[Expr]) -> Expr:
    (x,) = node.inputs
    lead = x.ndim - node.ndim
    axes = [k for k in range(x.ndim) if k < lead or node.shape[k - lead] == 1]
    expr = _summed(r, x, args[0], axes)
    return r.space.rename(expr, {k: k - lead for k in range(lead, x.ndim)})


def _reshape(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    """Another shape with the same axes longer than one only numbers them anew."""
    (x,) = node.inputs
    before = [(k, n) for k, n in enumerate(x.shape) if n != 1]
    after = [(k, n) for k, n in enumerate(node.shape) if n != 1]
    if [n for _, n in before] != [n for _, n in after]:
        return None
    to = {k: j for (k, _), (j, _) in zip(before, after, strict=True)}
    return r.space.rename(args[0], to)


def _transpose(r: Reader, node: Any, args: list[Expr]) -> Expr:
    (x,) = node.inputs
    axes = node.attributes.get("axes") or range(x.ndim)[::-1]
    return r.space.rename(args[0], {k % x.ndim: place for place, k in enumerate(axes)})


def _swapaxes(r: Reader, node: Any, args: list[Expr]) -> Expr:
    defaults = node.op.signature.defaults
    a, b = (node.attributes.get(k, defaults[k]) % node.ndim for k in ("axis1", "axis2"))
    return r.space.rename(args[0], {a: b, b: a})


def _matmul(r: Reader, node: Any, args: list[Expr]) -> Expr:
    a, b = node.inputs
    j = r.space.fresh()
    n = a.shape[-1]
    batch = max(a.ndim, b.ndim) - 2
    left = {k: k + batch - (a.ndim - 2) for k in range(a.ndim - 2)}
    right = {k: k + batch - (b.ndim - 2) for k in range(b.ndim - 2)}
    out = max(batch, 0)
    if a.ndim > 1:
        left |= {a.ndim - 2: out, a.ndim - 1: j}
        out += 1
    else:
        left = {0: j}
    right = right | {b.ndim - 2: j, b.ndim - 1: out} if b.ndim > 1 else {0: j}
    expr = r.space.rename(args[0], left) * r.space.rename(args[1], right)
    return r.space.total(expr, {j: n} if n != 1 else {})


def _getitem(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    """Full slices and new axes only number the axes anew; x[arange(n), y] is Σⱼ xᵢⱼ 1[yᵢ = j]."""
    (x,) = node.inputs
    if not r.space.free(args[0]):
        return args[0]
    key = node.attributes.get("key", ())
    picked = _one_of_each_row(r, key, x.shape)
    if picked is not None:
        return r.space.total(args[0] * picked, {1: x.shape[1]})
    key = key if isinstance(key, tuple) else (key,)
    taken = sum(k is not None and k is not Ellipsis for k in key)
    axis = 0
    for k in key:
        if k is Ellipsis:
            axis += x.ndim - taken
        elif k is not None:
            alone = isinstance(k, (int, np.integer)) and not isinstance(k, (bool, np.bool_))
            if not _full(k) and not (alone and x.shape[axis] == 1):
                return None
            axis += 1
    return _reshape(r, node, args)


def _add_at(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    if args[0] == 0:
        return ZERO
    picked = _one_of_each_row(r, node.attributes.get("key", ()), node.shape)
    return None if picked is None else args[0] * picked


def _one_of_each_row(r: Reader, key: Any, shape: tuple[int, ...]) -> Expr | None:
    """1[yᵢ = j] for the key np.arange(n), y."""
    if not isinstance(key, tuple) or len(key) != 2 or len(shape) != 2 or 1 in shape:
        return None
    if not all(isinstance(k, (list, np.ndarray)) for k in key):
        return None
    rows, labels = map(np.asarray, key)
    numbers = rows.dtype.kind in "iu" and labels.dtype.kind in "iu"
    if not numbers or labels.shape != rows.shape or not np.array_equal(rows, np.arange(shape[0])):
        return None
    labels = np.where(labels < 0, labels + shape[1], labels)
    places = r.space.call("arange", {"n": shape[1]}, shape[1:])
    literal = r.space.call("array", {"values": labels}, labels.shape)
    return called("equal")(
        r.space.symbol(Opaque(literal, (), (0,))), r.space.symbol(Opaque(places, (), (1,)))
    )


def _full(k: Any) -> bool:
    return isinstance(k, slice) and k == slice(None)


def _diagonal(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    (x,) = node.inputs
    if node.attributes or x.ndim != 2 or x.shape[0] != x.shape[1] or x.shape[0] == 1:
        return None
    return r.space.rename(args[0], {1: 0})


def _trace(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    expr = _diagonal(r, node, args)
    return None if expr is None else _summed(r, node.inputs[0], expr, [0])


def _dot(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    a, b = node.inputs
    if a.ndim in (1, 2) and b.ndim in (1, 2):
        return _matmul(r, node, args)
    return None if a.ndim and b.ndim else sympy.Mul(*r.aligned(node, args))


def _einsum(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    text = str(node.attributes.get("subscripts", "")).replace(" ", "")
    inputs, arrow, output = text.partition("->")
    letters = inputs.split(",")
    if not arrow or "." in text or len(letters) != len(args):
        return None
    to = {letter: k for k, letter in enumerate(output)}
    lengths: dict[int, int] = {}
    expr = ONE
    for a, spelled, x in zip(args, letters, node.inputs, strict=True):
        for letter, n in zip(spelled, x.shape, strict=True):
            if letter not in to:
                to[letter] = r.space.fresh()
            if letter not in output and n != 1:
                lengths[to[letter]] = n
        expr *= r.space.rename(a, {k: to[letter] for k, letter in enumerate(spelled)})
    return r.space.total(expr, lengths)


def _outer(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    a, b = node.inputs
    if a.ndim > 1 or b.ndim > 1:
        return None
    return args[0] * r.space.rename(args[1], {0: 1})


def _entropy(r: Reader, node: Any, args: list[Expr]) -> Expr:
    """The formula of cross-entropy, with its mean or sum."""
    p, y = args
    log = called("log")
    if node.op.name == "binary_cross_entropy":
        expr = -(y * log(p) + (1 - y) * log(1 - p))
    else:
        expr = called("softplus")(p) - y * p
    reduction = node.attributes.get("reduction", "mean")
    (x, _) = node.inputs
    lengths = {k: n for k, n in enumerate(x.shape) if n != 1}
    if reduction == "none":
        return expr
    expr = r.space.total(expr, lengths)
    return expr if reduction == "sum" else expr / sympy.Mul(*map(r.space.length, lengths.values()))


def _cofactors(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    """det(X) X⁻ᵀ."""
    x, _ = node.inputs
    if x.ndim != 2 or len(x.array) < 2:
        return None
    operand = ((r.space.lowest(args[0]), x.shape),)
    det = r.space.call(OPS["det"], {}, ())
    return r.space.symbol(Opaque(det, operand, ())) * _inverse(r, x, args[0], 1, 0)


def _inverse(r: Reader, x: Any, expr: Expr, i: int, j: int) -> Any:
    """X⁻¹ᵢⱼ; the inverse of a transpose is the transpose of the inverse."""
    operand = r.space.lowest(expr)
    flipped = r.space.rename(operand, {0: 1, 1: 0})
    if str(flipped) < str(operand):
        operand, i, j = flipped, j, i
    call = r.space.call(OPS["inv"], {}, x.shape)
    return r.space.symbol(Opaque(call, ((operand, x.shape),), (i, j)))


def _inv(r: Reader, node: Any, args: list[Expr]) -> Any:
    (x,) = node.inputs
    return _inverse(r, x, args[0], 0, 1) if x.ndim == 2 and len(x.array) > 1 else None


def _solve(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    """A⁻¹ b."""
    a, b = node.inputs
    if a.ndim != 2 or len(a.array) < 2 or b.ndim not in (1, 2):
        return None
    j = r.space.fresh()
    product = _inverse(r, a, args[0], 0, j) * r.space.rename(args[1], {0: j})
    return r.space.total(product, {j: len(a.array)})


def _gelu(r: Reader, node: Any, args: list[Expr]) -> Expr | None:
    """x Φ(x), if it is exact."""
    exact = node.attributes.get("approximate") == "none"
    return args[0] * called("ndtr")(args[0]) if exact else None


def _truncated_moment(r: Reader, node: Any, args: list[Expr]) -> Expr:
    """x + (φ/Φ)(x), and of higher orders by recursion."""
    before, moment = ONE, args[0] + called("inverse_mills")(args[0])
    for n in range(1, node.attributes.get("order", 1)):
        before, moment = moment, n * before + args[0] * moment
    return moment


def _polygamma(n: Expr, x: Expr) -> Expr:
    return called("digamma")(x) if n == 0 else called("polygamma")(n, x)


def _bessel(v: Expr, x: Expr) -> Expr:
    """I_v(x); I₋ₙ is Iₙ."""
    v = abs(v) if v.is_Integer else v
    return called(f"i{v}")(x) if v in (0, 1) else called("iv")(v, x)


def _derivative_of_ive(n: Expr, v: Expr, x: Expr) -> Expr:
    """By Iᵥ′ = (Iᵥ₋₁ + Iᵥ₊₁) / 2 and the product rule."""

    def scaled(order: Expr) -> Expr:
        return called("ive")(abs(order) if order.is_Integer else order, x)

    if not n.is_Integer:
        return called("ive_derivative")(n, v, x)
    total = ZERO
    for k in range(int(n) + 1):
        bessel = sum(sympy.binomial(k, j) * scaled(v - k + 2 * j) for j in range(k + 1)) / 2**k
        sign = -called("sign")(x) if (n - k) % 2 else ONE
        total += sympy.binomial(n, k) * sign * bessel
    return total


READINGS |= {
    "where": _where,
    "log": _log,
    "exp": lambda r, node, args: _exponential(args[0]),
    "sum": _reduction,
    "mean": lambda r, node, args: _reduction(r, node, args, mean=True),
    "logsumexp": _logsumexp,
    "norm": _norm,
    "cofactors": _cofactors,
    "inv": _inv,
    "solve": _solve,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "sum_to": _sum_to,
    "reshape": _reshape,
    "squeeze": _reshape,
    "expand_dims": _reshape,
    "transpose": _transpose,
    "swapaxes": _swapaxes,
    "broadcast_to": lambda r, node, args: r.aligned(node, args)[0],
    "matmul": _matmul,
    "dot": _dot,
    "inner": lambda r, node, args: _matmul(r, node, args) if node.ndim == 0 else None,
    "vdot": lambda r, node, args: _matmul(r, node, args) if node.inputs[0].ndim == 1 else None,
    "einsum": _einsum,
    "outer": _outer,
    "trace": _trace,
    "diagonal": _diagonal,
    "getitem": _getitem,
    "binary_cross_entropy": _entropy,
    "binary_cross_entropy_with_logits": _entropy,
    "add_at": _add_at,
    "zeros_like": lambda r, node, args: ZERO,
    "ones_like": lambda r, node, args: ONE,
    "astype": lambda r, node, args: args[0] if node.dtype.kind == "f" else None,
    "gelu": _gelu,
    "truncated_moment": _truncated_moment,
    **dict.fromkeys(OPPOSITE, _compare),
}


ELEMENTWISE |= {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "direction": operator.truediv,
    "label_over": operator.truediv,
    "divide": lambda a, b: a / b if b != 0 else called("divide")(a, b),
    "negative": operator.neg,
    "identity": lambda x: x,
    "nonnegative": lambda x: ONE,
    "power": lambda a, b: a**b if b.is_Rational and a != 0 else called("power")(a, b),
    "sqrt": lambda x: x ** sympy.Rational(1, 2),
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "xlogy": lambda x, y: x * called("log")(y),
    "xdivy": operator.truediv,
    "xlog1py": lambda x, y: x * called("log")(1 + y),
    "entr": lambda x: -x * called("log")(x),
    "rel_entr": lambda x, y: x * (called("log")(x) - called("log")(y)),
    "polygamma": _polygamma,
    "polygamma_difference": lambda n, a, b: _polygamma(n, a) - _polygamma(n, a + b),
    "iv": _bessel,
    "ive_derivative": _derivative_of_ive,
}
