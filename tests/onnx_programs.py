"""Random programs of NumPy's functions for ONNX, and what onnxruntime computes with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_lite as ag

# Each step takes matrices of one shape and gives one. Its results stay near the numbers that it is
# given, so that the largest intermediate value is not far above the result. Jumps are only where
# the arguments of the program decide, which are the same in every precision.
STEPS = (
    "np.tanh({0} - {1})",
    "np.sin({0}) * np.cos({1})",
    "{0} / (1 + np.abs({1}))",
    "np.arctan2({0}, 1 + {1} ** 2)",
    "np.arcsinh({0}) - np.arctan({1})",
    "np.arctanh({0} / (1 + {0} ** 2)) + np.arcsin({1} / (2 + np.abs({1})))",
    "np.arccos({0} / (1.1 + np.abs({0}))) - 1.5",
    "np.arccosh(1 + {0} ** 2) / 2",
    "np.hypot({0}, {1}) / 1.5",
    "np.cbrt({0} ** 2 + 0.1)",
    "np.expm1(-np.abs({0})) + np.log1p({1} ** 2) / 2",
    "np.logaddexp({0}, {1}) - 0.7",
    "np.log2(1.5 + {0} ** 2) - np.log10(2 + {1} ** 2)",
    "np.exp2(-({0} ** 2))",
    "np.power(0.2 + np.abs({0}), 1.7) / 3",
    "(0.3 + {0} ** 2) ** (np.tanh({1}) / 2)",
    "np.sinc({0} / 3)",
    "ag.softplus({0}) - ag.softplus(-{1})",
    "ag.silu({0}) - ag.gelu({1})",
    "ag.elu({0}, alpha=0.7) + ag.leaky_relu({1}, negative_slope=0.2)",
    "ag.relu({0} - 0.123) - ag.sigmoid(4 * {1})",
    "ag.softmax(2 * {0}, axis=0) + ag.log_softmax({1}, axis=1) / 4",
    "ag.logsumexp({0}, axis=1, keepdims=True) - {1}",
    "np.maximum({0} / 2, {1} - 0.321)",
    "np.minimum({0}, np.fmax({1}, 0.2137))",
    "np.clip({0}, -1.0137, 0.9271)",
    "np.where(x0 > 0.1, {0}, -{1})",
    "np.where((x0 < x0[:, :1]) | (x0 > 1), {0} * {1} / 2, np.sqrt(0.2 + {0} ** 2))",
    "np.mean({0}, axis=0) - {1}",
    "{0} - np.var({1}, axis=1, keepdims=True)",
    "{0} / (1 + np.std({1}, axis=0, keepdims=True))",
    "{0} / np.linalg.norm({1}, axis=1, keepdims=True) / 3",
    "np.linalg.norm({0}, ord=3, axis=0) - {1}",
    "np.max({0}, axis=1, keepdims=True) - np.min({1}, axis=0)",
    "np.prod({0} / 2, axis=0, keepdims=True) + {1}",
    "np.cumsum({0}, axis=1) / 3",
    "np.cumprod(1 - {0} / 4, axis=0)",
    "np.median({0}, axis=1, keepdims=True) - {1} / 2",
    "np.sort({0}, axis=0) - {1}",
    "{0}[::-1] - {1}[:, ::-1]",
    "np.roll({0}, 1, axis=1) - np.roll({1}, -1)",
    "np.concatenate([{0}[1:], {1}[:1]])",
    "np.stack([{0}, {1}, {0} * {1} / 2], axis=1)[:, 1 + ({k} > 2)]",
    "{0}[np.arange(len({0})) // 2] - {1}",
    "{0} - {1}[[0], :] * {0}[:, [-1]]",
    "np.tril({0}) - np.triu({1}, 1)",
    "({0} @ np.swapaxes({1}, 0, 1)) @ {0} / 9",
    "({0}.T @ {1}[:, 0]) / 3 - {1}[0] @ {0}.T @ {0} / 9 - {1}",
    "np.einsum('ij,kj,kl->il', {0}, {1}, {0}) / 9",
    "np.tensordot({0}, {1}, axes=([0, 1], [0, 1])) / 10 - {0}",
    "np.outer({0}[:, 0], {1}[0]) / 2",
    "np.kron({0}[:1, :1], {1})",
    "np.reshape(np.tile({0}, (2, 1)), (2, *{0}.shape)).mean(axis=0) - {1}",
    "np.broadcast_to(np.trace({0} @ {1}.T) / 9, {0}.shape) * {0} / 2",
    "np.moveaxis(np.expand_dims({0}, 0) - np.expand_dims({1}, 1), 0, 1)[0]",
    "np.squeeze(np.reshape({0}, (1, -1, 1)))[: {0}.size].reshape({1}.shape) - {1}",
    "({0} - np.remainder(x0, 0.7)) / 1.5 - np.fmod(x0, 0.31)",
    "{0} - np.sign(x0) * np.floor(x0 * 2) / 4 + np.rint(3 * x0) / 5",
    "np.astype(x0 > 0.3, {0}.dtype) * {0} - np.logical_not(x0 > 0) * {1}",
    "np.sum(x0 > 0, axis=1, keepdims=True) * {0} / 4",
    "np.argmax(x0, axis=1)[:, None] * {0} / 3 - {1}",
    "np.take_along_axis({0}, np.argsort(x0, axis=1), axis=1) - {1}",
    "np.convolve({0}[0], {1}[0])[: {0}.shape[1]] / 4 - {0}",
    "np.cross(np.concatenate([{0}, {0}, {0}], axis=1)[:, :3], [0.3, -1, 0.5])[:, :1] - {1}",
    "np.nan_to_num(np.where(x0 > 0, {0}, np.nan), nan=0.25)",
    "np.copysign({0}, 0.3 + {1} ** 2) - np.heaviside(x0, 0.5)",
)

LOSSES = (
    "ag.squared_error({0}, np.tanh({1}))",
    "ag.binary_cross_entropy(ag.sigmoid({0}), ag.sigmoid({1}))",
    "ag.binary_cross_entropy_with_logits({0}, ag.sigmoid({1}), reduction='sum')",
    "ag.cross_entropy({0}, np.arange(len({0})) % {0}.shape[1])",
    "ag.cross_entropy({0}, ag.softmax({1}))",
    "-np.mean(np.log(1 / (1 + np.exp(-6 * {0}))) + {1} ** 2)",
    "np.log(np.sum(np.exp({0}))) + np.sum(np.sqrt({1} ** 2 + {0} ** 2 + 0.01))",
    "np.mean({0} ** 2) * np.max({1})",
)


@dataclass
class Program:
    """A function of arrays, as source, with arguments."""

    source: str
    arrays: tuple[Any, ...]

    def __call__(self, *arrays: Any) -> Any:
        namespace = {"np": np, "ag": ag}
        exec(self.source, namespace)
        return namespace["program"](*arrays)


@st.composite
def programs(draw: Any, most: int = 10) -> Program:
    """A program of steps, the last a loss, on arrays of float32 or float64."""
    shape = draw(st.sampled_from([(3, 2), (2, 3), (4, 4), (1, 3), (3, 1), (5, 2)]))
    count = draw(st.integers(1, 3))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays = tuple(random.normal(size=shape).astype(dtype) for _ in range(count))
    values = [f"x{k}" for k in range(count)]
    lines = [f"def program({', '.join(values)}):"]
    for k in range(draw(st.integers(1, most))):
        step = draw(st.sampled_from(STEPS))
        one, two = (draw(st.sampled_from(values[-4:])) for _ in range(2))
        values.append(f"v{k}")
        lines.append(f"    v{k} = {step.format(one, two, k=k)} + 0 * {one}")
    loss = draw(st.sampled_from(LOSSES))
    one, two = (draw(st.sampled_from(values[-4:])) for _ in range(2))
    lines.append(f"    loss = {loss.format(one, two)}")
    lines.append(f"    return loss, {values[-1]}\n")
    return Program("\n".join(lines), arrays)


def with_gradients(program: Any) -> Any:
    """The results of a program and the gradients of the first one."""
    argnums = tuple(range(len(program.arrays)))

    def results(*arrays: Any) -> Any:
        loss, last = program(*arrays)
        return loss, last, ag.grad(lambda *x: program(*x)[0], argnums)(*arrays)

    return results
