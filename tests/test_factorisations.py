"""How many factorisations the gradients of determinants, inverses and linear systems take."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from strategies import Values

import autograd_lite as ag

FACTORISATIONS = ("cholesky", "det", "eigh", "inv", "qr", "slogdet", "solve", "svd")

det, inv, slogdet, solve = np.linalg.det, np.linalg.inv, np.linalg.slogdet, np.linalg.solve

A, B = Values(1).square((3, 3)), Values(2)((3, 3))

FUNCTIONS = {
    "det": (lambda a, b: det(a * b), "det", ["inv"]),
    "det of a stack": (lambda a, b: np.sum(det(np.stack([a, a + b]))), "det", ["inv"]),
    "log |det|": (lambda a, b: slogdet(a * b).logabsdet, "slogdet", ["inv"]),
    "sign and log |det|": (lambda a, b: np.prod(np.stack(slogdet(a * b))), "slogdet", ["inv"]),
    "inv": (lambda a, b: np.sum(inv(a) * b), "inv", []),
    "solve": (lambda a, b: np.sum(solve(a, b)), "solve", ["solve"]),
    "solve for a vector": (lambda a, b: np.sum(solve(a, b[0])), "solve", ["solve"]),
    "solve for a stack": (lambda a, b: np.sum(solve(a, np.stack([b, -b]))), "solve", ["solve"]),
}
"""Functions, with the factorisations that their values and their gradients take."""


@pytest.fixture
def factorisations(monkeypatch):
    """Counts the calls of NumPy's factorisations on arrays."""
    counts = Counter()

    def counted(name, function):
        def call(a, *args, **kwargs):
            counts[name] += isinstance(a, np.ndarray)
            return function(a, *args, **kwargs)

        return call

    for name in FACTORISATIONS:
        monkeypatch.setattr(np.linalg, name, counted(name, getattr(np.linalg, name)))
    return counts


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gradient_takes_at_most_one_factorisation_more_than_the_value(name, factorisations):
    f, _, further = FUNCTIONS[name]
    loss = f(ag.Tensor(A), ag.Tensor(B))
    value = factorisations.copy()
    loss.backward()
    assert factorisations - value == Counter(further)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_compiled_value_and_gradient_take_as_many(name, factorisations):
    f, value, further = FUNCTIONS[name]
    compiled = ag.compile(ag.value_and_grad(f, (0, 1)))
    compiled(A, B)
    factorisations.clear()
    compiled(A, B)
    # The sign and the logarithm are two operations, each with a look at its matrix.
    again = [value] if name == "sign and log |det|" else []
    assert factorisations == Counter([value, *again, *further])


def test_a_determinant_and_an_inverse_share_one_inverse_when_compiled(factorisations):
    """As in the logarithm of a Gaussian density."""
    compiled = ag.compile(ag.value_and_grad(lambda a: slogdet(a)[1] + np.sum(inv(a) * B)))
    compiled(A)
    factorisations.clear()
    compiled(A)
    assert factorisations == {"slogdet": 1, "inv": 1}


def test_singular_values_are_computed_for_singular_matrices_only(factorisations):
    gradient = ag.grad(det)
    gradient(A)
    assert not factorisations["svd"]
    gradient(np.ones((3, 3)))
    assert factorisations["svd"] == 1
