"""The points at which an answer is compared: right gradients, answers and wrong gradients."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.core.sweep import Step, sweep
from autograd_lite.core.tensor import Node, Outline, ancestors, apply, value_of
from autograd_lite.op import OPS
from autograd_lite.testing.mistakes import WRONG_RULES, Edge
from autograd_lite.transforms import Run

__all__ = ["Candidate", "Point", "candidates", "pairs", "precision"]

MOST = 200
"""The largest number of edges at which a mistake is also tried one by one."""

MOST_PAIRED = 60
"""The largest number of mistakes, at some edge, of which every two are tried together."""

LARGE = 20_000
"""The largest number of elements in the results of a graph that is not large."""


class Candidate(NamedTuple):
    """A mistake at some edges of the record.

    Attributes:
        name: its name in `MISTAKES`.
        variant: which of the wrong rules.
        edges: the numbers of the edges.
        places: the number of edges where it could have been made.
    """

    name: str
    variant: int
    edges: tuple[int, ...]
    places: int


def precision(dtype: Any) -> float:
    """The relative error that the rounding of a gradient may have."""
    return 2e-4 if dtype == np.float32 else 1e-6


class Point:
    """One point: the arguments, the right gradients there, and the answers.

    Args:
        loss: a function that returns one number.
        args: its arguments.
        chosen: the numbers of the arguments that are differentiated.
        name: the function that errors name.

    Attributes:
        value: the loss.
        right: the gradient of each chosen argument.
        answers: what was answered in its place.
        edges: the edges of the loss as people write it, in the order of execution.
    """

    def __init__(
        self, loss: Callable[..., Any], args: Sequence[Any], chosen: Sequence[int], name: str
    ) -> None:
        self.loss: Callable[..., Any] = loss
        self.args: tuple[Any, ...] = tuple(args)
        self.chosen: Sequence[int] = chosen
        self.name: str = name
        with np.errstate(all="ignore"):
            run = Run(loss, self.args, chosen, name)
            (result,) = run.results if len(run.results) == 1 else (None,)
            if result is None or result.size != 1:
                raise ValueError(f"{name}: the loss must return one number")
            found = run.pull([np.ones(result.shape, result.dtype)])
            # Values that are alive are not computed again where the record did not save them.
            self.values: dict[Node, Any] = as_people_write(result.node)
        pairs = zip(found, run.arguments, strict=True)
        self.right: list[Any] = [np.zeros(x.shape) if g is None else np.array(g) for g, x in pairs]
        self.value: float = float(np.asarray(result.array).item())
        self.answers: list[Any] = []
        self.end: Node = self.values[result.node].node
        self.leaves: list[Node] = [
            self.values[x.node].node if x.node in self.values else x.node for x in run.arguments
        ]
        self.edges: list[Edge] = [
            Edge(node, k)
            for node in ancestors([self.end])
            for k, x in enumerate(node.inputs)
            if x.requires_grad and node.rules[k] is not None
        ]
        self.large: bool = sum(edge.node.form.size for edge in self.edges) > LARGE
        self._found: dict[tuple[Candidate, ...], list[Any] | None] = {}

    def is_accurate(self) -> bool:
        """Whether the record as people write it has the right gradients, which are finite."""
        for written, g in zip(self._with({}), self.right, strict=True):
            error = precision(g.dtype) * np.max(np.abs(g), initial=0)
            with np.errstate(all="ignore"):
                if not np.all(np.abs(written - g) <= error) or not np.isfinite(error):
                    return False
        return True

    def wrong(self, made: Sequence[Candidate]) -> list[Any] | None:
        """The gradients with these mistakes, or None if they cannot be made together."""
        key = tuple(made)
        if key in self._found:
            return self._found[key]
        try:
            gradients = self._swept(made)
        except (ValueError, TypeError, IndexError):  # the shapes do not fit
            gradients = None
        if len(key) == 1:  # there are too many pairs to keep
            self._found[key] = gradients
        return gradients

    def _swept(self, made: Sequence[Candidate]) -> list[Any]:
        rules: dict[Node, list[Any]] = {}
        for candidate in made:
            for number in candidate.edges:
                edge = self.edges[number]
                wrong = list(WRONG_RULES[candidate.name](edge))[candidate.variant]
                changed = rules.setdefault(edge.node, list(edge.node.rules))
                if changed[edge.k] is not edge.rule:
                    raise ValueError("two mistakes at one edge")
                changed[edge.k] = wrong
        return self._with(rules)

    def _with(self, rules: dict[Node, list[Any]]) -> list[Any]:
        """The gradients with other rules at some nodes."""

        def view(node: Node) -> Any:
            if node not in rules:
                return node
            saved = tuple(map(_array, (node, *node.inputs), node.saved))
            return Step(node.sources, rules[node], saved, node.attributes)

        with np.errstate(all="ignore"):
            found = sweep({self.end: self._ones()}, set(self.leaves), view)
        return [
            np.asarray(found.get(leaf, np.zeros(g.shape)))
            for leaf, g in zip(self.leaves, self.right, strict=True)
        ]

    def _ones(self) -> Any:
        """The gradient that enters at the loss."""
        return np.ones(np.shape(self.end.form), self.end.form.dtype)[()]

    def label(self, number: int) -> str:
        """Where an edge is: the name of its result, or which of the operations it is."""
        node = self.edges[number].node
        if node.name:
            return f"at {node.name}"
        same = list(dict.fromkeys(e.node for e in self.edges if e.node.op is node.op))
        if len(same) == 1:
            return ""
        return f"{node.op.notation.symbol} number {same.index(node) + 1} of {len(same)}"

    def inner(self) -> dict[int, Any]:
        """The gradients of the intermediate results, by the number of an edge that leaves each."""
        found: dict[Node, Any] = {}

        def view(node: Node) -> Any:
            rules = [rule and partial(_noted, found, node, rule) for rule in node.rules]
            return Step(node.sources, rules, node.saved, node.attributes)

        with np.errstate(all="ignore"):
            sweep({self.end: self._ones()}, set(self.leaves), view)
        numbers = {edge.node: n for n, edge in enumerate(self.edges) if edge.node is not self.end}
        return {n: np.asarray(found[node]) for node, n in numbers.items() if node in found}

    def early(self, changed: Collection[int], learning_rate: float) -> list[Any]:
        """The gradients of a backward pass that uses some parameters after their change.

        The forward pass was made before; `changed` are their places in `chosen`.
        """
        new = {n: self.args[self.chosen[n]] - learning_rate * self.right[n] for n in changed}
        rules: dict[Node, list[Any]] = {}
        for edge in self.edges:
            other = edge.other if len(edge.node.inputs) == 2 else None
            for n, value in new.items():
                if other is self.leaves[n]:
                    replaced = value
                elif other and other.op and [*other.inputs] == [self.leaves[n]]:
                    replaced = other.op.forward(value, **other.attributes)
                else:
                    continue
                rule = edge.with_other(partial(_instead, replaced))
                rules.setdefault(edge.node, list(edge.node.rules))[edge.k] = rule
        return self._with(rules)

    def in_turn(self, order: Sequence[int], learning_rate: float) -> list[Any]:
        """The gradients if each parameter is changed before that of the next is computed."""
        args, found = list(self.args), list(self.right)
        for n in order:
            found[n] = Point(self.loss, args, [self.chosen[n]], self.name).right[0]
            args[self.chosen[n]] = args[self.chosen[n]] - learning_rate * found[n]
        return found


def _noted(found: dict[Node, Any], node: Node, rule: Any, g: Any, *saved: Any, **rest: Any) -> Any:
    found[node] = g
    return rule(g, *saved, **rest)


def _instead(new: Any, old: Any) -> Any:
    return new


def _array(node: Node, saved: Any) -> Any:
    """An array that a rule gets, also one that the record did not save."""
    return value_of(node).array if isinstance(saved, Outline) else saved


def as_people_write(end: Node) -> dict[Node, Any]:
    """The values of a record computed without stable forms, and with each σ as one operation."""
    new: dict[Node, Any] = {}
    for node in ancestors([end], as_written=True, requires_grad=False):
        z = _log_odds(node)
        if node.op is None:
            new[node] = value_of(node)
        elif z in new:
            new[node] = apply(OPS["sigmoid"], (new[z],), as_written=True)
        elif node.op.name == "binary_cross_entropy_with_logits":
            logits, y = (new[x] for x in node.inputs)
            ŷ = apply(OPS["sigmoid"], (logits,), as_written=True)
            new[node] = apply(OPS["binary_cross_entropy"], (ŷ, y), node.attributes, as_written=True)
        else:
            new[node] = apply(node.op, [new[x] for x in node.inputs], node.attributes, True)
        if node.op is not None and node.name:
            new[node].node.name = node.name
    return new


def _log_odds(node: Node) -> Node | None:
    """The z of 1 / (1 + exp(−z)) and of exp z / (1 + exp z), or None."""
    if node.op is None or node.op.name not in ("divide", "reciprocal", "where"):
        return None
    form = node
    while form.sources is not form.inputs:
        form = form.sources[0]
    return form.inputs[0] if form is not node and form.op.name == "sigmoid" else None


def candidates(edges: Sequence[Edge]) -> Iterator[Candidate]:
    """Every mistake in a rule: at all edges where it could be made, and at each of them alone."""
    for name, wrong in WRONG_RULES.items():
        variants: dict[int, list[int]] = {}
        for number, edge in enumerate(edges):
            for variant, _ in enumerate(wrong(edge)):
                variants.setdefault(variant, []).append(number)
        for variant, places in variants.items():
            yield Candidate(name, variant, tuple(places), len(places))
            if 1 < len(places) <= MOST:
                for place in places:
                    yield Candidate(name, variant, (place,), len(places))


def pairs(single: Sequence[Candidate], large: bool) -> Iterator[tuple[Candidate, Candidate]]:
    """Two mistakes of different names; in a large graph each wherever it could be made."""
    single = [c for c in single if c.name not in ("missing part", "wrong sign of a part")]
    if large or len(single) > MOST_PAIRED:
        single = [c for c in single if len(c.edges) == c.places]
    return ((a, b) for a, b in combinations(single, 2) if a.name != b.name)
