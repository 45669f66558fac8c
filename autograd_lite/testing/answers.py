"""Answers to exercises: gradients by hand, compared with the engine's, and their mistakes."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.arrays import array_of
from autograd_lite.core.tensor import Value
from autograd_lite.testing.comparison import Comparison
from autograd_lite.testing.mistakes import KINK
from autograd_lite.testing.points import Point
from autograd_lite.text import number
from autograd_lite.transforms import numbers_of

__all__ = ["Diagnosis", "check_answer", "check_step"]

POINTS = 4
"""At how many points the answer of a function is compared."""

TRIES = 12
"""How many points are tried to find those."""

WIDTH = 88


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known about an answer; it is true if the answer is correct, and shows its message.

    Attributes:
        correct: whether every gradient agrees.
        mistakes: the names in `MISTAKES` of the mistakes that give exactly these numbers; where
            several single mistakes do, all of them.
        message: the explanation.
    """

    correct: bool
    mistakes: tuple[str, ...]
    message: str

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        return self.message


def check_answer(
    answer: Any,
    loss: Callable[..., Any],
    *args: Any,
    argnums: int | Sequence[int] = 0,
    rtol: float = 1e-6,
) -> Diagnosis:
    """Compare a gradient that was derived by hand with the gradient of the loss.

    A wrong answer is explained: if a common mistake, or two of them, give the same numbers as the
    answer at every point, they are named. If none does, the first wrong element is shown. The
    gradient rules of the loss are replaced by wrong ones, one after the other, so the mistakes are
    recognised in any loss.

    Args:
        answer: a function with the arguments of the loss that returns the gradient, a tuple of
            gradients for several argnums. It is compared at args and at three other points, where
            the chosen arguments have other values and signs. The gradient itself is compared at
            args only.
        loss: a function of arrays that returns one number, written with NumPy's functions.
        args: its arguments.
        argnums: the argument, or arguments, to differentiate with respect to.
        rtol: the largest error of an element, relative to the element. Beside it, each element may
            have rounding errors of the terms that it is the sum of.

    An answer that is None or `...` is not an answer yet; it is neither correct nor wrong.

    Raises:
        ValueError: if the loss does not return one number, or its gradient at args is not finite.
        TypeError: if a chosen argument is not an array or a number.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> from autograd_lite.testing import check_answer
        >>> def loss(w, X, y):
        ...     return ag.binary_cross_entropy(ag.sigmoid(X @ w), y)
        >>> def gradient(w, X, y):
        ...     return X.T @ (1 / (1 + np.exp(-X @ w)) - y)
        >>> X, y = np.array([[3.0, 5.0], [1.0, 4.0], [4.0, 8.0]]), np.array([1.0, 0.0, 1.0])
        >>> check_answer(gradient, loss, np.array([0.1, -0.2]), X, y)
        ∂L/∂w is not correct: forgotten 1/m.
        The loss is a mean, and its 1/m is missing. Divide the sum over the examples by their
        number.
        >>> check_answer(lambda w, X, y: gradient(w, X, y) / 3, loss, np.zeros(2), X, y)
        ∂L/∂w is correct.
    """
    points = _points("check_answer", answer, loss, args, argnums)
    return _diagnosis(points, [f"∂L/∂{name}" for name in _names(loss, points)], rtol)


def check_step(
    step: Any,
    loss: Callable[..., Any],
    *args: Any,
    learning_rate: float,
    argnums: int | Sequence[int] = 0,
    rtol: float = 1e-6,
) -> Diagnosis:
    """Check one step of gradient descent that was written by hand.

    Args:
        step: a function with the arguments of the loss that returns the new parameters, a tuple
            for several argnums; or the new parameters themselves.
        loss, args, argnums, rtol: as for `check_answer`; argnums are the parameters.
        learning_rate: the learning rate of the step.

    Raises:
        ValueError: as `check_answer`, or if the learning rate is not positive.

    Example:
        >>> import numpy as np
        >>> from autograd_lite.testing import check_step
        >>> def loss(w):
        ...     return np.sum(w**2)
        >>> check_step(lambda w: w - 2 * w, loss, np.array([1.0, -3.0]), learning_rate=0.1)
        The new w is not correct: missing learning rate.
        The learning rate is missing. A step subtracts the learning rate times the gradient.
    """
    if not learning_rate > 0:
        raise ValueError(f"check_step: the learning rate must be positive, not {learning_rate!r}")
    points = _points("check_step", step, loss, args, argnums)
    names = [f"the new {name}" for name in _names(loss, points)]
    return _diagnosis(points, names, rtol, learning_rate)


