"""Comparison of every formula with the sweep, at the graph's values and at random points."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.context import setting
from autograd_lite.core.tensor import apply
from autograd_lite.derivation import CannotCheckWarning, DerivationError
from autograd_lite.derivation.entries import Terms
from autograd_lite.sweep import gradients
from autograd_lite.tensor import constant
from autograd_lite.traced import argument

__all__ = ["check", "warn_where_undefined"]

DRAWN: tuple[Callable[[Any, Any], Any], ...] = (
    lambda random, x: random.normal(0, 0.5, x.shape),
    lambda random, x: random.uniform(0.1, 0.6, x.shape),
    lambda random, x: x * random.normal(1, 0.1, x.shape),
)
"""Random points: around 0, right of it, and around the graph's values."""

LARGE = 1_000
"""Graphs with more nodes are compared at the last of these points only."""

AGREES, DISAGREES, DOUBTFUL, UNDEFINED, FINITE = range(5)
"""DOUBTFUL: differs by little, which may be rounding; FINITE: the sweep alone is not finite."""

ROUNDING = 5e4
"""The units in the last place by which two equivalent computations may differ."""

LITTLE = 1e-6
"""The relative difference that two equivalent computations rarely exceed."""


class Claim(NamedTuple):
    """What is checked: that a node, or its gradient, equals a formula."""

    name: str
    node: Any
    terms: Terms
    is_gradient: bool


def check(derivation: Any) -> None:
    """Compare every closed form, every step and every definition with the sweep.

    Raises:
        DerivationError: when one of them is wrong.
    """
    chain, claims = derivation._chain, _claims(derivation)
    shown = [claim for claim in claims if claim.is_gradient]
    here = [
        _as_shown(got, expected)
        for got, expected in _compared(derivation, shown, chain.nodes, chain.values)
    ]
    random = np.random.default_rng(0)
    drawn = DRAWN if len(chain.graph) <= LARGE else DRAWN[-1:]
    there = [_verdicts(derivation, claims, random, draw) for draw in (None, *drawn)]
    for number, claim in enumerate(claims):
        found = [v[number] for v in there]
        if DISAGREES in found or found.count(DOUBTFUL) > 1:
            raise DerivationError(
                f"derive: the formula of {claim.name} disagrees with the sweep; it is not shown. "
                "This is a fault of the derivation; please report the program"
            )
    undefined = sorted({claim.name for k, claim in enumerate(shown) if all(
        v[k] in (UNDEFINED, FINITE) for v in (here, *there))})  # fmt: skip
    there = [verdicts[: len(shown)] for verdicts in there]
    derivation.checked = _said(here, there[1:], undefined)
    there_not = "at the graph's values, where the sweep"
    for names, why in (
        (undefined, "because the values are not finite"),
        (_named(shown, here, FINITE, undefined), f"{there_not} is not finite and the formula is"),
        (_named(shown, here, DISAGREES), f"{there_not} gives another number"),
    ):
        if names:
            warnings.warn(
                f"derive: not checked, {why}: {', '.join(names)}", CannotCheckWarning, stacklevel=5
            )


def _claims(derivation: Any) -> list[Claim]:
    """The formulas of gradients, then the definitions of nodes."""
    chain, writer = derivation._chain, derivation._writer
    claims = []
    for node in derivation.steps.nodes:
        gradient, name = chain.gradients[node.position], writer.gradients[node.position]
        forms = dict.fromkeys((gradient.product, gradient.closed))
        claims += [Claim(name, node, terms, True) for terms in forms]
    definitions = ((chain.nodes[p], placed) for p, placed in chain.definitions.items())
    return claims + [
        Claim(writer.names[node.position], node, (placed,), False)
        for node, placed in definitions
        if node.dtype.kind == "f"
    ]


def _named(
    claims: list[Claim], verdicts: list[int], wanted: int, but: Sequence[str] = ()
) -> list[str]:
    found = {claim.name for claim, v in zip(claims, verdicts, strict=True) if v == wanted}
    return sorted(found.difference(but))


def _said(here: Any, there: Any, undefined: list[str]) -> str:
    good = sum(set(v) <= {AGREES} for v in there)
    places = ["at the graph's values"] if set(here) <= {AGREES} else []
    if good:
        places.append(f"at {good} random point{'s' * (good > 1)}")
    text = (
        f"checked against the sweep {' and '.join(places)}" if places else "not checked as a whole"
    )
    if not {UNDEFINED, FINITE}.isdisjoint(here):
        text += "; at the graph's values some of it is not finite"
    if DISAGREES in here:
        text += "; at the graph's values the sweep gives another number"
    if undefined:
        text += f"; not checked: {', '.join(undefined)}"
    return text


