"""Operands for every operation of the table, drawn from the operation's own fields.

A new elementwise operation, a new reduction and whatever else takes only ``axis``, ``keepdims``,
``ddof`` or numbers is tested by being in the table. `DOMAINS` narrows the numbers that an
operation gets; a maker under `special` gives operands to what needs more. An operation for which
there is neither fails with a message that says so: nothing goes untested silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from strategies import Values, axes, broadcast_shapes, shapes

from autograd_lite.op import OPS, Op


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
        return self.op(*operands, **self.attributes)

    def forward(self, *operands: Any) -> Any:
        """The same on arrays, through nothing but the operation's forward."""
        if self.op.arity is None:
            return self.op.forward(operands, **self.attributes)
        return self.op.forward(*operands, **self.attributes)

    def rules(self) -> list[Any]:
        """One rule an operand."""
        return list(self.op.rules_for(self.operands)) or [None] * len(self.operands)

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


def _positive(low: float, high: float) -> dict[str, Any]:
    return {"low": low, "high": high, "signed": False}


INSIDE = {"low": 0.1, "high": 0.9}

DOMAINS: dict[str, tuple[dict[str, Any], ...]] = {
    # One entry an operand, the last standing for those that follow.
    "log": (_positive(0.25, 3),),
    "log2": (_positive(0.25, 3),),
    "log10": (_positive(0.25, 3),),
    "log1p": (INSIDE,),
    "sqrt": (_positive(0.25, 3),),
    "arcsin": (INSIDE,),
    "arccos": (INSIDE,),
    "arctanh": (INSIDE,),
    "arccosh": (_positive(1.25, 3),),
    "tan": ({"low": 0.1, "high": 1.2},),
    "power": (_positive(0.25, 2), {}),
    "float_power": (_positive(0.25, 2), {}),
}


Draw = Callable[[Any], Any]
Made = tuple[Sequence[Any], dict[str, Any]]
SPECIAL: dict[str, Callable[[Draw, Values], Made]] = {}


def special(*names: str) -> Callable[[Any], Any]:
    """Enter a maker of operands: (draw, values) -> operands, attributes."""

    def enter(make: Any) -> Any:
        for name in names:
            SPECIAL[name] = make
        return make

    return enter


class NoOperands(AssertionError):
    """The harness does not know what to feed an operation."""

    def __init__(self, op: Op, why: str) -> None:
        super().__init__(
            f"nothing tests the operation {op.name!r}: {why}; give it operands in "
            "tests/operands.py, under @special"
        )


def _attributes(op: Op, draw: Draw, ndim: int) -> dict[str, Any]:
    """Attributes by their names and defaults."""
    attributes: dict[str, Any] = {}
    for name, default in op.defaults.items():
        if name == "axis":
            several = "keepdims" in op.defaults and not op.name.startswith("arg")
            value = draw(axes(ndim, several, none=default is None))
        elif name == "keepdims":
            value = draw(st.booleans())
        elif name == "ddof":
            value = draw(st.sampled_from([0, 0.5]))
        elif type(default) is float:
            value = draw(st.sampled_from([default, 1.5 * default + 0.25]))
        else:
            raise NoOperands(op, f"its attribute {name} is none that is drawn by name")
        attributes[name] = value
    return attributes


def _elementwise(op: Op, draw: Draw, values: Values) -> Made:
    count = op.arity or 2
    domains = DOMAINS.get(op.name, ({},))
    operands = []
    if op.broadcasts:
        found = draw(broadcast_shapes(count))
    else:
        found = (draw(shapes()),) * count
    for k, shape in enumerate(found):
        operands.append(values(shape, **domains[min(k, len(domains) - 1)]))
    return operands, _attributes(op, draw, 0)


def _of_one(op: Op, draw: Draw, values: Values) -> Made:
    shape = draw(shapes(1 if "axis" in op.defaults and op.defaults["axis"] is not None else 0))
    return [values(shape, **DOMAINS.get(op.name, ({},))[0])], _attributes(op, draw, len(shape))


@st.composite
def cases(draw: Any, op: Op) -> Case:
    """Operands and attributes for an operation, from its own fields.

    Raises:
        NoOperands: if the harness does not know what to feed it.
    """
    values = Values(draw(st.integers(0, 2**32 - 1)))
    make = SPECIAL.get(op.name)
    if make is not None:
        operands, attributes = make(draw, values)
    elif op.elementwise:
        operands, attributes = _elementwise(op, draw, values)
    elif op.arity == 1:
        operands, attributes = _of_one(op, draw, values)
    else:
        raise NoOperands(op, "it is neither elementwise nor of one operand")
    return Case(op, tuple(np.asarray(x) for x in operands), attributes)


VOCABULARY = sorted(name for name, op in OPS.items() if not op.foreign)
"""The names of the engine's own operations."""

