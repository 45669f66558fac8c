"""Functions of scipy.special: the normal distribution, entropy and logit."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.op import OPS, SCIPY, Op, operation

ROOT_2, ROOT_PI = math.sqrt(2), math.sqrt(math.pi)
ROOT_2PI, ROOT_2_OVER_PI = math.sqrt(2 * math.pi), math.sqrt(2 / math.pi)


class _Special:
    """`scipy.special`, which is loaded when one of its functions is first used."""

    def __getattr__(self, name: str) -> Any:
        try:
            from scipy import special
        except ImportError as error:
            raise ImportError(
                'special functions need SciPy: pip install "autograd_lite[special]"'
            ) from error
        function = getattr(special, name)
        setattr(self, name, function)
        return function


special = _Special()


def floats(*operands: Any) -> list[Any]:
    """The operands in one dtype: SciPy computes float32 with a Python number in float64."""
    dtype = np.result_type(1.0, *(getattr(x, "dtype", x) for x in operands))
    return [x.astype(dtype) if hasattr(x, "astype") else dtype.type(x) for x in operands]


def no_gradient(name: str, operand: str, reason: str) -> Callable[..., Any]:
    """A rule for an operand that an operation cannot be differentiated with respect to."""

    def rule(*args: Any, **attributes: Any) -> Any:
        raise TypeError(f"{name}: has no derivative by {operand}, since {reason}; pass an array")

    return rule


operation(
    "erf",
    lambda x: special.erf(x),
    lambda g, out, x: g * (2 / ROOT_PI * np.exp(-x * x)),
    reads="x",
    elementwise=True,
    formula="2/√π ∫₀ˣ exp(−t²) dt",
    gradient="2g/√π exp(−x²)",
)

operation(
    "erfc",
    lambda x: special.erfc(x),
    lambda g, out, x: g * (-2 / ROOT_PI * np.exp(-x * x)),
    reads="x",
    elementwise=True,
    formula="1 − erf x",
    gradient="−2g/√π exp(−x²)",
)

operation(
    "erfcx",
    lambda x: special.erfcx(x),
    lambda g, out, x: g * (-ROOT_2 * out * truncated_moment(-ROOT_2 * x)),
    reads="out x",
    elementwise=True,
    formula="exp(x²) erfc x",
    gradient="g (2x erfcx x − 2/√π)",
)

operation(
    "erfinv",
    lambda x: special.erfinv(x),
    lambda g, out, x: g * (ROOT_PI / 2 * np.exp(out * out)),
    reads="out",
    symbol="erf⁻¹",
    elementwise=True,
    formula="the inverse of erf",
    gradient="g √π/2 exp(out²)",
)

operation(
    "erfcinv",
    lambda x: special.erfcinv(x),
    lambda g, out, x: g * (-ROOT_PI / 2 * np.exp(out * out)),
    reads="out",
    symbol="erfc⁻¹",
    elementwise=True,
    formula="the inverse of erfc",
    gradient="−g √π/2 exp(out²)",
)


def _density(x):
    with np.errstate(over="ignore"):
        return np.exp(x * x / -2) / ROOT_2PI


density: Op = operation(
    "normal_density",
    _density,
    lambda g, out, x: -g * x * out,
    reads="out x",
    symbol="φ",
    elementwise=True,
    formula="exp(−x²/2) / √(2π)",
    gradient="−g x φ(x)",
)

ndtr: Op = operation(
    "ndtr",
    lambda x: special.ndtr(x),
    lambda g, out, x: g * density(x),
    reads="x",
    symbol="Φ",
    elementwise=True,
    formula="Φ(x), the standard normal distribution function",
    gradient="g φ(x)",
)

operation(
    "ndtri",
    lambda x: special.ndtri(x),
    lambda g, out, x: g * (ROOT_2PI * np.exp(out * out / 2)),
    reads="out",
    symbol="Φ⁻¹",
    elementwise=True,
    formula="the inverse of Φ",
    gradient="g / φ(out)",
)

operation(
    "log_ndtr",
    lambda x: special.log_ndtr(x),
    lambda g, out, x: g * inverse_mills(x),
    reads="x",
    symbol="log Φ",
    elementwise=True,
    formula="log Φ(x)",
    gradient="g φ(x) / Φ(x)",
)


def _inverse_mills(x):
    with np.errstate(divide="ignore"):
        found = ROOT_2_OVER_PI / special.erfcx(x / -ROOT_2)
    # Far below 0 it is −x but for rounding, and erfcx may be subnormal.
    return np.where(np.less(x, -1e9), np.negative(x), found)


# Its derivative −λ (x + λ), written so, has no correct digit for large −x, where λ is close to −x.

inverse_mills: Op = operation(
    "inverse_mills",
    _inverse_mills,
    lambda g, out, x: -g * out * truncated_moment(x),
    reads="out x",
    symbol="(φ/Φ)",
    elementwise=True,
    formula="φ(x) / Φ(x)",
    gradient="−g φ(x)/Φ(x) (x + φ(x)/Φ(x))",
    notes="The derivative of `log_ndtr`, accurate where Φ(x) is 0: the inverse of Mills' ratio.",
)


def _truncated_moment(x, order=1):
    """m₀ = 1, m₁ = x + φ(x)/Φ(x), and mₙ₊₁ = n mₙ₋₁ + x mₙ by integration by parts.

    For x < −3 the terms cancel, and the continued fraction of the ratios rₙ = mₙ / (n mₙ₋₁) =
    1 / (−x + (n + 1) rₙ₊₁) is evaluated instead (Gautschi 1967, SIAM Review 9, 24). Its 40 terms
    are as accurate as float64.
    """
    before, moment = 1.0, x + inverse_mills(x)
    for n in range(1, order):
        before, moment = moment, n * before + x * moment
    if not np.any(x < -3):
        return moment
    z, last = np.maximum(-x, 3), 40 + order
    ratio = 2 / (z + np.sqrt(z * z + 4 * last))
    product = 1.0
    for n in range(last - 1, 0, -1):
        ratio = 1 / (z + (n + 1) * ratio)
        product = product * (n * ratio) if n <= order else product
    return np.where(x < -3, product, moment)


truncated_moment: Op = operation(
    "truncated_moment",
    _truncated_moment,
    lambda g, out, x, order=1: (
        g * (truncated_moment(x, order=order + 1) - out * truncated_moment(x))
    ),
    reads="out x",
    symbol="m",
    elementwise=True,
    formula="E[(x − X)ᵏ | X < x], X standard normal",
    gradient="g (mₖ₊₁(x) − mₖ(x) m₁(x))",
    notes="`order` is k. The derivatives of `log_ndtr` are made of these, which do not cancel.",
)

# 0 log 0 is 0: where x is 0 the result does not depend on y, as if `where` had chosen it.


def _unused(out, x, y):
    return np.equal(x, 0) & np.equal(y, y)


def _xdivy(x, y):
    x, y = floats(x, y)
    return x / np.where(np.equal(x, 0) & np.equal(y, 0), 1, y)


xdivy: Op = operation(
    "xdivy",
    _xdivy,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: -g * xdivy(out, y),
    reads=("y", "out x y"),
    elementwise=True,
    broadcasts=True,
    chooses=(None, _unused),
    formula="x / y, 0 at (0, 0)",
    gradient="g / y, −g x / y²",
    notes="The derivative of `xlogy`.",
)

operation(
    "xlogy",
    lambda x, y: special.xlogy(*floats(x, y)),
    lambda g, out, x, y: g * np.log(y),
    lambda g, out, x, y: g * xdivy(x, y),
    reads=("y", "x y"),
    elementwise=True,
    broadcasts=True,
    chooses=(None, _unused),
    formula="x log y, 0 where x = 0",
    gradient="g log y, g x / y",
)


operation(
    "xlog1py",
    lambda x, y: special.xlog1py(*floats(x, y)),
    lambda g, out, x, y: g * np.log1p(y),
    lambda g, out, x, y: g * xdivy(x, 1 + y),
    reads=("y", "x y"),
    elementwise=True,
    broadcasts=True,
    chooses=(None, _unused),
    formula="x log(1 + y), 0 where x = 0",
    gradient="g log(1 + y), g x / (1 + y)",
)

nonnegative: Op = operation(
    "nonnegative",
    lambda x: np.where(np.less(x, 0), np.nan, np.ones_like(x)),
    arity=1,
    elementwise=True,
    formula="1, NaN where x < 0",
    notes="The factor that makes all derivatives NaN where a function is infinite by definition.",
)

operation(
    "entr",
    lambda x: special.entr(x),
    lambda g, out, x: -g * nonnegative(x) * (1 + np.log(x)),
    reads="x",
    elementwise=True,
    formula="−x log x, 0 at 0, −∞ where x < 0",
    gradient="−g (1 + log x)",
)


def _both_nonnegative(x, y):
    """Both operands, NaN where either is negative."""
    factor = nonnegative(x) * nonnegative(y)
    return factor * x, factor * y


def _rel_entr_by_x(g, out, x, y):
    x, y = _both_nonnegative(x, y)
    return g * (1 + np.log(x) - np.log(y))


operation(
    "rel_entr",
    lambda x, y: special.rel_entr(*floats(x, y)),
    _rel_entr_by_x,
    lambda g, out, x, y: -g * xdivy(*_both_nonnegative(x, y)),
    reads="x y",
    elementwise=True,
    broadcasts=True,
    chooses=(None, lambda out, x, y: np.equal(x, 0) & np.greater_equal(y, 0)),
    formula="x log(x / y), 0 where x = 0, ∞ where x or y is negative",
    gradient="g (1 + log(x / y)), −g x / y",
)

operation(
    "logit",
    lambda x: special.logit(x),
    lambda g, out, x: g / x + g / (1 - x),
    reads="x",
    elementwise=True,
    formula="log(x / (1 − x))",
    gradient="g / x + g / (1 − x)",
)


_NORMAL = ("erf", "erfc", "erfcx", "erfinv", "erfcinv", "ndtr", "ndtri", "log_ndtr")
_ENTROPY = ("xlogy", "xlog1py", "entr", "rel_entr", "logit")
SCIPY |= {name: OPS[name] for name in (*_NORMAL, *_ENTROPY)}
