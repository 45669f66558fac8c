"""An operation, defined once: its forward, its gradient rules, and what the rules read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from autograd_lite.core.tensor import NOTHING, Value, apply

__all__ = ["OPS", "Op"]

OPS: dict[str, Op] = {}
"""Every operation by its name."""


@dataclass(eq=False, slots=True, kw_only=True)
class Op:
    """An operation: its forward, and one gradient rule for each operand.

    A rule is ``(g, out, *operands, **attributes) -> gradient of that operand`` in plain NumPy; None
    stands for an operand without a gradient. On Tensors, rules and operations record.

    Attributes:
        forward: a function of the operands as arrays, and of attributes by keyword.
        compute: the same, operands one by one, as fast as can be.
        rules: one for each operand.
        reads: for each rule what it reads more of than the shape and dtype: 0 is the result, 1 the
            first operand. Nothing else is sure to be an array when the rule is called.
        arity: the number of operands; None for an operation on one sequence of operands.
        signature: binds the arguments of a call to operands and attributes.
        broadcasts: whether the operands are broadcast together, so that the sweep has to sum a
            gradient over what was repeated.
        foreign: whether users wrote it: its result is kept, for it is not run twice.
        stable: gives, for operands and attributes, the Tensor of an equal form that is computed
            better, or None. It is asked where one of `stable_after` made an operand, or an equal
            form computed one.
        notation, traits: how it is written, and what the rest of the package knows of it.
    """

    name: str
    forward: Callable[..., Any]
    compute: Callable[..., Any]
    rules: Sequence[Callable[..., Any] | None]
    reads: Sequence[Collection[int]]
    arity: int | None
    signature: Any
    broadcasts: bool = False
    differentiable: bool = True
    foreign: bool = False
    stable: Callable[..., Any] | None = None
    stable_after: Collection[Any] = ()
    notation: Any
    traits: Any

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        operands, attributes = args, NOTHING
        if kwargs or len(args) != self.arity:
            operands, attributes = self.signature.bind(self, args, kwargs)
        for x in operands:
            if isinstance(x, Value):
                return apply(self, operands, attributes)
        return self.compute(*operands, **attributes)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    __copy__: ClassVar[Any] = lambda self: self
    __deepcopy__: ClassVar[Any] = lambda self, memo: self