DIFFERENTIABLE = [name for name in VOCABULARY if OPS[name].differentiable]


# Operations that need more than their fields say


@special("matmul")
def _matmul(draw, values):
    n, k, m = (draw(st.integers(1, 3)) for _ in range(3))
    left, right = draw(broadcast_shapes(2, 0, 1))
    forms = [((k,), (k,)), ((n, k), (k,)), ((k,), (k, m)), ((n, k), (k, m))]
    forms += [((*left, n, k), (*right, k, m)), ((*left, n, k), (k,)), ((k,), (*right, k, m))]
    a, b = draw(st.sampled_from(forms))
    return [values(a), values(b)], {}


@special("where")
def _where(draw, values):
    condition, x, y = draw(broadcast_shapes(3))
    return [values(condition) > 0, values(x), values(y)], {}


@special("getitem")
def _getitem(draw, values):
    keys = [
        1,
        -1,
        slice(1, None),
        (slice(None), slice(None, None, -2)),
        (Ellipsis, 0),
        (None, 1, Ellipsis),
        (np.array([0, 2, 0]),),
        [1, 1, 2],
        (np.array([0, 2, 2]), np.array([1, 1, 1])),
        (slice(None), np.array([[0, 1], [1, 1]])),
        np.arange(12).reshape(3, 4) % 3 == 0,
        np.array([True, False, True]),
        (2, 3),
    ]
    return [values((3, 4))], {"key": draw(st.sampled_from(keys))}


@special("add_at")
def _add_at(draw, values):
    shape = (3, 4)
    key = draw(st.sampled_from([1, (slice(None), 2), (np.array([0, 0, 2]),)]))
    return [values(np.empty(shape)[key].shape)], {"key": key, "shape": shape}


@special("broadcast_to")
def _broadcast_to(draw, values):
    small, whole = draw(broadcast_shapes(2))
    return [values(small)], {"shape": np.broadcast_shapes(small, whole)}


@special("sum_to")
def _sum_to(draw, values):
    small, whole = draw(broadcast_shapes(2))
    return [values(np.broadcast_shapes(small, whole))], {"shape": small}


@special("astype")
def _astype(draw, values):
    # To float32 and back has no difference quotient; tests/test_operations.py has it by itself.
    return [values(draw(shapes()))], {"dtype": "f8"}


@special("reshape")
def _reshape(draw, values):
    shape = draw(st.sampled_from([(6,), (2, 3), (3, -1), -1, (1, 6, 1)]))
    return [values(draw(st.sampled_from([(2, 3), (6,), (1, 3, 2)])))], {"shape": shape}


@special("transpose")
def _transpose(draw, values):
    shape = draw(shapes())
    order = st.permutations(range(len(shape))).map(tuple)
    turned = order.map(lambda axes: tuple(axis - len(shape) for axis in axes))
    return [values(shape)], {"axes": draw(st.one_of(st.none(), order, turned))}


@special("swapaxes")
def _swapaxes(draw, values):
    shape = draw(shapes(1))
    axis = st.integers(-len(shape), len(shape) - 1)
    return [values(shape)], {"axis1": draw(axis), "axis2": draw(axis)}


@special("squeeze")
def _squeeze(draw, values):
    return [values((1, 3, 1))], {"axis": draw(st.sampled_from([None, 0, -1, (0, 2)]))}


@special("expand_dims")
def _expand_dims(draw, values):
    return [values((2, 3))], {"axis": draw(st.sampled_from([0, -1, 1, (0, 2)]))}


@special("concatenate")
def _concatenate(draw, values):
    axis = draw(st.sampled_from([None, 0, 1, -1]))
    lengths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    where = 0 if axis is None else axis % 2
    made = [values((n, 2) if where == 0 else (2, n)) for n in lengths]
    return made, {"axis": axis}


@special("stack")
def _stack(draw, values):
    shape = draw(shapes(0, 2))
    axis = draw(st.integers(-len(shape) - 1, len(shape)))
    return [values(shape) for _ in range(draw(st.integers(1, 3)))], {"axis": axis}


REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


@special("binary_cross_entropy")
def _binary_cross_entropy(draw, values):
    shape = draw(shapes())
    made = [values(shape, **_positive(0.1, 0.9)) for _ in range(2)]
    return made, {"reduction": draw(REDUCTIONS)}


@special("binary_cross_entropy_with_logits")
def _with_logits(draw, values):
    shape = draw(shapes())
    made = [values(shape), values(shape, **_positive(0.1, 0.9))]
    return made, {"reduction": draw(REDUCTIONS)}


@special("binary_cross_entropy_of_sigmoid")
def _of_sigmoid(draw, values):
    (z, y), attributes = _with_logits(draw, values)
    return [z, 1 / (1 + np.exp(-z)), y], attributes
