"""A matrix with a NaN or an infinity has NaN results; the others of its stack are not touched.

LAPACK returns finite numbers for some of these matrices, and does not return for others.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.op import OPS

linalg = np.linalg

SQUARE = {
    "det": linalg.det,
    "slogdet": linalg.slogdet,
    "inv": linalg.inv,
    "solve": lambda a: linalg.solve(a, a),
    "solve a vector": lambda a: linalg.solve(a, np.arange(1, 1 + a.shape[-1], dtype=a.dtype)),
    "cholesky": linalg.cholesky,
    "eigvalsh": linalg.eigvalsh,
    "eigvalsh, upper": lambda a: linalg.eigvalsh(a, UPLO="U"),
    "eigh": linalg.eigh,
    "eigh, upper": lambda a: linalg.eigh(a, UPLO="U"),
    "matrix_power": lambda a: linalg.matrix_power(a, -3),
}
OTHERS = {
    "svdvals": linalg.svdvals,
    "svd": lambda a: linalg.svd(a, full_matrices=False),
    "qr": linalg.qr,
    "pinv": lambda a: linalg.pinv(a),
    "nuclear norm": lambda a: linalg.matrix_norm(a, ord="nuc"),
    "spectral norm": lambda a: linalg.matrix_norm(a, ord=2),
}
READ = {"cholesky": np.tril, "eigvalsh": np.tril, "eigh": np.tril}
READ |= {"eigvalsh, upper": np.triu, "eigh, upper": np.triu}

SEEDS = st.integers(0, 10**6)
BAD = st.sampled_from([np.nan, np.inf, -np.inf])


def parts(results):
    """The result as a list of arrays."""
    results = results if isinstance(results, tuple) else (results,)
    return [np.asarray(x.data if isinstance(x, ag.Tensor) else x) for x in results]


def drawn(seed, shape):
    """Positive definite matrices if they are square; many elements are 0."""
    random = np.random.default_rng(seed)
    a = random.normal(size=shape) * (random.random(shape) < 0.7)
    a = a + 3 * np.eye(*shape[-2:])
    return a @ np.swapaxes(a, -1, -2) + np.eye(shape[-1]) if shape[-1] == shape[-2] else a


def spoilt(a, seed, bad):
    """The second of three matrices gets one or two bad elements; returns where the first is."""
    random = np.random.default_rng(seed)
    a = a.copy()
    for _ in range(random.integers(1, 3)):
        place = tuple(random.integers(0, a.shape[-2:]))
        a[(1, *place)] = bad
    return a


def check(name, a):
    """The results of a stack whose second matrix may be bad."""
    f = (SQUARE | OTHERS)[name]
    read = READ.get(name, lambda x: x)
    bad = not np.isfinite(read(a)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found, clean in zip(parts(f(ag.Tensor(a))), parts(f(ag.Tensor(a[::2]))), strict=True):
            assert found.dtype == a.dtype
            np.testing.assert_array_equal(found[::2], clean)
            assert np.isnan(found[1]).all() if bad else np.isfinite(found).all()

        t = ag.Tensor(a)
        results = f(t)
        results = results if isinstance(results, tuple) else (results,)
        sum(np.sum(x) for x in results).backward()
        assert np.isfinite(t.grad[::2]).all()
        seen = read(np.ones_like(a[1])) != 0
        assert np.isnan(t.grad[1][seen]).all() if bad else np.isfinite(t.grad).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", SQUARE)
@settings(max_examples=12)
@given(seed=SEEDS, n=st.integers(2, 5), bad=BAD)
def test_square_matrices(name, dtype, seed, n, bad):
    check(name, spoilt(drawn(seed, (3, n, n)), seed, bad).astype(dtype))


@pytest.mark.parametrize("name", OTHERS)
@settings(max_examples=12)
@given(seed=SEEDS, m=st.integers(2, 5), n=st.integers(1, 5), bad=BAD)
def test_matrices_of_any_shape(name, seed, m, n, bad):
    m = max(m, n) if name == "qr" else m
    check(name, spoilt(drawn(seed, (3, m, n)), seed, bad))


@pytest.mark.parametrize("name", SQUARE | OTHERS)
@settings(max_examples=12)
@given(seed=SEEDS, bad=BAD)
def test_compiled_programs_return_the_same(name, seed, bad):
    f = (SQUARE | OTHERS)[name]
    a = spoilt(drawn(seed, (3, 4, 4)), seed, bad)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = COMPILED.setdefault(name, ag.compile(lambda a: f(a)))(a)
        for found, expected in zip(parts(compiled), parts(f(ag.Tensor(a))), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


COMPILED = {}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_arrays_without_a_gradient(bad):
    a = np.array([[bad, 1.0], [1.0, 3.0]])
    for name in ("inv", "det", "eigvalsh", "svdvals", "cholesky", "qr_r", "pinv", "det_sign"):
        assert np.isnan(OPS[name](a)).all()
    with pytest.raises(linalg.LinAlgError, match=r"matrix_rank: .*NaN or infinity has no rank"):
        linalg.matrix_rank(ag.Tensor(a))


def test_large_numbers_are_finite():
    a = 1e200 * np.array([[2.0, 1.0], [1.0, 3.0]])
    np.testing.assert_allclose(linalg.inv(ag.Tensor(a)).numpy() * 1e200, [[0.6, -0.2], [-0.2, 0.4]])
    np.testing.assert_allclose(
        linalg.eigvalsh(ag.Tensor(a)).numpy() / 1e200, (5 + np.array([-1, 1]) * 5**0.5) / 2
    )


def test_an_operation_that_does_not_look_is_found(monkeypatch):
    a = np.array([np.eye(2), [[np.nan, 1.0], [1.0, 3.0]], np.eye(2)])
    for name in ("inv", "eigvalsh"):
        check(name, a)
        monkeypatch.setattr(OPS[name], "compute", getattr(linalg, name))
        with pytest.raises(AssertionError):
            check(name, a)
