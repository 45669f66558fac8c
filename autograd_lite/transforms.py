"""Transforms of functions: grad, value_and_grad, vjp, jvp and trace."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from autograd_lite.arrays import array_of, describe
from autograd_lite.context import current, setting
from autograd_lite.core.tensor import ancestors, value_as
from autograd_lite.graph import Graph
from autograd_lite.op import OPS, Op, operation
from autograd_lite.record import Recorded
from autograd_lite.sweep import sweep
from autograd_lite.tensor import Tensor
from autograd_lite.traced import INSIDE, Differentiated, Traced, argument, inside
from autograd_lite.trees import flatten, leaves_like, tree_map

__all__ = ["grad", "jvp", "stop_gradient", "trace", "value_and_grad", "vjp"]


P = ParamSpec("P")
R = TypeVar("R")


class Run:
    """One call of a function on fresh arguments: its results, and products with its Jacobian J.

    Attributes:
        arguments: the fresh leaves that replace the arrays in the arguments.
        results: the Tensors that the function returned.
        recorded: whether derivatives are recorded, so that they can be differentiated again.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: Sequence[Any],
        argnums: Sequence[int],
        name: str,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        kwargs = kwargs or {}
        flat = [flatten(arg, f"argument {k}") for k, arg in enumerate(args)]
        leaves = [leaf for part in (*flat, flatten(kwargs)) for leaf in part[0]]
        self.name = name
        self.tensors: bool = any(isinstance(leaf, Recorded) for leaf in leaves)
        nested = INSIDE.get() or any(map(_wants, leaves))
        self.recorded: bool = INSIDE.get() == "trace" or bool(current().recording and nested)
        self.arguments: list[Tensor] = []
        self.paths: list[str] = []
        self._builds = []
        given = list(args)
        for number in _distinct(argnums, len(given), name):
            leaves, paths, build = flat[number]
            fresh = [
                _fresh(leaf, f"{name}: {path}") for leaf, path in zip(leaves, paths, strict=True)
            ]
            given[number] = build(fresh)
            self.arguments += fresh
            self.paths += paths
            self._builds.append((len(fresh), build))
        with inside("grad"):
            value = f(*given, **kwargs)
        results, self.result_paths, self.build_results = flatten(value)
        self.results: list[Tensor] = [
            _as_tensor(result, f"{name}: the function's result{path}")
            for result, path in zip(results, self.result_paths, strict=True)
        ]
        self._transposed: tuple[list[Tensor], list[Any]] | None = None

    def pull(self, cotangents: Sequence[Any], unit: bool = False) -> list[Any]:
        """Jᵀ: from a cotangent per result to a gradient per argument; None means zero.

        With ``unit`` the cotangents are a unit vector, which selects one element.
        """
        return self._swept(self.results, cotangents, self.arguments, unit)

    def push(self, tangents: Sequence[Any], unit: bool = False) -> list[Any]:
        """J: from a tangent per argument to a tangent per result; None means zero."""
        # Jᵀu is linear in u, so the transpose of its derivative is J: two sweeps, one set of rules.
        if self._transposed is None:
            u = [argument(np.zeros(result.shape, result.dtype), True) for result in self.results]
            self._transposed = u, self.pull(u)
        u, pulled = self._transposed
        return self._swept(pulled, tangents, u, unit)

    def _swept(
        self, ends: Sequence[Any], cotangents: Sequence[Any], starts: Sequence[Any], unit: bool
    ) -> list[Any]:
        recorded = self.recorded or any(map(_wants, cotangents))
        entering: dict[Any, Any] = {}
        for end, g in zip(ends, cotangents, strict=True):
            if g is None or not isinstance(end, Recorded):
                continue
            if recorded:
                g = g if isinstance(g, Recorded) else Tensor(g, requires_grad=False)
            elif isinstance(g, Recorded):
                g = np.array(g.array)
            entering[end] = entering[end] + g if end in entering else g
        with inside("grad", recording=recorded):
            found = sweep(entering, set(starts), unit=unit, on_tensors=recorded)
        return [found.get(start) for start in starts]

    def out(self, value: Any, like: Any = None) -> Any:
        """A value to return: an array for arrays, a Tensor for Tensors; None means zero."""
        if value is None:
            value = np.zeros(like.shape, like.dtype)
        if isinstance(value, Recorded):
            if value.always_recorded or self._leads_outside(value):
                value = value if current().recording else stop_gradient(value)
                # Outside all transforms it is an ordinary Tensor.
                return value if INSIDE.get() else value_as(Tensor, value.array, value.node)
            value = value.array
        array = np.array(value)
        return Tensor(array, requires_grad=False) if self.tensors else array[()]

    def _leads_outside(self, value: Any) -> bool:
        """Whether a value depends on something outside this run that requires a gradient."""
        if not value.requires_grad:
            return False
        starts = [*self.arguments, *(self._transposed[0] if self._transposed else ())]
        own = {x.node for x in starts}
        inside = set(ancestors([value.node], as_written=True, starts=own))
        for node in inside:
            wanted = {x for x in node.inputs if x.requires_grad}
            if not wanted <= inside or not (wanted or node in own):
                return True
        return False

    def build(self, leaves: Sequence[Any]) -> list[Any]:
        """One container per argument, with its structure."""
        built, start = [], 0
        for count, build in self._builds:
            built.append(build(leaves[start : start + count]))
            start += count
        return built

    def gradients(self, cotangents: Sequence[Any]) -> list[Any]:
        """The gradients of `pull`, as the caller gets them, with the structure of the arguments."""
        found = self.pull(cotangents)
        return self.build([self.out(g, x) for g, x in zip(found, self.arguments, strict=True)])

    def values(self) -> Any:
        """The results as the caller gets them, with their structure."""
        return self.build_results([self.value(result) for result in self.results])

    def value(self, result: Any) -> Any:
        """A result as the caller gets it."""
        return self.out(result if self.recorded else result.array)


