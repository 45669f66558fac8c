"""A program of composed operations that type checkers accept; `test_types` runs them on it."""

import numpy as np
from numpy.typing import NDArray

import autograd_lite as ag

Array = NDArray[np.float64]
Value = ag.Tensor | Array


def cross_entropy(w: Value, A: Value, y: Value) -> ag.Tensor:
    p = 1 / (1 + ag.exp(-(A @ w)))
    return -ag.mean(y * ag.log(p) + (1 - y) * ag.log(1 - p))


def layer(h: ag.Tensor, W: ag.Tensor, b: ag.Tensor) -> ag.Tensor:
    return ag.tanh(h @ W.T + b)


@ag.compile(rows="auto")
def step(w: Array, A: Array, y: Array) -> tuple[Value, Array]:
    loss, gradient = ag.value_and_grad(cross_entropy)(w, A, y)
    return loss, w - 0.1 * gradient


A = np.array([[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0]])
y = np.array([1.0, 0.0, 1.0, 0.0])
w = ag.Tensor([0.1, -0.2], name="w")
loss = cross_entropy(w, A, y)
loss.backward()
w.data -= 0.1 * w.grad

W, b = ag.Tensor(np.ones((3, 2))), ag.Tensor(np.zeros(3))
h = layer(ag.constant(A), W, b)
first, positive = h[:, 0].reshape(4, 1), h > 0
penalty = (W * W).sum() + ag.maximum(b, 0.0).sum()
total = ag.binary_cross_entropy(ag.sigmoid(h @ b), ag.constant(y)) + 0.1 * penalty
total.named("L").backward()
residual = y - A @ w
(residual @ residual + np.sum(w * w)).backward()
hessian = ag.hessian(cross_entropy)(w.numpy(), A, y)
_, new = step(w.numpy(), A, y)
closed: str = ag.derive(ag.mean(h * h), wrt=[W]).closed_form[W].numpy()
print(loss.item(), new.shape, hessian.shape, first.shape, positive.dtype, closed)
