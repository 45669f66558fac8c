"""Elementwise functions in native code: NumPy's values, one by one, for every kind of number."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler import scalars
from autograd_lite.compiler.elementary import FUNCTIONS
from autograd_lite.compiler.scalars import STATEMENTS

pytest.importorskip("numba")
pytest.importorskip("scipy")

LOGICAL = ("logical_and", "logical_or", "logical_not")
UFUNCS = [name.removeprefix("np.") for name in STATEMENTS if name not in ("np.where", ".astype")]
LENGTH = 120  # elements of an array; some functions are native for short arrays only


def special(dtype):
    """The numbers at which functions change what they do, and their neighbours."""
    limits = np.finfo(dtype)
    large = [1e3, 1e6, 2.0**53, 0.3 * float(limits.max), limits.max, np.inf]
    small = [limits.smallest_subnormal, 3e5 * float(limits.smallest_subnormal), limits.tiny]
    usual = [1e-20, 1e-8, 0.1, 0.5, 0.7071, 1.0, 1.5, 2.0, 3.0, np.pi / 2, 10.0, 33.3]
    edges = [*np.arange(86.0, 90), 103.9, 708.3, 709.7, 709.8, 745.1, 746.0]
    one = dtype(1)
    near = [np.nextafter(one, dtype(0)), np.nextafter(one, dtype(2))]
    with np.errstate(over="ignore"):
        positive = np.array([0.0, *small, *usual, *near, *edges, *large], dtype)
    return np.concatenate([positive, -positive, [dtype(np.nan)]])


def random(dtype, count, seed):
    """Random numbers of all sizes: a few that are usual, and those of random bits."""
    draw = np.random.default_rng(seed)
    bits = draw.integers(0, 256, count * np.dtype(dtype).itemsize, dtype=np.uint8).view(dtype)
    scales = draw.choice([0.1, 1.0, 30.0], count)
    return np.where(draw.random(count) < 0.3, bits, draw.normal(size=count) * scales).astype(dtype)


def pairs(dtype):
    """Two arrays that hold all pairs of special numbers, and random ones."""
    numbers = special(dtype)
    x = np.concatenate([np.repeat(numbers, numbers.size), random(dtype, 3000, 1)])
    y = np.concatenate([np.tile(numbers, numbers.size), random(dtype, 3000, 2)])
    return x, y


def every(names):
    """A function that returns the values of all functions with these names."""

    def values(x, y):
        found = {}
        for name in names:
            function = getattr(np, name)
            given = (x > 0.5, y > 0.5) if name in LOGICAL else (x, y)
            found[name] = function(*given[: function.nin])
        return found

    return values


def pieces(x):
    """Arrays of LENGTH elements with those of x; zeros fill the last one up."""
    return np.append(x, np.zeros(-x.size % LENGTH, x.dtype)).reshape(-1, LENGTH)


def collected(function, *arrays):
    """The values of a function that is called with pieces of arrays."""
    with np.errstate(all="ignore"):
        parts = [function(*given) for given in zip(*map(pieces, arrays), strict=True)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def native(function, *arrays):
    """The values by native code, of which no call is left to NumPy."""
    compiled = ag.compile(function, backend="numba")
    found = collected(compiled, *arrays)
    assert compiled.backend == "numba"
    assert compiled.source.rpartition("\ndef ")[2].count("np.") == 0, compiled.source
    return found


def exact(name, x, y):
    """The values in long double."""
    function = getattr(np, name)
    with np.errstate(all="ignore"):
        given = (x.astype(np.longdouble), y.astype(np.longdouble))
        return function(*given[: function.nin])


def differences(name, found, expected, true=None):
    """The indices at which a result differs from NumPy's: in NaN, infinity or sign, or by units in
    the last place: 3 from long double for functions of `elementary`, or 2 more than NumPy does."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), name
    if expected.dtype == bool:
        return np.flatnonzero(found != expected)
    nan = np.isnan(expected)
    wrong = np.isnan(found) != nan
    wrong |= ~nan & (np.signbit(found) != np.signbit(expected)) & ~_tie(name, found, expected)
    finite = np.isfinite(expected) & np.isfinite(found)
    if true is None:
        return np.flatnonzero(wrong | (~nan & ~finite & (found != expected)))
    with np.errstate(all="ignore"):
        unit = np.spacing(np.abs(expected)).astype(np.longdouble)
        off = np.abs(found.astype(np.longdouble) - true) / unit
        most = 3 if name in FUNCTIONS else 2 + np.abs(expected.astype(np.longdouble) - true) / unit
        wrong |= finite & (off > most)
        # At the largest number, rounding decides between it and infinity.
        limit = np.longdouble(np.finfo(found.dtype).max)
        near = np.abs(np.abs(true) / limit - 1) < 8 * np.finfo(found.dtype).eps
    return np.flatnonzero(wrong | (~nan & ~finite & ~near & (found != expected)))


