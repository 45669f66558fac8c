"""Exponentials, logarithms and roots."""

import numpy as np

from autograd_lite.op import operation
from autograd_lite.ops.arithmetic import scaled

exp = operation(
    "exp", np.exp, lambda g, out, x: g * out, symbol="exp", formula="exp x", gradient="g exp x"
)

log = operation(
    "log",
    np.log,
    lambda g, out, x: scaled(g, 1 / x),
    symbol="log",
    formula="log x",
    gradient="g / x",
)

sqrt = operation(
    "sqrt",
    np.sqrt,
    lambda g, out, x: scaled(g, 0.5 / out),
    symbol="√",
    formula="√x",
    gradient="g / (2 √x)",
)
