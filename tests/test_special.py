"""Special functions: derivatives against many digits, zeros, dtypes, compiled programs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.op import OPS

pytest.importorskip("scipy")
mpmath = pytest.importorskip("mpmath")
special = pytest.importorskip("scipy.special")

mp = mpmath.mp.clone()
mp.dps = 150


def sizes(low, high):
    """Numbers of all sizes, by their decimal logarithms."""
    return st.floats(low, high).map(lambda k: 10.0**k)


def signed(numbers):
    return st.builds(lambda x, sign: x * sign, numbers, st.sampled_from([1, -1]))


def tail(x):
    """The probability above x."""
    return mp.erfc(x / mp.sqrt(2)) / 2


# The second derivatives of most are 0 in the middle, and only absolutely accurate close to it.
MIDDLE = st.one_of(st.floats(0.05, 0.45), st.floats(0.55, 0.95))
PROBABILITY = st.one_of(sizes(-140, -1), MIDDLE, sizes(-15, -1).map(lambda x: 1 - x))
REAL = signed(sizes(-12, 1.4))

FUNCTIONS = {
    "erf": (lambda x: -mp.sign(x) * mp.erfc(abs(x)), REAL),
    "erfc": (lambda x: mp.sign(x) * mp.erfc(abs(x)), REAL),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), st.one_of(REAL, sizes(1.4, 5))),
    "ndtr": (lambda x: -mp.sign(x) * tail(abs(x)), signed(sizes(-12, 1.56))),
    "log_ndtr": (
        lambda x: mp.log1p(-tail(x)) if x > 0 else mp.log(tail(-x)),
        st.one_of(signed(sizes(-12, 1.56)), sizes(1, 5).map(lambda x: -x)),
    ),
    "entr": (lambda x: -x * mp.log(x), sizes(-300, 300)),
    "logit": (lambda x: mp.log(x) - mp.log1p(-x), PROBABILITY),
    "log_expit": (lambda x: -mp.log1p(mp.exp(-x)), signed(sizes(-2, 2.8))),
}
"""For each function: an equal one up to a constant, in many digits, and its arguments."""

INVERSES = {
    "erfinv": (mp.erf, signed(PROBABILITY)),
    "erfcinv": (mp.erfc, st.one_of(PROBABILITY, st.floats(1.05, 1.95))),
    "ndtri": (lambda y: tail(-y), PROBABILITY),
}
"""For each inverse: its function, and its arguments."""


def exact(function, x, order):
    """A derivative, by differences in steps of x · 10⁻³⁰."""
    return mp.diff(function, x, order, h=abs(x) * mp.mpf(10) ** -30)


def exact_of_inverse(function, x, y, order):
    """A derivative of an inverse at x, whose value is close to y."""
    for _ in range(3):  # Newton's method doubles the 16 digits each time
        y -= (function(y) - x) / exact(function, y, 1)
    first = exact(function, y, 1)
    return 1 / first if order == 1 else -exact(function, y, 2) / first**3


def is_close(got, expected):
    ordinary = 1e-300 < abs(expected) < 1e300
    return not ordinary or abs(got - expected) <= 1e-10 * abs(expected)


def derivatives(function, x):
    """The first and the second derivative at a number."""
    first = ag.grad(function)
    return first(x), ag.grad(first)(x)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=40)
@given(st.data())
def test_derivatives_have_ten_digits(name, data):
    function, arguments = FUNCTIONS[name]
    x = data.draw(arguments)
    for order, got in enumerate(derivatives(getattr(special, name), x), 1):
        assert is_close(got, exact(function, mp.mpf(x), order)), order


@pytest.mark.parametrize("name", INVERSES)
@settings(max_examples=40)
@given(st.data())
def test_derivatives_of_inverses_have_ten_digits(name, data):
    function, arguments = INVERSES[name]
    x = data.draw(arguments)
    inverse = getattr(special, name)
    y = mp.mpf(float(inverse(x)))
    for order, got in enumerate(derivatives(inverse, x), 1):
        assert is_close(got, exact_of_inverse(function, mp.mpf(x), y, order)), order


@settings(max_examples=40)
@given(signed(sizes(-12, 1.56)))
def test_the_exact_gelu(x):
    def exactly(x):
        return x * tail(-x)

    gelu = lambda x: ag.gelu(x, approximate="none")  # noqa: E731
    assert is_close(gelu(x), exactly(mp.mpf(x)))
    for order, got in enumerate(derivatives(gelu, x), 1):
        assert is_close(got, exact(exactly, mp.mpf(x), order)), order


def test_the_far_tail():
    """The derivatives of log Φ at −10⁵, by its asymptotic series."""
    first, second = derivatives(special.log_ndtr, -1e5)
    third = ag.grad(ag.grad(ag.grad(special.log_ndtr)))(-1e5)
    assert first == pytest.approx(1e5 + 1e-5 - 2e-15, rel=1e-15)
    assert second == pytest.approx(-1 + 1e-10, rel=1e-15)
    assert third == pytest.approx(2e-15, rel=1e-5)
    assert derivatives(special.log_ndtr, -1.5e308) == pytest.approx((1.5e308, -1), rel=1e-15)


def test_a_rule_that_cancels_is_seen(monkeypatch):
    op = OPS["truncated_moment"]
    cancels = lambda x, order=1: x + OPS["inverse_mills"](x)  # noqa: E731
    monkeypatch.setattr(op, "forward", cancels)
    monkeypatch.setattr(op, "compute", cancels)
    function, _ = FUNCTIONS["log_ndtr"]
    first, second = derivatives(special.log_ndtr, -1e4)
    assert is_close(first, exact(function, mp.mpf(-1e4), 1))
    assert not is_close(second, exact(function, mp.mpf(-1e4), 2))


@settings(max_examples=25)
@given(st.lists(st.tuples(signed(sizes(-2, 3)), st.booleans()), min_size=1, max_size=5))
def test_a_probit_model_written_out(pairs):
    """Its loss and the gradient are as accurate as with log_ndtr, for any arguments."""
    z, y = map(np.array, zip(*pairs, strict=True))

    def written(z):
        p = special.ndtr(z)
        return -np.sum(np.where(y, np.log(p), np.log(1 - p)))

    def accurate(z):
        return -np.sum(special.log_ndtr(np.where(y, z, -z)))

    for make in (ag.value_and_grad, lambda f: ag.compile(ag.value_and_grad(f))):
        (value, gradient), (loss, expected) = make(written)(z), make(accurate)(z)
        np.testing.assert_allclose(value, loss, rtol=1e-14)
        np.testing.assert_allclose(gradient, expected, rtol=1e-14)


@given(signed(sizes(-12, 1.4)))
def test_complements(x):
    for f, other in [
        (lambda x: 1 - special.ndtr(x), lambda x: special.ndtr(-x)),
        (lambda x: 1 - special.erf(x), special.erfc),
        (lambda x: 1 - special.erfc(x), special.erf),
    ]:
        assert f(ag.Tensor(x)).item() == other(x)
        assert ag.grad(f)(x) == ag.grad(other)(x)


# Dtypes, graphs and programs


ONE = ("erf", "erfc", "erfcx", "ndtr", "log_ndtr", "log_expit", "expit")
INSIDE = ("erfinv", "erfcinv", "ndtri", "logit", "entr")
TWO = ("xlogy", "xlog1py", "rel_entr")


@pytest.mark.parametrize("name", ONE + INSIDE + TWO)
def test_float32_stays_float32(name):
    f = getattr(special, name)
    x = np.array([0.2, 0.75], np.float32)
    sides = [f]
    if name in TWO:
        sides = [lambda x: f(x, 0.5), lambda x: f(2, x), lambda x: f(x, x)]
    for side in sides:
        for function in (side, ag.compile(side)):
            assert function(ag.Tensor(x) if function is side else x).dtype == np.float32

        def total(x, side=side):
            return np.sum(side(x))

        for gradient in (ag.grad(total), ag.grad(lambda x: np.sum(ag.grad(total)(x)))):
            found = gradient(x)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, gradient(x.astype(float)), rtol=2e-5)


def test_integers_numbers_and_empty_arrays():
    count = ag.constant([0, 1, 2])
    rate = ag.Tensor([0.5, 1.0, 2.0])
    y = special.xlogy(count, rate)
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y.numpy(), special.xlogy(count.numpy(), rate.numpy()))
    assert special.erf(ag.constant(2)).dtype == np.float64
    assert special.erf(ag.Tensor(0.5)).shape == ()
    empty = ag.Tensor(np.zeros((0, 3)))
    assert special.log_ndtr(empty).shape == (0, 3)
    assert ag.hvp(lambda x: np.sum(special.log_ndtr(x)))(empty, empty).shape == (0, 3)


def test_functions_that_are_operations_already():
    t = ag.Tensor([0.5, -2.0])
    for name, op in (("expit", "sigmoid"), ("expm1", "expm1"), ("exp2", "exp2"), ("cbrt", "cbrt")):
        assert getattr(special, name)(t).op is OPS[op]
    np.testing.assert_allclose(special.log_expit(t).numpy(), special.log_expit(t.numpy()))


def test_what_has_no_rule_is_named():
    t = ag.Tensor([0.5, 2.0])
    with pytest.raises(TypeError, match=r"scipy\.special\.airy: has no gradient rule"):
        special.airy(t)
    with pytest.raises(TypeError, match="erf: cannot write a Tensor into an array"):
        special.erf(t, out=np.zeros(2))
    with pytest.raises(ValueError, match='approximate must be "none" or "tanh", not \'erf\''):
        ag.gelu(t, approximate="erf")


def probit(w, X, y):
    return -np.mean(special.log_ndtr((2 * y - 1) * (X @ w)))


def poisson(w, X, y):
    eta = X @ w
    return np.mean(np.exp(eta) - special.xlogy(np.exp2(y), np.exp(eta)) + special.erf(eta))


def tails(w, X, y):
    z = 8 * (X @ w)
    return np.sum(special.ndtr(z) * y + special.erfcx(np.abs(z)) + ag.gelu(z, approximate="none"))


def data(rows):
    random = np.random.default_rng(rows)
    return random.normal(size=3), random.normal(size=(rows, 3)), random.integers(0, 2, rows) * 1.0


@pytest.mark.parametrize("loss", [probit, poisson, tails])
@pytest.mark.parametrize("options", [{}, {"rows": "auto"}, {"rows": 512, "workers": 2}], ids=str)
def test_compiled_programs(loss, options):
    given = data(3000)
    for f in (ag.value_and_grad(loss), lambda w, X, y: (ag.hessian(loss)(w, X, y),)):
        for a, b in zip(ag.compile(f, **options)(*given), f(*given), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def test_native_programs():
    """Numba compiles what is around the functions of SciPy, which run as they are."""
    pytest.importorskip("numba")
    given = data(3000)
    f = ag.value_and_grad(lambda w, X, y: probit(w, X, y) + tails(w, X, y))
    compiled = ag.compile(f, backend="numba", rows="auto")
    for a, b in zip(compiled(*given), f(*given), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
    assert "njit" in compiled.source


@pytest.mark.parametrize("loss", [probit, poisson, tails])
def test_the_source_needs_nothing_but_numpy_and_scipy(loss, tmp_path):
    w, X, y = data(20)
    f = ag.compile(lambda w, X, y: (ag.grad(loss)(w, X, y), ag.hessian(loss)(w, X, y)))
    expected = f(w, X, y)
    f.save(tmp_path / "step.py")
    np.savez(tmp_path / "data.npz", w=w, X=X, y=y)
    code = (
        "import sys; sys.modules['autograd_lite'] = None\n"
        "import numpy as np, step\n"
        "found = step.function(**np.load('data.npz'))\n"
        "np.savez('found.npz', *found)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    with np.load(tmp_path / "found.npz") as found:
        for a, b in zip(found.values(), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_without_scipy_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "import autograd_lite as ag\n"
        "t = ag.Tensor(0.5)\n"
        "assert ag.gelu(t).shape == ()\n"
        "try: ag.gelu(t, approximate='none')\n"
        "except ImportError as error: print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == 'special functions need SciPy: pip install "autograd_lite[special]"\n'


def test_derivations_write_the_usual_symbols():
    random = np.random.default_rng(0)
    X = ag.constant(random.normal(size=(9, 3)), name="X")
    y = ag.constant(random.poisson(2, 9) + 1.0, name="y")
    w = ag.Tensor(random.uniform(0.1, 0.9, 3), name="w")
    μ = np.exp(X @ w).named("μ")
    for loss, gradient in [
        (np.sum(μ - special.xlogy(y, μ)), "Xᵀ(μ − y)"),
        (np.sum(special.ndtr(X @ w)), "Xᵀφ(Xw)"),
        (-np.sum(special.log_ndtr(X @ w)), "−Xᵀ(φ/Φ)(Xw)"),
        (np.sum(special.entr(w)), "−1 − log(w)"),
        (np.sum(special.erfinv(w)), "√(π/4) exp(erf⁻¹(w)²)"),
        (np.sum(ag.gelu(w, approximate="none")), "Φ(w) + wφ(w)"),
    ]:
        assert f"∂L/∂w = {gradient}" in str(ag.derive(loss.named("L")))


def test_the_symbols_in_latex():
    w = ag.Tensor([0.25, 0.5], name="w")
    text = ag.derive(np.sum(special.ndtr(w) + special.log_ndtr(w) * special.erfinv(w))).latex()
    for symbol in (r"\Phi\left(w\right)", r"\varphi\left(w\right)", r"\log \Phi\left(w\right)"):
        assert symbol in text
    assert r"\frac{\varphi}{\Phi}\left(w\right)" in text
    assert r"\operatorname{erf}^{-1}\left(w\right)" in text


def test_a_function_of_constants_is_computed_when_the_program_is_compiled():
    c = np.linspace(0.1, 0.9, 5)
    f = ag.compile(lambda x: x * special.erfinv(c))
    np.testing.assert_array_equal(f(c), c * special.erfinv(c))
    assert "special" not in f.source
