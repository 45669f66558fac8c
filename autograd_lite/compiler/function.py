"""`compile`: a function that runs as generated NumPy."""

from __future__ import annotations

import functools
import inspect
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import RLock
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import numpy as np

from autograd_lite.files import atomic
from autograd_lite.graph import Graph

if TYPE_CHECKING:
    # The compiler itself is loaded by the first call of a compiled function.
    from autograd_lite.compiler.program import Program
    from autograd_lite.compiler.signature import Signature

__all__ = ["Compiled"]

MOST = 16  # programs that one function keeps

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A function, compiled anew for each form of its arguments; made by `compile`."""

    def __init__(
        self, function: Callable[P, R], rows: int | str | None, donate: Sequence[str]
    ) -> None:
        functools.update_wrapper(self, function)
        self._function, self._rows, self._donate = function, rows, tuple(donate)
        self._signature = inspect.signature(function)
        known = self._signature.parameters
        for name in self._donate:
            if name not in known:
                raise ValueError(
                    f"compile: donate names {name!r}, which {_name(function)} has not; its "
                    f"arguments are {', '.join(known) or 'none'}"
                )
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self._quick: tuple[tuple[Any, Any], ...] = ()
        self._lock = RLock()
        self._last: Program | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if not kwargs:
            for fits, run in self._quick:
                if fits(args):
                    return run(*args)  # type: ignore[no-any-return]
        read = self._read(args, kwargs)
        if read is None:
            return self._function(*args, **kwargs)
        signature, arguments = read
        program = self._program(signature)
        if program.donated:
            _check_donated(program, signature.arrays)
        return program.run(*arguments)  # type: ignore[no-any-return]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def _read(
        self, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[Signature, list[Any]] | None:
        """The signature of a call, and its arguments in order, as arrays; None for Tensors."""
        from autograd_lite.compiler.signature import HasTensorsError, Signature

        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        names = list[str]()
        for name, parameter in self._signature.parameters.items():
            if parameter.kind in _POSITIONAL:
                names.append(name)
            elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                names += [f"{name}{k}" for k in range(len(bound.arguments[name]))]
        values = (*bound.args, *bound.kwargs.values())
        try:
            signature = Signature(values, names, tuple(bound.kwargs))
        except HasTensorsError:
            return None
        return signature, signature.rebuilt(signature.arrays)

    def _program(self, signature: Signature) -> Program:
        from autograd_lite.compiler.program import Program

        with self._lock:
            program = self._programs.get(signature.key)
            if program is None:
                donated = [
                    leaf.number
                    for leaf in signature.leaves
                    for name in self._donate
                    if leaf.path == name or leaf.path.startswith((f"{name}[", f"{name}."))
                ]
                program = Program(
                    self._function, _name(self._function), signature, donated, self._rows
                )
                self._programs[signature.key] = program
                while len(self._programs) > MOST:
                    self._programs.popitem(last=False)
            self._programs.move_to_end(signature.key)
            self._last = program
            recent = list(self._programs.values())[:-4:-1]
            self._quick = tuple((p.fits, p.run) for p in recent if p.fits is not None)
        return program

    @property
    def source(self) -> str:
        """The code that ran last.

        Raises:
            RuntimeError: if nothing was compiled yet.
        """
        return self._latest("source").source

    def readable(self, *args: Any, **kwargs: Any) -> str:
        """The same as plain NumPy for people to read: a module that needs NumPy alone.

        With arguments, for these; without, for those that were compiled last. It takes what the
        function takes. Plain values were fixed when it was traced: each stands in the signature as
        a default, so that it may be left out, and in the docstring.

        Raises:
            RuntimeError: if nothing was compiled yet.
            ValueError: if the function uses an operation that cannot be written as source.
        """
        if args or kwargs:
            return self._for(args, kwargs).readable()
        return self._latest("readable()").readable()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the readable form as a module; the file is whole or not there.

        Raises:
            RuntimeError, ValueError: as `readable` does.
            OSError: if the file cannot be written.
        """
        text = self.readable()
        with atomic(path) as file:
            file.write(text)

    def source_for(self, *args: Any, **kwargs: Any) -> str:
        """The code that runs for these arguments."""
        return self._for(args, kwargs).source

    def graph_for(self, *args: Any, **kwargs: Any) -> Graph:
        """The record that the code for these arguments comes from."""
        from autograd_lite.compiler.program import traced

        return traced(self._function, self._arrays(args, kwargs))[0]

    def _for(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Program:
        return self._program(self._arrays(args, kwargs))

    def _arrays(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Signature:
        read = self._read(args, kwargs)
        if read is None:
            raise TypeError("compile: give arrays, not Tensors, to see the code for them")
        return read[0]

    def _latest(self, what: str) -> Program:
        if self._last is None:
            raise RuntimeError(
                f"{what}: {_name(self._function)} was not called yet, and code is made for shapes; "
                "call it, or use source_for(...) or readable(...) with arguments"
            )
        return self._last

    def _repr_markdown_(self) -> str:
        """In a notebook: the readable form of what was compiled last."""
        if self._last is None:
            return f"`{self!r}`"
        return f"```python\n{self.readable()}```\n"

    def __repr__(self) -> str:
        return f"<compiled {_name(self._function)}, {len(self._programs)} programs>"


def _name(function: Callable[..., Any]) -> str:
    from autograd_lite.expressions.names import Names

    name = getattr(function, "__name__", "")
    return "function" if name == "<lambda>" else Names().take(name, "function")


def _check_donated(program: Program, arrays: Sequence[Any]) -> None:
    leaves = program.signature.leaves
    for k in program.donated:
        if not arrays[k].flags.writeable:
            raise ValueError(
                f"compile: {leaves[k].path} is donated to be overwritten, but it is read-only"
            )
        for j, other in enumerate(arrays):
            if j != k and np.may_share_memory(arrays[k], other):
                raise ValueError(
                    f"compile: {leaves[k].path} is donated to be overwritten, but it shares memory "
                    f"with {leaves[j].path}; pass a copy"
                )
