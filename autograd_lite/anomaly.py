"""Finding the first operation that made a NaN or an infinity out of good numbers."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from autograd_lite.context import setting
from autograd_lite.node import Node
from autograd_lite.residuals import operands_of

__all__ = ["AnomalyError", "detect_anomaly"]


class AnomalyError(ArithmeticError):
    """An operation, or its gradient rule, made a NaN or an infinity out of good numbers."""


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Stop at the first operation that makes a bad number, in this thread and task.

    An operation is at fault if its result holds a NaN where no operand holds one, or an infinity
    where all operands are finite; a gradient rule likewise, with the gradient that enters it for
    an operand. Bad numbers that were given (−inf in a mask, NaN in data) are nobody's fault. What
    is made and swept back inside is watched; each operation costs a look at its numbers and at the
    caller's line. NumPy's own warnings of bad numbers are silent inside.

    Raises:
        AnomalyError: naming the operation, the line of the program that applied it, and its
            operands with their names, shapes and offending values.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> x = ag.Tensor([0.0, 4.0], name="x")
        >>> with ag.detect_anomaly():
        ...     np.sum(np.sqrt(x)).backward()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        autograd_lite.anomaly.AnomalyError: the gradient rule of sqrt, for its input x, made inf ...
    """
    with setting(watch=_Finder()), np.errstate(all="ignore"):
        yield


class _Lines:
    """Notes for each node the line of the program that asked for it."""

    def __init__(self, line: tuple[str, int, str] | None = None) -> None:
        self.line = line

    def made(self, node: Any, op: Any, inputs: Any, operands: Any) -> None:
        node.line = self.line or _users_line()

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        return rule


class _Finder(_Lines):
    """Looks at every result and every part of a gradient."""

    def made(self, node: Any, op: Any, inputs: Any, operands: Any) -> None:
        super().made(node, op, inputs, operands)
        if _worse(node.array, operands):
            raise AnomalyError(
                _report(f"{op.name} made", node.array, node.line, node.shape)
                + _operands(op, inputs, operands, node.array)
            )

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        line = getattr(node, "line", None) or _users_line()

        def watched(g: Any, out: Any, *operands: Any, **attributes: Any) -> Any:
            # What a rule computes on the way is its own affair: a part that it masks may be bad.
            with setting(watch=_Lines(line)):
                part = rule(g, out, *operands, **attributes)
            array, entering = _array(part), _array(g)
            if _worse(array, [entering]):
                op, x = node.op, node.inputs[k]
                name = x.name or f"number {k}"
                raise AnomalyError(
                    _report(
                        f"the gradient rule of {op.name}, for its input {name}, made",
                        array,
                        line,
                        np.shape(array),
                    )
                    + f"\n  gradient entering: {_numbers(entering, array)}"
                    + _operands(op, node.inputs, operands_of(node), array)
                )
            return part

        return watched


def _array(x: Any) -> Any:
    return np.asarray(x.array if isinstance(x, Node) else x)


def _worse(result: Any, operands: Sequence[Any]) -> bool:
    """Whether a result is bad where all that it was made from was better."""
    if np.isfinite(result).all():
        return False
    if all(np.isfinite(x).all() for x in operands):
        return True
    return bool(np.isnan(result).any()) and not any(np.isnan(x).any() for x in operands)


def _users_line() -> tuple[str, int, str] | None:
    """The file, line and function of the innermost caller outside this package and NumPy."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        home = frame.f_globals.get("__name__", "").split(".")[0]
        if home not in (__package__, "numpy", "contextlib", "functools"):
            return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
        frame = frame.f_back
    return None


def _bad(array: Any) -> Any:
    array = np.asarray(array)
    nans = np.isnan(array)
    return nans if nans.any() else ~np.isfinite(array)


def _report(what: str, result: Any, line: Any, shape: tuple[int, ...]) -> str:
    bad = _bad(result)
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    value = np.asarray(result)[first]
    place = f" at {list(first)}" if first else ""
    many = f", {int(bad.sum())} of {bad.size} numbers" if bad.size > 1 else ""
    text = f"{what} {value} out of good numbers{place} of its result {shape}{many}"
    if line is None:
        return text
    file, row, function = line
    source = linecache.getline(file, row).strip()
    within = "" if function.startswith("<") else f", in {function}"
    return f"{text}\n  {file}:{row}{within}" + (f"\n    {source}" if source else "")


def _operands(op: Any, inputs: Sequence[Any], operands: Sequence[Any], bad: Any) -> str:
    lines = []
    for k, (x, array) in enumerate(zip(inputs, operands, strict=True)):
        made = f"the result of {x.op.name}" if x.op is not None else f"operand {k}"
        shape, dtype = np.shape(array), np.asarray(array).dtype
        lines.append(f"\n  {x.name or made} {shape} {dtype}: {_numbers(array, bad)}")
    return "".join(lines)


def _numbers(array: Any, result: Any) -> str:
    """The values where the result is bad, if they stand side by side; else the array in short."""
    array, bad = np.asarray(array), _bad(result)
    if array.size > 1:
        try:
            beside = np.broadcast_to(array, bad.shape)
        except ValueError:
            beside = None
        if beside is not None and bad.ndim:
            return f"{_short(beside[bad])} there"
    return _short(array)


def _short(array: Any) -> str:
    return np.array2string(
        array, separator=", ", threshold=8, edgeitems=3, precision=6, prefix="    "
    )
