"""Losses that one would try in a lecture, written as NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag

LOSSES: dict[str, Callable[[], Any]] = {}


def loss(function: Callable[[], Any]) -> Callable[[], Any]:
    LOSSES[function.__name__.strip("_")] = function
    return function


def normal(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape) / 2


def leaf(name: str, *shape: int) -> Any:
    seed = [ord(c) for c in name]
    return ag.Tensor(np.random.default_rng(seed).normal(size=shape) / 2, name)


def regression(classes: bool = False) -> tuple[Any, Any, Any]:
    A, w = ag.constant(normal(6, 3), "A"), leaf("w", 3)
    y = [1.0, 0, 1, 1, 0, 1] if not classes else [1.0, -1, 1, 1, -1, 1]
    return A, ag.constant(y, "y"), w


def entropy(ŷ: Any, y: Any) -> Any:
    return -np.mean(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))


@loss
def weight_decay():
    A, y, w = regression()
    return entropy(ag.sigmoid((A @ w).named("z")).named("ŷ"), y) + 0.01 / 2 * np.sum(w**2)


@loss
def elastic_net():
    A, y, w = regression()
    α, λ = ag.constant(0.1, "α"), ag.constant(0.2, "λ")
    return np.mean((A @ w - y) ** 2) + α * np.sum(np.abs(w)) + λ / 2 * np.sum(w**2)


@loss
def softmax_regression():
    X, W, b = ag.constant(normal(6, 3), "X"), leaf("W", 3, 4), leaf("b", 4)
    Y = ag.constant(np.eye(4)[[0, 1, 2, 3, 1, 2]], "Y")
    P = ag.softmax((X @ W + b).named("Z")).named("P")
    return -np.mean(np.sum(Y * np.log(P), axis=1)) + 0.05 * np.sum(W**2)


@loss
def softmax_of_labels():
    X, W = ag.constant(normal(6, 3), "X"), leaf("W", 3, 4)
    return ag.cross_entropy(X @ W, ag.constant([0, 1, 2, 3, 1, 2], "y"))


@loss
def huber():
    A, y, w = regression()
    r, d = (A @ w - y).named("r"), ag.constant(0.5, "d")
    return np.mean(np.where(np.abs(r) <= d, r**2 / 2, d * (np.abs(r) - d / 2)))


@loss
def hinge():
    A, y, w = regression(classes=True)
    return np.mean(np.maximum(0, 1 - y * (A @ w)))


@loss
def support_vectors():
    A, y, w = regression(classes=True)
    b, C = leaf("b"), ag.constant(10.0, "C")
    return w @ w / 2 + C * np.sum(ag.relu(1 - y * (A @ w + b)))


@loss
def quantile():
    A, y, w = regression()
    r, τ = (y - A @ w).named("r"), ag.constant(0.9, "τ")
    return np.mean(np.maximum(τ * r, (τ - 1) * r))


@loss
def poisson():
    A, y, w = regression()
    η = (A @ w).named("η")
    return np.mean(np.exp(η) - y * η)


@loss
def log_link():
    A, y, w = regression()
    μ = np.exp((A @ w).named("η")).named("μ")
    return np.sum(μ - y * np.log(μ))


@loss
def log_cosh():
    A, y, w = regression()
    return np.mean(np.log(np.cosh(A @ w - y)))


@loss
def focal():
    A, y, w = regression()
    ŷ = ag.sigmoid((A @ w).named("z")).named("ŷ")
    return -np.mean(y * (1 - ŷ) ** 2 * np.log(ŷ) + (1 - y) * ŷ**2 * np.log(1 - ŷ))


@loss
def weighted_squares():
    A, y, w = regression()
    return np.sum(ag.constant(np.abs(normal(6)), "s") * (A @ w - y) ** 2)


@loss
def dropped_out():
    A, y, w = regression()
    return np.mean((A @ (w * ag.constant([1.0, 0, 1], "m") / 0.8) - y) ** 2)


@loss
def cosine_similarity():
    u, v = leaf("u", 3), leaf("v", 3)
    return u @ v / (np.linalg.norm(u) * np.linalg.norm(v))


@loss
def triplet():
    a, p, n = leaf("a", 3), leaf("p", 3), leaf("n", 3)
    return ag.relu(np.sum((a - p) ** 2) - np.sum((a - n) ** 2) + 1)


@loss
def triplets():
    a, p, n = leaf("a", 4, 3), leaf("p", 4, 3), leaf("n", 4, 3)
    return np.mean(ag.relu(np.sum((a - p) ** 2, axis=1) - np.sum((a - n) ** 2, axis=1) + 0.2))


@loss
def attention():
    X, Y = ag.constant(normal(5, 3), "X"), ag.constant(normal(5, 2), "Y")
    Q, K, V = ((X @ leaf(f"W{x}", 3, 2)).named(x) for x in "QKV")
    P = ag.softmax((Q @ K.T / np.sqrt(2)).named("S")).named("P")
    return np.sum(((P @ V).named("O") - Y) ** 2) / 2


@loss
def batch_norm():
    X, γ, β = leaf("X", 6, 3), leaf("γ", 3), leaf("β", 3)
    μ, v = np.mean(X, axis=0).named("μ"), np.var(X, axis=0).named("v")
    N = ((X - μ) / np.sqrt(v + 1e-5)).named("N")
    return np.sum(((γ * N + β).named("Y") - ag.constant(normal(6, 3), "T")) ** 2) / 2


@loss
def layer_norm():
    x, γ, β = leaf("x", 5), leaf("γ", 5), leaf("β", 5)
    return np.sum((γ * (x - np.mean(x)) / np.std(x) + β - ag.constant(normal(5), "t")) ** 2)


@loss
def layer_norm_of_rows():
    X = leaf("X", 4, 5)
    μ, v = (f(X, axis=1, keepdims=True) for f in (np.mean, np.var))
    return np.sum(((X - μ) / np.sqrt(v + 0.001)) ** 3)


@loss
def recurrent():
    W, U, v = leaf("W", 3, 3), leaf("U", 3, 2), leaf("v", 3)
    h = ag.constant(np.zeros(3), "h₀")
    for k in "₁₂₃":
        x = ag.constant(normal(2) + ord(k) % 3, f"x{k}")
        h = np.tanh((W @ h + U @ x).named(f"a{k}")).named(f"h{k}")
    return (v @ h - ag.constant(1.0, "y")) ** 2 / 2


@loss
def matrix_factors():
    R, U, V = ag.constant(normal(5, 4), "R"), leaf("U", 5, 2), leaf("V", 4, 2)
    λ, M = ag.constant(0.1, "λ"), ag.constant((normal(5, 4) < 0) * 1.0, "M")
    return np.sum(M * (R - U @ V.T) ** 2) / 2 + λ / 2 * (np.sum(U**2) + np.sum(V**2))


@loss
def principal_components():
    X, W = ag.constant(normal(6, 3), "X"), leaf("W", 3, 2)
    return np.sum((X - X @ W @ W.T) ** 2)


@loss
def gaussian():
    x, μ = ag.constant(normal(3), "x"), leaf("μ", 3)
    S = ag.Tensor(np.eye(3) * 2 + 0.1 * normal(3, 3), "S")
    return np.linalg.slogdet(S)[1] / 2 + (x - μ) @ np.linalg.inv(S) @ (x - μ) / 2


@loss
def gaussian_by_rows():
    X, μ = ag.constant(normal(6, 3), "X"), leaf("μ", 3)
    S = ag.Tensor(np.eye(3) * 2 + 0.1 * normal(3, 3), "S")
    return 6 / 2 * np.linalg.slogdet(S)[1] + np.sum((X - μ) @ np.linalg.inv(S) * (X - μ)) / 2


@loss
def gaussian_of_numbers():
    x, μ, σ = ag.constant(normal(6), "x"), leaf("μ"), ag.Tensor(1.3, "σ")
    return np.sum((x - μ) ** 2 / (2 * σ**2) + np.log(σ * np.sqrt(2 * np.pi)))


@loss
def relative_entropy():
    p, q = ag.softmax(leaf("a", 4)).named("p"), ag.constant([0.1, 0.2, 0.3, 0.4], "q")
    return np.sum(p * np.log(p / q))


@loss
def relative_entropy_of_a_model():
    q, p = ag.softmax(leaf("a", 4)).named("q"), ag.constant([0.1, 0.2, 0.3, 0.4], "p")
    return np.sum(p * np.log(p / q))


@loss
def variational():
    μ, s = leaf("μ", 4), leaf("s", 4)
    return -np.sum(1 + s - μ**2 - np.exp(s)) / 2


@loss
def gelu_perceptron():
    X, W, V = ag.constant(normal(6, 3), "X"), leaf("W", 3, 4), leaf("V", 4, 2)
    H = ag.gelu((X @ W).named("A")).named("H")
    penalty = 0.001 * (np.sum(W**2) + np.sum(V**2))
    return np.mean((H @ V - ag.constant(normal(6, 2), "Y")) ** 2) + penalty


@loss
def gelu():
    return np.sum(ag.gelu(leaf("x", 3)))


@loss
def silu():
    x = leaf("x", 3)
    return np.sum(x * ag.sigmoid(x))


@loss
def tanh_written_out():
    x = leaf("x", 3)
    return np.sum((np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)))


@loss
def rayleigh_quotient():
    x = leaf("x", 3)
    return x @ ag.constant(normal(3, 3), "A") @ x / (x @ x)


@loss
def dice():
    p, y = ag.sigmoid(leaf("z", 6)).named("p"), ag.constant([1.0, 0, 1, 1, 0, 1], "y")
    return 1 - 2 * np.sum(p * y) / (np.sum(p) + np.sum(y))


@loss
def kernel():
    return np.exp(-np.sum((leaf("x", 3) - leaf("y", 3)) ** 2) / 2)


@loss
def rosenbrock():
    x, y = leaf("x"), leaf("y")
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2
