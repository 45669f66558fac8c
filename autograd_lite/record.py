"""The attributes of a Tensor that describe its record."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_lite.core.op import Op
from autograd_lite.core.tensor import Node, Outline, Value, value_of

__all__ = ["Recorded"]


class Recorded(Value):
    """A value with the operation that produced it, as written, and its inputs."""

    __slots__ = ()

    kept: Any
    is_argument: bool = False
    """Whether it is an argument of a function that is being differentiated or traced."""

    def refuse_leak(self, what: str) -> None:
        """Raise an error if a plain number would lose a gradient here."""

    def snapshot(self) -> Any:
        """The array, computed again and kept from now on."""
        self.kept = recomputed(self.node)
        return self.kept

    @property
    def op(self) -> Op | None:
        """The operation that produced it; None for a leaf."""
        return self.node.op  # type: ignore[no-any-return]

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The Tensors that it was computed from."""
        return tuple(map(_input, self.node.inputs, self.node.saved[1:]))

    @property
    def operands(self) -> tuple[Any, ...]:
        """The arrays that it was computed from."""
        pairs = zip(self.node.inputs, self.node.saved[1:], strict=True)
        return tuple(value_of(x).array if type(a) is Outline else a for x, a in pairs)

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the operation that are not the defaults."""
        return self.node.attributes

    @property
    def stable_form(self) -> Any:
        """The Tensor of the stable form that computed it; None if it was computed as written."""
        node = self.node
        return None if node.sources is node.inputs else value_of(node.sources[0])

    @property
    def requires_grad(self) -> bool:
        """Whether it requires a gradient."""
        return self.node.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.node.requires_grad = value

    @property
    def grad(self) -> Any:
        """The gradient accumulated by `backward`; None before."""
        return self.node.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        self.node.grad = value

    @property
    def name(self) -> str | None:
        """Its name in pictures, derivations and errors."""
        return self.node.name

    @name.setter
    def name(self, name: str | None) -> None:
        self.node.name = name

    @property
    def scope(self) -> tuple[str, ...]:
        """The titles of the scopes in which it was created, the outermost first."""
        return self.node.scope

    @property
    def position(self) -> int:
        """Its place in the order of execution."""
        return self.node.position

    @property
    def line(self) -> tuple[str, int, str] | None:
        """The file, line and function that created it, if `detect_anomaly` or `derive` ran it."""
        return getattr(self.node, "line", None)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, a tuple of ints."""
        return getattr(self.node.form, "shape", ())

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's dtype."""
        form = self.node.form
        return form.dtype if hasattr(form, "dtype") else np.asarray(form).dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


def _input(node: Any, array: Any) -> Any:
    return value_of(node, None if type(array) is Outline else array)


def _at_hand(node: Node) -> Any:
    """The array of a node if it is still in memory, else None."""
    value = node.handle()
    if value is not None and value.kept is not None:
        return value.kept
    return None if node.form.__class__ is Outline else node.form


def recomputed(node: Node) -> Any:
    """The array of a node, computed again from the saved arrays, with the same bits."""
    found: dict[Node, Any] = {}
    stack = [node]
    with np.errstate(all="ignore"):
        while stack:
            x = stack.pop()
            array = _at_hand(x)
            if array is None:
                equal = x.sources is not x.inputs
                pairs = (
                    [(x.sources[0], None)]
                    if equal
                    else list(zip(x.inputs, x.saved[1:], strict=True))
                )
                unsaved = [y for y, a in pairs if a is None or a.__class__ is Outline]
                missing = [y for y in unsaved if y not in found]
                if missing:
                    stack += [x, *missing]
                    continue
                arrays = [found.get(y, a) for y, a in pairs]
                array = arrays[0] if equal else x.op.compute(*arrays, **x.attributes)
                value = x.handle()
                if value is not None:
                    value.kept = array
            found[x] = array
    return found[node]