def _points(
    name: str, answer: Any, loss: Any, args: tuple[Any, ...], argnums: int | Sequence[int]
) -> list[Point]:
    """The given point, with its answers, and for a function further ones."""
    if not callable(loss):
        raise TypeError(f"{name}: the loss must be a function, not {type(loss).__name__}")
    chosen, given = [], list(args)
    for n in numbers_of(argnums):
        try:
            chosen.append(range(len(args))[n])
        except (TypeError, IndexError):
            raise TypeError(
                f"{name}: argnums {n!r} is not the number of one of {len(args)} arguments"
            ) from None
        given[chosen[-1]] = array_of(_plain(args[n]), True, f"{name}: argument {n}")
    points = [Point(loss, given, chosen, name)]
    if not all(np.all(np.isfinite(g)) for g in points[0].right):
        raise ValueError(f"{name}: the gradient of the loss is not finite at these arguments")
    if callable(answer):
        points += islice(filter(Point.is_accurate, _others(points[0])), POINTS - 1)
    for point in points:
        point.answers = _answers(answer, point, isinstance(argnums, Iterable))
    return points


def _others(point: Point) -> Iterator[Point]:
    """Points where the chosen arguments are different: near them, near −x, and of equal signs.

    Near −x the masks of a ReLU are different; a logarithm needs points of equal signs.
    """
    random, given = np.random.default_rng(0), list(point.args)
    for k in range(TRIES):
        for n in point.chosen:
            x = np.asarray(point.args[n])
            # So that the sum of many terms, such as w·x, does not become large.
            with np.errstate(over="ignore"):
                scale = max(1.0, float(np.linalg.norm(x))) / np.sqrt(max(x.size, 1)) / 2
            noise = random.normal(scale=scale, size=x.shape).astype(np.result_type(x, 0.0))
            factor = random.uniform(0.5, 1.5, size=x.shape).astype(noise.dtype)
            given[n] = (x + noise, noise - x, factor * x)[k % 3]
        with suppress(ValueError, ArithmeticError):  # outside the domain of the loss
            yield Point(point.loss, given, point.chosen, point.name)


def _plain(x: Any) -> Any:
    return x.array if isinstance(x, Value) else x


def _answers(answer: Any, point: Point, several: bool) -> list[Any]:
    """The answer for each chosen argument: an array, None for no answer yet, or an error."""
    if callable(answer):
        args = [np.array(x) if isinstance(x, np.ndarray) else x for x in point.args]
        try:
            with np.errstate(all="ignore"):
                answer = answer(*args)
        except ValueError as error:
            error.add_note(
                f"The arguments have the shapes {', '.join(str(np.shape(x)) for x in args)}. If a "
                "product does not fit, must one of its factors be transposed?"
            )
            raise
    count = len(point.chosen)
    if answer is None or answer is ...:
        return [None] * count
    if not several:
        return [_array(answer)]
    if not isinstance(answer, (tuple, list)) or len(answer) != count:
        return [f"The answer must be a tuple of {count} array{'s' * (count > 1)}."] * count
    return [_array(x) for x in answer]


def _array(x: Any) -> Any:
    if x is None or x is ...:
        return None
    try:
        array = np.asarray(_plain(x))
        # The precision of an answer in float32 is that of its dtype.
        kind = np.float32 if array.dtype == np.float32 else np.float64
        return array.astype(kind, casting="same_kind")
    except (TypeError, ValueError):
        found = getattr(x, "dtype", type(x).__name__)
        return f"The answer must be an array of real numbers, not {found}."


