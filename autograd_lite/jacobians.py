"""Jacobians, Hessians, and products of a Hessian and a vector."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.transforms import Run, derived, fitting, grad, numbers_of, one_or_all

__all__ = ["hessian", "hvp", "jacobian"]


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that returns the Jacobian of f.

    Args:
        f: a function of arrays to arrays, in nested containers.
        argnums: the positional argument to differentiate with respect to, or a sequence of several.

    The result has the structure of f's result, with the structure of the argument (a tuple for
    several arguments) in place of each array: the derivative of y with respect to x has shape
    ``y.shape + x.shape``. The cost is one sweep per element of the result or, if they are fewer,
    per element of the arguments.

    Raises:
        TypeError: if an argument or a result is not numeric.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> ag.jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]])
    """

    @derived(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run = Run(f, args, numbers_of(argnums), "jacobian", kwargs)
        parts = [
            one_or_all(argnums, run.build([run.out(block) for block in row]))
            for row in _blocks(run)
        ]
        return run.build_results(parts)

    return transformed


def _blocks(run: Run) -> list[list[Any]]:
    """The derivative of each result with respect to each argument."""
    results, arguments = run.results, run.arguments
    by_rows = sum(y.size for y in results) <= sum(x.size for x in arguments)
    if by_rows:
        rows = [[run.pull(unit, unit=True) for unit in units] for units in _units(results)]
        lines = [[[row[j] for row in of_y] for j in range(len(arguments))] for of_y in rows]
    else:
        columns = [[run.push(unit, unit=True) for unit in units] for units in _units(arguments)]
        lines = [[[column[i] for column in of_x] for of_x in columns] for i in range(len(results))]
    return [
        [
            _block(line, x if by_rows else y, y.shape + x.shape, 0 if by_rows else -1)
            for line, x in zip(of_y, arguments, strict=True)
        ]
        for of_y, y in zip(lines, results, strict=True)
    ]


def _block(line: list[Any], like: Any, shape: tuple[int, ...], axis: int) -> Any:
    if all(part is None for part in line):
        return np.zeros(shape, like.dtype)
    zero = np.zeros(like.shape, like.dtype)
    whole = np.stack([zero if part is None else part for part in line], axis=axis)
    return np.reshape(whole, shape)


def _units(ends: Sequence[Any]) -> Iterator[Iterator[list[Any]]]:
    """For each end, a unit cotangent for each of its elements; None at the other ends."""
    for i, end in enumerate(ends):
        yield (
            [_unit(end, element) if k == i else None for k in range(len(ends))]
            for element in range(end.size)
        )


def _unit(end: Any, element: int) -> Any:
    unit = np.zeros(end.shape, end.dtype)
    unit.flat[element] = 1
    return unit


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that returns the Hessian of f, the Jacobian of its gradient.

    For an array of shape s it has shape ``s + s``; for containers it is a container of containers
    of blocks. `hvp` computes its product with a vector at the cost of two gradients.

    Raises:
        ValueError: if f does not return a scalar.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> ag.hessian(lambda x: x[0] * x[1])(np.array([2.0, 3.0]))
        array([[0., 1.],
               [1., 0.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function of f's arguments and a vector v that returns the product of the Hessian and v.

    Args:
        f: a function that returns a scalar.
        argnums: the positional argument to differentiate with respect to, or a sequence of several;
            v, the last argument of the new function, has the same structure.

    The Hessian is symmetric, so the product is one backward sweep through the gradient (B. A.
    Pearlmutter, "Fast exact multiplication by the Hessian", 1994). The matrix is never computed.

    Raises:
        ValueError: if f does not return a scalar, or v does not fit.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> ag.hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
        array([ 6., 12.])
    """
    gradient = grad(f, argnums)

    @derived(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            raise TypeError("hvp: pass the arguments of the function, then a vector")
        *given, v = args
        run = Run(gradient, given, numbers_of(argnums), "hvp", kwargs)
        vector = fitting(v, run.results, run.result_paths, "hvp: the vector")
        return one_or_all(argnums, run.gradients(vector))

    transformed.__signature__ = _with_vector(f)  # type: ignore[attr-defined]
    return transformed


def _with_vector(f: Callable[..., Any]) -> inspect.Signature:
    """The signature of f with one more positional argument, the last."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except ValueError:
        parameters = [_ANY]
    heads = [p for p in parameters if p.kind in _POSITIONAL]
    tail = parameters[len(heads) :]
    if any(p.kind is p.VAR_POSITIONAL for p in tail):
        return inspect.Signature(parameters)
    if any(p.default is not p.empty for p in heads):
        # Which one is the vector depends on how many are given; keywords stay keywords.
        return inspect.Signature([_ANY, _ANY.replace(name="keywords", kind=_ANY.VAR_KEYWORD)])
    names = {p.name for p in parameters}
    name = next(name for name in ("v", "vector", "v_") if name not in names)
    vector = inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY)
    heads = [p.replace(kind=vector.kind) for p in heads]
    return inspect.Signature([*heads, vector, *tail])


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_ANY = inspect.Parameter("arguments", inspect.Parameter.VAR_POSITIONAL)
