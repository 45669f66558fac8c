"""Checking gradients against finite differences."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.arrays import describe
from autograd_lite.context import no_grad, setting
from autograd_lite.differences import Derivative, derivative
from autograd_lite.record import Recorded
from autograd_lite.rounding import Shaken, rounding
from autograd_lite.tensor import Tensor
from autograd_lite.text import number
from autograd_lite.transforms import Run
from autograd_lite.trees import flatten

__all__ = ["Checked", "GradientError", "check_gradients"]

MOST = 256
"""The number of elements that are checked of a larger array."""


class GradientError(AssertionError):
    """A gradient disagrees with finite differences."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check without errors.

    Attributes:
        count: the number of derivatives that agree with differences.
        unsure: one line for each element at a kink or where differences cannot decide.
    """

    count: int
    unsure: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.count} derivatives agree with differences", *self.unsure])


def check_gradients(f: Callable[..., Any], *args: Any, order: int = 1) -> Checked:
    """Compare the gradients of f with finite differences, element by element.

    Every floating-point argument is checked, also inside containers; integers, Booleans and
    constants are not. Several results are checked as a fixed weighted sum. The differences are
    taken in float64: a float64 gradient must be accurate to 1e-6 of its size, a float32 gradient
    to 3e-4. Where large terms cancel, as at a minimum, their measured rounding error is allowed
    too. At a kink the gradient must lie between the one-sided derivatives. Kinks, jumps, ends of
    the domain and values that are too noisy are reported. An array of more than 256 elements is
    checked at 256 of them and along one direction through all.

    Args:
        f: a function of arrays, written with NumPy's functions.
        args: the arguments at which to check.
        order: 2 checks the second derivatives as well, 3 the third ones, and so on.

    Raises:
        GradientError: if a derivative is wrong, a gradient rule returns another dtype, or f
            changes its arguments or differs from run to run.
        TypeError: if there is nothing to check, or f does not return numbers.
        ValueError: if order is not a positive integer.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> print(ag.check_gradients(lambda x: np.sum(np.abs(x)), np.array([1.0, 0.0])))
        2 derivatives agree with differences
        argument 0[1]: a kink; the gradient 0 lies between the one-sided derivatives −1 and 1
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"check_gradients: order must be a positive integer, not {order!r}")
    if not callable(f):
        raise TypeError(f"check_gradients: takes a function, not {type(f).__name__}")
    every, paths, build = flatten(args)
    places = [
        k for k, x in enumerate(every) if _kind(x) == "f" and getattr(x, "requires_grad", True)
    ]
    if not places:
        raise TypeError("check_gradients: no argument is a floating-point number or array")
    before = [np.array(_value(x)) if _kind(x) and _kind(x) in "biuf" else None for x in every]

    def of_leaves(*leaves: Any) -> Any:
        chosen = dict(zip(places, leaves, strict=True))
        return f(*build([chosen.get(k, leaf) for k, leaf in enumerate(every)]))

    arrays = [np.array(_value(every[k])) for k in places]
    checked = _check_orders(of_leaves, arrays, [_argument(paths[k]) for k in places], order)
    _check_unchanged(every, before, paths)
    return checked


def _check_orders(
    f: Callable[..., Any], arrays: Sequence[Any], where: Sequence[str], order: int
) -> Checked:
    """Check the derivatives up to an order."""
    count, unsure = 0, list[str]()
    for n in range(1, order + 1):
        what = _DERIVATIVES.get(n, f"the derivative of order {n}")
        found = _check(f, arrays, where, what)
        count += found.count
        unsure += found.unsure
        f = functools.partial(_gradient, f)
    return Checked(count, tuple(unsure))


def _check_unchanged(every: Sequence[Any], before: Sequence[Any], paths: Sequence[str]) -> None:
    for leaf, was, path in zip(every, before, paths, strict=True):
        if was is not None and not np.array_equal(
            _value(leaf), was, equal_nan=was.dtype.kind == "f"
        ):
            raise GradientError(
                f"check_gradients: the function changed its {_argument(path)} in place; copy it "
                "first"
            )


_DERIVATIVES = {1: "the gradient", 2: "the second derivative", 3: "the third derivative"}


def _value(leaf: Any) -> Any:
    return leaf.array if isinstance(leaf, Recorded) else leaf


def _kind(leaf: Any) -> str:
    """The kind of dtype of an array or a floating-point number, else an empty string."""
    known = isinstance(leaf, (Recorded, np.ndarray, np.generic, float))
    return np.asarray(_value(leaf)).dtype.kind if known else ""


