"""NumPy's vocabulary: every function answers as NumPy does, with the right derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rulecheck import numerical
from vocabulary_cases import CASES, HOLES, values

import autograd_lite as ag
from autograd_lite.op import NUMPY, REFUSED

FUNCTIONS = [
    (f"{prefix}{name}", getattr(module, name))
    for module, prefix in ((np, ""), (np.linalg, "linalg."), (np.fft, "fft."))
    for name in sorted(dir(module))
    if not name.startswith("_")
    and (
        isinstance(getattr(module, name), np.ufunc)
        or hasattr(getattr(module, name), "_implementation")
    )
]


def flat(result):
    return result if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_numpys(case):
    f, args = case
    expected, got = flat(f(*args)), flat(f(*map(ag.Tensor, args)))
    assert len(expected) == len(got)
    for theirs, ours in zip(expected, got, strict=True):
        assert isinstance(ours, ag.Tensor)
        assert ours.shape == np.shape(theirs)
        assert ours.dtype == np.asarray(theirs).dtype
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-12, atol=1e-12)


def weighted(f, shift=0.0):
    """One number that every element of every result moves differently."""

    def scalar(*args):
        total = 0.0
        for k, result in enumerate(flat(f(*args))):
            weights = np.cos(np.arange(np.size(result)) + k + shift).reshape(np.shape(result))
            total = total + np.sum(result * weights)
        return total

    return scalar


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_the_derivative(case):
    f, args = case
    scalar = weighted(f)
    for k in range(len(args)):
        expected = numerical(scalar, args, k)
        np.testing.assert_allclose(
            ag.grad(scalar, argnums=k)(*args),
            expected,
            rtol=1e-9,
            atol=1e-9,
            err_msg=f"argument {k}",
        )


@pytest.mark.parametrize("case", CASES)
def test_the_second_derivative_too(case):
    f, args = case
    everything = tuple(range(len(args)))
    gradients = ag.grad(weighted(f), argnums=everything)
    scalar = weighted(gradients, shift=0.5)
    directions = [values(*a.shape, low=0.5, high=1.0) for a in args]
    expected = numerical(
        lambda t: scalar(*(a + t * u for a, u in zip(args, directions, strict=True))), [0.0], 0
    )
    found = ag.grad(scalar, argnums=everything)(*args)
    along = sum(np.sum(g * u) for g, u in zip(found, directions, strict=True))
    np.testing.assert_allclose(along, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_float32_stays_float32(case):
    f, args = case
    args = [a.astype(np.float32) for a in args]
    for theirs, ours in zip(flat(f(*args)), flat(f(*map(ag.Tensor, args))), strict=True):
        assert ours.dtype in (np.float32, np.asarray(theirs).dtype)
    gradients = ag.grad(weighted(f), argnums=tuple(range(len(args))))
    exact = gradients(*(a.astype(float) for a in args))
    for g, right in zip(gradients(*args), exact, strict=True):
        assert g.dtype == np.float32
        np.testing.assert_allclose(g, right, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_can_be_traced(case):
    f, args = case
    ag.trace(ag.grad(weighted(f), argnums=tuple(range(len(args)))), *args)


def test_every_public_function_answers_or_gives_a_reason():
    silent = [name for name, f in FUNCTIONS if f not in NUMPY and f not in REFUSED]
    assert silent == []
    assert not NUMPY.keys() & REFUSED.keys()


def test_what_autograd_differentiates():
    core = pytest.importorskip("autograd.core")
    vjps = pytest.importorskip("autograd.numpy.numpy_vjps")
    named = {f.__name__ for f in [*core.primitive_vjps, *vjps.nograd_functions]}
    theirs = {getattr(np, name) for name in named if callable(getattr(np, name, None))}
    assert len(theirs) > 100
    # np.isscalar asks about the type, which NumPy answers by itself.
    assert theirs - NUMPY.keys() - REFUSED.keys() == {np.isscalar}


def test_what_mygrad_differentiates():
    base = pytest.importorskip("mygrad.tensor_base")
    tables = [getattr(base, name) for name in dir(base) if name.startswith("_REGISTERED")]
    theirs = {function for table in tables for function in table}
    assert len(theirs) > 80
    assert theirs <= NUMPY.keys() | REFUSED.keys()


def test_a_refusal_gives_the_reason():
    t = ag.Tensor([1.0, 2.0])
    for call, reason in [
        (lambda: np.unique(t), "depends on the values"),
        (lambda: np.fft.fft(t), "complex"),
        (lambda: np.put(t, [0], 1.0), "in place"),
        (lambda: np.full_like(np.ones(2), t), "broadcast_to"),
        (lambda: np.apply_along_axis(np.sum, 0, t), "np.stack"),
        (lambda: np.nextafter(t, 0.0), "rounding"),
        (lambda: np.save("never.npy", t), "writes to a file"),
    ]:
        with pytest.raises(TypeError, match=reason):
            call()


def test_an_argument_that_is_not_supported_is_named():
    t = ag.Tensor([[1.0, 2.0], [3.0, 4.0]])
    for call, named in [
        (lambda: np.mean(t, out=np.zeros(())), "out"),
        (lambda: np.mean(t, dtype=int), "dtype"),
        (lambda: np.prod(t, where=[1, 0]), "where"),
        (lambda: np.var(t, mean=2.0), "mean"),
        (lambda: np.clip(t, 0, 1, np.zeros((2, 2))), "out"),
        (lambda: np.interp(1.0, t[0], t[1], period=3.0), "period"),
        (lambda: np.concatenate([t, t], dtype=np.float32), "dtype"),
        (lambda: np.exp(t, where=[True, False]), "where="),
        (lambda: np.quantile(t, 0.5, method="closest_observation"), "method"),
        (lambda: np.pad(t, 1, lambda *a: None), "mode"),
        (lambda: np.pad(t, 1, "reflect", reflect_type="odd"), "reflect_type"),
        (lambda: np.reshape(t, 4, order="A"), "order"),
    ]:
        with pytest.raises(TypeError, match=named):
            call()
    assert np.sum(t, 0, None, None).shape == (2,)


def test_a_wrong_argument_raises():
    t = ag.Tensor([1.0, 2.0, 3.0])
    for call in [
        lambda: np.split(t, 2),
        lambda: np.moveaxis(t, 0, 3),
        lambda: np.take(t, 7),
        lambda: np.take_along_axis(t, np.array([3]), axis=0),
        lambda: np.quantile(t, 1.5),
        lambda: np.gradient(t, np.ones(2)),
        lambda: np.pad(t, -1),
        lambda: np.choose([0, 1, 2], [t, t]),
        lambda: np.average(t, weights=[1.0, 2.0]),
        lambda: np.rot90(t),
        lambda: np.nonzero(t[0]),
        lambda: np.select([], []),
        lambda: np.diag(np.ones((1, 1, 1)) * t),
    ]:
        with pytest.raises((ValueError, IndexError)):
            call()


def gradient(f, *at):
    return [float(g) for g in ag.grad(f, argnums=tuple(range(len(at))))(*at)]


def test_kinks_and_singular_points():
    assert gradient(np.abs, 0.0) == [0]
    assert gradient(np.maximum, 2.0, 2.0) == [0.5, 0.5]
    assert gradient(np.fmin, 2.0, 2.0) == [0.5, 0.5]
    assert gradient(np.fmax, 2.0, np.nan) == [1, 0]
    assert gradient(np.hypot, 0.0, 0.0) == [0, 0]
    assert np.isnan(gradient(np.arctan2, 0.0, 0.0)).all()
    assert gradient(lambda x: np.clip(x, 0.0, 1.0), 1.0) == [0.5]
    assert gradient(lambda x: np.sqrt(np.maximum(x, 0.0)), -1.0) == [0]
    assert gradient(lambda x: np.sqrt(x) * 0.0, 0.0) == [0]
    assert gradient(np.sinc, 0.0) == [0]
    assert gradient(np.power, 0.0, 2.0) == [0, 0]
    assert gradient(lambda x: x**0, 0.0) == [0]
    assert float(ag.grad(ag.grad(np.sinc))(0.0)) == pytest.approx(-(np.pi**2) / 3)
    assert ag.grad(np.std)(np.ones(3)).tolist() == [0, 0, 0]
    assert ag.grad(np.nanstd)(np.ones(3)).tolist() == [0, 0, 0]
    assert ag.grad(np.max)(np.array([1.0, 3.0, 3.0])).tolist() == [0, 0.5, 0.5]
    assert ag.grad(np.ptp)(np.array([1.0, 1.0])).tolist() == [0, 0]


@given(st.lists(st.sampled_from([0.0, -1.0, 0.5, 2.0, 3.0]), min_size=1, max_size=7))
def test_products_are_exact_at_zeros(numbers):
    x = np.array(numbers)
    n = len(x)
    others = [np.prod(np.delete(x, k)) for k in range(n)]
    np.testing.assert_allclose(ag.grad(np.prod)(x), others)
    rest = [[np.prod(np.delete(x, [j, k])) * (j != k) for j in range(n)] for k in range(n)]
    for k in range(n):
        np.testing.assert_allclose(ag.grad(lambda x, k=k: ag.grad(np.prod)(x)[k])(x), rest[k])
    running = ag.grad(lambda x: np.sum(np.cumprod(x)))(x)
    np.testing.assert_allclose(
        running, sum(ag.grad(lambda x, k=k: np.prod(x[: k + 1]))(x) for k in range(n))
    )


@given(
    st.tuples(*[st.tuples(st.integers(0, 5), st.integers(0, 5))] * 2),
    st.sampled_from(["edge", "reflect", "symmetric", "wrap", "linear_ramp", "mean"]),
)
def test_padding_and_its_gradient_are_transposes(widths, mode):
    """⟨v, P u⟩ = ⟨Pᵀ v, u⟩, for padding is linear."""
    u = values(3, 4)
    padded = np.pad(u, widths, mode)
    v = values(*padded.shape, low=-1.0)
    y, pull = ag.vjp(lambda a: np.pad(a, widths, mode), u)
    np.testing.assert_allclose(y, padded, atol=1e-12)
    np.testing.assert_allclose(np.sum(pull(v)[0] * u), np.sum(v * padded), atol=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "nansum",
        "nanmean",
        "nanprod",
        "nanmax",
        "nanmin",
        "nanvar",
        "nanstd",
        "nanmedian",
    ],
)
def test_nan_gets_no_gradient(name):
    f = getattr(np, name)
    np.testing.assert_allclose(f(ag.Tensor(HOLES)).numpy(), f(HOLES), rtol=1e-12)
    np.testing.assert_allclose(f(ag.Tensor(HOLES), axis=1).numpy(), f(HOLES, axis=1), rtol=1e-12)
    g = ag.grad(lambda a: np.sum(f(a, axis=1)))(HOLES)
    assert np.all(g[np.isnan(HOLES)] == 0)
    for k, row in enumerate(HOLES):
        there = ~np.isnan(row)
        whole = ag.grad(lambda a: np.sum(f(a)))(row[there])
        np.testing.assert_allclose(g[k][there], whole)


CONSTANTS = [
    "sign",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "isfinite",
    "isinf",
    "isnan",
    "signbit",
    "logical_not",
    "argmax",
    "argmin",
    "argsort",
    "all",
    "any",
    "count_nonzero",
    "round",
    "isposinf",
    "isneginf",
    "isreal",
    "iscomplex",
    "angle",
    "argwhere",
    "flatnonzero",
    "zeros_like",
    "ones_like",
    "nanargmax",
    "imag",
]


@pytest.mark.parametrize("name", CONSTANTS)
def test_what_has_no_derivative_is_a_recorded_constant(name):
    x = values(3, 4)
    f = getattr(np, name)
    result = f(ag.Tensor(x))
    assert isinstance(result, ag.Tensor)
    assert result.op is not None
    assert not result.requires_grad
    np.testing.assert_array_equal(result.numpy(), f(x))
    assert len(ag.trace(f, x).nodes) > 1


@pytest.mark.skipif(not hasattr(np, "fix"), reason="this NumPy has given up np.fix")
def test_fix_is_trunc():
    x = values(3, 4)
    fixed = np.fix(ag.Tensor(x))
    assert not fixed.requires_grad
    np.testing.assert_array_equal(fixed.numpy(), np.trunc(x))


def test_two_operands_without_a_derivative():
    a, b = values(3, 4), values(4, high=1.0)
    for name in [
        "less",
        "equal",
        "floor_divide",
        "logical_and",
        "logical_xor",
        "isclose",
        "heaviside",
        "isin",
    ]:
        f = getattr(np, name)
        np.testing.assert_array_equal(f(ag.Tensor(a), b).numpy(), f(a, b))
    whole = np.array([1, 2, 3])
    for name in ["bitwise_and", "bitwise_or", "bitwise_xor"]:
        f = getattr(np, name)
        np.testing.assert_array_equal(f(ag.constant(whole), 6).numpy(), f(whole, 6))
    edges = np.array([-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(np.digitize(ag.Tensor(b), edges).numpy(), np.digitize(b, edges))
    np.testing.assert_array_equal(
        np.searchsorted(edges, ag.Tensor(b)).numpy(), np.searchsorted(edges, b)
    )
    assert [k.numpy().tolist() for k in np.nonzero(ag.Tensor(a) > 1)] == [
        k.tolist() for k in np.nonzero(a > 1)
    ]
    assert [k.numpy().tolist() for k in np.where(ag.Tensor(a) > 1)] == [
        k.tolist() for k in np.where(a > 1)
    ]


def test_plain_answers():
    t = ag.Tensor([[1.0, 2.0, 3.0]])
    assert np.shape(t) == (1, 3)
    assert (np.ndim(t), np.size(t)) == (2, 3)
    assert np.result_type(t, np.float32) == np.float64
    assert np.iscomplexobj(t) is False
    assert np.array_equal(t, [[1, 2, 3]]) is True
    assert np.array_equal(t, [1, 2, 3]) is False
    assert np.array_equiv(t, [1, 2, 3]) is True
    assert np.allclose(t, t + 1e-12) is True
    assert np.array2string(t) == "[[1. 2. 3.]]"
    with pytest.raises(TypeError, match="bool"):
        ag.trace(lambda x: x if np.allclose(x, 0) else -x, np.ones(2))


def test_nothing_changes_what_was_given():
    for case in CASES:
        f, args = case.values[0]
        before = [a.copy() for a in args]
        ag.grad(weighted(f), argnums=tuple(range(len(args))))(*args)
        for a, b in zip(args, before, strict=True):
            np.testing.assert_array_equal(a, b)
