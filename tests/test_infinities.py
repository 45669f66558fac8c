"""Stable functions at ±∞: the limits of value, gradient and second derivatives, or NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.ops import activations, losses

FAR = 1e5  # each function below has reached its limit there, up to the linear part
NUMBERS = st.one_of(st.sampled_from([np.inf, -np.inf]), st.floats(-30, 30, width=32))
LABELS = (0.0, 1.0, 0.25)
WEIGHTS = np.array([0.3, -1.7, 0.9, 2.1])


def weighted(f):
    """A sum of the results with different weights, which a sum of all would hide."""
    return lambda x: sum(w * y for w, y in zip(WEIGHTS, np.atleast_1d(f(x)), strict=False))


SEPARATE = {
    "sigmoid": ag.sigmoid,
    "softplus": ag.softplus,
    "silu": ag.silu,
    "gelu": ag.gelu,
    "elu": ag.elu,
    "tanh": lambda x: np.tanh(x),
    "written": lambda x: 1 / (1 + np.exp(-x)),
    "log σ": lambda x: np.log(ag.sigmoid(x)),
    "log(1 − σ)": lambda x: np.log(1 - ag.sigmoid(x)),
    "logaddexp": lambda x: np.logaddexp(x, 0.5),
    "logaddexp2": lambda x: np.logaddexp2(0.5, x),
    **{
        f"with logits, label {y}": lambda x, y=y: ag.binary_cross_entropy_with_logits(x, y)
        for y in LABELS
    },
    **{
        f"of sigmoid, label {y}": lambda x, y=y: ag.binary_cross_entropy(ag.sigmoid(x), np.array(y))
        for y in LABELS
    },
}
TOGETHER = {
    "logsumexp": ag.logsumexp,
    "written": lambda x: np.log(np.sum(np.exp(x))),
    "softmax": weighted(ag.softmax),
    "normalized": weighted(lambda x: np.exp(x) / np.sum(np.exp(x))),
    "log_softmax": lambda x: ag.log_softmax(x)[1],
    "cross_entropy": lambda x: ag.cross_entropy(x, np.array(1)),
    "one hot": lambda x: ag.cross_entropy(x, np.eye(x.shape[0])[1]),
    "logaddexp": lambda x: np.logaddexp(x[0], x[1]),
    "logaddexp2": lambda x: np.logaddexp2(x[0], x[1]),
}


def derivatives(f, x):
    """The value, the gradient and the second derivatives."""
    with np.errstate(all="ignore"):
        return (*ag.value_and_grad(f)(x), ag.hessian(f)(x))


def check_limits(f, x):
    """What is returned at an infinity is what is returned far out."""
    value, *at = derivatives(f, x)
    limit, *far = derivatives(f, np.clip(x, -FAR, FAR))
    if abs(limit) > FAR / 10:
        assert value == np.copysign(np.inf, limit)
    else:
        np.testing.assert_allclose(value, limit, rtol=1e-12, atol=1e-300)
    for a, b in zip(at, far, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("x", [np.inf, -np.inf])
@pytest.mark.parametrize("name", SEPARATE)
def test_functions_of_one_number_have_their_limits(name, x, dtype):
    check_limits(SEPARATE[name], np.array(x, dtype))


@pytest.mark.parametrize("name", SEPARATE)
def test_the_derivatives_at_nan_are_nan(name):
    assert np.isnan(derivatives(SEPARATE[name], np.array(np.nan))).all()


@pytest.mark.parametrize("count", [1, 200])
@settings(max_examples=25)
@given(x=st.lists(NUMBERS, min_size=1, max_size=4), y=st.sampled_from(LABELS))
def test_losses_of_many_logits(count, x, y):
    x = np.repeat(np.array(x), count)
    labels = np.full_like(x, y)
    found = [ag.binary_cross_entropy_with_logits(t, y) for t in x]
    given = ag.binary_cross_entropy_with_logits(x, labels, reduction="none")
    np.testing.assert_allclose(given, found, rtol=1e-14)
    assert not np.isnan(found).any()


@pytest.mark.parametrize("name", TOGETHER)
@settings(max_examples=25)
@given(x=st.lists(NUMBERS, min_size=2, max_size=4))
def test_functions_of_several_numbers_have_their_limits(name, x):
    x = np.array(x if not name.startswith("logaddexp") else x[:2])
    if np.sum(x == np.inf) <= 1 and not np.all(x == -np.inf):
        check_limits(TOGETHER[name], x)


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "logaddexp", "cross_entropy"])
@pytest.mark.parametrize("x", [[np.inf, np.inf], [-np.inf, -np.inf]])
def test_where_the_limit_depends_on_the_path_the_gradient_is_nan(name, x):
    _, gradient, second = derivatives(TOGETHER[name], np.array(x))
    assert np.isnan(gradient).all()
    assert np.isnan(second).all()


def test_rows_do_not_meet():
    x = np.array([[np.inf, 0.0], [1.0, 3.0], [-np.inf, -np.inf], [np.inf, np.inf], [np.nan, 1.0]])
    with np.errstate(all="ignore"):
        p, logs = ag.softmax(x), ag.log_softmax(x)
    e = np.exp(2)
    np.testing.assert_allclose(p[:2], [[1, 0], [1 / (1 + e), e / (1 + e)]], rtol=1e-15)
    np.testing.assert_array_equal(logs[0], [0, -np.inf])
    assert np.isnan(p[2:]).all()
    assert np.isnan(logs[2:]).all()
    assert ag.softmax(x.astype(np.float32)[:2]).dtype == np.float32


@pytest.mark.parametrize("name", [*SEPARATE, *TOGETHER])
@settings(max_examples=8)
@given(x=st.lists(NUMBERS, min_size=2, max_size=4))
def test_compiled_programs_return_the_same_or_nan(name, x):
    f = SEPARATE.get(name) or TOGETHER[name]
    for case in [np.array(v) for v in x] if name in SEPARATE else [np.array(x)]:
        program = ag.value_and_grad(f)
        with np.errstate(all="ignore"):
            pairs = zip(program(case), ag.compile(program)(case), strict=True)
            for expected, found in pairs:
                known = ~np.isnan(found)
                np.testing.assert_allclose(found[known], expected[known], rtol=1e-12, atol=1e-15)


def test_a_wrong_limit_is_found(monkeypatch):
    x = np.array([np.inf, 0.0])
    monkeypatch.setattr(activations, "holds", lambda mask: False)
    with pytest.raises(AssertionError):
        check_limits(TOGETHER["softmax"], x)
    monkeypatch.setattr(losses, "_of_infinite", lambda z, y: (z > 0) * z)
    with pytest.raises(AssertionError):
        check_limits(SEPARATE["with logits, label 1.0"], x[0])