def _argument(path: str) -> str:
    number, rest = path[1:].split("]", 1)
    return f"argument {number}{rest}"


def _run(f: Callable[..., Any], leaves: Sequence[Any]) -> Run:
    return Run(f, leaves, range(len(leaves)), "check_gradients")


def _weights(run: Run) -> list[Any]:
    """Weights of the results: fixed and away from 0; 1 for a single number."""
    if len(run.results) == 1 and run.results[0].size == 1 and run.results[0].dtype.kind == "f":
        return [np.ones(run.results[0].shape, run.results[0].dtype)]
    random = np.random.default_rng(0)
    return [
        (random.choice([-1, 1], y.shape) * random.uniform(0.5, 1.5, y.shape)).astype(y.dtype)
        if y.dtype.kind == "f"
        else None
        for y in run.results
    ]


def _gradient(f: Callable[..., Any], *leaves: Any) -> list[Any]:
    """The gradient of the weighted sum of the results, as a function to differentiate again."""
    run = _run(f, leaves)
    return [run.out(g, x) for g, x in zip(run.pull(_weights(run)), run.arguments, strict=True)]


def _check(
    f: Callable[..., Any], arrays: Sequence[Any], where: Sequence[str], what: str
) -> Checked:
    """Check the gradients of the weighted sum of the results of f."""
    run = _run(f, arrays)
    weights = _weights(run)
    if all(weight is None for weight in weights):
        raise TypeError("check_gradients: the function returned no floating-point numbers")
    gradients = _gradients(run, weights)
    _check_repeats(f, arrays, run, weights, gradients)
    value = _Value(f, weights, arrays)
    shaken = _shaken_gradients(f, arrays, weights)
    count, unsure, wrong = 0, [], []
    for k, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):
        for element, direction in _directions(array):

            def along(g: Any, direction: Any = direction) -> float:
                moved = direction != 0
                return float(np.sum(g[moved] * direction[moved], dtype=np.float64))

            claimed = along(gradient)
            error = rounding(claimed, [along(found[k]) for found in shaken])
            kind, text = _verdict(claimed, error, array.dtype, value, k, direction)
            count += kind in ("agrees", "kink")
            if kind == "wrong":
                wrong.append(f"{where[k]}{element}: {what} is {text}")
            elif text:
                unsure.append(f"{where[k]}{element}: {text}")
    if wrong:
        total = count + len(wrong)
        shown = wrong[:8] + [f"and {len(wrong) - 8} more"] * (len(wrong) > 8)
        raise GradientError(
            f"check_gradients: {len(wrong)} of {total} derivatives disagree with differences\n  "
            + "\n  ".join(shown)
        )
    return Checked(count, tuple(unsure))


def _verdict(
    claimed: float, error: float, dtype: Any, value: _Value, k: int, direction: Any
) -> tuple[str, str]:
    """Whether a derivative "agrees", is "wrong", at a "kink" or "unsure", and the report."""
    fine = 1e-6 if dtype.itemsize >= 8 else 3e-4
    # Products of numbers below the root of the smallest one underflow.
    least = float(np.sqrt(np.finfo(dtype).tiny))
    found = value.derivative(k, direction, 0.01 * (fine * abs(claimed) + error + least))
    if found.trouble == "a kink":
        low, high = sorted([found.left, found.right])
        slack = max(fine * abs(claimed), 1e-3 * (high - low))
        sides = f"the one-sided derivatives {number(found.left)} and {number(found.right)}"
        if low - slack <= claimed <= high + slack:
            return "kink", f"a kink; the gradient {number(claimed)} lies between {sides}"
        return "wrong", f"{claimed:.7g}, not between {sides} of a kink"
    if found.trouble:
        return "unsure", f"{found.trouble}; differences cannot decide"
    size = max(abs(claimed), abs(found.value))
    if abs(claimed - found.value) <= fine * size + error + least + 2 * found.error:
        # A derivative that is 0 up to rounding error agrees with differences that are noise.
        much = 3e-4 * max(size, error / float(np.finfo(dtype).eps), abs(value.here))
        noisy = abs(claimed) > error and found.error > much
        return ("unsure", "too noisy; differences cannot decide") if noisy else ("agrees", "")
    off = abs(claimed - found.value) / max(abs(found.value), 1e-300)
    share = f" ({100 * off:.2g} % off)" if off < 10 else ""
    return "wrong", f"{claimed:.7g}, differences give {found.value:.7g}{share}"


def _gradients(run: Run, weights: Sequence[Any]) -> list[Any]:
    with setting(observer=_Dtypes()):
        return _plain(run, weights)


