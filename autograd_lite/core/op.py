"""An operation: its forward, its gradient rules, and what the rules read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from autograd_lite.core.tensor import NOTHING, Value, apply

__all__ = ["OPS", "Op"]

OPS: dict[str, Op] = {}
"""All operations by name."""


@dataclass(eq=False, slots=True, kw_only=True)
class Op:
    """An operation: its forward, and one gradient rule for each operand.

    A rule is ``(g, out, *operands, **attributes) -> gradient of that operand`` in plain NumPy, or
    None for an operand without a gradient. On Tensors, rules and operations are recorded.

    Attributes:
        forward: a function of the operands as arrays, and of the attributes as keyword arguments.
        compute: the same function, as fast as possible; it takes the operands as single arguments.
        rules: one for each operand.
        reads: for each rule, the arrays whose values it reads: 0 is the result, 1 the first
            operand. Of all others a rule may read the shape and dtype only.
        arity: the number of operands; None for an operation on one sequence of operands.
        signature: binds the arguments of a call to operands and attributes.
        broadcasts: whether the operands are broadcast together. The sweep then sums a gradient
            over the axes that were repeated.
        foreign: whether a user defined it. Its result is always saved, so that it runs only once.
        stable_form: a function of operands and attributes that returns a Tensor: an equal
            expression that is computed more accurately, or None. It is called only if an operation
            in `stable_after`, or a stable form, computed one of the operands.
        gather: ``(total, x, [(g, node), …])`` adds to the gradient of x, which may be None, what
            several nodes of this operation contribute to it.
        notation, traits: how it is written, and what the rest of the package needs to know.
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
    stable_form: Callable[..., Any] | None = None
    stable_after: Collection[Any] = ()
    gather: Callable[..., Any] | None = None
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