def _wants(x: Any) -> bool:
    return isinstance(x, Recorded) and x.node.requires_grad


def _distinct(argnums: Sequence[int], count: int, name: str) -> list[int]:
    numbers = []
    for number in argnums:
        try:
            number = operator.index(number)
        except TypeError:
            raise TypeError(f"{name}: argnums must be integers; got {number!r}") from None
        if not -count <= number < count:
            raise TypeError(f"{name}: argnums {number} is out of range for {count} arguments")
        if number % count in numbers:
            raise ValueError(f"{name}: argnums contains argument {number % count} twice")
        numbers.append(number % count)
    return numbers


def _fresh(leaf: Any, what: str) -> Tensor:
    """A copy of an argument with its own identity, so that derivatives are not confused."""
    if isinstance(leaf, Tensor):
        if leaf.dtype.kind != "f":
            leaf = OPS["astype"](leaf, dtype=np.float64)
        with setting(recording=True):
            fresh = OPS["identity"](leaf)
        if not isinstance(fresh, Differentiated):
            fresh = value_as(Differentiated, fresh.kept, fresh.node)
        fresh.requires_grad = True
        fresh.name = leaf.name
        return fresh  # type: ignore[no-any-return]
    return argument(array_of(leaf, True, what), True, what.split(": ", 1)[1])


def _as_tensor(value: Any, what: str) -> Tensor:
    if isinstance(value, Tensor):
        return value
    return Tensor(array_of(value, what=what), requires_grad=False)


