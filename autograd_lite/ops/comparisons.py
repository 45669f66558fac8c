"""Comparisons and other operations without a derivative; their results are recorded."""

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import composed
from autograd_lite.ops.reductions import Reduction, along_axes, ties
from autograd_lite.tensor import lifted

OPPOSITE = {
    "less": "greater_equal",
    "less_equal": "greater",
    "greater": "less_equal",
    "greater_equal": "less",
    "equal": "not_equal",
    "not_equal": "equal",
}
"""The negation of each comparison, unless an operand is NaN."""

for _name, _symbol in {
    "less": "<",
    "less_equal": "≤",
    "greater": ">",
    "greater_equal": "≥",
    "equal": "=",
    "not_equal": "≠",
}.items():
    operation(
        _name,
        getattr(np, _name),
        symbol=_symbol,
        precedence=40,
        formula=f"a {_symbol} b",
        kinks=np.equal,
    )


def _is_half(x):
    return np.equal(np.abs(x - np.trunc(x)), 0.5)


def _is_whole(x):
    return np.equal(x, np.trunc(x)) & np.not_equal(x, 0)


_JUMPS = {
    "sign": lambda x: np.equal(x, 0),
    "floor": lambda x: np.equal(x, np.floor(x)),
    "ceil": lambda x: np.equal(x, np.ceil(x)),
    "trunc": _is_whole,
    "rint": _is_half,
    "floor_divide": lambda a, b: np.equal(np.remainder(a, b), 0),
    "signbit": lambda x: np.equal(x, 0),
    "heaviside": lambda a, b: np.equal(a, 0),
}

for _name, _symbol, _formula in (
    ("sign", "sign", "sign x"),
    ("floor", "⌊·⌋", "⌊x⌋"),
    ("ceil", "⌈·⌉", "⌈x⌉"),
    ("trunc", "trunc", "x without its fraction"),
    ("rint", "rint", "the nearest whole number"),
    ("floor_divide", "//", "⌊a / b⌋"),
    ("isfinite", "isfinite", "whether x is finite"),
    ("isinf", "isinf", "whether x is infinite"),
    ("isnan", "isnan", "whether x is NaN"),
    ("signbit", "signbit", "whether the sign of x is negative"),
    ("logical_and", "∧", "a ∧ b"),
    ("logical_or", "∨", "a ∨ b"),
    ("logical_xor", "⊻", "a ⊻ b"),
    ("logical_not", "¬", "¬x"),
    ("bitwise_and", "&", "a & b, of whole numbers or booleans"),
    ("bitwise_or", "|", "a | b, of whole numbers or booleans"),
    ("bitwise_xor", "xor", "a xor b, of whole numbers or booleans"),
    ("invert", "~", "~x, of whole numbers or booleans"),
    ("heaviside", "H", "0 where a < 0, b where a = 0, 1 where a > 0"),
):
    operation(
        _name,
        getattr(np, _name),
        symbol=_symbol,
        formula=_formula,
        kinks=_JUMPS.get(_name),
    )


def _zeros(a, axis=None, keepdims=False):
    return np.equal(a, 0)


_FLIPS = {
    "argmax": ties(np.max),
    "argmin": ties(np.min),
    "nanargmax": ties(np.nanmax),
    "nanargmin": ties(np.nanmin),
}

for _name, _formula in (
    ("argmax", "where the largest element is"),
    ("argmin", "where the smallest element is"),
    ("nanargmax", "where the largest element is, NaN left out"),
    ("nanargmin", "where the smallest element is, NaN left out"),
):
    operation(
        _name,
        along_axes(getattr(np, _name)),
        numpy=(getattr(np, _name),),
        arity=1,
        formula=_formula,
        kinks=_FLIPS[_name],
    )

for _name, _formula, _neutral in (
    ("all", "whether every element is true", True),
    ("any", "whether an element is true", False),
):
    operation(
        _name,
        along_axes(getattr(np, _name)),
        numpy=(getattr(np, _name),),
        arity=1,
        kind=Reduction,
        neutral=(lambda neutral: lambda dtype: neutral)(_neutral),
        formula=_formula,
        kinks=_zeros,
    )

operation(
    "count_nonzero",
    lambda a, axis=None, keepdims=False: np.sum(np.not_equal(a, 0), axis=axis, keepdims=keepdims),
    numpy=(np.count_nonzero,),
    arity=1,
    formula="the number of elements that are not 0",
    kinks=_zeros,
)
operation(
    "round",
    lambda a, decimals=0: np.round(a, decimals),
    numpy=(np.round, np.around),
    formula="a, rounded to decimals",
    kinks=lambda a, decimals=0: _is_half(a * 10.0**decimals),
)
operation(
    "fix",
    lambda x: np.trunc(x),
    numpy=(np.fix,) if hasattr(np, "fix") else (),
    formula="x without its fraction",
    kinks=_is_whole,
)
for _name in ("isposinf", "isneginf"):
    operation(
        _name,
        (lambda function: lambda x: function(x))(getattr(np, _name)),
        numpy=(getattr(np, _name),),
        elementwise=True,
        formula=f"whether x is {'' if _name == 'isposinf' else 'minus '}infinity",
    )
