"""The arguments of NumPy's functions: which are operands, and which are attributes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd_lite.arrays import plain
from autograd_lite.core.op import Op

__all__ = [
    "VARIABLE",
    "Signature",
    "defaults_of",
    "is_default",
    "numpy_parameters",
    "ufunc_of",
]

# Parameters that have another name in NumPy 2.0 than in later versions.
RENAMED = {"newshape": "shape"}

VARIABLE = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


class Signature:
    """The parameters of an operation, under NumPy's names and in NumPy's order.

    Attributes:
        parameters: the names, the operands first.
        defaults: the defaults of the attributes.
        unsupported: the defaults of the parameters that only NumPy's function has.
    """

    __slots__ = ("defaults", "parameters", "unsupported")

    def __init__(
        self, own: Sequence[str], defaults: dict[str, Any], numpy: Sequence[Any] = ()
    ) -> None:
        self.defaults: dict[str, Any] = defaults
        self.parameters, self.unsupported = numpy_parameters(tuple(own), defaults, numpy)

    @classmethod
    def of(cls, forward: Callable[..., Any], numpy: Sequence[Any] = ()) -> Signature:
        """The signature of a forward that is called in place of functions of NumPy."""
        ufunc = ufunc_of(forward)
        if ufunc is not None:
            return cls([f"x{k + 1}" for k in range(ufunc.nin)], {})
        parameters = inspect.signature(forward).parameters.values()
        defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        return cls([p.name for p in parameters], defaults, numpy)

    def bind(
        self, op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The operands of a call, and its attributes that are not the defaults."""
        named = dict(zip(self.parameters, args, strict=False))
        if len(args) > len(self.parameters) or named.keys() & kwargs.keys():
            raise TypeError(f"{op.name}: got too many arguments, {len(args)}; it takes {self}")
        named |= kwargs
        heads = self.parameters[: 1 if op.arity is None else op.arity]
        missing = [head for head in heads if head not in named]
        if missing:
            raise TypeError(f"{op.name}: the argument {missing[0]} is missing; it takes {self}")
        operands = tuple(named.pop(head) for head in heads)
        attributes = {}
        for key, value in named.items():
            if key in self.unsupported and is_default(value, self.unsupported[key]):
                continue
            if key not in self.defaults:
                raise TypeError(f"{op.name}: {key}= is not supported on Tensors; it takes {self}")
            if value is not self.defaults[key] and value is not np._NoValue:
                attributes[key] = plain(value, op, key)
        return (tuple(operands[0]) if op.arity is None else operands), attributes

    def __str__(self) -> str:
        return ", ".join(
            f"{name}={self.defaults[name]!r}" if name in self.defaults else name
            for name in self.parameters
            if name not in self.unsupported
        )


def ufunc_of(forward: Callable[..., Any]) -> np.ufunc | None:
    """The ufunc that a forward is, or that it wraps; None for another function."""
    forward = getattr(forward, "__wrapped__", forward)
    return forward if isinstance(forward, np.ufunc) else None


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


@lru_cache(maxsize=256)
def defaults_of(function: Any) -> dict[str, Any]:
    """The default of each parameter of a function of NumPy; {} if it cannot be inspected."""
    try:
        known = inspect.signature(function).parameters
    except ValueError:
        return {}
    return {name: parameter.default for name, parameter in known.items()}


def is_default(value: Any, default: Any) -> bool:
    """Whether an argument equals the default."""
    return (
        value is default
        or value is np._NoValue
        or (
            isinstance(value, (bool, str)) and isinstance(default, (bool, str)) and value == default
        )
    )
