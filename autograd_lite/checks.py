"""Checking gradients against differences of values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.arrays import describe
from autograd_lite.context import no_grad, setting
from autograd_lite.differences import Slope, slope
from autograd_lite.record import Recorded
from autograd_lite.rounding import Shaken, rounding
from autograd_lite.tensor import Tensor
from autograd_lite.text import number
from autograd_lite.transforms import Run
from autograd_lite.trees import flatten

__all__ = ["Checked", "GradientError", "check_gradients"]

MOST = 256
"""Of an array with more elements a sample of so many, and one direction through all of them."""


class GradientError(AssertionError):
    """A gradient disagrees with differences of values."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of gradients found in order.

    Attributes:
        count: how many derivatives agree with differences.
        unsure: where no difference can tell, and why, one line each.
    """

    count: int
    unsure: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.count} derivatives agree with differences", *self.unsure])


def check_gradients(f: Callable[..., Any], *args: Any, order: int = 1) -> Checked:
    """Compare the gradients of f with differences of its values, element by element.

    Every floating argument is checked, also inside nested containers; integers, booleans and
    constants are left alone. A function with several results is checked by a fixed weighted sum of
    them. The differences are taken in float64, so that a float32 gradient is held to what float32
    can give (3e-4 of its own size; float64 to 1e-6) and not to what differences in float32 would
    give. Where large terms cancel, as in a gradient that is 0 at a minimum, the rounding of these
    terms is allowed as well; it is measured, not guessed. Where f has a kink, the gradient must lie
    between the slopes of the two sides, and the report names the kink; it also names each element
    where f jumps or ends, or is too noisy. An array of more than 256 elements is checked at 256 of
    them and along one direction through all.

    Args:
        f: a function of arrays; written for Tensors, with NumPy's functions.
        args: where to check.
        order: 2 checks the second derivatives as well, 3 the third ones, and so on.

    Raises:
        GradientError: if a derivative is wrong, naming the argument, the element and both numbers;
            if a rule gives another dtype, f changes its arguments, or differs from run to run.
        TypeError: if there is nothing to check, or f does not return numbers.
        ValueError: if order is no whole number from 1 on.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> print(ag.check_gradients(lambda x: np.sum(np.abs(x)), np.array([1.0, 0.0])))
        2 derivatives agree with differences
        argument 0[1]: a kink; the gradient 0 lies between the slopes −1 and 1
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"check_gradients: order is 1, 2, 3 …, not {order!r}")
    if not callable(f):
        raise TypeError(f"check_gradients: takes a function, not {type(f).__name__}")
    every, paths, build = flatten(args)
    places = [k for k, leaf in enumerate(every) if _is_checked(leaf)]
    if not places:
        raise TypeError("check_gradients: no argument is a floating number, or an array of them")
    where = [_argument(paths[k]) for k in places]
    arrays = [np.array(_value(every[k])) for k in places]

    def of_leaves(*leaves: Any) -> Any:
        given = list(every)
        for k, leaf in zip(places, leaves, strict=True):
            given[k] = leaf
        return f(*build(given))

    before = [np.array(_value(leaf)) if _is_array(leaf) else None for leaf in every]
    count = 0
    unsure: tuple[str, ...] = ()
    derivative: Callable[..., Any] = of_leaves
    for n in range(1, order + 1):
        found = _check(
            derivative, arrays, where, _DERIVATIVES.get(n, f"the derivative of order {n}")
        )
        count, unsure = count + found.count, unsure + found.unsure
        derivative = functools.partial(_gradient, derivative)
    for leaf, was, path in zip(every, before, paths, strict=True):
        if was is not None and not np.array_equal(
            _value(leaf), was, equal_nan=was.dtype.kind == "f"
        ):
            raise GradientError(
                f"check_gradients: the function changed its {_argument(path)} in place; copy it "
                "first"
            )
    return Checked(count, unsure)


_DERIVATIVES = {1: "the gradient", 2: "the second derivative", 3: "the third derivative"}


def _value(leaf: Any) -> Any:
    return leaf.array if isinstance(leaf, Recorded) else leaf


def _is_array(leaf: Any) -> bool:
    return (
        isinstance(leaf, (Recorded, np.ndarray)) and np.asarray(_value(leaf)).dtype.kind in "biuf"
    )


def _is_checked(leaf: Any) -> bool:
    if isinstance(leaf, Recorded) and not leaf.requires_grad:
        return False
    return isinstance(leaf, (Recorded, np.ndarray, np.generic, float)) and (
        np.asarray(_value(leaf)).dtype.kind == "f"
    )


def _argument(path: str) -> str:
    number, rest = path[1:].split("]", 1)
    return f"argument {number}{rest}"


def _run(f: Callable[..., Any], leaves: Sequence[Any]) -> Run:
    return Run(f, leaves, range(len(leaves)), "check_gradients")


def _weights(run: Run) -> list[Any]:
    """Weights for the results, away from 0 and the same in every run; 1 for a single number."""
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
    """The gradient of the weighted sum of the results, a function for the second order."""
    run = _run(f, leaves)
    return [run.out(g, x) for g, x in zip(run.pull(_weights(run)), run.arguments, strict=True)]


