"""A long short-term memory (LSTM) with diagonal weights, that predicts the next character.

A character is a vector of bits. The loss is the mean of −target · (output − log(2 + Σ exp output))
over all bits, where each target is the next character. The first of `extra` scales the characters
that go in; the others scale and shift what the last layer gives.
"""

from __future__ import annotations

from typing import Any

import numpy

SIZE, SMALL = (2, 256, 14), (2, 12, 3)


def inputs(layers: int, length: int, bits: int) -> tuple[Any, ...]:
    draw = numpy.random.default_rng(0)
    main, extra = draw.random((layers, 2, 4, bits)), draw.random((3, bits))
    state, characters = draw.random((layers, 2, bits)), draw.integers(0, 2, (length, bits))
    return (main, extra), state, characters.astype(float)


def cell(np: Any, x: Any, state: Any, parameters: Any) -> tuple[Any, Any]:
    """The hidden state and the memory of a layer after a character."""
    hidden, memory = state
    gates = parameters[0] * np.stack([x, hidden, x, hidden]) + parameters[1]
    forget, take, show = 1 / (1 + np.exp(-gates[:3]))
    memory = forget * memory + take * np.tanh(gates[3])
    return show * np.tanh(memory), memory


def step(np: Any, state: Any, x: Any, main: Any, extra: Any) -> tuple[Any, Any]:
    """The state of all layers after a character, and what the last layer gives."""
    x, after = extra[0] * x, []
    for layer, parameters in zip(state, main, strict=True):
        after.append(cell(np, x, layer, parameters))
        x = after[-1][0]
    return after, x


def loss(np: Any, hidden: Any, targets: Any, extra: Any) -> Any:
    """Of what the last layer has given for all characters."""
    outputs = extra[1] * hidden + extra[2]
    totals = np.log(2 + np.sum(np.exp(outputs), axis=1))
    return -np.mean(targets * (outputs - totals[:, None]))


def primal(np: Any, parameters: Any, state: Any, characters: Any) -> Any:
    main, extra = parameters
    hidden = []
    for x in characters[:-1]:
        state, last = step(np, state, x, main, extra)
        hidden.append(last)
    return loss(np, np.stack(hidden), characters[1:], extra)


def jax(parameters: Any, state: Any, characters: Any) -> Any:
    import jax
    import jax.numpy as jnp

    main, extra = parameters

    def body(state: Any, x: Any) -> tuple[Any, Any]:
        after, last = step(jnp, state, x, main, extra)
        return jnp.stack([jnp.stack(layer) for layer in after]), last

    hidden = jax.lax.scan(body, state, characters[:-1])[1]
    return loss(jnp, hidden, characters[1:], extra)
