"""Gamma and Bessel functions: derivatives against mpmath, at poles, kinks and in the tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.op import OPS

mpmath = pytest.importorskip("mpmath")
special = pytest.importorskip("scipy.special")
mp = mpmath.mp

DIGITS = 50
CLOSE = 1e-10


def decades(low, high):
    """Numbers whose logarithms are spread evenly."""
    return st.floats(math.log(low), math.log(high)).map(math.exp)


def derivatives(f, *args):
    """The gradient and the Hessian of a function of numbers, each as a flat list."""
    places = tuple(range(len(args)))
    first = ag.grad(f, argnums=places)(*args)
    second = ag.hessian(f, argnums=places)(*args)
    return [float(x) for x in first], [float(x) for row in second for x in row]


def check(f, args, exact):
    """Compare with the exact derivatives, a function of mpmath's numbers that returns both."""
    with mp.workdps(DIGITS):
        wanted = exact(*map(mpmath.mpf, args))
        for found, expected in zip(derivatives(f, *args), wanted, strict=True):
            for x, y in zip(found, expected, strict=True):
                assert abs(x - y) <= CLOSE * abs(y) + 1e-300, (args, x, mpmath.nstr(y, 17))


def log_gamma(x):
    return [mpmath.psi(0, x)], [mpmath.psi(1, x)]


def log_beta(a, b):
    mixed = -mpmath.psi(1, a + b)
    first = [mpmath.psi(0, x) - mpmath.psi(0, a + b) for x in (a, b)]
    return first, [mpmath.psi(1, a) + mixed, mixed, mixed, mpmath.psi(1, b) + mixed]


def bessel(v):
    """The derivatives of I_v."""

    def both(x):
        orders = [v + k for k in range(-2, 3)]
        orders = [abs(k) for k in orders] if v == int(v) else orders
        a, b, c, d, e = (mpmath.besseli(k, x) for k in orders)
        return [(b + d) / 2], [(a + 2 * c + e) / 4]

    return both


def scaled_bessel(v):
    """The derivatives of e^−|x| I_v."""

    def both(x):
        # The terms cancel as in floating point, in more digits.
        with mp.workdps(DIGITS + 3 * max(0, int(mpmath.log10(abs(x))))):
            (first,), (second,) = bessel(v)(x)
            value, sign, scale = mpmath.besseli(v, x), mpmath.sign(x), mpmath.exp(-abs(x))
            return [scale * (first - sign * value)], [scale * (second - 2 * sign * first + value)]

    return both


# Gamma


@given(decades(1e-150, 1e150))
def test_the_derivatives_of_gammaln(x):
    check(special.gammaln, [x], log_gamma)


@given(st.floats(-30, -1e-3))
def test_the_derivatives_of_gammaln_left_of_0(x):
    if not 1e-3 < abs(special.digamma(x)) < 1e12:
        return  # near a zero SciPy's digamma is accurate only absolutely; infinite at a pole
    check(special.gammaln, [x], log_gamma)


@given(st.integers(1, 1000), decades(1e-12, 0.4), st.booleans())
def test_digamma_near_its_poles(n, distance, left):
    x = -n - distance if left else -n + distance
    if x == -n or abs(special.digamma(x)) < 1e-3:
        return
    with mp.workdps(DIGITS):
        exact = mpmath.psi(0, mpmath.mpf(x))
        for found in (special.digamma(ag.Tensor(x)).item(), ag.polygamma(0, x)):
            assert abs(found - exact) <= 1e-11 * abs(exact)


@given(st.integers(0, 4), decades(1e-20, 1e20), st.booleans())
def test_the_derivatives_of_polygamma(n, x, left):
    x = -math.fmod(x, 40) if left else x
    if x == round(x) <= 0:
        return
    with mp.workdps(DIGITS):
        wanted = [mpmath.psi(n + k, mpmath.mpf(x)) for k in range(3)]
    if not all(1e-290 < abs(y) < 1e290 for y in wanted) or min(map(abs, wanted)) < 1e-3 * left:
        return
    check(lambda x: ag.polygamma(n, x), [x], lambda _: ([wanted[1]], [wanted[2]]))


def test_polygamma_far_left_of_0_takes_no_longer():
    found = ag.polygamma(1, np.array([-1e15 - 0.25, -1e9 - 0.25]))
    np.testing.assert_allclose(found, 2 * np.pi**2, rtol=1e-8)


def test_polygamma_is_not_0_where_only_its_series_is():
    assert np.isnan(ag.polygamma(30, 1e11))
    assert ag.polygamma(2, 1e200) == 0


