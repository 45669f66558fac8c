"""Small example graphs."""

from __future__ import annotations

import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.models.logistic_regression import LogisticRegression
from autograd_lite.models.mlp import MLPClassifier


def student(
    x: npt.ArrayLike = (3, 5),
    y: float = 1,
    w: npt.ArrayLike = (0.1, -0.2),
    b: float = 0,
) -> ag.Tensor:
    """The loss of logistic regression on one student: x is hours studied and slept, y passed.

    x and w have the same shape (n,); y lies between 0 and 1. The names of the nodes are x, y, w,
    b, w·x, z, ŷ and L.

    Raises ValueError if the shapes differ.

    Example:
        >>> L = student()
        >>> L.backward()
        >>> round(L.item(), 4)
        1.1032
    """
    X, Y = ag.constant(x, name="x"), ag.constant(y, name="y")
    W, B = ag.Tensor(w, name="w"), ag.Tensor(b, name="b")
    if X.ndim != 1 or X.shape != W.shape:
        raise ValueError(f"x and w must have the same length; got shapes {X.shape} and {W.shape}")
    with ag.scope("linear:  z = w·x + b"):
        z = ((W @ X).named("w·x") + B).named("z")
    ŷ = ag.sigmoid(z).named("ŷ")
    L: ag.Tensor = ag.binary_cross_entropy(ŷ, Y)
    return L.named("L")


def students() -> ag.Tensor:
    """The mean loss of logistic regression, z = A w, on four students.

    Example:
        >>> round(students().item(), 4)
        0.8112
    """
    hours = [[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0]]
    return LogisticRegression(init={"w": [0, 0.1, -0.2]}).loss_graph(hours, [1, 0, 1, 0])


def perceptron() -> ag.Tensor:
    """The loss of a multilayer perceptron with two hidden units on one example.

    Example:
        >>> round(perceptron().item(), 4)
        0.3027
    """
    weights: dict[str, npt.ArrayLike] = {
        "W1": [[0.5, 0.3], [-0.8, 0.2]],
        "b1": [0.1, -0.2],
        "w": [0.7, -0.5],
        "b": 0.2,
    }
    return MLPClassifier(2, init=weights).loss_graph([[1, 2]], [1])
