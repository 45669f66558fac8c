"""Selection of operands: maximum, minimum, where; the absolute value."""

from typing import Any

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import composed
from autograd_lite.ops.shapes import astype
from autograd_lite.tensor import lifted


def _share(mine, other, out):
    """1 where an operand is the result, ½ where both are, 0 elsewhere."""
    return np.where(np.equal(mine, other), 0.5, astype(np.equal(mine, out), out.dtype))


for _name in ("maximum", "minimum", "fmax", "fmin"):
    operation(
        _name,
        getattr(np, _name),
        lambda g, out, a, b: _share(a, b, out) * g,
        lambda g, out, a, b: _share(b, a, out) * g,
        chooses=(
            lambda out, a, b: np.not_equal(a, out),
            lambda out, a, b: np.not_equal(b, out),
        ),
        symbol=_name[:4] if _name.startswith("f") else _name[:3],
        formula=f"{_name[:4] if _name.startswith('f') else _name[:3]}(a, b)",
        gradient="g where the operand is the result (g/2 to each at a tie)",
        notes="NaN only where both operands are." if _name.startswith("f") else "",
        kinks=np.equal,
    )

where: Op = operation(
    "where",
    lambda condition, x, y: np.where(condition, x, y),
    None,
    lambda g, out, condition, x, y: where(condition, g, np.zeros_like(g)),
    lambda g, out, condition, x, y: where(condition, np.zeros_like(g), g),
    reads=("", "condition", "condition"),
    symbol="where",
    elementwise=True,
    broadcasts=True,
    chooses=(
        None,
        lambda out, condition, x, y: np.equal(condition, 0),
        lambda out, condition, x, y: np.not_equal(condition, 0),
    ),
    formula="x where condition, else y",
    gradient="none, g where condition (else 0), g where not condition (else 0)",
    notes="A branch that is not selected contributes exactly 0, never NaN.",
)


@composed(np.where)
def _where_or_nonzero(condition, *branches):
    """`where(condition, x, y)`; with the condition alone, the indices where it is true."""
    return where(condition, *branches) if branches else np.nonzero(condition)


operation(
    "absolute",
    np.absolute,
    lambda g, out, x: g * np.sign(x),
    reads="x",
    numpy=(np.fabs,),
    symbol="|·|",
    formula="|x|",
    gradient="g sign x",
    notes="The derivative at 0 is 0.",
    kinks=lambda x: np.equal(x, 0),
)

operation(
    "zeros_like",
    lambda a, dtype=None, shape=None: np.zeros_like(a, dtype=dtype, shape=shape),
    numpy=(np.zeros_like, np.empty_like, np.imag),
    formula="0",
)
operation(
    "ones_like",
    lambda a, dtype=None, shape=None: np.ones_like(a, dtype=dtype, shape=shape),
    numpy=(np.ones_like,),
    formula="1",
)


@composed(np.full_like)
def _full_like(a, fill_value, dtype=None, shape=None):
    """The fill value, broadcast to the shape of a."""
    a = lifted(a)
    filled = np.broadcast_to(lifted(fill_value), a.shape if shape is None else shape)
    return astype(filled, a.dtype if dtype is None else dtype)


@composed(np.clip)
def _clip(a, a_min=None, a_max=None, *, min=None, max=None):
    """`minimum(maximum(a, a_min), a_max)`; at a bound the gradient is shared equally."""
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    a = np.positive(lifted(a)) if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


@composed(np.nan_to_num)
def _nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with NaN and infinities replaced; the gradient there is 0."""
    x = lifted(x)
    if x.dtype.kind != "f":
        return x
    largest = float(np.finfo(x.dtype).max)
    x = np.where(np.isnan(x), nan, x)
    x = np.where(np.equal(x, np.inf), largest if posinf is None else posinf, x)
    return np.where(np.equal(x, -np.inf), -largest if neginf is None else neginf, x)


@composed(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The first choice whose condition is true, else the default; one `where` for each."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError("select: needs as many choices as conditions, and at least one")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(lifted(condition), choice, result)
    return result


@composed(np.choose)
def _choose(a, choices, mode="raise"):
    """For each element of a, the element of the choice with that index."""
    count = len(choices)
    if mode == "raise":
        if np.any(np.less(a, 0)) or np.any(np.greater_equal(a, count)):
            raise ValueError(f"choose: an index outside 0 … {count - 1}; use mode='clip' or 'wrap'")
    elif mode not in ("clip", "wrap"):
        raise ValueError(f"choose: mode must be 'raise', 'clip' or 'wrap', not {mode!r}")
    else:
        a = np.remainder(a, count) if mode == "wrap" else np.clip(a, 0, count - 1)
    a = lifted(a)
    return select([np.equal(a, k) for k in range(count - 1)], choices[:-1], choices[-1])


@composed(np.piecewise)
def _piecewise(x, condlist, funclist, *args, **kw):
    """Each function where its condition is true; elsewhere the last function, or 0.

    Each function is called with all of x; its results elsewhere contribute nothing.
    """
    several = isinstance(condlist, (list, tuple)) or np.ndim(condlist) > np.ndim(x)
    conditions = list(condlist) if several else [condlist]
    pieces = [f(x, *args, **kw) if callable(f) else f for f in funclist]
    if not 0 <= len(pieces) - len(conditions) <= 1:
        raise ValueError("piecewise: needs one function for each condition, and at most one more")
    *pieces, default = pieces if len(pieces) > len(conditions) else [*pieces, 0]
    # In NumPy the last condition that is true has precedence.
    result = np.zeros_like(x) + default
    for condition, piece in zip(conditions, pieces, strict=True):
        result = where(lifted(condition), piece, result)
    return result
