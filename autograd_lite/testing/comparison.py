"""The search for the mistakes that give the numbers of an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.testing.mistakes import CHANGES, MISTAKES, scale_of
from autograd_lite.testing.points import Candidate, Point, candidates, pairs, precision
from autograd_lite.text import number

__all__ = ["Comparison", "Named"]

RANK = {
    "gradient of an intermediate result": 1,
    "missing part": 2,
    "wrong sign of a part": 3,
}
"""The mistakes that are consequences of others, so that those come first, in this order."""

FEW = 4
"""The largest number of parameters whose changes are tried in every order."""

NOISE = 1e-12
"""The rounding error of an element, relative to the largest element of the gradient."""


class Named(NamedTuple):
    """A mistake with its explanation."""

    name: str
    text: str


class Comparison:
    """The answers for one gradient at several points, beside the right ones.

    Args:
        points: the points, with their answers.
        i: the place of the gradient among those of the chosen arguments.
        rtol: the largest error of an element, relative to the element.
        learning_rate: of a step, whose answers are new parameters; None for a gradient.
    """

    def __init__(
        self, points: Sequence[Point], i: int, rtol: float, learning_rate: float | None
    ) -> None:
        self.points: Sequence[Point] = points
        self.i: int = i
        self.learning_rate: float | None = learning_rate
        self.right: list[Any] = [p.right[i] for p in points]
        self.given: list[Any] = [p.answers[i] for p in points]
        self.before: list[Any] = [np.asarray(p.args[p.chosen[i]], np.float64) for p in points]
        self.rtol: float = rtol
        self.noise: float = NOISE
        dtype: np.dtype[Any] = np.dtype(np.float64)
        if np.float32 in (self.right[0].dtype, getattr(self.given[0], "dtype", None)):
            dtype = np.dtype(np.float32)
            self.noise = precision(dtype)
            self.rtol = max(rtol, self.noise)
        # Where the terms of a gradient cancel, as at a minimum, their rounding errors are left.
        self.largest: float = max(float(np.max(np.abs(g), initial=0)) for g in self.right)
        self.least: float = 0.0
        if learning_rate is not None:
            # The rounding of w − α g, as an error of g.
            largest = max(float(np.max(np.abs(x), initial=0)) for x in self.before)
            self.least = 8 * float(np.finfo(dtype).eps) * largest / learning_rate

    @property
    def answers(self) -> list[Any]:
        """The answers as gradients: of a step, those by which it changed the parameters."""
        if self.learning_rate is None:
            return self.given
        return [
            (x - a) / self.learning_rate if np.shape(a) == x.shape else a
            for a, x in zip(self.given, self.before, strict=True)
        ]

    @property
    def expected(self) -> list[Any]:
        """What the answers must be."""
        if self.learning_rate is None:
            return self.right
        pairs = zip(self.before, self.right, strict=True)
        return [x - self.learning_rate * g for x, g in pairs]

    def close_elements(self, a: Any, b: Any) -> Any:
        """Where two arrays of one shape agree."""
        with np.errstate(all="ignore"):
            size = float(np.max(np.abs(b), initial=self.largest))
            error = self.rtol * np.abs(b) + self.noise * size + self.least
            # An infinite number is close to nothing.
            return np.abs(a - b) <= (error if size < np.inf else -1)

    def close(self, a: Any, b: Any) -> bool:
        """Whether two arrays agree."""
        fits = a is not None and b is not None and np.shape(a) == np.shape(b)
        return fits and bool(np.all(self.close_elements(a, b)))

    def all_close(self, a: Sequence[Any], b: Sequence[Any]) -> bool:
        """Whether they agree at every point."""
        return all(map(self.close, a, b))

    def correct(self) -> bool:
        """Whether every answer is the right gradient."""
        return self.all_close(self.answers, self.right)

    def explanations(self) -> list[tuple[Named, ...]]:
        """The fewest mistakes that give these numbers at every point, each way to explain them."""
        for name in self._special():
            return [(Named(name, MISTAKES[name]),)]
        single = list(candidates(self.points[0].edges))
        for stage in self._single(single), self._double(single), self._others():
            found = {frozenset(m.name for m in ways): ways for ways in reversed(list(stage))}
            if found:
                ranks = [max(RANK.get(m.name, 0) for m in ways) for ways in found.values()]
                best = [w for w, r in zip(found.values(), ranks, strict=True) if r == min(ranks)]
                return best[:-4:-1]
        return []

    def _special(self) -> Iterator[str]:
        """The names of mistakes where the answer is something else than the gradient."""
        if self.learning_rate is not None:
            yield from self._of_step(self.learning_rate)
        fits = all(a.shape == g.shape for a, g in zip(self.answers, self.right, strict=True))
        if fits and not any(map(np.any, self.answers)):
            yield "zero gradient"
        finite = [np.isfinite(a) for a in self.answers]
        if fits and not all(map(np.all, finite)):
            parts = zip(finite, self.answers, self.right, strict=True)
            if self.all_close([np.where(ok, a, g) for ok, a, g in parts], self.right):
                yield "not finite"

    def _of_step(self, rate: float) -> Iterator[str]:
        """The names of mistakes in a step of gradient descent."""
        change = [rate * g for g in self.right]
        for name, numbers in (
            ("parameters not changed", self.before),
            ("gradient in place of the parameters", self.right),
            ("change in place of the parameters", change),
            ("change in place of the parameters", [-x for x in change]),
        ):
            if self.all_close(self.given, numbers):
                yield name
        if rate != 1 and self.all_close(self.answers, [g / rate for g in self.right]):
            yield "missing learning rate"
        if self._early():
            yield "parameters changed too early"

    def _early(self) -> bool:
        """Whether the gradient was computed from parameters that the step had changed."""
        count = len(self.points[0].right)
        others = [j for j in range(count) if j != self.i]
        sets = [(j,) for j in others] + [tuple(others)] * (count > 2)
        ways = [partial(Point.early, changed=changed) for changed in sets]
        if 1 < count <= FEW and not self.points[0].large:
            ways += [partial(Point.in_turn, order=order) for order in permutations(range(count))]
        return any(map(self._all_like, ways))

    def _all_like(self, way: Callable[..., list[Any]]) -> bool:
        """Whether the answers agree with gradients, which are computed only as long as they do."""
        try:
            return all(
                self.close(answer, way(point, learning_rate=self.learning_rate)[self.i])
                for answer, point in zip(self.answers, self.points, strict=True)
            )
        except (ValueError, TypeError):  # the shapes do not fit
            return False

    def _single(self, single: Sequence[Candidate]) -> Iterator[tuple[Named, ...]]:
        for change in CHANGES:
            if self._is(change.repaired, change.spoiled, ()):
                yield (self._of_change(change.name),)
        for candidate in single:
            if self._is(_as_it_is, _unchanged, (candidate,)):
                yield (self._named(candidate),)
        others = [j for j in range(len(self.points[0].right)) if j != self.i]
        if any(self.all_close(self.answers, [p.right[j] for p in self.points]) for j in others):
            yield (self._of_change("gradient of another argument"),)
        inner = [point.inner() for point in self.points]
        for n in inner[0]:
            if self.all_close(self.answers, [g.get(n) for g in inner]):
                yield (self._named(Candidate("gradient of an intermediate result", 0, (n,), 0)),)

    def _double(self, single: Sequence[Candidate]) -> Iterator[tuple[Named, ...]]:
        for change in CHANGES:
            for candidate in single:
                if change.name != candidate.name and self._is(
                    change.repaired, change.spoiled, (candidate,)
                ):
                    yield self._of_change(change.name), self._named(candidate)
        for one, two in permutations(CHANGES, 2):

            def repaired(a: Any, g: Any, one: Any = one, two: Any = two) -> Any:
                once = one.repaired(a, g)
                return None if once is None else two.repaired(once, g)

            def spoiled(g: Any, one: Any = one, two: Any = two) -> Any:
                once = one.spoiled(g)
                return None if once is None else two.spoiled(once)

            if self._is(repaired, spoiled, ()):
                yield self._of_change(one.name), self._of_change(two.name)
        for both in pairs(single, self.points[0].large):
            if self._is(_as_it_is, _unchanged, both):
                yield self._named(both[0]), self._named(both[1])

    def _is(
        self,
        repaired: Callable[[Any, Any], Any],
        spoiled: Callable[[Any], Any],
        made: Sequence[Candidate],
    ) -> bool:
        """Whether these mistakes give the answers at all points."""
        for point, answer, right in zip(self.points, self.answers, self.right, strict=True):
            gradients = point.wrong(made) if made else point.right
            if gradients is None:
                return False
            if not self.close(repaired(answer, right), spoiled(gradients[self.i])):
                return False
        return True

    def _others(self) -> Iterator[tuple[Named, ...]]:
        """Numbers that are not those of a mistake in a rule."""
        if self.all_close(self.answers, [np.asarray(p.value) for p in self.points]):
            yield (self._of_change("loss in place of its gradient"),)
        a, g = self.answers[0], self.right[0]
        several = len(self.points) * g.size > 1  # one number is a multiple of any other
        if a.shape != g.shape or not np.any(g) or not several:
            return
        with np.errstate(all="ignore"):
            ratio = float(np.vdot(a, g) / np.vdot(g, g))
        if np.isfinite(ratio) and self.all_close(self.answers, [ratio * g for g in self.right]):
            lengths = [n for x in self.points[0].args for n in np.shape(x)[:1] if n > 1]
            rows = [n for n in lengths for r in (ratio, 1 / ratio) if abs(abs(r) / n - 1) < 1e-6]
            count = f"; {rows[0]} is the number of rows" if rows else ""
            text = MISTAKES["constant factor"].format(ratio=number(ratio), count=count)
            yield (Named("constant factor", text),)

    def _of_change(self, name: str) -> Named:
        return Named(name, MISTAKES[name].format(where=""))

    def _named(self, candidate: Candidate) -> Named:
        """A mistake, with the operation and the place where it was made."""
        point, first = self.points[0], candidate.edges[0]
        edge = point.edges[first]
        one = len(candidate.edges) == 1
        label = point.label(first) if one else ""
        op = edge.node.op
        rule = op.notation.gradient_of(edge.k, op.arity)
        text = MISTAKES[candidate.name].format(
            op=op.notation.symbol,
            where=f" ({label})" if label else "",
            value=number(scale_of(edge) or 0),
            rule=f"{rule}, where g is the gradient that arrives",
        )
        return Named(candidate.name, text)


def _as_it_is(answer: Any, gradient: Any) -> Any:
    return answer


def _unchanged(gradient: Any) -> Any:
    return gradient
