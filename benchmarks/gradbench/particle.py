"""A charged particle, moved by Euler's method until it crosses the axis y = 0.

One of two charges is at (10, 10 − w), the other at (10, 0). The function is the square of the place
x where the particle crosses the axis. The force is the negative gradient of the potential, so the
gradient by w is a gradient of a gradient. GradBench goes on to the w for which x is 0.

A loop that ends at a crossing needs the values of numbers. Compiled functions have none, so the
steps up to the crossing are counted before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy

import autograd_lite as ag

SIZE, SMALL = (0.0, 0.1), (0.0, 2.0)

Slope = Callable[[Any, Any], Any]


def inputs(w: float, time: float) -> tuple[Any, ...]:
    position, velocity = numpy.array([0.0, 8.0]), numpy.array([0.75, 0.0])
    return numpy.array(w), position, velocity, time, crossing(w, position, velocity, time)


def potential(np: Any, position: Any, w: Any) -> Any:
    x, y = position[0] - 10, position[1]
    return 1 / np.sqrt(x**2 + (y - 10 + w) ** 2) + 1 / np.sqrt(x**2 + y**2)


def step(slope: Slope, w: Any, position: Any, velocity: Any, time: float) -> tuple[Any, Any]:
    return position + time * velocity, velocity - time * slope(position, w)


def crossing(w: float, position: Any, velocity: Any, time: float) -> int:
    """The number of steps of which the last ends above the axis."""
    slope, steps = ag.grad(partial(potential, numpy)), 0
    while position[1] + time * velocity[1] > 0:
        position, velocity = step(slope, w, position, velocity, time)
        steps += 1
    return steps


def square(position: Any, velocity: Any) -> Any:
    """Of x where the line from the position in the direction of the velocity crosses y = 0."""
    return (position[0] - position[1] / velocity[1] * velocity[0]) ** 2


def moved(slope: Slope, w: Any, position: Any, velocity: Any, time: float, steps: int) -> Any:
    for _ in range(steps):
        position, velocity = step(slope, w, position, velocity, time)
    return square(position, velocity)


def primal(np: Any, *given: Any) -> Any:
    return moved(ag.grad(partial(potential, np)), *given)


def autograd(*given: Any) -> Any:
    import autograd
    import autograd.numpy as anp

    return moved(autograd.grad(partial(potential, anp)), *given)


def torch(*given: Any) -> Any:
    import torch

    return moved(torch.func.grad(partial(potential, torch)), *given)


def jax(w: Any, position: Any, velocity: Any, time: float, steps: int) -> Any:
    import jax

    slope = jax.grad(partial(potential, jax.numpy))

    def body(_: Any, state: Any) -> Any:
        return step(slope, w, *state, time)

    return square(*jax.lax.fori_loop(0, steps, body, (position, velocity)))
