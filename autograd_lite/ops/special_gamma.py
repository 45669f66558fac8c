"""The gamma function: its logarithm, the derivatives of that, and what is made of it."""

import numpy as np

from autograd_lite.op import OPS, SCIPY, Op, operation
from autograd_lite.ops.special import floats, no_gradient, special

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
"""The Bernoulli numbers B₂, B₄, …"""


def _digamma(x):
    """ψ(x). Just right of −1, −2, … SciPy's is wrong by up to 5 %, so it is reflected there."""
    x = np.asarray(x)
    value, offset = special.digamma(x), x - np.round(x)
    near = (x < 0) & (offset > 0) & (offset < 0.25)
    if np.any(near):
        with np.errstate(all="ignore"):
            reflected = special.digamma(1 - x) - np.pi / np.tan(np.pi * offset)
        value = np.where(near, reflected, value)
    return value[()]


def _polygamma(n, x):
    """The n-th derivative of ψ: (−1)ⁿ⁺¹ n! Σₖ (x + k)⁻ⁿ⁻¹, in the dtype of x.

    The terms left of 0 are a difference of two such series, with −x in the place of x.
    """
    n, wide = np.asarray(n), np.asarray(x, float)
    if not np.all((n >= 0) & (n == np.round(n))):
        raise ValueError(f"polygamma: n must be integers from 0, not {n}")
    with np.errstate(all="ignore"):
        s = np.where(n > 0, n + 1.0, 2.0)
        sign = np.where(s % 2 == 0, 1.0, -1.0)
        left = wide < -1
        part = wide - np.floor(wide)
        above = special.zeta(s, np.where(left, part, wide))
        below = special.zeta(s, 1 - part) - special.zeta(s, np.where(left, 1 - wide, 1.0))
        series = above + np.where(left, sign * below, 0.0)
        value = sign * special.gamma(s) * series
        # Where the series underflows, its product with n! may not.
        least = special.gammaln(s - 1) - (s - 1) * np.log(np.abs(wide))
        tiny = np.finfo(float).tiny
        lost = (np.abs(series) < tiny) & (wide > 1) & (least > np.log(tiny))
        value = np.where(n > 0, np.where(lost, np.nan, value), _digamma(wide))
    return value.astype(floats(x)[0].dtype)[()]


operation(
    "gammaln",
    lambda x: special.gammaln(x),
    lambda g, out, x: g * digamma(x),
    reads="x",
    elementwise=True,
    symbol="log Γ",
    formula="log |Γ(x)|",
    gradient="g ψ(x)",
)
operation(
    "gamma",
    lambda x: special.gamma(x),
    lambda g, out, x: g * (out * digamma(x)),
    reads="out x",
    elementwise=True,
    symbol="Γ",
    formula="Γ(x)",
    gradient="g Γ(x) ψ(x)",
)
digamma: Op = operation(
    "digamma",
    _digamma,
    lambda g, out, x: g * polygamma(1, x),
    reads="x",
    elementwise=True,
    symbol="ψ",
    formula="ψ(x), the derivative of log |Γ(x)|",
    gradient="g ψ′(x)",
)
polygamma: Op = operation(
    "polygamma",
    _polygamma,
    no_gradient("polygamma", "n", "it is an order"),
    lambda g, out, n, x: g * polygamma(n + 1, x),
    reads=("", "n x"),
    elementwise=True,
    broadcasts=True,
    formula="ψ⁽ⁿ⁾(x)",
    gradient="g ψ⁽ⁿ⁺¹⁾(x)",
)


def _polygamma_difference(n, a, b):
    """ψ⁽ⁿ⁾(a) − ψ⁽ⁿ⁾(a + b), by differences of the terms of each series.

    As ψ⁽ⁿ⁾ itself, up to a + 12 + n by the recurrence, and from there by the asymptotic expansion
    (DLMF 5.5.2, 5.11.2, 5.15.9). For positive a and b all terms have one sign, so that no digits
    cancel, as they do in the difference of the results.
    """
    dtype = floats(a, b)[0].dtype
    a, b, n = np.asarray(a, float), np.asarray(b, float), int(n)

    def difference(x, power):
        return -np.expm1(-power * np.log1p(b / x)) / x**power

    with np.errstate(all="ignore"):
        end = a + (12 + n)
        if n == 0:
            total = np.log1p(b / end)
            total = total + sum(b / (a + k) / (a + k + b) for k in range(12))
        else:
            total = special.gamma(n) * difference(end, n)
            total = total + special.gamma(n + 1) * sum(
                difference(a + k, n + 1) for k in range(12 + n)
            )
        total = total + special.gamma(n + 1) / 2 * difference(end, n + 1)
        for k, number in enumerate(BERNOULLI, 1):
            factor = number * special.gamma(2 * k + n) / special.gamma(2 * k + 1)
            total = total + factor * difference(end, 2 * k + n)
        result = (-1) ** (n + 1) * total
        both = (a > 0) & (a + b > 0)
        if not np.all(both):
            # Left of 0 poles may cancel. A difference that lost six digits is not returned.
            first = _polygamma(n, a)
            plain = first - _polygamma(n, a + b)
            plain = np.where(np.abs(plain) < 1e-6 * np.abs(first), np.nan, plain)
            result = np.where(both, result, plain)
    return result.astype(dtype)[()]