operation("isreal", lambda x: np.isreal(x), numpy=(np.isreal,), elementwise=True, formula="true")
operation(
    "iscomplex", lambda x: np.iscomplex(x), numpy=(np.iscomplex,), elementwise=True, formula="false"
)
operation(
    "angle",
    lambda z, deg=False: np.angle(z, deg=deg),
    numpy=(np.angle,),
    elementwise=True,
    formula="0 where z ≥ 0, π where z < 0",
    kinks=lambda z, deg=False: np.equal(z, 0),
)
operation(
    "isclose",
    lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: np.isclose(
        a, b, rtol=rtol, atol=atol, equal_nan=equal_nan
    ),
    numpy=(np.isclose,),
    arity=2,
    elementwise=True,
    broadcasts=True,
    formula="|a − b| ≤ atol + rtol |b|",
)
operation(
    "isin",
    lambda element, test_elements, assume_unique=False, invert=False: np.isin(
        element, test_elements, assume_unique=assume_unique, invert=invert
    ),
    numpy=(np.isin,),
    arity=2,
    formula="whether an element is one of the others",
)


def _tied_along(a, axis):
    """Where an element is equal to another one along the axis."""
    line = np.moveaxis(a, axis, -1)
    places = np.argsort(line, axis=-1)
    equal = np.diff(np.take_along_axis(line, places, axis=-1), axis=-1) == 0
    edge = np.zeros((*line.shape[:-1], 1), bool)
    tied = np.concatenate([equal, edge], axis=-1) | np.concatenate([edge, equal], axis=-1)
    mask = np.empty(line.shape, bool)
    np.put_along_axis(mask, places, tied, axis=-1)
    return np.moveaxis(mask, -1, axis)


operation(
    "argsort",
    lambda a, axis=-1, kind=None, stable=None: np.argsort(a, axis, kind, stable=stable),
    numpy=(np.argsort,),
    arity=1,
    formula="the indices that would sort a",
    kinks=lambda a, axis=-1, kind=None, stable=None: _tied_along(a, axis),
)
operation(
    "argpartition",
    lambda a, kth=0, axis=-1: np.argpartition(a, kth, axis=axis),
    numpy=(np.argpartition,),
    arity=1,
    formula="the indices that would partition a",
    kinks=lambda a, kth=0, axis=-1: _tied_along(a, axis),
)
operation(
    "argwhere",
    lambda a: np.argwhere(a),
    numpy=(np.argwhere,),
    formula="the indices where a is not 0",
)
operation(
    "searchsorted",
    lambda a, v, side="left", sorter=None: np.searchsorted(a, v, side, sorter),
    numpy=(np.searchsorted,),
    arity=2,
    formula="where v would go into the sorted a",
    kinks=lambda a, v, side="left", sorter=None: np.isin(v, a),
)
operation(
    "digitize",
    lambda x, bins, right=False: np.digitize(x, bins, right=right),
    numpy=(np.digitize,),
    arity=2,
    formula="the index of the bin of x",
    kinks=lambda x, bins, right=False: np.isin(x, bins),
)
exponent: Op = operation(
    "exponent",
    lambda x: np.frexp(x)[1],
    elementwise=True,
    formula="the power of two above |x|",
    kinks=lambda x: np.equal(np.abs(np.frexp(x)[0]), 0.5),
)


@composed(np.nonzero)
def _nonzero(a):
    """The indices where a is not 0, an array for each axis."""
    a = lifted(a)
    if not a.ndim:
        raise ValueError("nonzero: a 0-d Tensor has no indices; write np.nonzero(np.atleast_1d(t))")
    places = np.argwhere(a)
    return tuple(places[:, k] for k in range(a.ndim))


@composed(np.flatnonzero)
def _flatnonzero(a):
    """The indices in the flattened array where a is not 0."""
    return np.argwhere(np.ravel(a))[:, 0]


@composed(np.divmod)
def _divmod_(a, b):
    """The pair (floor_divide(a, b), remainder(a, b))."""
    return np.floor_divide(a, b), np.remainder(a, b)


@composed(np.modf)
def _modf(x):
    """The pair (fraction, whole part); the fraction has the derivative 1."""
    whole = np.trunc(x)
    return x - whole, whole


@composed(np.frexp)
def _frexp(x):
    """The pair (mantissa, exponent) with x = mantissa · 2 ** exponent."""
    power = exponent(x)
    return np.ldexp(x, -power), power