def _tie(name, found, expected):
    """Where NumPy promises nothing: the sign of the larger of two zeros."""
    return np.isin(name, ("maximum", "minimum")) & (found == 0) & (expected == 0)


def failures(names, dtype):
    """What differs from NumPy's values for pairs of numbers: the function, its operands, both."""
    x, y = pairs(dtype)
    found, expected = native(every(names), x, y), collected(every(names), x, y)
    x, y = pieces(x).ravel(), pieces(y).ravel()
    failed = []
    for name in names:
        true = exact(name, x, y) if expected[name].dtype != bool else None
        wrong = differences(name, found[name], expected[name], true)[:3]
        failed += [(name, x[k], y[k], found[name][k], expected[name][k]) for k in wrong]
    return failed


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_function_has_the_values_of_numpy(dtype):
    assert failures(UFUNCS, dtype) == []


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_function_has_the_values_of_numpy_for_single_numbers(dtype):
    function = every([name for name in UFUNCS if name not in LOGICAL])
    compiled = ag.compile(function, backend="numba")
    numbers = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -3.0, 0.75, 1.0, 2.5, 90.0, -800.0]
    for a in map(dtype, numbers):
        for b in map(dtype, numbers):
            with np.errstate(all="ignore"):
                found, expected = compiled(a, b), function(a, b)
            for name, x in expected.items():
                message = f"{name}({a}, {b})"
                assert type(found[name]) is type(x), message
                np.testing.assert_allclose(
                    found[name], x, rtol=4 * np.finfo(dtype).eps, atol=1e-45, err_msg=message
                )
                tie = name in ("maximum", "minimum") and x == 0
                assert np.signbit(found[name]) == np.signbit(x) or np.isnan(x) or tie, message
    assert compiled.backend == "numba"


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_elementary_functions_are_right_to_three_units_everywhere(name, dtype):
    draw, count = np.random.default_rng(5), 20_000
    parts = [
        special(dtype),
        draw.uniform(-1, 1, count),
        draw.uniform(-110, 110, count),
        draw.uniform(-760, 720, count),
        1 + draw.uniform(-1, 1, count) * 10.0 ** draw.integers(-16, 0, count),
        2.0 ** draw.uniform(-1074, 1023, count) * draw.choice([-1, 1], count),
        np.log(2) * draw.integers(-1080, 1025, count) / 2,
        random(dtype, count, 6),
    ]
    with np.errstate(all="ignore"):
        x = np.concatenate([part.astype(dtype) for part in parts])

    def values(x):
        return {name: getattr(np, name)(x), "rest": (1.0 - x) * x + abs(x)}

    compiled = ag.compile(values, backend="numba")
    with np.errstate(all="ignore"):
        found, expected = compiled(x)[name], getattr(np, name)(x)
    assert compiled.backend == "numba"
    wrong = differences(name, found, expected, exact(name, x, x))
    assert wrong.size == 0, (x[wrong][:5], found[wrong][:5], expected[wrong][:5])


PLANTED = {
    "np.sinh": "np.cosh({0})",
    "np.sign": "np.sign({0})",
    "np.maximum": "{0} if {0} >= {1} else {1}",
    "np.minimum": "{0} if ({0} < {1}) | ({0} != {0}) else {0}",
    "np.less_equal": "{0} < {1}",
    "np.copysign": "abs({0})",
    "np.reciprocal": "{one} / ({0} + {zero})",
    "np.logaddexp": "np.log(np.exp({0}) + np.exp({1}))",
    "np.exp2": "np.exp({0} * 0.6931471805599453)",
    "np.hypot": "np.sqrt({0} * {0} + {1} * {1})",
    "np.power": "np.exp({1} * np.log({0}))",
    "np.logical_or": "{0} & {1}",
}


def test_wrong_statements_are_found(monkeypatch):
    for name, statement in PLANTED.items():
        monkeypatch.setitem(scalars.STATEMENTS, name, statement)
    names = [name.removeprefix("np.") for name in PLANTED]
    found = {name for name, *_ in failures(names, np.float64)}
    assert set(names) - found == set()


