"""Rewrites of σ, softplus and the losses made of them, and rewrites that share computed values."""

from __future__ import annotations

from typing import Any

from autograd_lite.compiler.bounds import bounds
from autograd_lite.compiler.polynomial import lowest_terms
from autograd_lite.compiler.rewrite import Rule
from autograd_lite.compiler.rules import is_call, rule
from autograd_lite.expressions.expr import Builder, Expr, dtype_of, is_number

__all__ = ["CALLED", "SHARING", "SIGMOIDS"]

SIGMOIDS: dict[str, list[Rule]] = {}
"""Rules for σ and softplus, applied after signs and scalar factors have been pulled out."""

CALLED = {"sigmoid", "softplus", "np.logaddexp", "np.maximum"}
"""The functions of which a program calls one if a rule in `SIGMOIDS` applies to it."""

SHARING: dict[str, list[Rule]] = {}
"""Rules that use values which the program computes anyway, applied last."""


@rule(SHARING, "np.greater", "x > 0 is max(x, 0) > 0 where max(x, 0) is computed: x can be freed")
def greater_of_maximum(b: Builder, e: Expr) -> Any:
    x, zero = e.args
    if is_number(zero, 0) and isinstance(x, Expr) and x.dtype.kind == "f":
        made = b.known("np.maximum", x, zero)
        return None if made is None else b.call("np.greater", made, zero)
    return None


def _z_of_pair(x: Any, y: Any) -> Any:
    """The z of softplus(−z) and softplus(z)."""
    if is_call(x, "softplus") and is_call(y, "softplus"):
        minus = x.args[0]
        if is_call(minus, "np.negative") and minus.args[0] is y.args[0]:
            return y.args[0]
    return None


def _factor_pairs(product: Any) -> list[tuple[Any, Any]]:
    """The two factors of a product, in both orders."""
    return [product.args, product.args[::-1]] if is_call(product, "np.multiply") else []


@rule(
    SIGMOIDS, "np.add", "y softplus(−z) + (1 − y) softplus(z) = (1[z > 0] − y) z + log(1 + e^−|z|)"
)
def cross_entropy(b: Builder, e: Expr) -> Any:
    for first, second in (e.args, e.args[::-1]):
        for y, minus in _factor_pairs(first):
            for rest, plus in _factor_pairs(second):
                z = _z_of_pair(minus, plus)
                one_less = is_call(rest, "np.subtract") and is_number(rest.args[0], 1)
                if _fits(z, y, e) and one_less and rest.args[1] is y:
                    return _loss(b, z, y)
    return None


def _loss(b: Builder, z: Expr, y: Any) -> Expr:
    """(1[z > 0] − y) z + log(1 + e^−|z|)."""
    decay = b.call("np.exp", b.call("np.negative", b.call("np.absolute", z)))
    return b.call("np.add", _hinge(b, z, y), b.call("np.log1p", decay))


def _hinge(b: Builder, z: Expr, y: Any) -> Expr:
    """(1[z > 0] − y) z."""
    step = b.call("np.subtract", b.call("np.greater", z, 0.0), y)
    return b.call("np.multiply", step, z)


@rule(SIGMOIDS, "np.logaddexp", "log(e^−yz + e^(z − yz)) = (1[z > 0] − y) z + log(1 + e^−|z|)")
def log_of_two(b: Builder, e: Expr) -> Any:
    minus, rest = e.args
    if is_call(minus, "np.negative") and is_call(rest, "np.subtract"):
        z, product = rest.args
        for y, other in _factor_pairs(product):
            if product is minus.args[0] and other is z and _fits(z, y, e):
                return _loss(b, z, y)
    return None


def _fits(z: Any, y: Any, e: Expr) -> bool:
    """Whether z has the shape and dtype of the result, and y its dtype."""
    return isinstance(z, Expr) and z.shape == e.shape and dtype_of(y) == z.dtype == e.dtype


@rule(SIGMOIDS, "softplus", "softplus z = log(1 + e^z) for z that is never positive")
def softplus_below_zero(b: Builder, e: Expr) -> Any:
    if bounds(e.args[0])[1] <= 0:
        return b.call("np.log1p", b.call("np.exp", e.args[0]))
    return None


@rule(SIGMOIDS, "np.subtract", "max(z, 0) − y z = (1[z > 0] − y) z")
def hinge(b: Builder, e: Expr) -> Any:
    peak, product = e.args
    if is_call(peak, "np.maximum") and is_number(peak.args[1], 0):
        z = peak.args[0]
        for y, other in _factor_pairs(product):
            if other is z and _fits(z, y, e):
                return _hinge(b, z, y)
    return None


@rule(
    SIGMOIDS,
    "np.add np.subtract",
    "σ(−z) = 1 − σ(z) where all products cancel: (1 − y) σ(z) − y σ(−z) = σ(z) − y",
)
def complement(b: Builder, e: Expr) -> Any:
    return lowest_terms(b, e)


@rule(SHARING, "sigmoid", "σ(z) = (1 if z > 0 else e) / (1 + e) with e = exp(−|z|)")
def shared_sigmoid(b: Builder, e: Expr) -> Any:
    """σ(z) by the exponential that the loss computes anyway."""
    z, flipped = e.args[0], False
    if is_call(z, "np.negative"):
        z, flipped = z.args[0], True
    minus = b.known("np.negative", b.known("np.absolute", z))
    decay = b.known("np.exp", minus)
    if decay is None:
        return None
    positive = b.call("np.greater", z, 0.0)
    pair = (decay, 1.0) if flipped else (1.0, decay)
    return b.call("np.divide", b.call("np.where", positive, *pair), b.call("np.add", 1.0, decay))
