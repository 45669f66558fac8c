"""The programs of docs/conventions.md: one expression, in the names of six libraries.

An expression is evaluated with the names of `convention_libraries`; a library that lacks one of
them has no answer. A case may have another expression for a library that writes it differently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, nan
from typing import Any

__all__ = ["CASES", "SECTIONS", "Case"]

SECTIONS = {
    "kinks": "Kinks and ties",
    "smooth": "Smooth functions of a kink",
    "zeros": "0 · ∞",
    "edges": "Powers, branch points and edges",
    "infinities": "Infinities and NaN",
    "jumps": "Jumps and choices",
    "matrices": "Matrices",
    "special": "Special functions",
}


@dataclass(frozen=True)
class Case:
    """A function at a point.

    Attributes:
        section: a key of `SECTIONS`.
        program: the expression, of x, y and z.
        at: the values of x, y and z.
        why: why the value here is what it is.
        others: the expression of a library that writes it differently.
        second: whether to compare the second derivatives too.
    """

    section: str
    program: str
    at: tuple[Any, ...]
    why: str
    others: dict[str, str] = field(default_factory=dict)
    second: bool = True


MEAN = "the mean of the slopes on both sides"
SHARED = "shared equally: no operand is special"
ORIGIN = "0 is the subgradient of least length"
SMOOTH = "the function is smooth there"
STRUCTURE = "a zero by structure removes an infinite factor"
NUMBER = "a number that is 0 does not remove an infinite factor"
POLE = "the derivative is infinite"
LIMIT = "the limit"
PATH = "the limit depends on the path"
SLOPE = "a step counts as constant"

ARBITRARY = "the additional vectors are arbitrary: a `DegenerateWarning`"
ONE_SIDE = "only this triangle is read"


def _kinks() -> list[Case]:
    def kink(program: str, *at: Any, why: str = MEAN, **others: str) -> Case:
        return Case("kinks", program, at, why, others)

    return [
        kink("abs(x)", 0.0),
        kink("relu(x)", 0.0, why="0, as in every library; `maximum(x, 0)` has ½"),
        kink("maximum(x, 0)", 0.0, torch="maximum(x, array(0.0))"),
        kink("leaky_relu(x)", 0.0, why="the slope of the side that 0 is written on, x ≤ 0"),
        kink("elu(x, 0.5)", 0.0, why="the slope of the side x ≤ 0"),
        kink("maximum(x, y)", 1.0, 1.0, why=SHARED),
        kink("minimum(x, y)", 1.0, 1.0, why=SHARED),
        kink("fmax(x, y)", 1.0, 1.0, why=SHARED),
        kink("fmin(x, y)", 1.0, 1.0, why=SHARED),
        kink("max(x)", [1.0, 1.0, 0.0], why=SHARED),
        kink("min(x)", [1.0, 1.0, 2.0], why=SHARED),
        kink("clip(x, -1, 1)", 1.0, why="`minimum(maximum(x, −1), 1)`: a tie is shared"),
        kink("median(x)", [1.0, 3.0, 2.0, 4.0], why="the mean of the two in the middle"),
        kink("quantile(x, 0.25)", [1.0, 3.0, 2.0], why="interpolated between two elements"),
        kink("nanmedian(x)", [1.0, nan, 3.0], why="NaN is left out"),
        kink("nanquantile(x, 0.5)", [1.0, nan, 3.0], why="NaN is left out"),
        kink("quantile(array([1.0, 2.0, 4.0]), x)", 0.5, why=MEAN),
        kink("median(x)", [1.0, 1.0, 3.0], why="the element that a stable sort puts there"),
        kink("sum(sort(x) * array([1.0, 2.0]))", [1.0, 1.0], why="the order of a stable sort"),
        kink("norm(x)", [0.0, 0.0], why=ORIGIN),
        kink("norm(x, ord=1)", [0.0, 2.0], why=ORIGIN),
        kink("norm(x, ord=3)", [0.0, 0.0], why=ORIGIN),
        kink("sqrt(sum(x ** 2))", [0.0, 0.0], why="the norm, in any notation"),
        kink("sqrt(x * x)", 0.0, why="|x|, in any notation"),
        kink("hypot(x, y)", 0.0, 0.0, why=ORIGIN),
        kink("std(x)", [2.0, 2.0, 2.0], why=ORIGIN),
        kink("svdvals(x)[0]", [[0.0, 0.0], [0.0, 0.0]], why=ORIGIN),
        kink("copysign(x, y)", 0.0, 1.0, why=ORIGIN),
        kink("x * sign(x)", 0.0, why="sign 0 = 0"),
        kink("x * heaviside(x, 0.25)", 0.0, why="the value at 0 that was given"),
    ]


def _smooth() -> list[Case]:
    def smooth(program: str, *at: Any, why: str = SMOOTH, **others: str) -> Case:
        return Case("smooth", program, at, why, others)

    return [
        smooth("norm(x) ** 2", [0.0, 0.0]),
        smooth("norm(x) * norm(x)", [0.0, 0.0]),
        smooth("exp(-norm(x) ** 2)", [0.0, 0.0]),
        smooth("abs(x) ** 2", 0.0),
        smooth("abs(x) * abs(x)", 0.0),
        smooth("hypot(x, y) ** 2", 0.0, 0.0),
        smooth("std(x) ** 2", [2.0, 2.0]),
        smooth("cos(abs(x))", 0.0),
        smooth("norm(x) ** 3", [0.0, 0.0], why="not recognised: the second derivative is 0"),
        smooth("abs(x) ** 3", 0.0),
        smooth("abs(x) * abs(2 * x)", 0.0, why="not recognised: the second derivative is 4"),
        smooth("sqrt(x) ** 2", 0.0, why="not recognised: the derivative is 1"),
        smooth("sinc(x)", 0.0, why="sin πx/(πx) and its derivatives have limits"),
        smooth("tanh(x) / x", 0.0, why="0/0 as written"),
    ]


def _zeros() -> list[Case]:
    def zero(program: str, *at: Any, why: str = STRUCTURE, **others: str) -> Case:
        return Case("zeros", program, at, why, others, second=False)

    return [
        zero(
            "where(x > 0, sqrt(x), 0)",
            0.0,
            torch="where(x > 0, sqrt(x), array(0.0))",
        ),
        zero("sum(log(x)[1:])", [0.0, 4.0]),
        zero("sum(array([0.0, 1.0]) * sqrt(x))", [0.0, 4.0], why="a constant 0 is a mask"),
        zero(
            "where(isnan(y), 0, (y - x) ** 2)",
            1.0,
            nan,
            torch="where(isnan(y), array(0.0), (y - x) ** 2)",
        ),
        zero("sqrt(relu(x))", -1.0),
        zero("sqrt(relu(x))", 0.0, why="relu′(0) = 0"),
        zero("sqrt(maximum(x, 0))", -1.0, torch="sqrt(maximum(x, array(0.0)))"),
        zero("max(log(x))", [0.0, 4.0]),
        zero("trace(log(x))", [[1.0, 0.0], [0.0, 4.0]]),
        zero("sum(tril(log(x)))", [[1.0, 0.0], [2.0, 4.0]]),
        zero("sum(triu(log(x)))", [[1.0, 2.0], [0.0, 4.0]]),
        zero("take_along_axis(log(x), array([1]), 0)[0]", [0.0, 4.0]),
        zero("exp(sum(log(x)))", [0.0, 2.0, 3.0], why=NUMBER),
        zero("x * log(x)", 0.0, why=NUMBER),
        zero("arccos(x) ** 2", 1.0, why=NUMBER),
        zero("1 / (1 / x)", 0.0, why=NUMBER),
        zero("log(cosh(x))", 1000.0, why="∞ / ∞ as written"),
    ]


def _edges() -> list[Case]:
    def edge(program: str, *at: Any, why: str, **others: str) -> Case:
        return Case("edges", program, at, why, others)

    return [
        edge("x ** 0.0", 0.0, why="it is 1 for every x"),
        edge("x ** 1.0", 0.0, why="it is x"),
        edge("x ** 2.0", 0.0, why="it is x · x"),
        edge("x ** y", 0.0, 0.0, why="by y it jumps from 1 to 0"),
        edge("x ** y", 0.0, 2.0, why="0 for every y > 0"),
        edge("x ** y", -2.0, 2.0, why="by y the logarithm of a negative number"),
        edge("sqrt(x)", 0.0, why=POLE),
        edge("cbrt(x)", 0.0, why=POLE),
        edge("log(x)", 0.0, why=POLE),
        edge("log(x)", -1.0, why="the value is NaN; the derivative is that of the formula"),
        edge("log1p(x)", -1.0, why=POLE),
        edge("1 / x", 0.0, why=POLE),
        edge("arcsin(x)", 1.0, why=POLE),
        edge("arccos(x)", 1.0, why=POLE),
        edge("arccosh(x)", 1.0, why=POLE),
        edge("arctanh(x)", 1.0, why=POLE),
        edge("arctan2(x, y)", 0.0, 0.0, why="the angle jumps"),
        edge("arctan2(x, y)", 0.0, -1.0, why="the branch cut: the slope of both sides"),
        edge("prod(x)", [0.0, 2.0, 3.0], why="the products of the others, without division"),
        edge("sum(cumprod(x))", [2.0, 0.0, 3.0], why="without division"),
        edge("mod(x, y)", 1.0, 0.5, why="it jumps; the slope of both sides"),
        edge("fmod(x, y)", 1.0, 0.5, why="it jumps; the slope of both sides"),
    ]


def _infinities() -> list[Case]:
    def far(program: str, *at: Any, why: str = LIMIT, **others: str) -> Case:
        return Case("infinities", program, at, why, others)

    both = {"why": PATH}
    return [
        far("logaddexp(x, y)", inf, 0.0),
        far("logaddexp(x, y)", inf, inf, **both),
        far("logaddexp(x, y)", -inf, -inf, **both),
        far("logsumexp(x)", [inf, 0.0]),
        far("logsumexp(x)", [-inf, 0.0]),
        far("logsumexp(x)", [-inf, -inf], **both),
        far("softmax(x)[0]", [inf, 0.0]),
        far("softmax(x)[0]", [-inf, -inf], **both),
        far("log_softmax(x)[0]", [inf, 0.0]),
        far("cross_entropy(x, 0)", [inf, 0.0]),
        far("cross_entropy(x, 0)", [-inf, 0.0]),
        far("softplus(x)", inf),
        far("sigmoid(x)", -inf),
        far("silu(x)", -inf),
        far("gelu(x)", -inf),
        far("exact_gelu(x)", -inf),
        far("log(1 / (1 + exp(-x)))", -800.0, why="the stable form"),
        far("log(1 + exp(x))", 1000.0, why="the stable form"),
        far("bce_with_logits(x, 1.0)", inf),
        far("bce_with_logits(x, 1.0)", -inf),
        far("bce(x, 0.0)", 0.0, why="a label of 0 removes the term log 0"),
        far("maximum(x, y)", nan, 1.0, why="NaN equals no operand"),
        far("fmax(x, y)", nan, 1.0, why="the operand that was chosen"),
        far("max(x)", [nan, 1.0], why="the value is NaN"),
        far("nansum(x)", [nan, 1.0], why="NaN is left out"),
        far("nan_to_num(x)", nan, why="the value is the constant 0"),
        far("relu(x)", nan, why="NaN is not greater than 0"),
        far("clip(x, -1, 1)", nan, why="NaN equals no operand"),
        far("abs(x)", nan, why="sign NaN = NaN"),
        far("hypot(x, y)", inf, 0.0, why="∞ / ∞ as written; the limit is 1"),
    ]


def _jumps() -> list[Case]:
    def jump(program: str, *at: Any, why: str = SLOPE, **others: str) -> Case:
        return Case("jumps", program, at, why, others, second=False)

    steps = [
        jump(f"x * {f}(x)", 1.0) for f in ("floor", "ceil", "trunc", "rint", "round", "fix", "sign")
    ]
    compared = [
        jump(f"where({c}, x, 2 * x)", 0.0, why="the branch that the comparison selects")
        for c in ("x < 0", "x <= 0", "x > 0", "x >= 0", "equal(x, 0)", "not_equal(x, 0)")
    ]
    selected = [
        jump(f"sum(x * equal(array([0, 1]), {f}(x)))", [1.0, 1.0], why="the first of equal numbers")
        for f in ("argmax", "argmin", "nanargmax", "nanargmin")
    ]
    return [
        *steps,
        jump("x * (x // 1.0)", 1.0),
        jump("x * signbit(x)", 0.0),
        jump("x * angle(x)", 0.0),
        jump("copysign(x, y)", 1.0, 0.0, why="the sign jumps"),
        *compared,
        *selected,
        jump("x[argsort(x)][0]", [1.0, 1.0], why="a stable sort"),
        jump("sum(partition(x, 1)[:1])", [1.0, 1.0, 2.0], why="any of equal numbers"),
        jump(
            "interp(x, array([0.0, 1.0, 2.0]), array([0.0, 1.0, 5.0]))", 1.0, why="the right piece"
        ),
        jump("x * digitize(x, array([0.0, 1.0]))", 1.0),
        jump("sum(x * count_nonzero(x))", [0.0, 1.0]),
        jump("sum(x * all(x)) + sum(x * any(x))", [0.0, 1.0]),
        jump("frexp(x)[0]", 1.0, why="the exponent jumps; the slope from the right"),
    ]


def _matrices() -> list[Case]:
    def matrix(program: str, *at: Any, why: str, second: bool = False, **others: str) -> Case:
        return Case("matrices", program, at, why, others, second=second)

    singular, eye = [[1.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]]
    bad = [[nan, 1.0], [1.0, 3.0]]
    return [
        matrix("det(x)", [[0.0, 0.0], [0.0, 1.0]], why="the cofactors, also of singular matrices"),
        matrix("det(x)", singular, why="the cofactors", second=True),
        matrix("det(x)", [[0.0, 0.0], [0.0, 0.0]], why="they are all 0", second=True),
        matrix("det(x)", [[inf, 1.0], [1.0, 0.0]], why="a matrix with ∞; LAPACK returns 0"),
        matrix("logabsdet(x)", singular, why="the value is −∞, and no inverse exists"),
        matrix("sum(inv(x))", bad, why="a matrix with NaN; LAPACK returns two finite elements"),
        matrix("eigvalsh(x)[0]", bad, why="a matrix with NaN; LAPACK returns ±√2"),
        matrix(
            "eigvalsh(x)[0]", eye, why="one of the subgradients: v vᵀ for the first vector found"
        ),
        matrix("eigvectors(x)[0, 0]", eye, why="without the pair, and a `DegenerateWarning`"),
        matrix(
            "svdvals(x)[0]", eye, why="one of the subgradients: u vᵀ for the first vectors found"
        ),
        matrix("svd_u(x)[0, 0]", eye, why="without the pair, and a `DegenerateWarning`"),
        matrix("sum(pinv(x))", singular, why="of matrices of this rank, and a `DegenerateWarning`"),
        matrix("sum(pinv(x, rtol=0.5))", [[1.0, 0.0], [0.0, 0.1]], why="0.1 is left out, exactly"),
        matrix("svd_full(x)[0, 2]", [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], why=ARBITRARY),
        matrix("qr_complete(x)[0, 2]", [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], why=ARBITRARY),
        matrix("qr_r(x)[0, 0]", singular, why="a `DegenerateWarning`: the rank may change"),
        matrix("eigvalsh(x)[1]", [[2.0, 1.0], [1.0, 2.0]], why=ONE_SIDE),
        matrix("cholesky(x)[1, 1]", [[2.0, 1.0], [1.0, 2.0]], why=ONE_SIDE),
        matrix("nuclear(x)", [[1.0, 0.0], [0.0, 0.0]], why=ORIGIN),
    ]


def _special() -> list[Case]:
    def special(program: str, *at: Any, why: str, **others: str) -> Case:
        return Case("special", program, at, why, others)

    return [
        special("xlogy(x, y)", 0.0, 0.0, why="by x log 0; by y a constant 0"),
        special("xlogy(x, y)", 0.0, 2.0, why="log y, and 0"),
        special("xlogy(x, y)", 0.0, -1.0, why="by x the logarithm of a negative number"),
        special("entr(x)", 0.0, why=POLE),
        special("rel_entr(x, y)", 0.0, 0.0, why="by x it depends on the path"),
        special("rel_entr(x, y)", 0.0, 2.0, why=POLE),
        special("rel_entr(x, y)", 1.0, -1.0, why="outside the domain, where the value is ∞"),
        special("ndtri(x)", 0.0, why=POLE),
        special("erfinv(x)", 1.0, why=POLE),
        special("logit(x)", 0.0, why=POLE),
        special("logit(x)", 2.0, why="the value is NaN; the derivative is that of the formula"),
        special("log_ndtr(x)", -1e3, why="accurate in the tail"),
        special("log_ndtr(x)", -1e5, why="accurate in the tail"),
        special("ndtr(x)", -38.0, why="accurate in the tail"),
        special("erfcx(x)", 1e8, why="accurate in the tail"),
        special("exact_gelu(x)", -10.0, why="accurate in the tail"),
        special("gammaln(x)", 0.0, why=POLE),
        special("gammaln(x)", -1.0, why="a pole: the sign depends on the side"),
        special("digamma(x)", 0.0, why="a pole"),
        special("polygamma(1, x)", 0.0, why="a pole"),
        special("i0(x)", 0.0, why="an even function"),
        special("i0e(x)", 0.0, why="a kink of exp(−|x|), of which 0 is the subgradient"),
        special("ive(1.5, x)", 0.0, why="a kink"),
        special("xlog1py(x, y)", 0.0, -1.0, why="by x log 0; by y a constant 0"),
        special("i1(x)", 0.0, why="½ is the slope of I₁"),
    ]


CASES = [
    case
    for part in (_kinks, _smooth, _zeros, _edges, _infinities, _jumps, _matrices, _special)
    for case in part()
]
"""All cases, in the order of the page."""