def _names(loss: Callable[..., Any], points: Sequence[Point]) -> list[str]:
    """The names of the chosen arguments."""
    try:
        parameters = inspect.signature(loss).parameters.values()
    except (TypeError, ValueError):  # a function that is not written in Python
        parameters = {}.values()
    names = [x.name for x in parameters if x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD)]
    return [names[n] if n < len(names) else f"(argument {n})" for n in points[0].chosen]


def _diagnosis(
    points: Sequence[Point], names: Sequence[str], rtol: float, learning_rate: float | None = None
) -> Diagnosis:
    """The diagnosis of all gradients; those with the same verdict share a paragraph."""
    found: dict[Verdict, list[str]] = {}
    for i, name in enumerate(names):
        verdict = _verdict(Comparison(points, i, rtol, learning_rate))
        found.setdefault(verdict, []).append(name)
    paragraphs = [_filled(line) for verdict, who in found.items() for line in verdict.lines(who)]
    mistakes = dict.fromkeys(name for verdict in found for name in verdict.mistakes)
    correct = all(verdict.kind == "correct" for verdict in found)
    return Diagnosis(correct, tuple(mistakes), "\n".join(paragraphs))


def _apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers as text, with as many digits as it takes to tell them apart."""
    texts = number(a), number(b)
    for digits in range(5, 18):
        if texts[0] == texts[1]:
            texts = f"{a:.{digits}g}".replace("-", "−"), f"{b:.{digits}g}".replace("-", "−")
    return texts


def _filled(line: str) -> str:
    """The line in lines of at most WIDTH characters, without a break beside an operator."""
    kept = re.sub(r" ([−+=≤]) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", line)
    filled = textwrap.fill(kept, WIDTH, break_on_hyphens=False, break_long_words=False)
    return filled.replace("\N{NO-BREAK SPACE}", " ")


class Verdict(NamedTuple):
    """What is known about one gradient: "correct", "wrong" or "open", and the explanation."""

    kind: str
    mistakes: tuple[str, ...] = ()
    heading: str = ""
    text: str = ""

    def lines(self, names: Sequence[str]) -> list[str]:
        """The paragraphs of the message about these gradients."""
        joined = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
        verb = "are" if names[1:] else "is"
        verb = {"correct": f"{verb} correct", "wrong": f"{verb} not correct"}.get(self.kind, "")
        heading = f"{joined} {verb}" if verb else joined
        first = f"{heading}: {self.heading}." if self.heading else f"{heading}."
        return [first[0].upper() + first[1:], *self.text.splitlines()]


def _verdict(compared: Comparison) -> Verdict:
    """The verdict on one gradient."""
    for answer in compared.given:
        if answer is None:
            return Verdict("open", heading="no answer yet")
        if isinstance(answer, str):
            return Verdict("wrong", text=answer)
    if compared.correct():
        return Verdict("correct")
    ways = compared.explanations()
    names = tuple(dict.fromkeys(mistake.name for way in ways for mistake in way))
    if not ways:
        return Verdict("wrong", text=_first_difference(compared))
    heading = " or ".join(" and ".join(m.name for m in way) for way in ways)
    text = "\n".join(dict.fromkeys(mistake.text for way in ways for mistake in way))
    kind = "correct" if names == (KINK,) else "wrong"
    return Verdict(kind, () if kind == "correct" else names, heading, text)


def _first_difference(compared: Comparison) -> str:
    """The first element that differs, at the first point where one does."""
    parts = zip(compared.points, compared.given, compared.expected, strict=True)
    for k, (point, answer, right) in enumerate(parts):
        if np.shape(answer) != right.shape:
            return (
                f"The shape is {np.shape(answer)}; it must be {right.shape}. No common mistake "
                "gives these numbers."
            )
        wrong = ~compared.close_elements(answer, right)
        if not wrong.any():
            continue
        place = tuple(int(n) for n in np.argwhere(wrong)[0])
        where = f"The element {list(place)} is" if place else "It is"
        at = "" if k == 0 else f", where the argument is {point.args[point.chosen[compared.i]]}"
        is_there, must_be = _apart(float(answer[place]), float(right[place]))
        return (
            f"{where} {is_there}; it must be {must_be}{at}. No common mistake gives these numbers."
        )
    return "No common mistake gives these numbers."
