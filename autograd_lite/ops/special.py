"""Special functions, which SciPy computes: those of the normal distribution and of entropy."""

import math
from typing import Any

import numpy as np

from autograd_lite.op import OPS, SCIPY, Op, operation

ROOT_PI = math.sqrt(math.pi)


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

# 0 log 0 is 0: where x is 0 the result does not depend on y, as if `where` had chosen it.


def _chosen(out, x, y):
    return np.zeros_like(x), np.equal(x, 0) & np.equal(y, y)


def _xdivy(x, y):
    x, y = floats(x, y)
    return x / np.where(np.equal(x, 0) & np.equal(y, 0), 1, y)


xdivy: Op = operation(
    "xdivy",
    _xdivy,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: -g * xdivy(out, y),
    reads=("y", "out y"),
    elementwise=True,
    broadcasts=True,
    chooses=_chosen,
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
    chooses=_chosen,
    formula="x log y, 0 where x = 0",
    gradient="g log y, g x / y",
)

SCIPY |= {name: OPS[name] for name in ("erf", "erfc", "xlogy")}
SCIPY |= {name: OPS[name] for name in ("cbrt", "exp2", "expm1", "log1p")}
SCIPY["expit"] = OPS["sigmoid"]