def _check(
    f: Callable[..., Any], arrays: Sequence[Any], where: Sequence[str], what: str
) -> Checked:
    """One order: the gradients of the weighted sum of f's results against its differences."""
    run = _run(f, arrays)
    weights = _weights(run)
    if all(weight is None for weight in weights):
        raise TypeError("check_gradients: the function returned no floating numbers")
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
            verdict = _verdict(claimed, error, array.dtype, value, k, direction)
            place = where[k] + element
            if verdict is None:
                count += 1
            elif verdict.startswith("wrong"):
                wrong.append(f"{place}: {what} is {verdict[6:]}")
            else:
                unsure.append(f"{place}: {verdict}")
                count += verdict.startswith("a kink")
    if wrong:
        total = count + len(wrong)
        shown = wrong[:8] + [f"and {len(wrong) - 8} more"] * (len(wrong) > 8)
        raise GradientError(
            f"check_gradients: {len(wrong)} of {total} derivatives disagree with differences\n  "
            + "\n  ".join(shown)
        )
    return Checked(count, tuple(unsure))


def _verdict(
    claimed: float,
    error: float,
    dtype: Any,
    value: _Value,
    k: int,
    direction: Any,
) -> str | None:
    """None where gradient and difference agree, else what to report; wrong ones first."""
    fine = 1e-6 if dtype.itemsize >= 8 else 3e-4
    # Below the root of the smallest number products underflow.
    least = float(np.sqrt(np.finfo(dtype).tiny))
    found = value.slope(k, direction, 0.01 * (fine * abs(claimed) + error + least))
    if found.trouble == "a kink":
        low, high = sorted([found.left, found.right])
        slack = max(fine * abs(claimed), 1e-3 * (high - low))
        sides = f"the slopes {number(found.left)} and {number(found.right)}"
        if low - slack <= claimed <= high + slack:
            return f"a kink; the gradient {number(claimed)} lies between {sides}"
        return f"wrong {_exact(claimed)}, not between {sides} of a kink"
    if found.trouble:
        return f"{found.trouble}; differences cannot tell"
    size = max(abs(claimed), abs(found.value))
    if abs(claimed - found.value) <= fine * size + error + least + 2 * found.error:
        # A derivative that is 0 but for rounding is as good as the differences that see none.
        much = 3e-4 * max(size, error / float(np.finfo(dtype).eps), abs(value.here))
        noisy = abs(claimed) > error and found.error > much
        return "too noisy; differences cannot tell" if noisy else None
    off = abs(claimed - found.value) / max(abs(found.value), 1e-300)
    share = f" ({100 * off:.2g} % off)" if off < 10 else ""
    return f"wrong {_exact(claimed)}, differences give {_exact(found.value)}{share}"


def _exact(x: float) -> str:
    return f"{x:.7g}"


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
    """The same values, and the same gradients, a second time."""
    subject = "the gradient" if isinstance(f, functools.partial) else "the function's value"
    again = _run(f, arrays)
    for y, z in zip(run.results, again.results, strict=True):
        if not np.all(np.isfinite(y.array)):
            raise GradientError(
                f"check_gradients: {subject} has no finite value here: {describe(y)}"
            )
        if not np.array_equal(y.array, z.array):
            raise GradientError(
                f"check_gradients: {subject} is another when it runs again; fix random numbers, "
                "or what is kept between runs"
            )
    for one, two in zip(first, _gradients(run, weights), strict=True):
        if not np.array_equal(one, two, equal_nan=True):
            raise GradientError(
                "check_gradients: a second sweep gives other gradients; a rule changes an array in "
                "place, or keeps something between calls"
            )


class _Value:
    """The weighted sum of the results of a function, its slopes, and its rounding error."""

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
        """How wrong a value may be, because every result on the way to it is rounded."""
        return max(self.least, rounding(value, [self.shake(self, arrays)]))

    def slope(self, k: int, direction: Any, enough: float) -> Slope:
        """The slope along a direction of the k-th argument."""
        moved = direction != 0
        scale = float(max(1.0, np.max(np.abs(self.wide[k][moved])))) / max(
            1.0, float(np.abs(direction).max())
        )

        def at(t: float) -> list[Any]:
            return [*self.wide[:k], self.wide[k] + t * direction, *self.wide[k + 1 :]]

        return slope(lambda t: self(at(t)), scale, lambda t, y: self.rounding(y, at(t)), enough)


def _shaken_gradients(
    f: Callable[..., Any], arrays: Sequence[Any], weights: Sequence[Any]
) -> list[list[Any]]:
    """The gradients, where every result and every part on the way to them is moved a little."""
    # What the rule of a σ or a softmax rounds is as if an argument of size 1 were rounded.
    shake = Shaken(least=1.0)
    found = [shake(lambda moved: _plain(_run(f, moved), weights), arrays) for _ in range(6)]
    return [gradients for gradients in found if gradients is not None]


def _directions(array: Any) -> Iterator[tuple[str, Any]]:
    """Every element, or a sample and one direction through all."""
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
    """Watches that gradient rules keep the precision of what they are handed."""

    def applied(self, value: Any, op: Any, inputs: Any, arrays: Any) -> None:
        pass

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        def checked(*args: Any, **attributes: Any) -> Any:
            part = rule(*args, **attributes)
            dtype, x = part.dtype, node.inputs[k]
            wanted = x.form.dtype
            fits = {wanted, node.form.dtype}
            coarse = np.promote_types(dtype, wanted) != dtype
            if dtype not in fits and (coarse or node.op.foreign):
                raise GradientError(
                    f"check_gradients: the gradient rule of input {k} of {node.op.name} gave dtype "
                    f"{dtype} for {x} of dtype {wanted}"
                )
            return part

        return checked