def test_poles():
    poles = np.array([0.0, -1.0, -2.0])
    np.testing.assert_array_equal(special.gammaln(ag.Tensor(poles)).numpy(), np.inf)
    for n in (1, 2, 3):
        found = ag.polygamma(n, poles)
        np.testing.assert_array_equal(found, special.polygamma(n, poles))
        assert np.all(np.isinf(found))
    assert not np.any(np.isfinite(ag.grad(lambda x: np.sum(special.gammaln(x)))(poles)))


@pytest.mark.parametrize("n", [-1, 0.5, [1, -2], np.nan])
def test_an_order_that_is_none(n):
    with pytest.raises(ValueError, match=r"polygamma.*n must be integers from 0"):
        ag.polygamma(n, ag.Tensor([1.0, 2.0]))


@pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")
def test_orders_are_broadcast_and_have_no_gradient():
    n, x = np.array([[0], [1], [2]]), ag.Tensor([0.5, 1.5])
    y = ag.polygamma(n, x)
    np.testing.assert_allclose(y.numpy(), special.polygamma(n, x.numpy()), rtol=1e-14)
    np.sum(y).backward()
    expected = special.polygamma(n + 1, x.numpy()).sum(axis=0)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-13)
    for f in (ag.polygamma, special.iv, special.ive, special.gammainc, special.gammaincc):
        with pytest.raises(TypeError, match=r"has no derivative by [nva], since"):
            ag.grad(f)(2.0, 1.0)


# Beta


@given(decades(1e-20, 1e20), decades(1e-20, 1e20))
def test_the_derivatives_of_betaln(a, b):
    check(special.betaln, [a, b], log_beta)


def test_the_check_finds_the_textbook_form_of_betaln():
    def difference(a, b):
        return special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)

    check(difference, [2.5, 1.5], log_beta)
    with pytest.raises(AssertionError):
        check(difference, [1e8, 1.5], log_beta)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_betaln_of_negative_arguments_has_its_derivative_or_nan(a, b):
    if min(abs(a), abs(b)) < 1e-9:
        return
    with mp.workdps(DIGITS):
        found = ag.grad(special.betaln)(a, b)
        if not np.isfinite(found) or a == round(a) < 1 or a + b == round(a + b) < 1:
            return
        expected = mpmath.psi(0, mpmath.mpf(a)) - mpmath.psi(0, mpmath.mpf(a) + b)
        assert abs(found - expected) <= 1e-8 * abs(expected)


def test_what_is_left_of_two_poles_is_not_returned():
    for distance in (1e-12, 1e-9, 1e-7):
        assert np.isnan(ag.grad(special.betaln)(-2 + distance, 2.0))
    assert ag.grad(special.betaln)(-2 + 1e-3, 2.0) == pytest.approx(1.50125, abs=1e-5)


@given(st.integers(1, 8), decades(1e-3, 1e9), st.floats(-5, 5))
def test_the_derivatives_of_gammainc_by_its_limit(shape, scale, deviations):
    a = shape * scale
    x = a + deviations * math.sqrt(a)
    if x <= 0 or abs(a - 1 - x) < 1e-3 * math.sqrt(a):  # where the second derivative is 0
        return

    def exact(x):
        density = mpmath.exp((a - 1) * mpmath.log(x) - x - mpmath.loggamma(a))
        return [density], [density * ((mpmath.mpf(a) - 1) / x - 1)]

    check(lambda x: special.gammainc(a, x), [x], exact)
    (first,), _ = derivatives(lambda x: special.gammaincc(a, x), x)
    assert first == -derivatives(lambda x: special.gammainc(a, x), x)[0][0]


# Bessel


@given(st.floats(-709, 709), st.sampled_from([0, 1, 2, 3]))
def test_the_derivatives_of_bessel_functions(x, v):
    function = {0: special.i0, 1: special.i1}.get(v, lambda x: special.iv(v, x))
    if abs(x) < 1e-30:
        return
    check(function, [x], bessel(v))


@pytest.mark.parametrize("x", [0.0, 1e-30, 700.0, 709.5, -709.5])
def test_the_derivatives_of_i0_and_i1_at_the_ends(x):
    for function, v in ((special.i0, 0), (np.i0, 0), (special.i1, 1)):
        check(function, [x], bessel(v))


ORDERS = st.sampled_from([0, 1, 2, 5, 0.5, 3.75, 20, 50])