def derived(f: Callable[..., Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that gives a function the name and signature of f.

    Raises:
        TypeError: if f is not a function.
    """
    return functools.wraps(_function(f))


def _function(f: Any) -> Callable[..., Any]:
    if not callable(f):
        raise TypeError(f"expected a function; got {type(f).__name__}")
    return f  # type: ignore[no-any-return]


def _scalar(run: Run) -> Tensor:
    if len(run.results) != 1 or run.result_paths != [""]:
        raise TypeError(
            f"{run.name}: the function must return a scalar; it returned a container of "
            f"{len(run.results)} values. Use jacobian or vjp instead"
        )
    (result,) = run.results
    if result.size != 1:
        raise ValueError(
            f"{run.name}: the function must return a scalar; it returned {describe(result)}. Use "
            "jacobian or vjp, or return its sum() or mean()"
        )
    return result


def numbers_of(argnums: int | Sequence[int]) -> Sequence[int]:
    """The numbers of the arguments as a sequence."""
    return tuple(argnums) if isinstance(argnums, Iterable) else (argnums,)


def one_or_all(argnums: int | Sequence[int], parts: Sequence[Any]) -> Any:
    """The only part for a single number, a tuple for a sequence."""
    return tuple(parts) if isinstance(argnums, Iterable) else parts[0]


def fitting(tree: Any, like: Sequence[Tensor], paths: Sequence[str], what: str) -> list[Any]:
    """The leaves of a tangent or cotangent, in order, each in the dtype of its argument or result.

    Raises:
        ValueError: if its containers or shapes differ.
    """
    fitted = []
    for g, x, path in zip(leaves_like(tree, paths, what), like, paths, strict=True):
        if g is None or np.shape(g) != x.shape:
            raise ValueError(f"{what}{path} of shape {np.shape(g)} does not fit shape {x.shape}")
        if isinstance(g, Recorded):
            fitted.append(g if g.array.dtype == x.dtype else OPS["astype"](g, dtype=x.dtype))
        else:
            fitted.append(array_of(g, True, what + path).astype(x.dtype))
    return fitted


def value_and_grad(
    f: Callable[P, R], argnums: int | Sequence[int] = 0
) -> Callable[P, tuple[R, Any]]:
    """A function that returns the value of f and its gradient.

    Args:
        f: a function that returns a scalar.
        argnums: the positional argument to differentiate with respect to, or a sequence of
            several, which gives a tuple of gradients. An argument may be a nested dict, list,
            tuple, named tuple or dataclass of arrays; its gradient has the same structure, shapes
            and dtypes, and is zero where f does not depend on it. Integers become float64.

    Given arrays, it returns arrays. If an argument is a Tensor, it returns Tensors, which can be
    differentiated again if that Tensor requires a gradient.

    Raises:
        ValueError: if f does not return a scalar.
        TypeError: if an argument is not numeric, or argnums is out of range.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> value, gradient = ag.value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
        >>> float(value), gradient
        (5.0, array([2., 4.]))
    """

    @derived(f)
    def transformed(*args: P.args, **kwargs: P.kwargs) -> tuple[R, Any]:
        run = Run(f, args, numbers_of(argnums), "grad", kwargs)
        result = _scalar(run)
        gradients = run.gradients([np.ones(result.shape, result.dtype)])
        return run.value(result), one_or_all(argnums, gradients)

    return transformed


def grad(f: Callable[P, Any], argnums: int | Sequence[int] = 0) -> Callable[P, Any]:
    """A function that returns the gradient of f; see `value_and_grad` for the arguments.

    Example:
        >>> import autograd_lite as ag
        >>> float(ag.grad(ag.grad(lambda x: x**3))(2.0))
        12.0
    """
    both = value_and_grad(f, argnums)

    @derived(f)
    def transformed(*args: P.args, **kwargs: P.kwargs) -> Any:
        return both(*args, **kwargs)[1]

    return transformed


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of f, and a function that maps a cotangent u to the gradients Jᵀu.

    The cotangent has the structure of the value; the gradients are a tuple, one per argument. The
    function can be called several times. It keeps the record of f alive.

    Raises:
        ValueError: if a cotangent does not fit the value.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> y, pull = ag.vjp(lambda x: x * x, np.array([1.0, 2.0]))
        >>> pull(np.array([1.0, 10.0]))
        (array([ 2., 40.]),)
    """
    run = Run(_function(f), args, range(len(args)), "vjp")

    def pull(cotangent: Any) -> tuple[Any, ...]:
        cotangents = fitting(cotangent, run.results, run.result_paths, "vjp: the cotangent")
        return tuple(run.gradients(cotangents))

    return run.values(), pull


def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of f, and its derivative in a direction v: J v.

    It takes two backward sweeps: Jᵀu is linear in u, and the transpose of its derivative is J
    (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).

    Args:
        f: a function of arrays in nested containers.
        args: its positional arguments, a tuple.
        tangents: the direction, one tangent per argument, with the same structure and shapes.

    Raises:
        ValueError: if the tangents do not fit the arguments.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> ag.jvp(lambda x: x * x, (np.array([1.0, 2.0]),), (np.array([1.0, 10.0]),))
        (array([1., 4.]), array([ 2., 40.]))
    """
    for given, what in (args, "args"), (tangents, "tangents"):
        if not isinstance(given, (tuple, list)):
            raise TypeError(f"jvp: {what} must be a tuple with one entry per argument of f")
    run = Run(_function(f), args, range(len(args)), "jvp")
    _, paths, _ = flatten(tuple(args))
    found = run.push(fitting(tuple(tangents), run.arguments, paths, "jvp: the tangent "))
    pushed = [run.out(t, y) for t, y in zip(found, run.results, strict=True)]
    return run.values(), run.build_results(pushed)


def trace(f: Callable[..., Any], *args: Any) -> Graph:
    """The graph that f records for these arguments.

    Args:
        f: a function of arrays in nested containers.
        args: arrays; only their shapes and dtypes matter.

    Raises:
        TypeError: if f reads the value of a Tensor (float, bool, .data …).

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> ag.trace(lambda x: np.sum(x * x), np.ones(3))
        Graph(1 input, 2 operations: (3,) → ())
    """
    leaves, paths, build = flatten(args)
    arguments = [_traced(leaf, path) for leaf, path in zip(leaves, paths, strict=True)]
    with inside("trace"):
        results, paths, _ = flatten(_function(f)(*build(arguments)))
    outputs = [
        _as_tensor(result, f"trace: the function's result{path}")
        for result, path in zip(results, paths, strict=True)
    ]
    return Graph(outputs, arguments)


def _traced(leaf: Any, path: str) -> Tensor:
    array = array_of(leaf.array if isinstance(leaf, Recorded) else leaf, what=f"trace: args{path}")
    return argument(array, False, leaf.name if isinstance(leaf, Recorded) else None, Traced)


def stop_gradient(x: Any) -> Any:
    """The same values as a constant: no gradient flows through; arrays are returned as they are.

    Args:
        x: a Tensor or an array, or nested containers of them.

    Example:
        >>> import autograd_lite as ag
        >>> float(ag.grad(lambda x: x * ag.stop_gradient(x))(3.0))
        3.0
    """
    return tree_map(_stopped, x)


_stopped: Op = operation(
    "stop_gradient",
    lambda x: x,
    elementwise=True,
    formula="x",
    gradient="none",
    notes="A constant for every derivative.",
)