polygamma_difference: Op = operation(
    "polygamma_difference",
    _polygamma_difference,
    no_gradient("polygamma_difference", "n", "it is an order"),
    lambda g, out, n, a, b: g * polygamma_difference(n + 1, a, b),
    lambda g, out, n, a, b: -g * polygamma(n + 1, a + b),
    reads=("", "n a b", "n a b"),
    elementwise=True,
    broadcasts=True,
    formula="ψ⁽ⁿ⁾(a) − ψ⁽ⁿ⁾(a + b)",
    gradient="g (ψ⁽ⁿ⁺¹⁾(a) − ψ⁽ⁿ⁺¹⁾(a + b)), −g ψ⁽ⁿ⁺¹⁾(a + b)",
    notes="The derivatives of `betaln`, without cancellation.",
)
operation(
    "betaln",
    lambda a, b: special.betaln(*floats(a, b)),
    lambda g, out, a, b: g * polygamma_difference(0, a, b),
    lambda g, out, a, b: g * polygamma_difference(0, b, a),
    reads="a b",
    elementwise=True,
    broadcasts=True,
    symbol="log B",
    formula="log |B(a, b)| = log |Γ(a) Γ(b) / Γ(a + b)|",
    gradient="g (ψ(a) − ψ(a + b)), g (ψ(b) − ψ(a + b))",
)

operation(
    "beta",
    lambda a, b: special.beta(*floats(a, b)),
    lambda g, out, a, b: g * (out * polygamma_difference(0, a, b)),
    lambda g, out, a, b: g * (out * polygamma_difference(0, b, a)),
    reads="out a b",
    elementwise=True,
    broadcasts=True,
    symbol="B",
    formula="B(a, b) = Γ(a) Γ(b) / Γ(a + b)",
    gradient="g B(a, b) (ψ(a) − ψ(a + b)), g B(a, b) (ψ(b) − ψ(a + b))",
)

STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
"""The coefficients of 1/a, 1/a³, … in the series for log Γ(a) (DLMF 5.11.1)."""


def _gamma_density(a, x):
    """xᵃ⁻¹ e⁻ˣ / Γ(a), the derivative of gammainc.

    For large a, the terms of its logarithm cancel. There it is
    √(a / 2π) / x · exp(a (log u − u + 1) − 1 / 12a + …) with u = x / a, and near u = 1 it uses
    log u = 2 artanh r with r = (u − 1) / (u + 1).
    """
    dtype = floats(a, x)[0].dtype
    a, x = np.asarray(a, float), np.asarray(x, float)
    with np.errstate(all="ignore"):
        r = (x - a) / (x + a)
        series = 0.0
        for k in range(24, 0, -1):
            series = series * r * r + 1 / (2 * k + 1)
        close = 2 * r * (series * r * r - r / (1 - r))
        exponent = np.where(np.abs(r) < 1 / 3, close, np.log(x / a) - (x - a) / a)
        rest = sum(c * a ** (-2 * k - 1) for k, c in enumerate(STIRLING))
        large = np.sqrt(a / (2 * np.pi)) / x * np.exp(a * exponent - rest)
        small = np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))
        result = np.where((a < 10) | (x == 0), small, large)
        # As gammainc itself; log |Γ(a)| has lost the sign of Γ(a).
        result = np.where((a < 0) | (x < 0), np.nan, result)
    return result.astype(dtype)[()]


_BY_A = "it would need a hypergeometric function that SciPy does not have"

gamma_density: Op = operation(
    "gamma_density",
    _gamma_density,
    no_gradient("gamma_density", "a", _BY_A),
    lambda g, out, a, x: g * out * ((a - x) - 1) / x,
    reads=("", "out a x"),
    elementwise=True,
    broadcasts=True,
    formula="xᵃ⁻¹ e⁻ˣ / Γ(a)",
    gradient="g out ((a − 1) / x − 1)",
    notes="The derivative of `gammainc`.",
)
operation(
    "gammainc",
    lambda a, x: special.gammainc(*floats(a, x)),
    no_gradient("gammainc", "a", _BY_A),
    lambda g, out, a, x: g * gamma_density(a, x),
    reads=("", "a x"),
    elementwise=True,
    broadcasts=True,
    formula="1/Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt",
    gradient="by x: g xᵃ⁻¹ e⁻ˣ / Γ(a)",
)
operation(
    "gammaincc",
    lambda a, x: special.gammaincc(*floats(a, x)),
    no_gradient("gammaincc", "a", _BY_A),
    lambda g, out, a, x: -g * gamma_density(a, x),
    reads=("", "a x"),
    elementwise=True,
    broadcasts=True,
    formula="1 − gammainc(a, x)",
    gradient="by x: −g xᵃ⁻¹ e⁻ˣ / Γ(a)",
)

SCIPY |= {
    name: OPS[name] for name in ("gamma", "gammaln", "beta", "betaln", "gammainc", "gammaincc")
}
SCIPY["psi"] = digamma
