"""What a walkthrough says, item by item."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np

from autograd_lite.derivation import derive_named
from autograd_lite.explanation.document import Equation, Heading, Item
from autograd_lite.explanation.equations import Equations
from autograd_lite.explanation.folding import Group
from autograd_lite.explanation.labels import is_number, symbol
from autograd_lite.explanation.rules import forward_rule, gradient_rule
from autograd_lite.explanation.sections import MOST, detail, groups_of, outputs_of
from autograd_lite.explanation.sentences import (
    Known,
    Piece,
    Ref,
    Sentence,
    Term,
    resolved,
    shape,
    text_of,
)
from autograd_lite.explanation.snapshot import Snapshot
from autograd_lite.explanation.update import replayed, updated
from autograd_lite.graph import Graph
from autograd_lite.text import number, printable

__all__ = ["Writer"]

UPDATES = 12
"""The update of so many parameters is shown."""

LONGEST = 120
"""A closed form of more characters explains nothing."""

SEVERAL = 4
"""A step that stands for many names at most so many of their results and parameters."""


class Writer:
    """Writes a walkthrough.

    Args:
        snapshot: the graph, its numbers and distinct names.
        rate: the learning rate, or None.
    """

    def __init__(self, snapshot: Snapshot, rate: float | None) -> None:
        self.snapshot = snapshot
        self.graph: Graph = snapshot.graph
        self.loss: Any = self.graph.outputs[-1]
        self.equations: Equations = Equations(snapshot)
        self.rate = rate
        # The α of a penalty is not the learning rate.
        self.symbol = "η" if "α" in snapshot.names.values() else "α"
        self.groups: list[Group] = groups_of(self.graph)
        self.closed, self.notes = _closed_forms(self.loss, self.equations)

    def items(self) -> Iterator[Item]:
        """The items of the walkthrough."""
        name, gradients = self.equations.name(self.loss), self.snapshot.gradients
        what = "The value" if gradients is None else "The gradient"
        descent = f"One step of gradient descent on {name}"
        yield Heading(1, descent if self.rate else f"{what} of {name}, step by step")
        yield from self._given()
        yield Heading(2, f"1. Forward: from the data to {name}")
        yield from self._forward(self.snapshot.array)
        if gradients is None:
            yield f"{name} depends on no Tensor that requires a gradient, so there is no way back."
        else:
            yield Heading(2, f"2. Backward: from {name} to the parameters")
            yield from self._backward()
        if self.rate:
            yield from self._updated(self.rate)
        yield "Numbers are rounded only for display."

    def _given(self) -> Iterator[Item]:
        """The leaves: data and parameters."""
        leaves = [g.nodes[0] for g in self.groups if g.title is None and g.nodes[0].op is None]
        leaves = [x for x in leaves if x is self.loss or not is_number(x)]
        for x in leaves[:MOST]:
            role = "parameter" if x.requires_grad else "data"
            note = " ".join(filter(None, (role, shape(self.snapshot.arrays[x]))))
            yield self._array(Ref("value", x), self.snapshot.array, note=note, role=role)
        more = len(leaves) - MOST
        if more > 0:
            yield f"… and {more:,} more"
        for group in self.groups:
            if group.title is not None and all(node.op is None for node in group.nodes):
                yield f"{group.title}: {_count(list(group.nodes), 'array')}"
        if self.rate:
            yield f"learning rate {self.symbol} = {number(self.rate)}"

    def _equation(self, sentence: Sentence, known: Known, **more: Any) -> Equation:
        left, *right = resolved(sentence, known, _compared)
        return Equation(left, right or [left], **more)

    def _array(self, ref: Ref, known: Known, **more: Any) -> Equation:
        """An array without what it is computed from."""
        gradient = ref.kind == "gradient"
        name = self.equations.of(ref.at) if gradient else self.equations.name(ref.at)
        sides = (Term((name,)),), (Term((ref,)),)
        return self._equation(sides, known, gradient=gradient, **more)

    # Forward

    def _forward(self, known: Known, changed: Collection[Any] | None = None) -> Iterator[Item]:
        """The operations in order, or only those that changed, and these in numbers only."""
        scope: tuple[str, ...] = ()
        for group in self.groups:
            node = group.nodes[-1]
            if changed is not None and not any(n in changed for n in group.nodes):
                continue
            if group.title is not None:
                scope = ()
                yield from self._folded(group, known, changed)
            elif node.op is not None and node not in self.equations.passed:
                if changed is None:
                    yield from _heading(scope, group.scope)
                scope = group.scope
                yield self._step(node, known, changed is not None)

    def _step(self, node: Any, known: Known, again: bool = False) -> Equation:
        sentence = self.equations.forward(node)
        note, badge = forward_rule(node), symbol(node.op)
        if again:
            left, *sides = sentence
            sentence, note, badge = (left, *filter(_has_numbers, sides)), "", ""
        role = "loss" if node is self.loss else "result"
        return self._equation(sentence, known, note=note, badge=badge, role=role)

    def _folded(self, group: Group, known: Known, changed: Any) -> Iterator[Item]:
        """Operations that are summed up: their number and their results."""
        acting = [node for node in group.nodes if node.op is not None]
        if not acting:
            return
        if changed is None and not _is_run(group):
            yield Heading(3, _title((*group.scope, group.title or "")))
            yield f"{_count(acting, 'operation')}{_parameters(group)}."
            yield from self._alike(group, [self._step(n, known) for n in self._inside(group)])
        note = f"after {group.title}" if _is_run(group) else ""
        for node in list(outputs_of(group, self.graph))[-SEVERAL:]:
            if changed is None or node in changed:
                yield self._array(Ref("value", node), known, note=note)

    def _inside(self, group: Group) -> list[Any]:
        """The operations of the first of several equal layers, in execution order."""
        return [node for node in detail(group) if node not in self.equations.passed]

    def _alike(self, group: Group, equations: list[Equation]) -> Iterator[Item]:
        if equations:
            first = _title(detail(group)[0].scope)
            yield f"They repeat the same operations. The first of them, {first}:"
            yield from equations
            yield "The results:"

    # Backward

    def _backward(self) -> Iterator[Item]:
        """The gradients, each after those that it is computed from."""
        scope: tuple[str, ...] = ()
        for group in sorted(self.groups, key=self._turn, reverse=True):
            if group.title is not None:
                scope = ()
                yield from self._passing(group)
                continue
            node = group.nodes[-1]
            if node in self.equations.passed or not self._has(node):
                continue
            if node.op is not None:
                yield from _heading(scope, group.scope)
                scope = group.scope
            yield self._gradient(node)
        if self.notes:
            yield f"In the closed forms, {'; '.join(self.notes)}."

    def _turn(self, group: Group) -> float:
        """When a gradient is complete: that of a leaf after the first operation that uses it."""
        node = group.nodes[-1]
        users = [c.position for c, _ in self.graph.consumers[node]]
        if group.title is None and node.op is None and users:
            return float(min(users)) - 0.5
        return float(node.position)

    def _gradient(self, node: Any) -> Equation:
        sentence = self.equations.backward(node)
        if node is self.loss and node.size == 1:
            note = "the derivative of a number by itself"
        else:
            note = gradient_rule(self.equations, node)
        role = "loss" if node is self.loss else "parameter" if node.op is None else "result"
        equation = self._equation(sentence, self.snapshot.array, role=role, gradient=True)
        closed = self.closed.get(node)
        if closed is not None:
            texts = closed.text(), _compared(closed.text())
            for side in equation.right:
                if "".join(map(str, side)) in texts or "".join(map(_compared, side)) in texts:
                    closed = None
        return Equation(equation.left, equation.right, note, closed, role=role, gradient=True)

    def _passing(self, group: Group) -> Iterator[Item]:
        """Gradients that are summed up: those of the results and of the parameters."""
        acting = [n for n in group.nodes if n.op is not None and self._has(n)]
        if not acting:
            return
        run = _is_run(group)
        if not run:
            yield Heading(3, _title((*group.scope, group.title or "")))
            yield f"The gradient passes through {_count(acting, 'operation')}."
            inside = self._inside(group)
            used = {x for n in detail(group) for x in n.inputs}
            leaves = [x for x in group.nodes if x.op is None and x in used]
            shown = [n for n in (*inside, *leaves) if self._has(n)]
            shown.sort(key=lambda n: self._turn(Group((n,), None, ())), reverse=True)
            yield from self._alike(group, [self._gradient(n) for n in shown])
        results = [n for n in outputs_of(group, self.graph) if self._has(n)]
        known, note = self.snapshot.array, f"before {group.title}" if run else ""
        for node in results[-SEVERAL:]:
            yield self._array(Ref("gradient", node), known, note=note)
        parameters = [n for n in group.parameters if self._has(n)]
        for node in parameters[:SEVERAL]:
            yield self._array(Ref("gradient", node), known, role="parameter")
        if len(parameters) > SEVERAL:
            yield f"… and those of {_count(parameters[SEVERAL:], 'more parameter')}"

    def _has(self, node: Any) -> bool:
        return self.snapshot.gradient(node) is not None

    # Update

    def _updated(self, rate: float) -> Iterator[Item]:
        """The update, and the values after it."""
        snapshot, name = self.snapshot, self.equations.name(self.loss)
        parameters = {
            x: (snapshot.arrays[x], g)
            for x in self.graph.nodes
            if x.op is None and (g := snapshot.gradient(x)) is not None
        }
        new = updated(parameters, rate)
        values = new | replayed(self.graph, new)

        def known(kind: str, at: Any) -> Any:
            return new[at] if kind == "updated" else snapshot.array(kind, at)

        yield Heading(2, "3. Update: each parameter takes a step against its gradient")
        for x in list(new)[:UPDATES]:
            yield self._equation(self._update(x, rate), known, role="parameter")
        if len(new) > UPDATES:
            yield f"… and {len(new) - UPDATES:,} more"
        if not new:
            yield f"No gradient of {name} reaches a parameter."
        yield Heading(2, "4. Forward again, with the new parameters")

        def again(kind: str, at: Any) -> Any:
            return values.get(at, snapshot.arrays[at])

        yield from self._forward(again, values)
        before, after = snapshot.arrays[self.loss], again("value", self.loss)
        yield f"The step took {name} from {text_of(before)} to {text_of(after)}."

    def _update(self, x: Any, rate: float) -> Sentence:
        name, of = self.equations.name(x), self.equations.of(x)
        sides: list[tuple[Term, ...]] = [
            (Term((f"new {name}",)),),
            (Term((f"{name} − {self.symbol} {of}",)),),
        ]
        if self.equations.are_few(x.shape):
            gradient = Ref("gradient", x, "factor")
            sides.append((Term((Ref("value", x), f" − {number(rate)} × ", gradient)),))
        return (*sides, (Term((Ref("updated", x),)),))


def _compared(piece: Piece) -> str:
    """A text or an array as sides are compared: without spaces, and with every number."""
    if isinstance(piece, str):
        return piece.replace(" ", "").replace("·", "")
    if isinstance(piece.array, tuple):
        return str(piece)
    values = np.ravel(piece.array)
    sides = np.shape(piece.array) if values.size > 1 else ()
    return f"{sides}{[number(x) for x in values[:100]]}"


def _has_numbers(side: tuple[Term, ...]) -> bool:
    return any(isinstance(part, Ref) for term in side for part in term.parts)


def _heading(before: tuple[str, ...], scope: tuple[str, ...]) -> Iterator[Heading]:
    if scope and scope != before:
        yield Heading(3, _title(scope))


def _title(scope: Iterable[str]) -> str:
    return " › ".join(printable(title, 80) for title in scope if title)


def _count(nodes: list[Any], what: str) -> str:
    return f"{len(nodes):,} {what}{'s' * (len(nodes) != 1)}"


def _parameters(group: Group) -> str:
    return f", {_count(group.parameters, 'parameter')}" if group.parameters else ""


def _is_run(group: Group) -> bool:
    """Whether a group is a run of operations outside scopes."""
    return group.title is not None and not any(node.scope for node in group.nodes)


def _closed_forms(loss: Any, equations: Equations) -> tuple[dict[Any, Any], list[str]]:
    """The closed form of each gradient that has one, and what they use; empty without SymPy."""
    graph, gradients = equations.snapshot.graph, equations.snapshot.gradients
    operations = sum(node.op is not None for node in graph.nodes)
    if gradients is None or loss.size != 1 or not 0 < operations <= MOST:
        return {}, []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            derivation = derive_named(loss, {x: equations.partial(x)[1:] for x in graph.nodes})
            steps = list(derivation.steps)
            used = " ".join(step.form.text() for step in steps)
            notes = [
                f"{step.name} = {equations.of(step.node)}"
                for step in steps
                if not step.name.startswith("∂") and step.name in used
            ]
            forms = {step.node: step.form for step in steps if len(step.form.text()) <= LONGEST}
            return forms, [*notes, *derivation.notes()]
    except Exception:
        # SymPy may be missing, or an operation may have no closed form; the numbers are there.
        return {}, []
