"""Derivatives of a function as functions of arrays alone, which have derivatives in their turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler import compile
from autograd_lite.compiler.function import Compiled
from autograd_lite.transforms import jvp, vjp
from autograd_lite.trees import flatten

__all__ = ["Program", "is_float"]


class Program:
    """A function, compiled, and its derivatives as programs.

    Attributes:
        f: the function.
        compiled: the function, compiled.
    """

    def __init__(self, f: Callable[..., Any], backend: str = "numpy") -> None:
        if isinstance(f, Compiled):
            backend = f._backend
        self.f, self.backend = f, backend
        self.compiled: Any = f if isinstance(f, Compiled) else compile(f, backend=backend)
        self._derived: dict[str, Program] = {}

    def __deepcopy__(self, memo: Any) -> Program:
        return self

    def __reduce__(self) -> Any:
        return Program, (self.f, self.backend)

    @property
    def pull(self) -> Program:
        """From the arguments, cotangents of the float results and the numbers of leaves of the
        arguments to the gradients by these leaves."""
        return self._derive("pull", self._pull)

    @property
    def push(self) -> Program:
        """From the arguments, tangents of some leaves and their numbers to the tangents of the
        float results."""
        return self._derive("push", self._push)

    def _derive(self, name: str, f: Callable[..., Any]) -> Program:
        if name not in self._derived:
            self._derived[name] = Program(f, self.backend)
        return self._derived[name]

    def _pull(
        self, args: Any, kwargs: Any, cotangents: Sequence[Any], wanted: tuple[int, ...]
    ) -> tuple[Any, ...]:
        function, leaves = self._by_leaves(args, kwargs, wanted)
        return vjp(function, *leaves)[1](list(cotangents))

    def _push(
        self, args: Any, kwargs: Any, tangents: Sequence[Any], wanted: tuple[int, ...]
    ) -> list[Any]:
        function, leaves = self._by_leaves(args, kwargs, wanted)
        return jvp(function, tuple(leaves), tuple(tangents))[1]  # type: ignore[no-any-return]

    def _by_leaves(
        self, args: Any, kwargs: Any, wanted: Sequence[int]
    ) -> tuple[Callable[..., list[Any]], list[Any]]:
        """The float results as a function of some leaves of the arguments."""
        leaves, _, build = flatten((args, kwargs))

        def function(*given: Any) -> list[Any]:
            new = list(leaves)
            for k, x in zip(wanted, given, strict=True):
                new[k] = x
            positional, keywords = build(new)
            return [x for x in flatten(self.f(*positional, **keywords))[0] if is_float(x)]

        return function, [leaves[k] for k in wanted]


def is_float(x: Any) -> bool:
    """Whether a result is one of floating-point numbers."""
    return bool((x.dtype if hasattr(x, "dtype") else np.result_type(x)).kind == "f")
