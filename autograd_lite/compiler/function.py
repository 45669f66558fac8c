"""The compiled function that `compile` returns, and its programs."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from threading import RLock
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar
from weakref import WeakSet

import numpy as np

from autograd_lite.files import atomic
from autograd_lite.graph import Graph

if TYPE_CHECKING:
    # The first call of a compiled function loads the rest of the compiler.
    from autograd_lite.compiler.executors import Executor
    from autograd_lite.compiler.program import Program
    from autograd_lite.compiler.signature import Signature

__all__ = ["Compiled"]

NAMESPACES = "numpy", "torch", "jax.numpy", "cupy", "javascript"
MOST = 16  # programs that a function keeps
_MANY = 1 << 16  # rows that take longer to trace with than the rest of a trace does

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _signature(function: Any) -> inspect.Signature:
    """The parameters of a function; those of a ufunc and of its transforms are its operands."""
    original = inspect.unwrap(function)
    if not isinstance(original, np.ufunc):
        return inspect.signature(function)
    names = (f"x{k + 1}" for k in range(original.nin))
    only = inspect.Parameter.POSITIONAL_ONLY
    return inspect.Signature([inspect.Parameter(name, only) for name in names])


P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A function with a program for each signature of its arguments; made by `compile`."""

    def __init__(
        self,
        rows: int | str | None,
        donate: str | Sequence[str],
        execute: Executor,
        backend: str,
        client: Any,
        function: Callable[P, R],
    ) -> None:
        if not callable(function):
            raise TypeError(f"compile: takes a function, not {type(function).__name__}")
        functools.update_wrapper(self, function)
        self._function, self._rows, self._execute = function, rows, execute
        self._backend, self._client = backend, client
        self._kept: deque[Any] = deque(maxlen=2)  # data on a cluster, for the next call
        self._donate = (donate,) if isinstance(donate, str) else tuple(donate)
        self._signature = _signature(function)
        known = self._signature.parameters
        for name in self._donate:
            if name not in known:
                raise ValueError(
                    f"compile: donate names {name!r}, but the arguments of "
                    f"{_name(function)} are {', '.join(known) or 'none'}"
                )
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self._quick: tuple[tuple[Any, Any], ...] = ()
        self._lock = RLock()
        self._last: Program | None = None
        _functions.add(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return self._called(*args, **kwargs)
        except SystemError as error:
            if _is_interrupt(error):
                raise KeyboardInterrupt from None
            raise

    def _called(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if not kwargs:
            for fits, run in self._quick:
                if fits(args):
                    return run(*args)  # type: ignore[no-any-return]
        signature = self._read(args, kwargs)
        if signature is None:
            return self._function(*args, **kwargs)
        if signature.streams:
            from autograd_lite.compiler.streams import run_by_blocks

            return run_by_blocks(self, signature)  # type: ignore[no-any-return]
        program = self._program(signature)
        if program.donated:
            _check_donated(program, signature.arrays)
        return program.run(*signature.rebuilt(signature.arrays))  # type: ignore[no-any-return]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __deepcopy__(self, memo: Any) -> Compiled[P, R]:
        return self

    def __reduce__(self) -> Any:
        """By its name, as functions are pickled, or as the function and how it is compiled."""
        name = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is self:
            return name
        options = self._rows, self._donate, self._execute, self._backend, self._client
        return Compiled, (*options, self._function)

    def _read(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Signature | None:
        """The signature of a call, or None if an argument is a Tensor."""
        from autograd_lite.compiler.signature import HasTensorsError, Signature

        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name in [name for name, x in bound.arguments.items() if x is np._NoValue]:
            del bound.arguments[name]  # as NumPy's functions mark what was not passed
        names = list[str]()
        for name, parameter in self._signature.parameters.items():
            if name not in bound.arguments or name in bound.kwargs:
                continue
            if parameter.kind in _POSITIONAL:
                names.append(name)
            elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                names += [f"{name}{k}" for k in range(len(bound.arguments[name]))]
        values = (*bound.args, *bound.kwargs.values())
        try:
            return Signature(values, names, tuple(bound.kwargs))
        except HasTensorsError:
            return None

    def _program(self, signature: Signature, told: int = 0) -> Program:
        """The program for a call; of data by blocks, the function is `told` the number of rows."""
        from autograd_lite.compiler.program import Program
        from autograd_lite.compiler.streams import not_alike

        with self._lock:
            program = (None if told else self._programs.get(signature.key)) or next(
                (p for p in self._programs.values() if p.serves(signature, told)), None
            )
            if program is None and not told:
                program = self._traced_with_few_rows(signature)
            if program is None:
                donated = [
                    leaf.number
                    for leaf in signature.leaves
                    for name in self._donate
                    if leaf.path == name or leaf.path.startswith((f"{name}[", f"{name}."))
                ]
                program = Program(
                    *(self._function, _name(self._function), signature, donated),
                    *(self._rows, self._execute, self._backend),
                )
                if told and not program.serves(signature, told):
                    raise not_alike(_name(self._function), told)
                self._programs[program.signature.key] = program
                while len(self._programs) > MOST:
                    self._programs.popitem(last=False)
            self._programs.move_to_end(program.signature.key)
            self._last = program
            recent = list(self._programs.values())[:-4:-1]
            self._quick = tuple((p.fits, p.run) for p in recent if p.fits is not None)
        return program

    def _traced_with_few_rows(self, signature: Signature) -> Program | None:
        """The program for arrays of many rows, if a trace with few says all of it.

        A trace computes with what it is given, many times, and keeps all of it.
        """
        length = max((x.shape[0] for x in signature.arrays if x.ndim), default=0)
        if self._rows is None or self._donate or length < _MANY:
            return None
        rows = {k for k, x in enumerate(signature.arrays) if x.shape[:1] == (length,)}
        try:
            program = self._program(signature.standing_in(rows), length)
        except Exception:  # what is wrong is said with all rows
            return None
        return program if program.serves(signature) else None

    @property
    def source(self) -> str:
        """The code that ran last.

        Raises:
            RuntimeError: before the first call.
        """
        return self._latest("source").source

    def readable(self, *args: Any, **kwargs: Any) -> str:
        """The program as plain NumPy source: a module that needs only NumPy, or SciPy too.

        With arguments, the program for them; without, the one that ran last. Its function takes
        the arguments of f. Plain values were fixed when f was traced: each is the default of its
        parameter, and the docstring lists them.

        Raises:
            RuntimeError: without arguments, before the first call.
            ValueError: if the function uses an operation that cannot be written as source.
        """
        return self._shown("readable()", args, kwargs).readable()

    def source_map(self, *args: Any, **kwargs: Any) -> dict[int, tuple[str, int]]:
        """The file and line of f for each line of the readable form.

        Line numbers start at 1. Lines of a gradient belong to the line of f whose gradient they
        compute. Lines without a place in f, such as the docstring, are left out. The arguments are
        those of `readable`.

        Raises:
            RuntimeError, ValueError: as `readable` does.

        Example:
            >>> import numpy as np
            >>> import autograd_lite as ag
            >>> def loss(x):
            ...     y = np.sin(x).named("y")
            ...     return np.sum(y * x)
            >>> compiled = ag.compile(ag.value_and_grad(loss))
            >>> lines = compiled.readable(np.ones(2)).splitlines()
            >>> for number, (file, line) in compiled.source_map().items():
            ...     print(f"{lines[number - 1]}  # line {line}")
                y = np.sin(x)  # line 2
                return np.sum(y * x), y + x * np.cos(x)  # line 3
        """
        return self._shown("source_map()", args, kwargs).source_map()

    def save(
        self, path: str | os.PathLike[str], backend: str = "numpy", namespace: str = "numpy"
    ) -> None:
        """Write the program as a module; the file is written whole or not at all.

        Args:
            path: of the file.
            backend: "numpy" for the readable form; "numba" for native functions, whose machine
                code Numba keeps on disk from the first run on.
            namespace: whose functions the readable form calls: "numpy", "torch", "jax.numpy" or
                "cupy". The module takes and returns arrays of that library. For "javascript", a
                script that defines the function in a web page, and is a module of Node; it takes
                and returns numbers, typed arrays in C order, and arrays and objects of these.

        Raises:
            RuntimeError, ValueError: as `readable` does; ValueError for another backend or
                namespace, and for an operation that the namespace lacks.
            OSError: if the file cannot be written.
        """
        if backend not in ("numpy", "numba"):
            raise ValueError(f'save: backend is "numpy" or "numba", not {backend!r}')
        if namespace not in NAMESPACES:
            known = ", ".join(f'"{name}"' for name in NAMESPACES)
            raise ValueError(f"save: namespace is one of {known}, not {namespace!r}")
        if backend != "numpy" and namespace != "numpy":
            raise ValueError(f'save: namespace {namespace!r} goes with backend="numpy"')
        program = self._latest("save()")
        if namespace == "javascript":
            text = program.javascript()
        else:
            text = program.readable(namespace) if backend == "numpy" else program.native_source()
        with atomic(path) as file:
            file.write(text)

    @property
    def backend(self) -> str:
        """What computed the last call: "numpy" or "numba".

        Raises:
            RuntimeError: before the first call.
        """
        return self._latest("backend").backend

    @property
    def calls_to_pay(self) -> float:
        """After how many calls like the last Numba, if installed, has saved the time to compile.

        Raises:
            RuntimeError: before the first call.
        """
        return self._latest("calls_to_pay").calls_to_pay

    def source_for(self, *args: Any, **kwargs: Any) -> str:
        """The code that runs for these arguments."""
        return self._program(self._arrays(args, kwargs)).source

    def graph_for(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph from which the code for these arguments is generated."""
        from autograd_lite.compiler.tracing import traced

        return traced(self._function, self._arrays(args, kwargs))[0]

    def _arrays(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Signature:
        signature = self._read(args, kwargs)
        if signature is None:
            raise TypeError("compile: pass arrays, not Tensors, to see the code for them")
        return signature

    def _shown(self, what: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Program:
        """The program for some arguments; without any, the one that ran last."""
        if args or kwargs:
            return self._program(self._arrays(args, kwargs))
        return self._latest(what)

    def _latest(self, what: str) -> Program:
        if self._last is None:
            raise RuntimeError(
                f"{what}: {_name(self._function)} was not called yet, and code depends on shapes; "
                "call it, or use source_for(...) or readable(...) with arguments"
            )
        return self._last

    def _repr_markdown_(self) -> str:
        """The readable form of the program that ran last, for notebooks."""
        if self._last is None:
            return f"`{self!r}`"
        return f"```python\n{self.readable()}```\n"

    def __repr__(self) -> str:
        return f"<compiled {_name(self._function)}, {len(self._programs)} programs>"


_functions: WeakSet[Compiled[Any, Any]] = WeakSet()


def _after_fork() -> None:
    """After a fork the threads that may hold the locks no longer exist."""
    for function in _functions:
        function._lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _name(function: Callable[..., Any]) -> str:
    from autograd_lite.expressions.names import Names

    name = getattr(function, "__name__", "")
    return "function" if name == "<lambda>" else Names().take(name, "function")


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether an error comes from Ctrl-C, which Numba's functions raise as a SystemError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _check_donated(program: Program, arrays: Sequence[Any]) -> None:
    leaves = program.signature.leaves
    for k in program.donated:
        if not arrays[k].flags.writeable:
            raise ValueError(f"compile: {leaves[k].path} is donated, but it is read-only")
        if _overlaps_itself(arrays[k]):
            raise ValueError(
                f"compile: {leaves[k].path} is donated, but its elements share memory; pass a copy"
            )
        for j, other in enumerate(arrays):
            if j != k and np.may_share_memory(arrays[k], other):
                raise ValueError(
                    f"compile: {leaves[k].path} is donated, but it shares memory "
                    f"with {leaves[j].path}; pass a copy"
                )


def _overlaps_itself(array: Any) -> bool:
    """Whether elements of an array may share memory: its axes do not enclose one another."""
    reach = array.itemsize if array.size else 0
    for stride, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1 and stride < reach:
            return True
        reach += stride * (length - 1)
    return False
