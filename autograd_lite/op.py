"""The table of operations, and the definition of an operation."""

from __future__ import annotations

import copyreg
import pickle
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial, wraps
from inspect import unwrap
from itertools import count
from operator import add, is_not, mul, neg, sub, truediv
from typing import Any

import numpy as np

from autograd_lite.core.op import OPS, Op
from autograd_lite.signatures import Signature, ufunc_of

__all__ = ["NUMPY", "OPS", "REFUSED", "SCIPY", "Notation", "Op", "Traits", "operation"]

NUMPY: dict[Any, Callable[..., Any]] = {}
"""The operation or function that is called in place of each function of NumPy on Tensors."""

SCIPY: dict[str, Callable[..., Any]] = {}
"""The same for each function of `scipy.special`, by name, since SciPy is loaded only when used."""

INNERMOST = re.compile(r"[(\[][^()\[\]]*[)\]]")
"""Brackets that have no others inside."""

REFUSED: dict[Any, str] = {}
"""The functions of NumPy that accept no Tensor, with the reason and what to use instead."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How mathematicians write an operation.

    Attributes:
        symbol: its symbol in a formula.
        precedence: the precedence of the symbol; 100 for a function.
        formula, gradient, notes: its row of the table in the documentation. The gradient is one
            rule for each operand, with commas between them, then "; " and what holds for all; or
            one text for all operands.
        activation: whether it is an activation, whose result is named after the layer.
        averages: whether it is a loss that may take the mean over examples.
    """

    symbol: str
    precedence: int = 100
    formula: str = ""
    gradient: str = ""
    notes: str = ""
    activation: bool = False
    averages: bool = False

    def gradient_of(self, k: int, arity: int | None) -> str:
        """The rule of one operand; the whole text if it has not one for each of `arity`."""
        text = bare = self.gradient
        while INNERMOST.search(bare):
            bare = INNERMOST.sub(lambda brackets: "_" * len(brackets[0]), bare)
        end = bare.find(";") if ";" in bare else len(bare)
        commas = [comma.start() for comma in re.finditer(", ", bare[:end])]
        if arity is None or len(commas) + 1 != arity:
            return text
        starts = [0, *(comma + 2 for comma in commas)]
        rule = text[starts[k] : [*commas, end][k]]
        return rule if rule == "none" else rule + text[end:]


@dataclass(frozen=True, slots=True)
class Traits:
    """Properties of an operation: elements, rows, zeros and kinks.

    Attributes:
        elementwise: each element of the result depends only on the same element of the operands.
        rows: what happens to the axis of examples. "each": it stays, as in every elementwise
            operation. "moved": the same elements are rearranged. "product": it stays if it is a
            free axis, and is summed if it is contracted. "sum": it is summed if it is among the
            axes. "along": it stays unless the operation runs along it. "last": it stays unless it
            is the last axis. "beside": it stays unless the arrays are put together along it. "" is
            for an operation that mixes rows.
        chooses: whether the result uses only some elements of the operands; the rules return 0 for
            the others. A function for each operand, ``(out, *operands, **attributes) -> mask``,
            marks the others by what the rule of the operand reads; None if it uses all.
        absorbing: whether a constant 0 as one of two operands makes the result 0. An infinite
            derivative of the other operand is then multiplied to 0, not to NaN.
        kinks: ``(*operands, **attributes) -> mask`` over the operands broadcast together: where the
            operation has a kink or a jump.
    """

    elementwise: bool = False
    rows: str = ""
    chooses: bool | tuple[Callable[..., Any] | None, ...] = False
    absorbing: bool = False
    kinks: Callable[..., Any] | None = None


NOTATION = {field.name for field in fields(Notation)}
TRAITS = {field.name for field in fields(Traits)}

# On NumPy scalars an operator takes a tenth of the time of a ufunc, on arrays the same time. The
# operators whose result may be complex for two Python numbers are left out.


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
    """One item for each of any number of operands, such as the gradient rules of `concatenate`."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self.make = make

    def __len__(self) -> int:
        return 1

    def __getitem__(self, k: Any) -> Any:
        return self.make(k)

    def __iter__(self) -> Iterator[Any]:
        return map(self.make, count())


class Sharing(Sequence[Any]):
    """Gradient rules that get a shared value in place of the gradient that enters.

    A step of a sweep iterates over the rules and computes the value once.
    """

    def __init__(self, shared: Callable[..., Any], rules: Sequence[Any]) -> None:
        self.shared, self.rules = shared, rules

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, k: Any) -> Any:
        return list(self)[k]

    def __iter__(self) -> Iterator[Any]:
        shared = Latest(self.shared)
        return (_of_shared(rule, shared) for rule in self.rules)


class Latest:
    """A function that keeps its latest result, for a call with the same arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.args: Sequence[Any] = ()
        self.result: Any = None

    def __call__(self, *args: Any) -> Any:
        if len(args) != len(self.args) or any(map(is_not, args, self.args)):
            self.args, self.result = args, self.function(*args)
        return self.result


