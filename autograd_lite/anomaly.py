"""Finding the first operation that makes a NaN or infinity, or whose operand is on a kink."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_lite.context import setting
from autograd_lite.core.tensor import value_of
from autograd_lite.lines import Lines, users_line
from autograd_lite.record import Recorded

__all__ = ["AnomalyError", "KinkError", "detect_anomaly"]


class AnomalyError(ArithmeticError):
    """An operation or its gradient rule made a NaN or infinity from finite inputs."""


class KinkError(AnomalyError):
    """An operand is exactly at a kink or a jump of its operation."""


@contextmanager
def detect_anomaly(*, kinks: bool = False) -> Iterator[None]:
    """Raise at the first operation that makes a NaN or infinity from finite inputs.

    An operation is reported if its result has a NaN and no operand has one, or an infinity and all
    operands are finite; a gradient rule likewise, where the incoming gradient takes the place of
    the operands. Infinities and NaNs in the inputs (−inf in a mask, NaN in data) are not reported.
    The context applies to this thread and task. It checks the numbers of every operation and
    backward pass and records the caller's line; it also silences NumPy's floating-point warnings.

    Args:
        kinks: raise at kinks too: when a nonzero gradient enters an operation with an operand
            exactly on a kink (0 for ReLU, a tie for `maximum`), and when an operation without a
            gradient (`>`, `sign`, `floor`, `argsort`) is applied to an operand that requires a
            gradient and is exactly on a jump.

    Raises:
        AnomalyError: with the operation, the line of the program that applied it, and its operands
            with names, shapes and values.
        KinkError: an `AnomalyError`, for a kink.

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
    with setting(observer=_Finder(kinks)), np.errstate(all="ignore"):
        yield


class _Finder(Lines):
    """Checks every result and every part of a gradient, and optionally the kinks."""

    def __init__(self, kinks: bool) -> None:
        super().__init__()
        self.kinks = kinks

    def applied(self, value: Any, op: Any, inputs: Any, arrays: Any) -> None:
        super().applied(value, op, inputs, arrays)
        node, out = value.node, value.array
        if _worse(out, arrays):
            raise AnomalyError(
                _made(op.name, out, arrays, "inputs", node.line)
                + _operands(inputs, arrays, _bad(out))
            )
        # The kinks of a differentiable operation are checked when a gradient enters it.
        if self.kinks and not op.differentiable and any(x.requires_grad for x in inputs):
            self.look_at_kinks(node, op, inputs, arrays, node.line)

    def look_at_kinks(
        self, node: Any, op: Any, inputs: Any, operands: Any, line: Any, entering: Any = 1.0
    ) -> None:
        """Raise if an operand is on a kink and a nonzero gradient enters."""
        # Without recording there are no derivatives, and a node holds no attributes.
        if op.traits.kinks is None or node.op is None:
            return
        with setting(observer=None):
            mask = np.asarray(op.traits.kinks(*map(np.asarray, operands), **node.attributes))
        if not mask.any():
            return
        entered = np.not_equal(entering, 0)
        if np.ndim(entered) == mask.ndim or not entered.any():
            # In an elementwise operation each element has its own gradient.
            mask = mask & entered
        if mask.any():
            kind = "a kink" if op.differentiable else "a jump"
            raise KinkError(
                f"{op.name}: an operand sits exactly on {kind}{_where(mask)}"
                + _line(line)
                + _operands(inputs, operands, mask)
            )

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        line = getattr(node, "line", None) or users_line()

        def watched(g: Any, out: Any, *operands: Any, **attributes: Any) -> Any:
            if self.kinks and node.op.traits.kinks is not None:
                operands_then = value_of(node).operands
                self.look_at_kinks(node, node.op, node.inputs, operands_then, line, _array(g))
            # The operations inside a rule are not checked: it may mask some of their results.
            with setting(observer=Lines(line)):
                part = rule(g, out, *operands, **attributes)
            array, entering = _array(part), _array(g)
            if _worse(array, [entering]):
                op, x = node.op, node.inputs[k]
                name = x.name or f"number {k}"
                rule_of = f"the gradient rule of {op.name}, for its input {name},"
                raise AnomalyError(
                    _made(rule_of, array, [entering], "gradient", line)
                    + f"\n  gradient entering: {_numbers(entering, _bad(array))}"
                    + _operands(node.inputs, value_of(node).operands, _bad(array))
                )
            return part

        return watched


def _array(x: Any) -> Any:
    return np.asarray(x.array if isinstance(x, Recorded) else x)


def _worse(result: Any, operands: Sequence[Any]) -> bool:
    """Whether a result has a NaN or infinity that its operands do not explain."""
    if np.isfinite(result).all():
        return False
    if all(np.isfinite(x).all() for x in operands):
        return True
    return bool(np.isnan(result).any()) and not any(np.isnan(x).any() for x in operands)


def _bad(array: Any) -> Any:
    array = np.asarray(array)
    nans = np.isnan(array)
    return nans if nans.any() else ~np.isfinite(array)


def _made(name: str, result: Any, sources: Sequence[Any], what: str, line: Any) -> str:
    """The operation, the number that it made, the place, and the line of the program."""
    bad = _bad(result)
    value = np.asarray(result)[tuple(np.argwhere(bad)[0])]
    finite = all(np.isfinite(x).all() for x in sources)
    article = "a " if what == "gradient" else ""
    given = f"{article}finite {what}" if finite else f"{article}{what} without NaN"
    shape = np.shape(result)
    return f"{name} made {value} from {given}{_where(bad, f' of its result {shape}')}{_line(line)}"


def _where(mask: Any, of: str = "") -> str:
    """The first place where a mask holds, and the number of such places."""
    first = np.argwhere(mask)[0].tolist()
    place = f" at {first}{of}" if first else ""
    many = f", {int(mask.sum())} of {mask.size} numbers" if mask.size > 1 else ""
    return place + many


def _line(line: Any) -> str:
    if line is None:
        return ""
    file, row, function = line
    source = linecache.getline(file, row).strip()
    within = "" if function.startswith("<") else f", in {function}"
    return f"\n  {file}:{row}{within}" + (f"\n    {source}" if source else "")


def _operands(inputs: Sequence[Any], operands: Sequence[Any], mask: Any) -> str:
    lines = []
    for k, (x, array) in enumerate(zip(inputs, operands, strict=True)):
        made = f"the result of {x.op.name}" if x.op is not None else f"operand {k}"
        shape, dtype = np.shape(array), np.asarray(array).dtype
        lines.append(f"\n  {x.name or made} {shape} {dtype}: {_numbers(array, mask)}")
    return "".join(lines)


def _numbers(array: Any, mask: Any) -> str:
    """The values where the mask holds, if the array broadcasts to it, else a short form."""
    array = np.asarray(array)
    if array.size > 1:
        try:
            beside = np.broadcast_to(array, mask.shape)
        except ValueError:
            beside = None
        if beside is not None and mask.ndim:
            return f"{_short(beside[mask])} there"
    return _short(array)


def _short(array: Any) -> str:
    return np.array2string(
        array, separator=", ", threshold=8, edgeitems=3, precision=6, prefix="    "
    )
