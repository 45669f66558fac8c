"""Equal forms that are better computed: what the numeric sweep goes by, and nobody sees."""

import numpy as np

from autograd_lite.op import OPS, apply


def _operand(x, op):
    """The input of a Tensor that this operation made, if its value is still what it was."""
    if x.op is not OPS[op] or len(x.inputs) != 1:
        return None
    (z,), (was,) = x.inputs, x.operands
    return z if z.array is was or np.array_equal(z.array, was) else None


def _cross_entropy(inputs, attributes):
    y_hat, y = inputs
    z = _operand(y_hat, "sigmoid")
    return None if z is None else apply(of_sigmoid, (z, y_hat, y), attributes)


of_sigmoid = OPS["binary_cross_entropy_of_sigmoid"]
OPS["binary_cross_entropy"].stable = _cross_entropy
