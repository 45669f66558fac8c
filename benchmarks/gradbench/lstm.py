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


def cell(np: Any, x: Any, state: Any, weights: Any, biases: Any) -> tuple[Any, Any]:
    """The hidden state and the memory of a layer after a character."""
    hidden, memory = state
    inputs = x, hidden, x, hidden
    gates = [w * v + b for w, v, b in zip(weights, inputs, biases, strict=True)]
    forget, take, show = (1 / (1 + np.exp(-gate)) for gate in gates[:3])
    memory = forget * memory + take * np.tanh(gates[3])
    return show * np.tanh(memory), memory


def step(np: Any, layers: Any, extra: Any, states: Any, x: Any, target: Any) -> tuple[Any, Any]:
    """The states of all layers after a character, and the loss of its successor."""
    scale, factor, shift = extra
    x, after = scale * x, []
    for (weights, biases), state in zip(layers, states, strict=True):
        after.append(cell(np, x, state, weights, biases))
        x = after[-1][0]
    outputs = factor * x + shift
    return after, -np.sum(target * (outputs - np.log(2 + np.sum(np.exp(outputs)))))


def unpacked(parameters: Any, state: Any) -> tuple[Any, ...]:
    """The parameters of each layer, further ones, and the state of each layer, as vectors."""
    main, extra = parameters
    layers = [(list(weights), list(biases)) for weights, biases in main]
    return layers, list(extra), [tuple(layer) for layer in state]


def primal(np: Any, parameters: Any, state: Any, characters: Any) -> Any:
    layers, extra, states = unpacked(parameters, state)
    (length, bits), total = characters.shape, 0.0
    for k in range(length - 1):
        states, loss = step(np, layers, extra, states, characters[k], characters[k + 1])
        total = total + loss
    return total / ((length - 1) * bits)


def jax(parameters: Any, state: Any, characters: Any) -> Any:
    import jax
    import jax.numpy as jnp

    layers, extra, states = unpacked(parameters, state)

    def body(states: Any, pair: Any) -> tuple[Any, Any]:
        return step(jnp, layers, extra, states, *pair)

    losses = jax.lax.scan(body, states, (characters[:-1], characters[1:]))[1]
    return jnp.mean(losses) / characters.shape[1]
