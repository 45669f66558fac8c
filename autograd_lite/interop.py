"""Functions of arrays as parts of programs in PyTorch, JAX and SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["jax", "scipy", "torch"]


def torch(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function f on PyTorch's tensors, differentiable there any number of times.

    Args:
        f: a function of arrays in nested containers, also one that `compile` returned. It is
            compiled, once for each combination of shapes, dtypes and plain values.

    The function that is returned takes tensors where f takes arrays, and returns tensors. float32
    and float64 are kept; integer and boolean tensors have no gradient. Gradients are computed only
    for tensors that require them. It works within `torch.nn.Module`, `torch.func.grad`, `jvp` and,
    one example after the other, `vmap`.

    Raises:
        ImportError: without PyTorch.
        TypeError: when called, for tensors that are not on the CPU, are sparse, or have a dtype
            that NumPy lacks.

    Example:
        >>> import numpy as np
        >>> import torch
        >>> import autograd_lite as ag
        >>> layer = ag.interop.torch(lambda x, w: np.tanh(x @ w))
        >>> w = torch.ones(2, requires_grad=True)
        >>> layer(torch.eye(2), w).sum().backward()
        >>> w.grad
        tensor([0.4200, 0.4200])
    """
    try:
        from autograd_lite.exchange.torch_layer import TorchLayer
    except ImportError as error:
        raise ImportError("interop.torch: needs PyTorch; run: pip install torch") from error
    return TorchLayer(f)


def jax(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function f on JAX's arrays, for `jax.grad`, `jax.jit` and `jax.vmap`.

    Args:
        f: a function of arrays in nested containers, also one that `compile` returned.

    The function that is returned takes and returns arrays of JAX. NumPy computes it, in a callback
    that `jit` keeps, and `vmap` calls it for one example after the other. Reverse-mode derivatives
    of any order work. Results are float32 unless JAX has float64 enabled.

    Raises:
        ImportError: without JAX.

    Example:
        >>> import numpy as np
        >>> import jax
        >>> import autograd_lite as ag
        >>> layer = ag.interop.jax(lambda x: np.sum(np.sin(x)))
        >>> jax.jit(jax.grad(layer))(jax.numpy.zeros(2)).tolist()
        [1.0, 1.0]
    """
    try:
        from autograd_lite.exchange.jax_layer import JaxLayer
    except ImportError as error:
        raise ImportError("interop.jax: needs JAX; run: pip install jax") from error
    return JaxLayer(f)


def scipy(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function f as an objective for `scipy.optimize.minimize`.

    Args:
        f: a function that returns a scalar. Its first argument is minimized over: an array, or
            nested containers of arrays. The others are fixed.

    The function that is returned takes the arguments of f and returns a problem p: p(x) is the
    value and the gradient at a flat vector x, ``p.x0`` the first argument as such a vector,
    ``p.hessp(x, v)`` the Hessian times v, ``p.hess(x)`` the Hessian, and ``p.tree(x)`` the vector
    in the containers of the first argument. All are computed in float64, and each array that is
    returned is a new one, because some solvers keep it.

    Raises:
        TypeError, ValueError: when called, if f does not return a scalar, or if the first argument
            holds no numbers.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> from scipy.optimize import minimize
        >>> p = ag.interop.scipy(lambda w, target: np.sum((w["a"] - target) ** 2))(
        ...     {"a": np.zeros(2)}, np.array([1.0, 2.0])
        ... )
        >>> result = minimize(p, p.x0, jac=True, hessp=p.hessp, method="trust-ncg")
        >>> p.tree(result.x)["a"].round(6)
        array([1., 2.])
    """
    from autograd_lite.exchange.scipy_function import objective

    return objective(f)
