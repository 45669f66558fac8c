"""Second derivatives: the closed form of a gradient is derived again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from autograd_lite.context import setting
from autograd_lite.derivation import DerivationError
from autograd_lite.derivation.entries import Delta, Element, Expr, Total
from autograd_lite.derivation.forms import Form
from autograd_lite.derivation.index import Space
from autograd_lite.graph import ancestors
from autograd_lite.record import Recorded
from autograd_lite.tensor import constant

__all__ = ["hessian"]


def hessian(derivation: Any, w: Any, derived: Callable[..., Any]) -> Any:
    """The matrix of second derivatives with respect to one node, as a formula.

    The closed form of the gradient g is run on the graph's Tensors, which makes a graph of it. The
    gradient of vᵀg, which is linear in v, is derived from that, and v taken out.
    """
    form = derivation.closed_form[w]
    writer, chain = derivation._writer, derivation._chain
    form.text()  # gives the lengths their letters
    shape = (*w.shape, *w.shape)
    with setting(recording=True, observer=None), np.errstate(all="ignore"):
        (gradient,) = form.computed(chain.nodes)
        v = constant(np.random.default_rng(0).normal(size=w.shape), name=_free("v", writer))
        product = np.sum(v * gradient)
    if w not in set(
        ancestors([product] if isinstance(product, Recorded) else [], requires_grad=True)
    ):
        return Form.of(writer, sympy.S.Zero, shape)
    second = derived(product, w, True, False, None, writer.letters.back())
    inner = second._chain
    second._writer.decimals = writer.decimals
    if w.position not in inner.gradients:
        return Form.of(writer, sympy.S.Zero, shape)
    closed = inner.space.summed(inner.gradients[w.position].closed)
    expr = taken_out(inner.space, closed, v.position, w.ndim, w.shape)
    result = Form.of(second._writer, diagonals_apart(inner.space, expr), shape)
    derivation._share_names(result)
    value = np.asarray(result.evaluate())
    expected = np.asarray(inner.values[w])
    found = np.tensordot(value, v.array, axes=w.ndim)
    if np.isfinite(found).all() and np.isfinite(expected).all():
        scale = np.abs(expected).max(initial=0)
        if np.abs(found - expected).max(initial=0) > 1e-6 * scale + 1e-9:
            raise DerivationError("derive: the Hessian disagrees with the sweep; it is not shown")
    return result


def _free(name: str, writer: Any) -> str:
    while name in writer.names.values():
        name += "′"
    return name


def taken_out(space: Space, expr: Expr, v: int, offset: int, shape: tuple[int, ...]) -> Expr:
    """The derivative of an expression that is linear in v, at new indices."""
    if expr.is_Add:
        return sympy.Add(*(taken_out(space, t, v, offset, shape) for t in expr.args))
    if expr.is_Mul:
        for k, factor in enumerate(expr.args):
            if _mentions(space, factor, v):
                rest = sympy.Mul(*(f for j, f in enumerate(expr.args) if j != k))
                return times(space, rest, taken_out(space, factor, v, offset, shape))
        return sympy.S.Zero
    entry = space.entry(expr)
    if isinstance(entry, Element) and entry.node == v:
        result = sympy.S.One
        for k, i in enumerate(entry.indices):
            if i is not None:
                result *= space.delta(i, offset + k)
        return result
    if isinstance(entry, Total):
        body, lengths = space.opened(entry)
        terms = sympy.Add.make_args(taken_out(space, body, v, offset, shape))
        if not _is_mixed(space, terms):
            return space.total(sympy.Add(*terms), lengths)
        return sympy.Add(*(space.total(term, lengths) for term in terms))
    if expr.is_Pow or expr.is_Function or _mentions(space, expr, v):
        if not _mentions(space, expr, v):
            return sympy.S.Zero
        raise ValueError("hessian: this gradient has operations that no Hessian is written for")
    return sympy.S.Zero


def times(space: Space, factor: Expr, expr: Expr) -> Expr:
    """A product; a sum with δᵢⱼ or of different indices is multiplied out: p(δ − p) is pδ − pp."""
    if expr.is_Add and _is_mixed(space, expr.args):
        return sympy.Add(*(factor * term for term in expr.args))
    return factor * expr


def diagonals_apart(space: Space, expr: Expr) -> Expr:
    """A sum in lowest terms, with the terms of the same δᵢⱼ collected: diag(p) − p pᵀ."""
    groups: dict[Expr, list[Expr]] = {}
    for term in sympy.Add.make_args(expr):
        factors = sympy.Mul.make_args(term)
        deltas = [f for f in factors if isinstance(space.entry(f), Delta)]
        rest = sympy.Mul(*(f for f in factors if f not in deltas))
        for delta in deltas:
            i, j = space.entry(delta).indices
            rest = space.rename(rest, {j: i})
        groups.setdefault(sympy.Mul(*deltas), []).append(rest)
    return sympy.Add(*(
        times(space, deltas, space.lowest(sympy.Add(*rests))) for deltas, rests in groups.items()
    ))  # fmt: skip


def _is_mixed(space: Space, terms: Sequence[Expr]) -> bool:
    """Whether terms connect their indices differently, or contain a δᵢⱼ."""
    return len({_ties(space, term) for term in terms}) > 1 or any(
        isinstance(space.entry(s), Delta) for term in terms for s in term.free_symbols
    )


def _ties(space: Space, term: Expr) -> frozenset[frozenset[int]]:
    """The indices of each factor of a term, those within another's left out."""
    sets = {space.free(factor) for factor in sympy.Mul.make_args(term)}
    return frozenset(s for s in sets if not any(s < other for other in sets))


def _mentions(space: Space, expr: Expr, v: int) -> bool:
    return space.contains(expr, lambda e: isinstance(e, Element) and e.node == v)
