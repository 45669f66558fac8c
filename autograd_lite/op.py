"""What an operation is, the table of operations, and applying one and recording it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from operator import add, mul, neg, sub
from typing import Any

import numpy as np

from autograd_lite import residuals
from autograd_lite.broadcasting import warn_of_broadcast
from autograd_lite.context import current
from autograd_lite.foreign import guarded, is_foreign
from autograd_lite.node import (
    ARGUMENT,
    LARGE,
    NOTHING,
    OUTSIDE,
    RECORD,
    Node,
    array_of,
    describe,
    held_elsewhere,
    plain,
)

__all__ = [
    "NUMPY",
    "OPS",
    "REFUSED",
    "Node",
    "Op",
    "apply",
    "leaf",
    "operation",
]

OPS: dict[str, Op] = {}
"""Every operation by its name."""

NUMPY: dict[Any, Callable[..., Any]] = {}
"""What answers for each of NumPy's functions when it meets a Tensor."""

REFUSED: dict[Any, str] = {}
"""Why no derivative is given, for each of NumPy's functions that is left out on purpose."""


# What NumPy 2.0 calls by another name than later versions.
RENAMED = {"newshape": "shape"}

VARIABLE = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}

_position = count().__next__
_new = object.__new__
_Tensor: type = Node


def results_are(kind: type) -> None:
    """Say which kind of Node the results of operations are."""
    global _Tensor
    _Tensor = kind