# Operands of several dtypes

DTYPES = ("float64", "float32", "bool", "int8", "int16", "int32", "int64", "uint8")
MIXED = ("subtract", "divide", "maximum", "less", "power")


def operands():
    """An array of each dtype, limits included."""
    given = {}
    for name in DTYPES:
        dtype = np.dtype(name)
        if dtype.kind == "f":
            given[name] = np.concatenate([special(dtype.type)[::2], random(dtype, 200, 4)])[:LENGTH]
        elif dtype.kind == "b":
            given[name] = np.arange(LENGTH) % 3 == 0
        else:
            limits = np.iinfo(dtype)
            numbers = np.array([0, 1, 2, 3, 7, limits.max, limits.min, limits.max - 1], dtype)
            given[name] = np.resize(numbers, LENGTH)
    return given


def same(found, expected):
    """Whether results have the types and dtypes of others, and their values to rounding."""
    assert found.keys() == expected.keys()
    for name, x in expected.items():
        assert (type(found[name]), found[name].dtype) == (type(x), x.dtype), name
        most = 4 * np.finfo(x.dtype).eps if x.dtype.kind == "f" else 0
        np.testing.assert_allclose(found[name], x, rtol=most, atol=0, err_msg=name)


def compare(function, *args):
    """Compare the results of native code with those of NumPy's functions."""
    compiled = ag.compile(function, backend="numba")
    with np.errstate(all="ignore"):
        same(compiled(*args), ag.compile(function)(*args))
    assert compiled.backend == "numba"


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_operands_of_two_dtypes_are_converted_as_numpy_does(kind):
    def values(given):
        found = {}
        for other in DTYPES:
            for name in MIXED:
                function = getattr(np, name)
                found[f"{name} {kind} {other}"] = function(given[kind], given[other])
        return found

    compare(values, operands())


def test_integers_and_booleans():
    def values(given):
        found = {}
        for x in DTYPES[2:]:
            for y in DTYPES[2:]:
                if x != y:
                    found[f"{x} / {y}"] = np.divide(given[x], given[y])
                    found[f"{x} < {y}"] = np.less(given[x], given[y])
        for x in DTYPES[3:]:
            found[f"sqrt({x})"] = np.sqrt(given[x])
            found[f"exp({x})"] = np.exp(given[x])
            found[f"{x} + bool"] = given[x] + given["bool"]
        return found

    compare(values, operands())


def test_python_numbers_keep_float32():
    def values(x, y):
        return {
            "2x": 2 * x,
            "x - 0.1": x - 0.1,
            "0.1 / x": 0.1 / x,
            **{f"x ** {k}": x**k for k in (0, 1, 2, 3, 10, -1, -2, 0.5, -0.5, 1.5)},
            **{f"{k} ** x": k**x for k in (2, 0.5)},
            "x ** -0.5": x**-0.5,
            "x ** -1": x**-1,
            "x ** 1.5": x**1.5,
            "x > 0.1": x > 0.1,
            "where": np.where(x > 0.1, x, 0.1),
            "where of two numbers": np.where(x > 0.1, 1.0, 0.1) * y,
            "maximum": np.maximum(x, 0.1),
            "half of a sum": (x + y) * 0.5,
            "with float64": x * np.float64(0.1),
            "with float32": y * np.float32(0.1),
            "True": x + True,
        }

    x = np.concatenate([special(np.float32), random(np.float32, LENGTH, 7)])[:LENGTH]
    compare(values, x, random(np.float32, LENGTH, 8))
    compare(values, x.astype(np.float64), x)
    compare(values, np.float32(0.7), np.float32(-3))


def test_conversions_and_choices():
    def values(given):
        found = {}
        for x in DTYPES:
            for dtype in DTYPES[:3]:
                found[f"{x} to {dtype}"] = given[x].astype(dtype)
            number = given[x].astype("float32") if x[0] in "iu" else given[x]
            found[f"where {x}"] = np.where(given["bool"], number, given["float32"])
            found[f"not {x}"] = np.logical_not(given[x])
            found[f"and {x}"] = np.logical_and(given[x], given["float64"])
            found[f"or {x}"] = np.logical_or(given["bool"], given[x])
        found["where of booleans"] = np.where(given["bool"], given["float32"] > 0, given["bool"])
        found["a chosen NaN"] = np.where(given["float64"] > 0, given["float64"], np.nan)
        return found

    compare(values, operands())