def _plain(run: Run, weights: Sequence[Any]) -> list[Any]:
    return [
        np.zeros(x.shape) if g is None else np.array(_value(g))
        for g, x in zip(run.pull(weights), run.arguments, strict=True)
    ]


def _check_repeats(
    f: Callable[..., Any], arrays: Sequence[Any], run: Run, weights: Sequence[Any], first: Any
) -> None:
    """Check that a second run gives the same values and the same gradients."""
    subject = "the gradient" if isinstance(f, functools.partial) else "the function's value"
    again = _run(f, arrays)
    for y, z in zip(run.results, again.results, strict=True):
        if not np.all(np.isfinite(y.array)):
            raise GradientError(f"check_gradients: {subject} is not finite here: {describe(y)}")
        if not np.array_equal(y.array, z.array):
            raise GradientError(
                f"check_gradients: {subject} changes from run to run; fix random seeds and state "
                "that is kept between runs"
            )
    for one, two in zip(first, _gradients(run, weights), strict=True):
        if not np.array_equal(one, two, equal_nan=True):
            raise GradientError(
                "check_gradients: a second backward pass gives different gradients; a rule changes "
                "an array in place or keeps state between calls"
            )


class _Value:
    """The weighted sum of the results of a function, its derivatives and its rounding error."""

    def __init__(
        self, f: Callable[..., Any], weights: Sequence[Any], arrays: Sequence[Any]
    ) -> None:
        self.f, self.weights = f, weights
        self.wide = [x.astype(np.promote_types(x.dtype, np.float64)) for x in arrays]
        self.shake = Shaken()
        self.here = self(self.wide)
        self.least = rounding(self.here, [self.shake(self, self.wide) for _ in range(4)])

    def __call__(self, arrays: Sequence[Any]) -> float:
        with no_grad(), np.errstate(all="ignore"):
            results = flatten(self.f(*(Tensor(x, requires_grad=False) for x in arrays)))[0]
        return sum(
            float(np.sum(_value(y) * weight, dtype=np.float64))
            for y, weight in zip(results, self.weights, strict=True)
            if weight is not None
        )

    def rounding(self, value: float, arrays: Sequence[Any]) -> float:
        """The error of a value from the rounding of every intermediate result."""
        return max(self.least, rounding(value, [self.shake(self, arrays)]))

    def derivative(self, k: int, direction: Any, enough: float) -> Derivative:
        """The derivative along a direction of the k-th argument."""
        moved = direction != 0
        scale = float(max(1.0, np.max(np.abs(self.wide[k][moved])))) / max(
            1.0, float(np.abs(direction).max())
        )

        def at(t: float) -> list[Any]:
            return [*self.wide[:k], self.wide[k] + t * direction, *self.wide[k + 1 :]]

        return derivative(
            lambda t: self(at(t)), scale, lambda t, y: self.rounding(y, at(t)), enough
        )


def _shaken_gradients(
    f: Callable[..., Any], arrays: Sequence[Any], weights: Sequence[Any]
) -> list[list[Any]]:
    """Gradients with every intermediate result perturbed by its rounding error."""
    # The rule of a σ or a softmax rounds as if it had an argument of size 1.
    shake = Shaken(least=1.0)
    found = [shake(lambda moved: _plain(_run(f, moved), weights), arrays) for _ in range(6)]
    return [gradients for gradients in found if gradients is not None]


def _directions(array: Any) -> Iterator[tuple[str, Any]]:
    """The direction of every element, or of a sample and one direction through all."""
    places: Any = range(array.size)
    if array.size > MOST:
        random = np.random.default_rng(array.size)
        places = np.sort(random.choice(array.size, MOST, replace=False))
        yield " along a direction", random.choice([-1.0, 1.0], array.shape)
    for place in places:
        direction = np.zeros(array.shape)
        direction.flat[place] = 1
        index = np.unravel_index(place, array.shape)
        yield f"[{', '.join(str(int(i)) for i in index)}]" if index else "", direction


class _Dtypes:
    """Checks that gradient rules keep the precision of their arguments."""

    def applied(self, value: Any, op: Any, inputs: Any, arrays: Any) -> None:
        pass

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        def checked(*args: Any, **attributes: Any) -> Any:
            part = rule(*args, **attributes)
            dtype, x = part.dtype, node.inputs[k]
            expected = x.form.dtype
            coarse = np.promote_types(dtype, expected) != dtype
            if dtype not in (expected, node.form.dtype) and (coarse or node.op.foreign):
                raise GradientError(
                    f"check_gradients: the gradient rule of input {k} of {node.op.name} gave dtype "
                    f"{dtype} for {x} of dtype {expected}"
                )
            return part

        return checked