def _verdicts(derivation: Any, claims: list[Claim], random: Any, draw: Any) -> list[int]:
    """The verdict on each formula at a point; differences that rounding explains are allowed."""
    chain = derivation._chain
    value = chain.graph.value
    leaves = {
        node.position: np.asarray(draw(random, value(node)) if draw else value(node), dtype=float)
        for node in chain.graph.nodes
        if node.op is None and node.requires_grad
    }

    def compared(moved: float = 0.0) -> tuple[list[Any], dict[int, Any], Any]:
        values = {p: x * (1 + moved * random.normal(size=x.shape)) for p, x in leaves.items()}
        nodes = _elsewhere(chain, values)
        with np.errstate(all="ignore"):
            of = gradients(nodes[chain.loss.position]).of
        return list(_compared(derivation, claims, nodes, of)), nodes, of

    try:
        found, nodes, of = compared()
        dtypes = {n.dtype for n in nodes.values() if n.dtype.kind == "f"}
        coarsest = max(map(np.finfo, dtypes), key=lambda info: info.eps)
        ε, least = float(coarsest.eps), float(coarsest.tiny)
        defined = not any(np.isnan(n.array).any() for n in nodes.values())
        moved: list[list[Any]] = []
        result = []
        with np.errstate(all="ignore"):
            for k, (got, expected) in enumerate(found):
                if _distance(got, expected) <= ROUNDING * ε * (_size(expected) + least):
                    result.append(AGREES)
                    continue
                good = np.isfinite(got) & np.isfinite(expected)
                error, scale = _apart(got, expected, good), _largest(expected, good)
                verdict = AGREES if good.all() else UNDEFINED
                if error > ROUNDING * ε * (scale + _entering(chain, claims[k], nodes, of) + least):
                    moved = moved or [compared(4 * ε)[0] for _ in range(2)]
                    noise = max(
                        _apart(other[k][j], found[k][j], good) for other in moved for j in (0, 1)
                    )
                    if defined and not error <= ROUNDING * noise:
                        verdict = DISAGREES if error > LITTLE * scale else DOUBTFUL
                result.append(verdict)
        return result
    except (ValueError, np.linalg.LinAlgError):  # outside the domain of an operation
        return [UNDEFINED] * len(claims)


def _distance(x: Any, y: Any) -> float:
    return float(np.abs(x - y).max(initial=0))


def _size(x: Any) -> float:
    return float(np.abs(x).max(initial=0))


def _entering(chain: Any, claim: Claim, nodes: dict[int, Any], of: Any) -> float:
    """The size of the gradients that enter a node, or of the values in its definition."""
    if claim.is_gradient:
        found = [of.get(nodes[c.position]) for c, _ in chain.graph.consumers.get(claim.node, ())]
    else:
        found = [nodes[p].array for term in claim.terms for p in term.nodes if p in nodes]
    return max((_largest(x, np.isfinite(x)) for x in found if x is not None), default=0.0)


def _largest(x: Any, where: Any) -> float:
    return float(np.abs(x)[where].max(initial=0))


def _apart(x: Any, y: Any, where: Any) -> float:
    return _largest(np.subtract(x, y, where=where, out=np.zeros(x.shape)), where)


def _as_shown(got: Any, expected: Any) -> int:
    """The verdict on the numbers that a user sees."""
    with np.errstate(all="ignore"):
        if _distance(got, expected) <= 1e-6 * _size(expected):
            return AGREES
    finite = np.isfinite(got), np.isfinite(expected)
    good = finite[0] & finite[1]
    tolerance = 2e-3 if expected.dtype == np.float32 else 1e-6
    error = _apart(got, expected, good)
    if error > tolerance * _largest(expected, good) + tolerance * 1e-3:
        return DISAGREES
    return AGREES if good.all() else FINITE if (finite[0] & ~finite[1]).any() else UNDEFINED


def warn_where_undefined(chain: Any, node: Any, given: dict[int, Any], result: Any) -> None:
    """Warn if a formula gives a finite number where the sweep does not."""
    expected = chain.values.get(node)
    if given:
        try:
            nodes = _elsewhere(chain, given)
            if all(np.isfinite(x.array).all() for x in nodes.values() if x.dtype.kind == "f"):
                return
            with np.errstate(all="ignore"):
                expected = gradients(nodes[chain.loss.position]).of.get(nodes[node.position])
        except (KeyError, ValueError, np.linalg.LinAlgError):  # nothing to compare with
            return
    if expected is None or np.shape(expected) != np.shape(result):
        return
    if (np.isfinite(result) & ~np.isfinite(np.asarray(expected))).any():
        warnings.warn(
            "evaluate: at these values the sweep gives no finite gradient, and the formula does; "
            "it is a limit at best, and not checked",
            CannotCheckWarning,
            stacklevel=3,
        )


def _elsewhere(chain: Any, values: dict[int, Any]) -> dict[int, Any]:
    """The graph in double precision, with other values for some nodes."""
    graph = chain.graph

    def known(node: Any) -> Any:
        if node.position in values or (node.op is None and node.dtype.kind == "f"):
            array = np.asarray(values.get(node.position, graph.value(node)), dtype=float)
            return argument(array, True) if node.requires_grad else constant(array)
        return node if node.op is None else None

    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        setting(recording=True, observer=None),
    ):
        warnings.simplefilter("ignore")
        found = graph.replayed(known, apply)
    return {node.position: copy for node, copy in found.items()}


def _compared(
    derivation: Any, claims: list[Claim], nodes: dict[int, Any], of: Any
) -> Iterator[tuple[Any, Any]]:
    """For each formula its value, and the gradient or value of its node."""
    writer, value = derivation._writer, derivation._chain.graph.value
    values = {position: np.asarray(value(node)) for position, node in nodes.items()}
    gradients = {position: g for position, node in nodes.items() if (g := of.get(node)) is not None}
    with np.errstate(all="ignore"):
        for _, node, terms, is_gradient in claims:
            expected = (gradients if is_gradient else values).get(node.position)
            expected = np.zeros(node.shape) if expected is None else np.asarray(expected)
            got = np.asarray(writer.value(terms, node.shape, values, gradients))
            if got.shape != node.shape:
                raise DerivationError(
                    f"derive: a formula has the shape {got.shape}, where {node.shape} is right; it "
                    "is not shown. This is a fault of the derivation; please report the program"
                )
            yield got, expected
