"""Choosing between operands: maximum, minimum, where, the absolute value."""

import numpy as np

from autograd_lite.op import operation


def _wins(mine, other, out):
    """1 where an operand is the result, ½ where both are, 0 elsewhere."""
    return np.where(np.equal(mine, other), 0.5, np.equal(mine, out))


for _name in ("maximum", "minimum"):
    operation(
        _name,
        getattr(np, _name),
        lambda g, out, a, b: g * _wins(a, b, out),
        lambda g, out, a, b: g * _wins(b, a, out),
        symbol=_name[:3],
        formula=f"{_name[:3]}(a, b)",
        gradient="g where the operand is the result, g/2 to each at a tie",
    )

where = operation(
    "where",
    lambda condition, x, y: np.where(condition, x, y),
    None,
    lambda g, out, condition, x, y: where(condition, g, np.zeros_like(g)),
    lambda g, out, condition, x, y: where(condition, np.zeros_like(g), g),
    numpy=(np.where,),
    symbol="where",
    elementwise=True,
    broadcasts=True,
    formula="x where condition, else y",
    gradient="g where condition, else 0; g where not condition, else 0",
    notes="A branch that is not chosen contributes exactly 0, never NaN.",
)

sign = operation("sign", np.sign, symbol="sign", formula="sign x")

absolute = operation(
    "absolute",
    np.absolute,
    lambda g, out, x: g * np.sign(x),
    numpy=(np.fabs,),
    symbol="|·|",
    formula="|x|",
    gradient="g sign x",
    notes="The derivative at 0 is 0.",
)

zeros_like = operation(
    "zeros_like", lambda a: np.zeros_like(a), numpy=(np.zeros_like,), arity=1, formula="0"
)
ones_like = operation(
    "ones_like", lambda a: np.ones_like(a), numpy=(np.ones_like,), arity=1, formula="1"
)
