"""Exponentials and logarithms for native code, without branches, for several numbers at once.

LLVM makes vectors of them, where it would call a function of the C library for one number after the
other. Each is right to 3 units in the last place, with NumPy's values at infinities, NaN and zeros.
They are source, since a saved module needs nothing but NumPy and Numba.

The argument of an exponential is split as k log 2 + r with |r| ≤ log 2 / 2, that of a logarithm as
2ᵏ m with √½ ≤ m < √2; what is left is a short series: of eʳ − 1, and of 2 artanh s = log m with
s = (m − 1) / (m + 1). See J.-M. Muller, Elementary Functions, 3rd edition, chapters 3 and 11.
"""

from __future__ import annotations

from math import factorial

__all__ = ["FUNCTIONS"]

_DECORATOR = '@njit(error_model="numpy", fastmath={"contract"})'

# log 2 as a number with zeros at its end, so that its multiples are exact, and what is left of it.
_HIGH, _LOW = "0.6931471803691238", "1.9082149292705877e-10"
# Added to a number and subtracted again, it rounds; between, the last bits are the integer.
_ROUNDING = "6755399441055744.0"


def _series(variable: str, coefficients: list[str]) -> str:
    """The source of a polynomial, the coefficients from the highest power down."""
    first, *rest = coefficients
    lines = [f"    p = {first}", *(f"    p = p * {variable} + {c}" for c in rest)]
    return "\n".join(lines)


_EXPONENTIAL = f"""    x = x if x >= least else least
    x = x if x <= most else most
    t = x * {1.4426950408889634} + {_ROUNDING}
    k = t - {_ROUNDING}
    r = (x - k * {_HIGH}) - k * {_LOW}
{_series("r", [f"1 / {factorial(n)}" for n in range(13, 1, -1)])}
    p = p * r * r + r
    n = np.float64(t).view(np.int64) - np.float64({_ROUNDING}).view(np.int64)"""

_LOGARITHM = f"""    bits = np.float64(u).view(np.int64)
    n = (bits - np.float64({0.5**0.5}).view(np.int64)) >> 52
    f = np.int64(bits - (n << 52)).view(np.float64) - 1.0
    k = np.float64(n)
    s = f / (2.0 + f)
    z = s * s
{_series("z", [f"2 / {n}" for n in range(23, 1, -2)])}
    half = 0.5 * f * f"""

# 2ᵏ in two factors, so that neither overflows or is subnormal.
_SCALED = """    first = n >> 1
    y = (1.0 + p) * np.int64((first + 1023) << 52).view(np.float64)
    y = y * np.int64((n - first + 1023) << 52).view(np.float64)"""

_LESS_ONE = """    power = np.int64((n + 1023) << 52).view(np.float64)
    less_one = power * p + (power - 1.0)"""

FUNCTIONS = {
    "exp": f"""{_DECORATOR}
def exp(given):
    x, least, most = given, -746.0, 710.0
{_EXPONENTIAL}
{_SCALED}
    return y if given == given else given""",
    "expm1": f"""{_DECORATOR}
def expm1(given):
    x, least, most = given, -50.0, 710.0
{_EXPONENTIAL}
{_SCALED}
{_LESS_ONE}
    y = y if x > 50.0 else less_one
    return y if (given == given) & (given != 0.0) else given""",
    "tanh": f"""{_DECORATOR}
def tanh(given):
    x, least, most = 2.0 * abs(given), 0.0, 50.0
{_EXPONENTIAL}
{_LESS_ONE}
    y = np.copysign(less_one / (less_one + 2.0), given)
    return y if (given == given) & (given != 0.0) else given""",
    "log": f"""{_DECORATOR}
def log(given):
    small = given < 2.2250738585072014e-308
    u = given * 18014398509481984.0 if small else given
{_LOGARITHM}
    k = k - 54.0 if small else k
    y = k * {_HIGH} - ((half - (s * (half + z * p) + k * {_LOW})) - f)
    y = y if given > 0.0 else (-np.inf if given == 0.0 else np.nan)
    return y if given < np.inf else given""",
    "log1p": f"""{_DECORATOR}
def log1p(given):
    u = 1.0 + given
    rest = (1.0 - (u - given) if given >= 1.0 else given - (u - 1.0)) / u
{_LOGARITHM}
    y = k * {_HIGH} - ((half - (s * (half + z * p) + (k * {_LOW} + rest))) - f)
    y = y if given > -1.0 else (-np.inf if given == -1.0 else np.nan)
    return y if (given < np.inf) & (given != 0.0) else given""",
}
"""The source of each function of a float64 number."""
