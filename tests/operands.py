"""Operands for every operation of the table, drawn from the operation's own fields.

A new elementwise operation, a new reduction and whatever else takes only ``axis``, ``keepdims``,
``ddof`` or numbers is tested by being in the table; makers.py gives operands to what needs more.
An operation for which there is neither fails with a message that says so: nothing goes untested
silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import makers_special  # noqa: F401
import numpy as np
from domains import DOMAINS
from hypothesis import strategies as st
from makers import SCIPY, SPECIAL, Draw, Made
from strategies import Values, axes, shapes, together

from autograd_lite.op import OPS, Op

DETERMINED: dict[str, Any] = {
    "cofactors": lambda a: [np.linalg.det(a)],
    "logsumexp_of_exp": lambda a, **axes: [np.exp(a), np.sum(np.exp(a), **axes)],
}
"""The last operands as functions of the others, whose rules include what they change."""


@dataclass(frozen=True)
class Case:
    """An operation, operands for it, and attributes."""

    op: Op
    operands: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def __call__(self, *operands: Any) -> Any:
        """The operation on these operands, arrays or Tensors."""
        if self.op.arity is None:
            return self.op(operands, **self.attributes)
        return self.op(*self.completed(operands), **self.attributes)

    def forward(self, *operands: Any) -> Any:
        """The same on arrays, through nothing but the operation's forward."""
        if self.op.arity is None:
            return self.op.forward(operands, **self.attributes)
        return self.op.forward(*self.completed(operands), **self.attributes)

    def completed(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operands of the operation: the last ones may be determined by the others."""
        last = DETERMINED.get(self.op.name)
        return operands if last is None else (*operands, *last(*operands, **self.attributes))

    def rules(self) -> list[Any]:
        """One rule an operand."""
        rules = [
            self._completing(rule) if self.op.name in DETERMINED else rule
            for rule, _ in zip(self.op.rules, self.operands, strict=False)
        ]
        return rules or [None] * len(self.operands)

    def _completing(self, rule: Any) -> Any:
        return lambda g, out, *operands, **attributes: rule(
            g, out, *self.completed(operands), **attributes
        )

    def floats(self) -> Iterator[int]:
        """The numbers of the operands that a derivative can be taken by."""
        return (k for k, x in enumerate(self.operands) if np.asarray(x).dtype.kind == "f")

    def astype(self, dtype: Any) -> Case:
        """The same case with its floating operands in another precision."""
        return replace(
            self,
            operands=tuple(
                x.astype(dtype) if np.asarray(x).dtype.kind == "f" else x for x in self.operands
            ),
        )


class NoOperandsError(AssertionError):
    """The harness does not know what to feed an operation."""

    def __init__(self, op: Op, why: str) -> None:
        super().__init__(
            f"nothing tests the operation {op.name!r}: {why}; give it operands in "
            "tests/makers.py, under @special"
        )


def _attributes(op: Op, draw: Draw, ndim: int) -> dict[str, Any]:
    """Attributes by their names and defaults."""
    attributes: dict[str, Any] = {}
    for name, default in op.signature.defaults.items():
        if name == "axis":
            several = "keepdims" in op.signature.defaults and "argm" not in op.name
            value = draw(axes(ndim, several, none=default is None))
        elif name == "keepdims":
            value = draw(st.booleans())
        elif name == "ddof":
            value = draw(st.sampled_from([0, 0.5]))
        elif type(default) is float:
            value = draw(st.sampled_from([default, 1.5 * default + 0.25]))
        else:
            raise NoOperandsError(op, f"its attribute {name} is none that is drawn by name")
        attributes[name] = value
    return attributes


def _elementwise(op: Op, draw: Draw, values: Values) -> Made:
    count = op.arity or 2
    domains = DOMAINS.get(op.name, ({},))
    operands = []
    found = draw(together(count)) if op.broadcasts else (draw(shapes()),) * count
    for k, shape in enumerate(found):
        operands.append(values(shape, **domains[min(k, len(domains) - 1)]))
    return operands, _attributes(op, draw, 0)


def _of_one(op: Op, draw: Draw, values: Values) -> Made:
    shape = draw(shapes(min_dims=int(op.signature.defaults.get("axis") is not None)))
    return [values(shape, **DOMAINS.get(op.name, ({},))[0])], _attributes(op, draw, len(shape))


@st.composite
def cases(draw: Any, op: Op) -> Case:
    """Operands and attributes for an operation, from its own fields.

    Raises:
        NoOperandsError: if the harness does not know what to feed it.
    """
    values = Values(draw(st.integers(0, 2**32 - 1)))
    make = SPECIAL.get(op.name)
    if make is not None:
        operands, attributes = make(draw, values)
    elif op.traits.elementwise:
        operands, attributes = _elementwise(op, draw, values)
    elif op.arity == 1 or op.name in DETERMINED:
        operands, attributes = _of_one(op, draw, values)
    else:
        raise NoOperandsError(op, "it is neither elementwise nor of one operand")
    return Case(op, tuple(np.asarray(x) for x in operands), attributes)


UNDEFINED = ("arbitrary", "completion")
"""Operations whose rule says that there is no derivative: `test_full_factors` tests them."""

VOCABULARY = sorted(
    name
    for name, op in OPS.items()
    if not op.foreign
    and name not in UNDEFINED
    and (SCIPY or "ops.special" not in getattr(op.forward, "__module__", ""))
)
"""The names of the engine's own operations, without those that need SciPy where it is missing."""

DIFFERENTIABLE = [name for name in VOCABULARY if OPS[name].differentiable]
