"""Every formula against the sweep, at the graph's values and at random points."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd_lite.context import setting
from autograd_lite.derive import CannotCheckWarning, DerivationError
from autograd_lite.derive.source import Unwritable
from autograd_lite.op import OPS, apply
from autograd_lite.sweep import gradients
from autograd_lite.tensor import argument

__all__ = ["check"]

POINTS = 3
AGREES, DISAGREES, UNDEFINED = range(3)


def check(derivation: Any) -> None:
    """Compare every closed form and every step with the sweep.

    Raises:
        DerivationError: when one of them is wrong.
    """
    chain, writer = derivation._chain, derivation._writer
    pairs: list[tuple[str, Any, Any]] = []
    unwritable = []
    for step in derivation.steps:
        alike = step.form.expression == step.product.expression
        for form in (step.product,) if alike else (step.product, step.form):
            try:
                pairs.append(
                    (
                        step.name,
                        step.node,
                        _code(writer.source(form.tree, slopes_given=True, own=True)),
                    )
                )
            except Unwritable as reason:
                unwritable.append(f"{step.name}: {reason}")
    verdicts = [_verdicts(derivation, pairs, chain.nodes, chain.values)]
    random = np.random.default_rng(0)
    for k in range(POINTS):
        try:
            nodes = _elsewhere(chain, random, k)
        except (ValueError, np.linalg.LinAlgError):  # outside the domain of an operation
            verdicts.append([UNDEFINED] * len(pairs))
            continue
        loss = nodes[chain.loss.position]
        with np.errstate(all="ignore"):
            of = gradients(loss).of
        verdicts.append(_verdicts(derivation, pairs, nodes, of))
    here, *there = verdicts
    for number, (name, _, _) in enumerate(pairs):
        found = [v[number] for v in verdicts]
        # Where the sweep itself has lost its digits, a right formula disagrees with it too.
        if found.count(DISAGREES) > found.count(AGREES):
            raise DerivationError(
                f"derive: the formula of {name} disagrees with the sweep; it is not shown. This is "
                "a fault of the derivation; please report the program"
            )
    undefined = sorted({pairs[k][0] for k in range(len(pairs)) if all(
        v[k] == UNDEFINED for v in verdicts)})  # fmt: skip
    derivation.checked = _said(here, there, undefined, unwritable)
    if pairs and undefined:
        warnings.warn(
            f"derive: not checked, because the values are not finite: {', '.join(undefined)}",
            CannotCheckWarning,
            stacklevel=5,
        )


def _said(here: Any, there: Any, undefined: list[str], unwritable: list[str]) -> str:
    good = sum(UNDEFINED not in v and DISAGREES not in v for v in there)
    places = [] if UNDEFINED in here or DISAGREES in here else ["at the graph's values"]
    if good:
        places.append(f"at {good} random point{'s' * (good > 1)}")
    text = (
        f"checked against the sweep {' and '.join(places)}" if places else "not checked as a whole"
    )
    if UNDEFINED in here:
        text += "; at the graph's values some of it is not finite"
    if DISAGREES in here:
        text += "; at the graph's values the sweep itself is too inexact to compare"
    if undefined:
        text += f"; not checked: {', '.join(undefined)}"
    if unwritable:
        text += f"; not written as NumPy, and so not checked: {'; '.join(unwritable)}"
    return text


def _code(source: str) -> Any:
    return compile(source, "<derivation>", "eval")


def _elsewhere(chain: Any, random: Any, k: int) -> dict[int, Any]:
    """The same graph with other values in its parameters."""
    nodes: dict[int, Any] = {}
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        setting(recording=True, watch=None, leaks=None),
    ):
        warnings.simplefilter("ignore")
        for node in chain.graph.nodes:
            if node.op is None:
                array = np.asarray(node.array)
                if node.requires_grad:
                    drawn = (
                        random.uniform(0.1, 0.6, array.shape)
                        if k == 1
                        else random.normal(0, (0.5, 0, 0.01)[k], array.shape)
                    )
                    array = np.asarray(drawn).astype(array.dtype)
                nodes[node.position] = argument(array, node.requires_grad)
            else:
                inputs = [nodes[x.position] for x in node.inputs]
                made = apply(node.op, tuple(inputs), node.attributes, settled=True)
                nodes[node.position] = made
    return nodes


def _verdicts(derivation: Any, pairs: Any, nodes: dict[int, Any], of: Any) -> list[int]:
    writer = derivation._writer
    values: dict[str, Any] = {"np": np, "OPS": OPS}
    for position, node in nodes.items():
        values[writer.identifiers[position]] = node.array
    for position, node in nodes.items():
        g = of.get(node)
        if g is not None and position in writer.slope_identifiers:
            values[writer.slope_identifiers[position]] = g
    result = []
    with np.errstate(all="ignore"):
        for _, node, code in pairs:
            copy = nodes.get(node.position)
            expected = of.get(copy) if copy is not None else None
            if expected is None:
                expected = np.zeros(node.shape)
            try:
                got = np.asarray(eval(code, values))
            except (ZeroDivisionError, OverflowError):
                result.append(UNDEFINED)
                continue
            result.append(_compared(got, np.asarray(expected)))
    return result


def _compared(got: Any, expected: Any) -> int:
    if got.shape != expected.shape:
        return DISAGREES
    if not (np.isfinite(got).all() and np.isfinite(expected).all()):
        return UNDEFINED
    tolerance = 2e-3 if expected.dtype == np.float32 else 1e-6
    scale = np.abs(expected).max(initial=0)
    close = np.abs(got - expected).max(initial=0) <= tolerance * scale + tolerance * 1e-3
    return AGREES if close else DISAGREES