@given(decades(1e-3, 1e5), ORDERS, st.booleans())
def test_the_derivatives_of_scaled_bessel_functions(x, v, left):
    x = -x if left and v == int(v) else x
    functions = [lambda x: special.ive(v, x)]
    functions += {0: [special.i0e], 1: [special.i1e]}.get(v, [])
    for function in functions:
        check(function, [x], scaled_bessel(v))


@pytest.mark.parametrize("x", [1e9, 1e100, 1e300])
def test_the_derivative_of_i0e_far_out_is_that_of_its_first_term(x):
    expected = -0.5 / math.sqrt(2 * math.pi) / x**1.5 if x < 1e200 else 0
    assert ag.grad(special.i0e)(x) == pytest.approx(expected, rel=1e-8)


def test_the_kink_of_i0e_is_the_mean_of_both_sides():
    assert ag.grad(special.i0e)(0.0) == 0
    assert ag.hessian(special.i0e)(0.0) == 1.5
    assert ag.grad(special.i1e)(0.0) == 0.5
    assert ag.hessian(special.i1e)(0.0) == 0
    assert np.all(OPS["i0e"].traits.kinks(np.zeros(2)))


# What is made of them


def mixture(x, a):
    gamma = special.gammaln(a * x) + special.digamma(x) * special.betaln(x, a)
    bessel = special.i0(x) + special.i1(x) * special.i0e(x) + special.ive(2, x) * special.i1e(x)
    return np.sum(gamma + bessel + ag.polygamma(2, x) + special.gammainc(3.5, x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_programs_compute_the_same(dtype, tmp_path):
    x = np.linspace(0.5, 4, 12, dtype=dtype).reshape(6, 2)
    step = ag.value_and_grad(mixture)
    value, gradient = step(x, 2.5)
    assert gradient.dtype == dtype
    for rows in (None, "auto"):
        compiled = ag.compile(step, rows=rows)
        found, slope = compiled(x, 2.5)
        assert slope.dtype == dtype
        rtol = 1e-4 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(found, value, rtol=rtol)
        np.testing.assert_allclose(slope, gradient, rtol=rtol)
    compiled = ag.compile(step)
    compiled(x, 2.5)
    compiled.save(tmp_path / "step.py")
    space = {}
    exec((tmp_path / "step.py").read_text(encoding="utf-8"), space)
    name = next(k for k in space if k in ("mixture", "function", "step"))
    np.testing.assert_allclose(space[name](x, 2.5)[1], gradient, rtol=rtol)


def test_the_closed_forms_are_those_of_books():
    pytest.importorskip("sympy")
    x = ag.Tensor([0.5, 1.5], name="x")
    forms = {
        special.gammaln: "ψ(x)",
        special.digamma: "ψ⁽¹⁾(x)",
        lambda x: ag.polygamma(2, x): "ψ⁽³⁾(x)",
        lambda x: special.betaln(x, 2): "ψ(x) − ψ(2 + x)",
        special.i0: "I₁(x)",
        special.i1: "(1/2)(I₀(x) + I₂(x))",
    }
    for function, text in forms.items():
        (form,) = ag.derive(np.sum(function(x)).named("L")).closed_form.values()
        assert form.text() == text
    derivation = ag.derive(np.sum(ag.polygamma(1, x) + special.iv(2, x)).named("L"))
    (form,) = derivation.closed_form.values()
    assert r"\psi^{(2)}\left(x\right)" in form.latex()
    assert r"I_{1}\left(x\right)" in form.latex()
    assert '<msup><mi mathvariant="normal">ψ</mi><mn>(2)</mn></msup>' in form.mathml()


HERE = {
    ("gammaln", -1 + 1e-13, 1): -9.99689e12,
    ("gammaln", -0.5, 2): 8.934802200544679,
    ("i1", 1e-8, 2): 3.75e-9,
    ("i0e", 1e12, 1): -1.994711e-19,
}


@pytest.mark.parametrize(("name", "x", "order"), HERE)
def test_our_column_beside_other_libraries(name, x, order):
    found = (ag.grad if order == 1 else ag.hessian)(getattr(special, name))(x)
    assert found == pytest.approx(HERE[name, x, order], rel=1e-6)


def test_our_column_of_two_arguments():
    assert ag.grad(special.betaln)(1e12, 1.0) == pytest.approx(-1e-12, rel=1e-12)
    found = ag.grad(lambda x: special.gammainc(1e10, x))(1e10)
    assert found == pytest.approx(3.989423e-6, rel=1e-6)