def _of_shared(rule: Callable[..., Any], shared: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(rule)
    def of_operand(g: Any, *saved: Any) -> Any:
        return rule(shared(g, *saved), *saved)

    return of_operand


def operation(
    name: str,
    forward: Callable[..., Any],
    *rules: Callable[..., Any] | None,
    shared: Callable[..., Any] | None = None,
    numpy: Sequence[Any] = (),
    arity: int | None = -1,
    reads: str | Sequence[str] | None = None,
    **traits: Any,
) -> Op:
    """Define an operation and add it to the table.

    Args:
        name: its name in the table.
        forward: a function of the operands as arrays, and of attributes, which have defaults.
        rules: one gradient rule per operand, or none for an operation without a derivative.
        numpy: the functions of NumPy that call this operation on Tensors.
        arity: the number of operands; None for one sequence of operands, with one rule for all of
            them that gets the index ``k`` of the operand.
        shared: a function with the parameters of the rules, whose result they get in place of g.
        reads: the arrays whose values each rule reads, by the names of the rule's parameters, with
            "out" for the result: one string for each rule, or one for all rules; by default all.
        traits: `kind`, a subclass of `Op`; the fields of `Notation`, `Traits` and `Op`.
    """
    if (ufunc := ufunc_of(forward)) is not None:
        arity = ufunc.nin
        traits = {"elementwise": True, "broadcasts": arity > 1} | traits
        numpy = numpy if ufunc in NUMPY else (ufunc, *numpy)
    elif arity == -1:
        arity = len(rules) or 1
    if traits.get("elementwise"):
        traits.setdefault("rows", "each")
    traits.setdefault("symbol", name)
    rule_of_each, read_by_each = _for_each_operand(rules, reads, arity, shared)
    op: Op = traits.pop("kind", Op)(
        name=name,
        forward=forward,
        compute=partial(_of_several, forward) if arity is None else OPERATORS.get(name, forward),
        rules=rule_of_each,
        reads=read_by_each,
        arity=arity,
        signature=Signature.of(forward, numpy),
        differentiable=any(rule is not None for rule in rules),
        notation=Notation(**{key: traits.pop(key) for key in NOTATION & traits.keys()}),
        traits=Traits(**{key: traits.pop(key) for key in TRAITS & traits.keys()}),
        **traits,
    )
    OPS[name] = op
    NUMPY.update(dict.fromkeys(numpy, op))
    return op


def named(name: str) -> Op:
    """The operation of that name; a pickle of an operation consists of its name.

    Raises:
        UnpicklingError: if it is not defined in this process.
    """
    if name not in OPS:
        raise pickle.UnpicklingError(
            f"operation {name!r} is not defined; import the module that defines it first"
        )
    return OPS[name]


def _reduced(op: Op) -> tuple[Any, ...]:
    if OPS.get(op.name) is not op:
        raise pickle.PicklingError(
            f"{op.name}: cannot be pickled, since another operation has this name now"
        )
    return named, (op.name,)


copyreg.pickle(Op, _reduced)


def _of_several(forward: Callable[..., Any], *arrays: Any, **attributes: Any) -> Any:
    return forward(arrays, **attributes)


def _for_each_operand(
    rules: Sequence[Callable[..., Any] | None], reads: Any, arity: int | None, shared: Any
) -> tuple[Sequence[Callable[..., Any] | None], Sequence[Collection[int]]]:
    """The rule of each operand, and the indices of the arrays that it reads."""
    if arity is None:
        rule = rules[0] if rules else None
        read = _indices(rule, reads, None)
        return Each(lambda k: rule and partial(rule, k=k)), Each(lambda k: read)
    texts = reads if isinstance(reads, tuple) else (reads,) * len(rules)
    read_by_each = [_indices(rule, text, arity) for rule, text in zip(rules, texts, strict=True)]
    return Sharing(shared, rules) if shared else rules, read_by_each


def _indices(rule: Any, text: Any, arity: int | None) -> Collection[int]:
    """The indices of the arrays that a rule reads: 0 is the result, 1 the first operand."""
    if rule is None:
        return ()
    if text is None or (text and arity is None):
        return range(1000)
    code = unwrap(rule).__code__  # as `signature` reads it, in a tenth of the time
    names = ["out", *code.co_varnames[2 : code.co_argcount]]
    return frozenset(names.index(name) for name in text.split())