@dataclass(eq=False, slots=True, kw_only=True)
class Op:
    """An operation: its forward, one gradient rule per input, and how it is written.

    A rule is ``(g, out, *inputs, **attributes) -> gradient of that input`` in plain NumPy;
    given arrays it computes, given Tensors it records. ``None`` stands for an input without a
    gradient. For an operation on a sequence ``rules`` holds one rule, which also takes the
    number ``k`` of the input. ``reads`` holds for each rule the numbers of the operands of which it
    reads more than the shape, −1 for ``out``; unless given, it is told from the rule's code.

    ``rows`` says what becomes of an axis of examples: "each" stays, in every elementwise
    operation; "moved", the same elements lie elsewhere; "product", it stays on a free axis and ends
    as a sum on a contracted one; "sum", it ends where it is summed; "along", it stays unless it is
    the axis that the operation goes along; "last", it stays unless it is the last. Nothing stands
    for an operation that mixes rows.

    An operation ``chooses`` if its result does not take every element of its operands: its rules
    give 0 for those. Where a function ``(out, *inputs, **attributes) -> masks`` stands, it tells
    which they are. An operation is ``absorbing`` if a constant 0 as one of its two operands makes
    the result 0. What is not taken contributes 0, however infinite its derivative is.

    ``kinks`` is ``(*inputs, **attributes) -> mask``, over the operands broadcast together: where
    the operation has a kink or jumps, and nobody knows which side of it is meant.

    Called on arrays an operation computes; called with a Tensor among its operands it records.
    """

    name: str
    forward: Callable[..., Any]
    compute: Any
    rules: tuple[Callable[..., Any] | None, ...]
    arity: int | None
    symbol: str
    precedence: int = 100
    elementwise: bool = False
    broadcasts: bool = False
    rows: str = ""
    formula: str = ""
    gradient: str = ""
    notes: str = ""
    activation: bool = False
    averages: bool = False
    chooses: bool | Callable[..., Any] = False
    absorbing: bool = False
    zeros: int = -1
    reads: tuple[Collection[int], ...] | None = None
    stable: Callable[..., Any] | None = None
    stable_after: Collection[Any] | None = None
    foreign: bool = False
    kinks: Callable[..., Any] | None = None
    differentiable: bool = True
    parameters: tuple[str, ...] = ()
    defaults: dict[str, Any]
    unsupported: dict[str, Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != self.arity:
            operands, attributes = self.bind(args, kwargs)
        else:
            operands, attributes = args, NOTHING
        for operand in operands:
            if isinstance(operand, Node):
                return apply(self, operands, attributes)
        return self.computed(operands, attributes)

    def computed(self, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """The result for arrays."""
        if self.arity is None:
            return self.forward(operands, **attributes)
        return self.forward(*operands, **attributes)

    def bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Tell the operands of a call from its attributes, leaving out defaults."""
        arity = self.arity
        named = dict(zip(self.parameters, args, strict=False))
        if len(args) > len(self.parameters) or named.keys() & kwargs.keys():
            raise TypeError(f"{self.name}: takes {self.signature}, not these {len(args)} arguments")
        named |= kwargs
        heads = self.parameters[: 1 if arity is None else arity]
        missing = [head for head in heads if head not in named]
        if missing:
            raise TypeError(f"{self.name}: takes {self.signature}; {missing[0]} is missing")
        operands = tuple(named.pop(head) for head in heads)
        attributes = {}
        for key, value in named.items():
            if key in self.unsupported and is_default(value, self.unsupported[key]):
                continue
            if key not in self.defaults:
                raise TypeError(
                    f"{self.name}: has no argument {key!r} for a Tensor; it takes {self.signature}"
                )
            if value is not self.defaults[key] and value is not np._NoValue:
                attributes[key] = plain(value, self, key)
        return (tuple(operands[0]) if arity is None else operands), attributes

    @property
    def signature(self) -> str:
        """The arguments as one writes them."""
        return ", ".join(
            f"{name}={self.defaults[name]!r}" if name in self.defaults else name
            for name in self.parameters
            if name not in self.unsupported
        )

    def rules_for(self, inputs: Sequence[Any]) -> Iterable[Callable[..., Any] | None]:
        """One rule an input."""
        if self.arity is not None:
            return self.rules
        return [self.rules[0] and _nth(self.rules[0], k) for k in range(len(inputs))]

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return OPS.__getitem__, (self.name,)


def _of_several(forward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays, k=0, **attributes: forward(arrays, **attributes)


def _nth(rule: Callable[..., Any], k: int) -> Callable[..., Any]:
    return lambda g, out, *inputs, **attributes: rule(g, out, *inputs, k=k, **attributes)


# On NumPy's scalars an operator costs a tenth of the ufunc, on arrays the same. Only those that
# neither raise nor leave the real numbers where both operands are Python's.
_OPERATORS = {"add": add, "subtract": sub, "multiply": mul, "negative": neg}


def operation(
    name: str,
    forward: Callable[..., Any],
    *rules: Callable[..., Any] | None,
    numpy: Sequence[Any] = (),
    arity: int | None = -1,
    symbol: str | None = None,
    **traits: Any,
) -> Op:
    """Define an operation and enter it into the table.

    Args:
        name: its name in the table.
        forward: a function of arrays. Its first parameters are the operands, the others, which
            have defaults, the attributes.
        rules: one gradient rule per operand, none for an operation without a derivative.
        numpy: NumPy's functions that it answers for.
        arity: the number of operands; None for one sequence of operands.
        symbol: how mathematicians write it.
        traits: the other fields of `Op`.

    Example:
        >>> import autograd_lite as ag
        >>> cube = ag.operation(
        ...     "cube", lambda x: x**3, lambda g, out, x: g * 3 * x**2, elementwise=True
        ... )
        >>> float(ag.grad(cube)(2.0))
        12.0
    """
    if isinstance(forward, np.ufunc):
        arity = forward.nin
        traits = {"elementwise": True, "broadcasts": arity > 1} | traits
        parameters, defaults = tuple(f"x{k + 1}" for k in range(arity)), {}
        unsupported: dict[str, Any] = {}
        numpy = numpy if forward in NUMPY else (forward, *numpy)
    else:
        signature = inspect.signature(forward).parameters.values()
        parameters = tuple(p.name for p in signature)
        defaults = {p.name: p.default for p in signature if p.default is not p.empty}
        if arity == -1:
            arity = len(rules) or 1
        parameters, unsupported = numpy_parameters(parameters, defaults, numpy)
    if traits.get("elementwise"):
        traits.setdefault("rows", "each")
    foreign = is_foreign(forward, *rules)
    known = OPS.get(name)
    if foreign:
        if arity is not None and len(rules) > len(parameters):
            raise TypeError(
                f"{name}: {len(rules)} rules for {len(parameters)} operands; give one rule each"
            )
        if known is not None and not known.foreign:
            raise ValueError(f"operation: {name!r} is an operation of the package; name it anew")
        for function in numpy:
            if function in NUMPY and not getattr(NUMPY[function], "foreign", False):
                raise ValueError(f"operation: np.{function.__name__} has an operation already")
        forward = guarded(forward, f"the forward of {name}")
        again = forward if arity is not None else _of_several(forward)
        rules = tuple(rule and guarded(rule, f"a gradient rule of {name}", again) for rule in rules)
    op = Op(
        name=name,
        forward=forward,
        compute=_OPERATORS.get(name, forward),
        rules=rules,
        foreign=foreign,
        arity=arity,
        symbol=symbol or name,
        parameters=parameters,
        defaults=defaults,
        unsupported=unsupported,
        differentiable=any(rule is not None for rule in rules),
        **traits,
    )
    OPS[name] = op
    for function in numpy:
        NUMPY[function] = op
    return op


def numpy_parameters(
    own: tuple[str, ...], defaults: dict[str, Any], numpy: Sequence[Any]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The parameters in the order of NumPy's function, and those that only NumPy has."""
    for function in numpy:
        try:
            theirs = inspect.signature(function).parameters
        except ValueError:
            continue
        named = [p for p in theirs.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        if isinstance(function, np.ufunc) or any(p.kind in VARIABLE for p in named):
            continue
        heads = sum(name not in defaults for name in own)
        names = {RENAMED.get(p.name, p.name): p.default for p in named}
        unsupported = {
            name: default
            for k, (name, default) in enumerate(names.items())
            if k >= heads and name not in own
        }
        extra = tuple(name for name in own[heads:] if name not in names)
        return (*names, *extra), unsupported
    return own, {}


def is_default(value: Any, default: Any) -> bool:
    """Whether an argument is the default, written out or left out."""
    return (
        value is default
        or value is np._NoValue
        or (
            isinstance(value, (bool, str)) and isinstance(default, (bool, str)) and value == default
        )
    )


def apply(
    op: Op, operands: tuple[Any, ...], attributes: dict[str, Any] = NOTHING, settled: bool = False
) -> Any:
    """Apply an operation to Tensors, arrays and numbers, and record it.

    A ``settled`` operation is computed as it is written, whatever better form is known.
    """
    context = current()
    wanted = False
    waiting = None
    inputs: Any = ()
    arrays: Any = ()
    for x in operands:
        if type(x) is not _Tensor:
            x = leaf(x)
        inputs += (x,)
        if x.sharing is RECORD:
            arrays += (x.kept,)
        else:
            arrays += (_record(x),)
            if x.sharing is LARGE:
                waiting = (waiting or ()) + x.waiting
                if len(waiting) > residuals.WAITING:
                    waiting = waiting[-residuals.WAITING :]
        if x.requires_grad:
            wanted = True

    if wanted and not context.recording and context.leaks == "trace" and op.differentiable:
        # What no_grad() shields from a derivative is shielded from the better forms as well.
        shield = OPS["stop_gradient"]
        inputs = tuple([shield(x) if x.requires_grad else x for x in inputs])

    better = None
    if (
        op.stable is not None
        and not settled
        and (op.stable_after is None or inputs[0].op in op.stable_after)
    ):
        better = op.stable(inputs, attributes)
    try:
        if better is not None:
            out = better.kept
        elif op.arity is None:
            out = op.forward(arrays, **attributes)
        elif attributes:
            out = op.forward(*arrays, **attributes)
        else:
            out = op.compute(*arrays)
    except (ValueError, TypeError, IndexError) as error:
        raise _explained(error, op, inputs, attributes) from error

    node: Any = _new(_Tensor)
    node.kept = out
    node.grad = node.name = None
    node.scope = context.scope
    node.position = _position()
    if waiting is not None or (
        type(out) is np.ndarray and out.nbytes >= residuals.THRESHOLD and out.base is None
    ):
        node.sharing = LARGE
        node.waiting = waiting or ()
    else:
        node.sharing = RECORD
    if context.recording or context.leaks == "trace":
        node.op = op
        node.inputs = inputs
        node.operands = arrays
        node.attributes = attributes
        node.requires_grad = wanted and op.differentiable and context.recording
        node.stable = better
    else:
        node.op = node.stable = None
        node.sharing = RECORD
        node.inputs = node.operands = ()
        node.attributes = NOTHING
        node.requires_grad = False
    if op.broadcasts:
        try:
            surprising = arrays[0].shape != out.shape != arrays[1].shape
        except AttributeError:
            surprising = False
        if surprising:
            warn_of_broadcast(node, inputs)
    if context.watch is not None:
        context.watch.made(node, op, inputs, arrays)
    return node


def leaf(data: Any, requires_grad: bool = False, name: str | None = None) -> Any:
    """A Tensor that nothing made; data are copied, a Python number stays one."""
    node: Any = _new(_Tensor)
    if type(data) is float:
        node.kept = np.float64(data) if requires_grad else data
    else:
        array = array_of(data, requires_grad)
        # NumPy computes several times faster with its scalars than with 0-d arrays.
        node.kept = array[()] if type(array) is np.ndarray and not array.shape else array
    node.op = node.grad = node.stable = node.sharing = None
    node.inputs = node.operands = ()
    node.attributes = NOTHING
    node.requires_grad = requires_grad
    node.name = name
    node.scope = current().scope
    node.position = _position()
    return node


def _record(x: Node) -> Any:
    """The array of a leaf or of a large result, for a record to keep."""
    if x.sharing is LARGE:
        context = current()
        if context.watch is None and context.leaks != "trace":
            residuals.let_go(x)
        return x.array
    if x.sharing is OUTSIDE and held_elsewhere(x):
        return x.kept.copy() if x.kept.shape else x.kept[()]
    if x.sharing is not ARGUMENT:
        x.sharing = RECORD
    return x.kept


_OF_NUMPY = (np.linalg.LinAlgError, np.exceptions.AxisError)


def _explained(
    error: Exception, op: Op, inputs: Sequence[Any], attributes: dict[str, Any]
) -> Exception:
    operands = " and ".join(describe(x) for x in inputs) or "nothing"
    where = "".join(f", {key}={value!r}" for key, value in attributes.items())
    text = str(error).rstrip(".")
    return (
        type(error)(f"{op.name}: does not fit {operands}{where}: {text}")
        if type(error) in (ValueError, TypeError, IndexError, *_OF_NUMPY)
        else ValueError(f"{op.name}: does not fit {operands}{where}: {text}")
    )
