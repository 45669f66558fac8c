"""`python -m benchmarks.special`: errors of special functions and of their derivatives.

mpmath computes the right values, with 60 digits. The table is in docs/special.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import mpmath
import numpy as np
from mpmath import mp
from scipy import special

import autograd_lite as ag
from benchmarks.markdown import progress, table

DIGITS = 60
POINTS = 200

Draw = Callable[[np.random.Generator], float]


class Row:
    """A function on a part of its domain.

    Args:
        name, where: the first cells of its row.
        function: of Tensors.
        exact: the same function of mpmath's numbers.
        draws: one for each operand.
    """

    def __init__(
        self,
        name: str,
        where: str,
        function: Callable[..., Any],
        exact: Callable[..., Any],
        *draws: Draw,
    ) -> None:
        self.name, self.where = name, where
        self.function, self.exact, self.draws = function, exact, draws


def between(low: float, high: float) -> Draw:
    """Numbers spread evenly."""
    return lambda random: float(random.uniform(low, high))


def decades(low: float, high: float) -> Draw:
    """Numbers of one sign whose logarithms are spread evenly."""
    sign = np.sign(low)
    return lambda random: float(sign * np.exp(random.uniform(*np.log([sign * low, sign * high]))))


def near(point: float) -> Draw:
    """Numbers on both sides of a point, at distances from 1e-8 to 0.01."""
    distance = decades(1e-8, 1e-2)
    return lambda random: point + float(random.choice([-1, 1])) * distance(random)


def _log_gamma(x: Any) -> Any:
    return mpmath.re(mpmath.loggamma(x))


def _log_beta(a: Any, b: Any) -> Any:
    return _log_gamma(a) + _log_gamma(b) - _log_gamma(a + b)


def _log_normal(x: Any) -> Any:
    return mpmath.log(_normal(x))


def _log_expit(x: Any) -> Any:
    return -mpmath.log1p(mpmath.exp(-x))


def _logit(x: Any) -> Any:
    return mpmath.log(x / (1 - x))


def _gammainc(x: Any) -> Any:
    return mpmath.gammainc(2.5, 0, x, regularized=True)


def _polygamma(n: int) -> tuple[Any, Any]:
    return lambda x: ag.polygamma(n, x), lambda x: mpmath.psi(n, x)


def _scaled_bessel(v: float) -> Callable[[Any], Any]:
    return lambda x: mpmath.besseli(v, x) * mpmath.exp(-abs(x))


def _bessel(v: float) -> Callable[[Any], Any]:
    return lambda x: mpmath.besseli(v, x)


def _normal(x: Any) -> Any:
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def _with(f: Callable[..., Any], parameter: float) -> Callable[[Any], Any]:
    return lambda x: f(parameter, x)


def _gelu(x: Any) -> Any:
    return ag.gelu(x, approximate="none")


TENS = decades(1e-5, 1e5)

ROWS = (
    Row("erf", "−5 to 5", special.erf, mpmath.erf, between(-5, 5)),
    Row("erfc", "−5 to 3", special.erfc, mpmath.erfc, between(-5, 3)),
    Row("erfc", "3 to 26.5", special.erfc, mpmath.erfc, between(3, 26.5)),
    Row("erfinv", "−0.999 to 0.999", special.erfinv, mpmath.erfinv, between(-0.999, 0.999)),
    Row("ndtr", "−5 to 8", special.ndtr, _normal, between(-5, 8)),
    Row("ndtr", "−37 to −5", special.ndtr, _normal, between(-37, -5)),
    Row("log_ndtr", "−5 to 8", special.log_ndtr, _log_normal, between(-5, 8)),
    Row("log_ndtr", "−1e8 to −5", special.log_ndtr, _log_normal, decades(-5, -1e8)),
    Row("xlogy", "1e-5 to 1e5", special.xlogy, lambda x, y: x * mp.log(y), TENS, TENS),
    Row("xlog1py", "1e-5 to 1e5", special.xlog1py, lambda x, y: x * mp.log1p(y), TENS, TENS),
    Row("entr", "1e-5 to 1e5", special.entr, lambda x: -x * mp.log(x), TENS),
    Row("rel_entr", "1e-5 to 1e5", special.rel_entr, lambda x, y: x * mp.log(x / y), TENS, TENS),
    Row("expit", "−700 to 30", special.expit, lambda x: 1 / (1 + mp.exp(-x)), between(-700, 30)),
    Row("logit", "0.001 to 0.999", special.logit, _logit, between(0.001, 0.999)),
    Row("log_expit", "−40 to 700", special.log_expit, _log_expit, between(-40, 700)),
    Row("exact GELU", "−30 to 8", _gelu, lambda x: x * _normal(x), between(-30, 8)),
    Row("gamma", "0.01 to 170", special.gamma, mpmath.gamma, decades(0.01, 170)),
    Row("gammaln", "0.01 to 1e10", special.gammaln, _log_gamma, decades(0.01, 1e10)),
    Row("gammaln", "near 1", special.gammaln, _log_gamma, near(1)),
    Row("gammaln", "near 2", special.gammaln, _log_gamma, near(2)),
    Row("gammaln", "near −2.457", special.gammaln, _log_gamma, near(-2.4570247382208006)),
    Row("gammaln", "near −1.573", special.gammaln, _log_gamma, near(-1.5734984731623905)),
    Row("gammaln", "−30 to 0", special.gammaln, _log_gamma, between(-30, 0)),
    Row("digamma", "0.01 to 1e10", special.digamma, mpmath.digamma, decades(0.01, 1e10)),
    Row("digamma", "near 1.462", special.digamma, mpmath.digamma, near(1.4616321449683623)),
    Row("digamma", "near −0.504", special.digamma, mpmath.digamma, near(-0.5040830082644554)),
    Row("digamma", "near −1.573", special.digamma, mpmath.digamma, near(-1.5734984731623905)),
    Row("digamma", "near −1", special.digamma, mpmath.digamma, near(-1)),
    Row("polygamma(1, ·)", "0.01 to 1e10", *_polygamma(1), decades(0.01, 1e10)),
    Row("polygamma(1, ·)", "−30 to 0", *_polygamma(1), between(-30, 0)),
    Row("polygamma(2, ·)", "0.01 to 1e10", *_polygamma(2), decades(0.01, 1e10)),
    Row("beta", "0.01 to 100", special.beta, mpmath.beta, *[decades(0.01, 100)] * 2),
    Row("betaln", "0.1 to 10", special.betaln, _log_beta, *[decades(0.1, 10)] * 2),
    Row("betaln", "1e-10 to 1e10", special.betaln, _log_beta, *[decades(1e-10, 1e10)] * 2),
    Row("gammainc(2.5, ·)", "0.1 to 20", _with(special.gammainc, 2.5), _gammainc, between(0.1, 20)),
    Row("i0", "−700 to 700", special.i0, _bessel(0), between(-700, 700)),
    Row("i1", "−700 to 700", special.i1, _bessel(1), between(-700, 700)),
    Row("i0e", "1e-5 to 1e5", special.i0e, _scaled_bessel(0), TENS),
    Row("ive(0.5, ·)", "1e-5 to 1e5", _with(special.ive, 0.5), _scaled_bessel(0.5), TENS),
    Row("ive(2, ·)", "1e-5 to 1e5", _with(special.ive, 2), _scaled_bessel(2), TENS),
    Row("ive(50, ·)", "1 to 1e5", _with(special.ive, 50), _scaled_bessel(50), decades(1, 1e5)),
)


def errors(row: Row, points: int = POINTS) -> tuple[float, float, float]:
    """The largest errors at random points: of the value, in units in the last place, and of the
    first and second derivatives, relative."""
    random = np.random.default_rng(0)
    count = len(row.draws)
    places = tuple(range(count))
    largest = [0.0, 0.0, 0.0]
    for _ in range(points):
        x = [draw(random) for draw in row.draws]
        with mp.workdps(DIGITS), np.errstate(all="ignore"):
            found = [
                [row.function(*map(ag.constant, x)).item()],
                ag.grad(row.function, argnums=places)(*x),
                [y for line in ag.hessian(row.function, argnums=places)(*x) for y in line],
            ]
            numbers = [mpmath.mpf(a) for a in x]
            for order, results in enumerate(found):
                for y, exact in zip(results, _derivatives(row.exact, numbers, order), strict=True):
                    if y == 0 and abs(exact) < 1e-30:
                        continue  # 0 and what mpmath's difference quotient leaves of it
                    unit = abs(exact) if order else np.spacing(abs(float(exact)))
                    largest[order] = max(largest[order], float(abs(y - exact) / unit))
    return largest[0], largest[1], largest[2]


def _derivatives(f: Callable[..., Any], x: Sequence[Any], order: int) -> list[Any]:
    """All partial derivatives of an order, the last operand first to change."""
    if order == 0:
        return [f(*x)]
    if len(x) == 1:
        return [mpmath.diff(f, x[0], order)]
    unit = [(1, 0), (0, 1)]
    if order == 1:
        return [mpmath.diff(f, tuple(x), n) for n in unit]
    return [mpmath.diff(f, tuple(x), (a[0] + b[0], a[1] + b[1])) for a in unit for b in unit]


def line(row: Row, points: int = POINTS) -> list[str]:
    """A line of the table."""
    value, first, second = errors(row, points)
    return [row.name, row.where, f"{value:,.0f}", f"{first:.0e}", f"{second:.0e}"]


def main() -> int:
    """Print the table and the versions."""
    body = []
    for row in ROWS:
        progress(f"{row.name}, {row.where}")
        body.append(line(row))
    print(table(["function", "where", "value", "first derivative", "second derivative"], body))
    names = ("scipy", "numpy", "mpmath")
    print("\nMeasured with " + ", ".join(f"{name} {version(name)}" for name in names) + ".")
    return 0


if __name__ == "__main__":
    sys.exit(main())
