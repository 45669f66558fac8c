"""The table of operations, and an entry into it."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from inspect import signature
from itertools import count
from operator import add, mul, neg, sub, truediv
from typing import Any

import numpy as np

from autograd_lite.core.op import OPS, Op
from autograd_lite.signatures import Signature, ufunc_of

__all__ = ["NUMPY", "OPS", "REFUSED", "Notation", "Op", "Traits", "operation"]

NUMPY: dict[Any, Callable[..., Any]] = {}
"""What answers for each of NumPy's functions when it meets a Tensor."""

REFUSED: dict[Any, str] = {}
"""Why no derivative is given, for each of NumPy's functions that is left out on purpose."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How mathematicians write an operation.

    Attributes:
        symbol: in a formula.
        precedence: how strongly the symbol binds; 100 for a function.
        formula, gradient, notes: what the table in the documentation says of it.
        activation: whether its results are called after the layer that they end.
        averages: whether it is a loss that may take the mean over examples.
    """

    symbol: str
    precedence: int = 100
    formula: str = ""
    gradient: str = ""
    notes: str = ""
    activation: bool = False
    averages: bool = False


@dataclass(frozen=True, slots=True)
class Traits:
    """What an operation does to places, rows and zeros.

    Attributes:
        elementwise: each place of the result depends on that place of the operands alone.
        rows: what becomes of an axis of examples: "each" stays, in every elementwise operation;
            "moved", the same elements lie elsewhere; "product", it stays on a free axis and ends as
            a sum on a contracted one; "sum", it ends where it is summed; "along", it stays unless
            it is the axis that the operation goes along; "last", it stays unless it is the last.
            Nothing stands for an operation that mixes rows.
        chooses: whether the result does not take every element of the operands: the rules give 0
            for those. A function ``(out, *operands, **attributes) -> masks`` tells which they are.
        absorbing: whether a constant 0 as one of the two operands makes the result 0. What is not
            taken contributes 0, however infinite its derivative is.
        kinks: ``(*operands, **attributes) -> mask``, over the operands broadcast together: where
            the operation has a kink or jumps, and nobody knows which side of it is meant.
    """

    elementwise: bool = False
    rows: str = ""
    chooses: bool | Callable[..., Any] = False
    absorbing: bool = False
    kinks: Callable[..., Any] | None = None


NOTATION = {field.name for field in fields(Notation)}
TRAITS = {field.name for field in fields(Traits)}

# On NumPy's scalars an operator costs a tenth of the ufunc, on arrays the same. Only those that do
# not leave the real numbers where both operands are Python's.


def _quotient(a: Any, b: Any) -> Any:
    try:
        return truediv(a, b)
    except ZeroDivisionError:
        return np.divide(a, b)


OPERATORS: dict[str, Callable[..., Any]] = {
    "add": add,
    "subtract": sub,
    "multiply": mul,
    "negative": neg,
    "divide": _quotient,
}


class Each(Sequence[Any]):
    """One thing for each of any number of operands: the gradient rules of `np.concatenate`."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self.make = make

    def __len__(self) -> int:
        return 1

    def __getitem__(self, k: Any) -> Any:
        return self.make(k)

    def __iter__(self) -> Iterator[Any]:
        return map(self.make, count())


def operation(
    name: str,
    forward: Callable[..., Any],
    *rules: Callable[..., Any] | None,
    numpy: Sequence[Any] = (),
    arity: int | None = -1,
    reads: str | Sequence[str] | None = None,
    **traits: Any,
) -> Op:
    """Define an operation of the package and enter it into the table.

    Args:
        name: its name in the table.
        forward: a function of arrays. Its first parameters are the operands, the others, which
            have defaults, the attributes.
        rules: one gradient rule per operand, none for an operation without a derivative.
        numpy: NumPy's functions that it answers for.
        arity: the number of operands; None for one sequence of operands, and one rule for all that
            takes the number ``k`` of the operand.
        reads: the operands that each rule reads more of than the shape and dtype, by the names of
            the rule's parameters, and "out": one text for each rule, or one for all; by default
            everything.
        traits: the fields of `Notation`, of `Traits`, and the other fields of `Op`.
    """
    ufunc = ufunc_of(forward)
    if ufunc is not None:
        arity = ufunc.nin
        traits = {"elementwise": True, "broadcasts": arity > 1} | traits
        numpy = numpy if ufunc in NUMPY else (ufunc, *numpy)
    elif arity == -1:
        arity = len(rules) or 1
    if traits.get("elementwise"):
        traits.setdefault("rows", "each")
    traits.setdefault("symbol", name)
    compute: Callable[..., Any] = OPERATORS.get(name, forward)
    differentiable = any(rule is not None for rule in rules)
    every_rule: Sequence[Callable[..., Any] | None]
    read: Sequence[Collection[int]]
    if arity is None:
        rule = rules[0] if rules else None
        every = _numbers(rule, reads, None)
        compute = partial(_of_several, forward)
        every_rule, read = Each(lambda k: rule and partial(rule, k=k)), Each(lambda k: every)
    else:
        texts = reads if isinstance(reads, tuple) else (reads,) * len(rules)
        every_rule = rules
        read = [_numbers(rule, text, arity) for rule, text in zip(rules, texts, strict=True)]
    op = Op(
        name=name,
        forward=forward,
        compute=compute,
        rules=every_rule,
        reads=read,
        arity=arity,
        signature=Signature.of(forward, numpy),
        differentiable=differentiable,
        notation=Notation(**{key: traits.pop(key) for key in NOTATION & traits.keys()}),
        traits=Traits(**{key: traits.pop(key) for key in TRAITS & traits.keys()}),
        **traits,
    )
    OPS[name] = op
    for function in numpy:
        NUMPY[function] = op
    return op


def named(name: str) -> Op:
    """The operation of that name, which is all that a pickle holds of it.

    Raises:
        UnpicklingError: if nothing defined it in this process.
    """
    if name not in OPS:
        raise pickle.UnpicklingError(
            f"no operation {name!r} is defined here; import first the module that defines it"
        )
    return OPS[name]


def _reduced(op: Op) -> tuple[Any, ...]:
    if OPS.get(op.name) is not op:
        raise pickle.PicklingError(
            f"{op.name}: was defined anew, and a pickle by this name would be of the new one"
        )
    return named, (op.name,)


copyreg.pickle(Op, _reduced)


def _of_several(forward: Callable[..., Any], *arrays: Any, **attributes: Any) -> Any:
    return forward(arrays, **attributes)


def _numbers(rule: Any, text: Any, arity: int | None) -> Collection[int]:
    """The numbers of what a rule reads, in the order of the result and the operands."""
    if rule is None:
        return ()
    if text is None or (text and arity is None):
        return range(1000)
    names = ["out", *list(signature(rule).parameters)[2:]]
    return frozenset(names.index(name) for name in text.split())
