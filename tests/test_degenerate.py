"""Equal eigenvalues, equal singular values and lower ranks: right, or a warning that names them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Values

import autograd_lite as ag

WEIGHTS = Values(4)((3, 3))


def transposed(a):
    return np.swapaxes(a, -1, -2)


def of_eigenvalues(h, a):
    """V h(λ) Vᵀ of a symmetric matrix, and weights that are not symmetric."""
    w, v = np.linalg.eigh((a + transposed(a)) / 2)
    return np.sum((v * h(w)[..., None, :]) @ transposed(v) * WEIGHTS)


def root(a):
    return of_eigenvalues(np.sqrt, a)


def polar(a):
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.sum(u @ vh * WEIGHTS[: a.shape[-2], : a.shape[-1]])


def whitened(a):
    return of_eigenvalues(lambda w: w**-0.5, a)


def shifted(a):
    # Nothing arrives at the vectors where λ is 1, and yet every entry of a counts.
    return of_eigenvalues(lambda w: w - 1, a)


def turned(values, seed):
    """A symmetric matrix with these eigenvalues."""
    q = Values(seed).orthogonal(len(values))
    return (q * np.asarray(values, float)) @ q.T


PAIRS = "eigenvalues 0 and 1"


@pytest.mark.parametrize("f", [root, whitened, shifted])
@pytest.mark.parametrize(
    ("a", "match"),
    [
        (np.eye(3), rf"{PAIRS} are both 1 .* 2 more pairs"),
        (np.diag([1.0, 1, 2]), f"{PAIRS} are both 1 "),
        (turned([1, 1, 2], 0), PAIRS),
        (turned([1, 2, 2 + 1e-14], 1), "eigenvalues 1 and 2"),
        (np.diag([1.0, 1 + 1e-6, 2]).astype(np.float32), PAIRS),
        (np.stack([np.diag([1.0, 2, 3]), np.diag([3.0, 5, 5])]), r"1 and 2 of matrix \(1,\)"),
    ],
)
def test_equal_eigenvalues_are_named(f, a, match):
    with pytest.warns(ag.DegenerateWarning, match=match) as caught:
        ag.grad(f)(a)
    assert all(warning.filename == __file__ for warning in caught)
    compiled = ag.compile(ag.grad(f))
    compiled(a + np.diag([0.0, 0.5, 1.5]).astype(a.dtype))
    with pytest.warns(ag.DegenerateWarning, match=match):
        compiled(a)


@pytest.mark.parametrize(
    "a", [np.eye(3), np.diag([1.0, 2, 2]), turned([3, 3, 1], 2), np.eye(3)[:, :2], np.eye(3)[:2]]
)
def test_equal_singular_values_are_named(a):
    with pytest.warns(ag.DegenerateWarning, match="singular values . and . are both"):
        ag.grad(polar)(a)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-100, 1e-4, 1.0, 1e100]))
@settings(max_examples=8)
def test_values_that_differ_give_right_gradients_and_no_warning(seed, size):
    a = Values(seed).symmetric((2, 3, 3))
    ag.check_gradients(root, a)
    ag.check_gradients(polar, a[0], order=2)
    # Both are homogeneous, of degree 1/2 and 0.
    scaled = ag.grad(root)(a * size) * size**0.5
    np.testing.assert_allclose(scaled, ag.grad(root)(a), rtol=1e-9, atol=1e-12)
    scaled = ag.grad(polar)(a[0] * size) * size
    np.testing.assert_allclose(scaled, ag.grad(polar)(a[0]), rtol=1e-9, atol=1e-12)


@given(st.integers(-16, -1), st.integers(0, 100))
@settings(max_examples=60)
def test_a_gradient_is_right_or_warns_however_near_two_eigenvalues_are(power, seed):
    a = turned([1, 1 + 10.0**power, 2], seed)
    # The square root of a has the derivative x with r x + x r = da; written without vectors.
    w, v = np.linalg.eigh(a)
    weights = v.T @ (WEIGHTS + WEIGHTS.T) @ v / 2
    expected = v @ (weights / (np.sqrt(w)[:, None] + np.sqrt(w))) @ v.T
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = ag.grad(root)(a)
    if not caught:
        np.testing.assert_allclose(got, expected, atol=0.05)
    assert bool(caught) == (power <= -14)


def test_a_function_of_the_common_space_is_right_beside_the_warning():
    def trace_of_exp(a):
        w, v = np.linalg.eigh((a + a.T) / 2)
        return np.trace((v * np.exp(w)) @ v.T)

    a = np.diag([1.0, 1.0, 2.0])
    with pytest.warns(ag.DegenerateWarning):
        gradient = ag.grad(trace_of_exp)(a)
    np.testing.assert_allclose(gradient, np.diag(np.exp(np.diag(a))), atol=1e-14)


def test_values_alone_ask_for_no_vectors_to_turn():
    """Symmetric functions of the values are smooth; others have a kink and a subgradient there."""
    a = np.diag([1.0, 1.0, 2.0])
    gradient = ag.grad(lambda a: np.sum(np.exp(np.linalg.eigvalsh(a))))(a)
    np.testing.assert_allclose(gradient, np.diag(np.exp(np.diag(a))), atol=1e-14)
    np.testing.assert_allclose(ag.grad(lambda a: np.linalg.norm(a, "nuc"))(a), np.eye(3))
    shared = ag.grad(lambda a: np.linalg.norm(a, 2))(np.eye(3))
    np.testing.assert_allclose(shared, np.eye(3) / 3, atol=1e-14)
    largest = ag.grad(lambda a: np.linalg.eigvalsh(a)[-1])(np.eye(3))
    np.testing.assert_allclose([np.trace(largest), np.linalg.norm(largest)], [1, 1])


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.sum(np.linalg.eigvalsh(a) ** 3),
        lambda a: np.linalg.norm(a, "nuc"),
        lambda a: np.sum(np.linalg.svdvals(a) ** 4),
    ],
)
def test_second_derivatives_of_values_warn(f):
    with pytest.warns(ag.DegenerateWarning):
        ag.hessian(f)(np.eye(3))


RANKS = [np.diag([1.0, 2, 0]), np.outer([1.0, 2, 3], [1.0, 1, 2]), np.zeros((3, 3))]


@pytest.mark.parametrize("a", RANKS)
@pytest.mark.parametrize(
    "f",
    [
        np.linalg.pinv,
        lambda a: np.linalg.qr(a).Q,
        lambda a: np.linalg.qr(a).R,
        lambda a: np.matmul(*np.linalg.svd(a, full_matrices=False)[::2]),
    ],
)
def test_a_lower_rank_is_named(f, a):
    compiled = ag.compile(ag.grad(lambda a: np.sum(f(a) * WEIGHTS)))
    compiled(np.diag([1.0, 2, 3]))
    with pytest.warns(ag.DegenerateWarning, match="0 up to rounding|both .*e-16 up to rounding"):
        compiled(a)
    with pytest.warns(ag.DegenerateWarning, match="0 up to rounding|both .*e-16 up to rounding"):
        ag.grad(lambda a: np.sum(f(a) * WEIGHTS))(a)


@pytest.mark.parametrize("side", ["U", "Vh"])
def test_vectors_that_a_single_zero_leaves_alone_do_not_warn(side):
    """Centred rows always have a singular value of 0, and their U is smooth nevertheless."""
    a = np.array([[1.0, 2, 3], [-1, 1, 2]])
    a = np.vstack([a, -a.sum(0)])
    a = np.hstack([a, a[:, :1] ** 2 - np.mean(a[:, :1] ** 2)])
    a = a if side == "U" else a.T

    def f(a):
        return np.sum(getattr(np.linalg.svd(a, full_matrices=False), side) ** 2 * WEIGHTS)

    ag.check_gradients(f, a)


def test_a_saved_module_warns_without_the_package(tmp_path):
    compiled = ag.compile(ag.grad(root))
    with pytest.warns(ag.DegenerateWarning):
        compiled(np.eye(3))
    compiled.save(tmp_path / "module.py")
    space = {}
    exec((tmp_path / "module.py").read_text(encoding="utf-8"), space)
    with pytest.warns(RuntimeWarning, match=PAIRS):
        space["root"](np.eye(3))
