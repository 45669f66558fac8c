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
START = (0.0, 8.0, 0.75, 0.0)
"""x, y and the velocities."""

Slopes = Callable[[Any, Any, Any], Any]
State = tuple[Any, Any, Any, Any]


def inputs(w: float, time: float) -> tuple[Any, ...]:
    state = tuple(map(numpy.array, START))
    return numpy.array(w), state, time, crossing(w, START, time)


def potential(np: Any, x: Any, y: Any, w: Any) -> Any:
    return 1 / np.sqrt((x - 10) ** 2 + (y - 10 + w) ** 2) + 1 / np.sqrt((x - 10) ** 2 + y**2)


def step(slopes: Slopes, w: Any, state: State, time: float) -> State:
    x, y, along, up = state
    by_x, by_y = slopes(x, y, w)
    return x + time * along, y + time * up, along - time * by_x, up - time * by_y


def crossing(w: float, state: State, time: float) -> int:
    """The number of steps of which the last ends above the axis."""
    slopes, steps = ag.grad(partial(potential, numpy), (0, 1)), 0
    while state[1] + time * state[3] > 0:
        state = step(slopes, w, state, time)
        steps += 1
    return steps


def square(state: State) -> Any:
    """Of x where the line from the place in the direction of the velocity crosses y = 0."""
    x, y, along, up = state
    return (x - y / up * along) ** 2


def moved(slopes: Slopes, w: Any, state: State, time: float, steps: int) -> Any:
    for _ in range(steps):
        state = step(slopes, w, state, time)
    return square(state)


def primal(np: Any, *given: Any) -> Any:
    return moved(ag.grad(partial(potential, np), (0, 1)), *given)


def autograd(*given: Any) -> Any:
    import autograd
    import autograd.numpy as anp

    return moved(autograd.grad(partial(potential, anp), (0, 1)), *given)


def torch(*given: Any) -> Any:
    import torch

    return moved(torch.func.grad(partial(potential, torch), (0, 1)), *given)


def jax(w: Any, state: State, time: float, steps: int) -> Any:
    import jax

    slopes = jax.grad(partial(potential, jax.numpy), (0, 1))

    def body(_: Any, state: State) -> State:
        return step(slopes, w, state, time)

    return square(jax.lax.fori_loop(0, steps, body, state))
