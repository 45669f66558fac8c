"""A function of arrays as a function of JAX: `jax.custom_vjp` around a callback."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from autograd_lite.exchange.derivatives import Program
from autograd_lite.trees import flatten

__all__ = ["JaxLayer"]

_Shape: Any = jax.ShapeDtypeStruct


class JaxLayer:
    """A function of arrays of JAX; made by `autograd_lite.interop.jax`."""

    def __init__(self, f: Callable[..., Any] | Program) -> None:
        self.program: Program = f if isinstance(f, Program) else Program(f)
        functools.update_wrapper(self, self.program.f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, _, build = flatten((args, kwargs))
        places = [k for k, x in enumerate(leaves) if isinstance(x, jax.Array)]

        def arguments(arrays: Sequence[Any]) -> Any:
            new = list(leaves)
            for k, x in zip(places, arrays, strict=True):
                new[k] = x
            return build(new)

        def compute(*arrays: Any) -> list[Any]:
            """The results by NumPy, in the dtypes that JAX has."""
            args, kwargs = arguments([np.asarray(x) for x in arrays])
            results = flatten(self.program.compiled(*args, **kwargs))[0]
            return [
                np.asarray(x, jax.dtypes.canonicalize_dtype(np.result_type(x))) for x in results
            ]

        arrays = [leaves[k] for k in places]
        shapes, rebuilt = self._shapes(arguments([_like(x) for x in arrays]))

        @jax.custom_vjp
        def function(*arrays: Any) -> Any:
            return jax.pure_callback(compute, shapes, *arrays, vmap_method="sequential")

        def forward(*arrays: Any) -> Any:
            return function(*arrays), arrays

        def backward(arrays: Any, cotangents: Any) -> tuple[Any, ...]:
            args, kwargs = arguments(arrays)
            floats = [g for g, x in zip(cotangents, shapes, strict=True) if x.dtype.kind == "f"]
            wanted = [k for k, x in enumerate(arrays) if x.dtype.kind == "f"]
            found = JaxLayer(self.program.pull)(
                args, kwargs, floats, tuple(places[k] for k in wanted)
            )
            gradients = dict(zip(wanted, found, strict=True))
            return tuple(
                gradients.get(k, np.zeros(x.shape, jax.dtypes.float0)) for k, x in enumerate(arrays)
            )

        function.defvjp(forward, backward)
        return rebuilt(function(*arrays))

    def _shapes(self, arguments: Any) -> tuple[list[Any], Callable[[Any], Any]]:
        """The shapes and dtypes of the results, and their containers."""
        args, kwargs = arguments
        with np.errstate(all="ignore"):
            results, _, build = flatten(self.program.compiled(*args, **kwargs))
        return [
            _Shape(np.shape(x), jax.dtypes.canonicalize_dtype(np.result_type(x))) for x in results
        ], build

    def __repr__(self) -> str:
        return f"<jax layer {getattr(self.program.f, '__name__', '')}>"


def _like(x: Any) -> Any:
    """Numbers of the same shape and dtype that functions accept: 0 as an index, else the identity
    for square matrices, which has an inverse and a logarithm, and 1/2."""
    shape, dtype = x.shape, np.dtype(x.dtype)
    if dtype.kind != "f":
        return np.zeros(shape, dtype)
    if len(shape) > 1 and shape[-1] == shape[-2]:
        return np.broadcast_to(np.eye(shape[-1], dtype=dtype), shape)
    return np.full(shape, 0.5, dtype)
