"""Functions into their derivatives: grad, value_and_grad, vjp, and the record of a function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.context import current, setting
from autograd_lite.graph import Graph
from autograd_lite.op import OPS, Node, array_of, describe
from autograd_lite.sweep import sweep
from autograd_lite.tensor import Tensor, argument
from autograd_lite.trees import flatten

__all__ = ["grad", "trace", "value_and_grad", "vjp"]


class Run:
    """One run of a function on fresh arguments, ready to be swept back."""

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], name: str
    ) -> None:
        self.nested = current().leaks is not None
        given = list(args)
        self.leaves: list[Any] = []
        self.arguments: list[Tensor] = []
        self.builds = []
        for number in argnums:
            if not -len(args) <= number < len(args):
                raise TypeError(
                    f"{name}: argnums {number} is out of range for {len(args)} arguments"
                )
            leaves, paths, build = flatten(given[number])
            fresh = [
                _fresh(leaf, f"{name}: argument {number}{path}")
                for leaf, path in zip(leaves, paths, strict=True)
            ]
            given[number] = build(fresh)
            self.leaves += leaves
            self.arguments += fresh
            self.builds.append((len(fresh), build))
        with setting(leaks=current().leaks or "grad", recording=True):
            self.result = f(*given)
        self.tensors = self.nested or any(isinstance(leaf, Node) for leaf in self.leaves)

    def out(self, value: Any) -> Any:
        """A result for the caller: an array for arrays, a Tensor for Tensors."""
        if not isinstance(value, Node):
            return value
        if self.tensors and (value.requires_grad or current().leaks == "trace"):
            return value
        return np.array(value.array)[()]

    def pull(self, cotangents: dict[Any, Any]) -> list[Any]:
        """The gradients of the arguments, zeros where the result does not depend on one."""
        if self.tensors:
            cotangents = {node: _constant(g) for node, g in cotangents.items()}
        with setting(leaks=current().leaks or "grad", recording=self.tensors):
            found = sweep(cotangents, set(self.arguments), on_tensors=self.tensors)
        gradients = []
        for x in self.arguments:
            g = found.get(x)
            g = np.zeros(x.shape, x.dtype) if g is None else self.out(g)
            gradients.append(np.array(g) if type(g) is np.ndarray else g)
        return gradients

    def build(self, gradients: Sequence[Any]) -> list[Any]:
        """The gradients in the containers of the arguments."""
        built, start = [], 0
        for count, build in self.builds:
            built.append(build(gradients[start : start + count]))
            start += count
        return built


def _fresh(leaf: Any, what: str) -> Tensor:
    """An argument of its own identity, so that no derivative is taken for another."""
    if isinstance(leaf, Tensor):
        if leaf.dtype.kind != "f":
            leaf = OPS["astype"](leaf, dtype=np.float64)
        with setting(recording=True):
            fresh = OPS["identity"](leaf)
        fresh.requires_grad = True
        fresh.name = leaf.name
        return fresh  # type: ignore[no-any-return]
    return argument(array_of(leaf, True, what), True)


def _constant(g: Any) -> Tensor:
    return g if isinstance(g, Tensor) else Tensor(g, requires_grad=False)


def _scalar(result: Any, name: str) -> Tensor:
    if not isinstance(result, Node):
        try:
            result = Tensor(result, requires_grad=False)
        except TypeError:
            raise TypeError(
                f"{name}: the function returned {type(result).__name__}, not one number"
            ) from None
    if result.size != 1:
        raise ValueError(
            f"{name}: the function returned {describe(result)}; a gradient belongs to one number, "
            "use jacobian or vjp for more, or sum() the result"
        )
    return result  # type: ignore[return-value]


def _numbers(argnums: int | Sequence[int]) -> Sequence[int]:
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0
) -> Callable[..., tuple[Any, Any]]:
    """The function that gives the value of f and its gradient together.

    Args:
        f: a function to one number.
        argnums: the positional argument to differentiate by, or a sequence of several, which
            gives a tuple of gradients. An argument may be a nested dict, list, tuple or
            dataclass of arrays; its gradient has the same form.

    Raises:
        ValueError: if f returns anything but one number.
        TypeError: for arguments that are not numbers.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> value, gradient = ag.value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
        >>> float(value), gradient
        (5.0, array([2., 4.]))
    """

    @functools.wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Run(functools.partial(f, **kwargs), args, _numbers(argnums), "grad")
        result = _scalar(run.result, "grad")
        gradients = run.build(run.pull({result: np.ones(result.shape, result.dtype)}))
        return run.out(result), gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return transformed


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The function that gives the gradient of f; arguments as for `value_and_grad`.

    Example:
        >>> import autograd_lite as ag
        >>> float(ag.grad(ag.grad(lambda x: x**3))(2.0))
        12.0
    """
    both = value_and_grad(f, argnums)

    @functools.wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return transformed


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of f, and the function that pulls a cotangent back to the arguments.

    The cotangent has the form of the value; the gradients are a tuple, one per argument.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> y, pull = ag.vjp(lambda x: x * x, np.array([1.0, 2.0]))
        >>> pull(np.array([1.0, 10.0]))
        (array([ 2., 40.]),)
    """
    run = Run(f, args, range(len(args)), "vjp")
    results, paths, build = flatten(run.result)
    results = [r if isinstance(r, Node) else Tensor(r, requires_grad=False) for r in results]

    def pull(cotangent: Any) -> tuple[Any, ...]:
        given = flatten(cotangent)[0]
        if len(given) != len(results):
            raise ValueError(
                f"vjp: {len(given)} cotangents do not fit {len(results)} results; give them in "
                "the form of the value"
            )
        cotangents: dict[Any, Any] = {}
        tensors = run.tensors
        for g, result, path in zip(given, results, paths, strict=True):
            if np.shape(g) != result.shape:
                raise ValueError(
                    f"vjp: a cotangent of shape {np.shape(g)} does not fit the result{path} of "
                    f"shape {result.shape}"
                )
            if isinstance(g, Node):
                run.tensors = True
            else:
                g = np.array(g, result.dtype)
            cotangents[result] = cotangents[result] + g if result in cotangents else g
        try:
            return tuple(run.build(run.pull(cotangents)))
        finally:
            run.tensors = tensors

    return build([run.out(result) for result in results]), pull


def trace(f: Callable[..., Any], *args: Any) -> Graph:
    """The record of f on these arguments, as data; no value may leave f on the way.

    Args:
        f: a function of arrays in nested containers.
        args: arrays, or what has their shapes.

    Raises:
        TypeError: where f takes the value of a Tensor out (float, bool, .data …).

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> ag.trace(lambda x: np.sum(x * x), np.ones(3))
        Graph(1 input, 2 operations: (3,) → ())
    """
    leaves, _, build = flatten(args)
    arguments = [
        argument(leaf.array if isinstance(leaf, Node) else leaf, _is_float(leaf)) for leaf in leaves
    ]
    with setting(leaks="trace", recording=True):
        result = f(*build(arguments))
    outputs = [x if isinstance(x, Node) else Tensor(x, requires_grad=False) for x in flatten(result)[0]]
    return Graph(outputs, arguments)


def _is_float(leaf: Any) -> bool:
    return np.asarray(leaf.array if isinstance(leaf, Node) else leaf).dtype.kind == "f"
