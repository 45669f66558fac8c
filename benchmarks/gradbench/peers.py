"""The problems and their gradients by each library, as workers run them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

import autograd_lite as ag
from benchmarks.worker import Subject

Function = Callable[..., Any]


@dataclass
class Differentiated:
    """A function and its gradient, as a worker's subject."""

    primal: Callable[[], Any]
    gradient: Callable[[], Any]

    def losses(self, count: int) -> list[float]:
        """So many numbers that are the same for all peers: the value and sums over the gradient."""
        gradient = np.concatenate([np.ravel(part) for part in parts(self.gradient())])
        weights = np.arange(1, gradient.size + 1)
        positive, negative = np.maximum(gradient, 0), np.maximum(-gradient, 0)
        sums = float(self.primal()), float(weights @ positive), float(weights @ negative)
        return list(sums[:count])

    def seconds(self, budget: float) -> list[float]:
        """The least time of the function and of its gradient."""
        return [Subject(step).seconds(budget) for step in (self.primal, self.gradient)]


def parts(x: Any) -> list[Any]:
    return list(x) if isinstance(x, list | tuple) else [x]


def posed(name: str, size: Any, library: str, namespace: Any) -> tuple[Function, tuple[Any, ...]]:
    """The function of a problem as this library's user writes it, and its arguments."""
    problem = import_module(f"benchmarks.gradbench.{name}")
    written = getattr(problem, library, None) or partial(problem.primal, namespace)
    return written, problem.inputs(*size)


def derivative(name: str, f: Function, grad: Function, products: Function) -> Function:
    """What the problem wants: the gradient, or that over the diagonal of a diagonal Hessian.

    Args:
        grad: the library's.
        products: of a function and its argument, the gradient and the Hessian times ones.
    """
    if name != "kmeans":
        return grad(f)

    def step(x: Any, *rest: Any) -> Any:
        gradient, diagonal = products(lambda x: f(x, *rest), x)
        return gradient / diagonal

    return step


def converted(to: Callable[[Any], Any], given: Any) -> Any:
    """The arrays among the arguments as arrays of a library."""
    if isinstance(given, tuple):
        return tuple(converted(to, x) for x in given)
    return to(given) if isinstance(given, np.ndarray) else given


def autograd_lite(name: str, *size: Any, transform: Function = lambda f: f) -> Differentiated:
    def products(f: Function, x: Any) -> tuple[Any, Any]:
        gradient, pull = ag.vjp(ag.grad(f), x)
        return gradient, pull(np.ones_like(x))[0]

    f, given = posed(name, size, "autograd_lite", np)
    gradient = derivative(name, f, ag.grad, products)
    return Differentiated(partial(transform(f), *given), partial(transform(gradient), *given))


def compiled(name: str, *size: Any, **options: Any) -> Differentiated:
    return autograd_lite(name, *size, transform=partial(ag.compile, **options))


def numba(name: str, *size: Any) -> Differentiated:
    import numba  # noqa: F401 - so that it is skipped where Numba is not installed

    return compiled(name, *size, backend="numba")


def torch(name: str, *size: Any) -> Differentiated:
    import torch

    def grad(f: Function) -> Function:
        def gradient(x: Any, *rest: Any) -> Any:
            return torch.autograd.grad(f(x, *rest), parts(x))

        return gradient

    def products(f: Function, x: Any) -> tuple[Any, Any]:
        (gradient,) = torch.autograd.grad(f(x), x, create_graph=True)
        return gradient.detach(), torch.autograd.grad(gradient, x, torch.ones_like(x))[0]

    f, given = posed(name, size, "torch", torch)
    first, *rest = converted(torch.from_numpy, given)
    for x in parts(first):
        x.requires_grad_()
    return Differentiated(
        partial(torch.no_grad()(f), first, *rest),
        partial(derivative(name, f, grad, products), first, *rest),
    )


def jax(name: str, *size: Any) -> Differentiated:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def products(f: Function, x: Any) -> Any:
        return jax.jvp(jax.grad(f), (x,), (jnp.ones_like(x),))

    f, given = posed(name, size, "jax", jnp)
    fixed = [k for k, x in enumerate(given) if isinstance(x, int | float)]
    given = converted(jnp.asarray, given)

    def jitted(function: Function) -> Callable[[], Any]:
        fast = jax.jit(function, static_argnums=fixed)
        return lambda: jax.block_until_ready(fast(*given))

    return Differentiated(jitted(f), jitted(derivative(name, f, jax.grad, products)))


def autograd(name: str, *size: Any) -> Differentiated:
    import autograd
    import autograd.numpy as anp

    def products(f: Function, x: Any) -> tuple[Any, Any]:
        pull, gradient = autograd.make_vjp(autograd.grad(f))(x)
        return gradient, pull(np.ones_like(x))

    f, given = posed(name, size, "autograd", anp)
    gradient = derivative(name, f, autograd.grad, products)
    return Differentiated(partial(f, *given), partial(gradient, *given))
