"""A function of nested containers as a function of a flat vector, for SciPy's solvers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.arrays import array_of
from autograd_lite.compiler import compile
from autograd_lite.jacobians import hvp
from autograd_lite.transforms import value_and_grad
from autograd_lite.trees import flatten

__all__ = ["Objective", "objective"]


def objective(f: Callable[..., Any]) -> Callable[..., Objective]:
    """What makes an objective of the arguments of f."""

    def value_and_gradient(x: Any, args: Any, kwargs: Any) -> Any:
        return value_and_grad(lambda x: f(x, *args, **kwargs))(x)

    def product(x: Any, v: Any, args: Any, kwargs: Any) -> Any:
        return hvp(lambda x: f(x, *args, **kwargs))(x, v)

    compiled = compile(value_and_gradient), compile(product)

    @functools.wraps(f)
    def made(start: Any, *args: Any, **kwargs: Any) -> Objective:
        return Objective(compiled, start, args, kwargs)

    return made


class Objective:
    """A scalar function of a vector; made by `autograd_lite.interop.scipy`.

    Attributes:
        x0: the start as a vector.
    """

    def __init__(self, compiled: Any, start: Any, args: Any, kwargs: Any) -> None:
        self._both, self._product = compiled
        self._args, self._kwargs = args, kwargs
        leaves, paths, self._build = flatten(start)
        arrays = [
            array_of(x, True, f"interop.scipy: the start{path}")
            for x, path in zip(leaves, paths, strict=True)
        ]
        self._shapes = [x.shape for x in arrays]
        self._dtypes = [x.dtype for x in arrays]
        if not arrays or not sum(x.size for x in arrays):
            raise ValueError("interop.scipy: the start holds no numbers")
        self.x0: Any = _flat(arrays)
        self._ends = np.cumsum([x.size for x in arrays])[:-1]

    def __call__(self, x: Any) -> tuple[float, Any]:
        """The value and the gradient."""
        value, gradient = self._both(self._inside(x), self._args, self._kwargs)
        return float(value), _flat(flatten(gradient)[0])

    def hessp(self, x: Any, v: Any) -> Any:
        """The Hessian times v."""
        found = self._product(self._inside(x), self._inside(v), self._args, self._kwargs)
        return _flat(flatten(found)[0])

    def hess(self, x: Any) -> Any:
        """The Hessian."""
        return np.stack([self.hessp(x, row) for row in np.eye(self.x0.size)])

    def tree(self, x: Any) -> Any:
        """A vector in the containers of the start, in their dtypes."""
        parts = self._parts(x)
        return self._build([p.astype(d) for p, d in zip(parts, self._dtypes, strict=True)])

    def _inside(self, x: Any) -> Any:
        return self._build(self._parts(x))

    def _parts(self, x: Any) -> list[Any]:
        x = np.asarray(x, np.float64)
        if x.shape != self.x0.shape:
            raise ValueError(f"interop.scipy: x has shape {x.shape}, not {self.x0.shape}")
        pairs = zip(np.split(x, self._ends), self._shapes, strict=True)
        return [part.reshape(shape) for part, shape in pairs]


def _flat(arrays: Any) -> Any:
    """One new float64 vector."""
    return np.concatenate([np.ravel(x) for x in arrays]).astype(np.float64, copy=False)
