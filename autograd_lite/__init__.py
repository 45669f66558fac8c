"""autograd_lite: reverse-mode automatic differentiation on NumPy that shows its work."""

import os

import numpy as np

from autograd_lite import ops as ops
from autograd_lite.anomaly import AnomalyError, KinkError, detect_anomaly
from autograd_lite.broadcasting import BroadcastWarning
from autograd_lite.checks import GradientError, check_gradients
from autograd_lite.compile import compile
from autograd_lite.context import no_grad, scope
from autograd_lite.custom import custom_gradient
from autograd_lite.derive import derive
from autograd_lite.graph import Graph
from autograd_lite.jacobians import hessian, hvp, jacobian
from autograd_lite.leaks import DetachedWarning
from autograd_lite.op import OPS, Op, operation
from autograd_lite.ops.linalg import DegenerateWarning
from autograd_lite.sweep import Changed
from autograd_lite.tensor import Tensor, constant
from autograd_lite.transforms import grad, jvp, stop_gradient, trace, value_and_grad, vjp

relu = OPS["relu"]
leaky_relu = OPS["leaky_relu"]
elu = OPS["elu"]
gelu = OPS["gelu"]
silu = OPS["silu"]
sigmoid = OPS["sigmoid"]
softplus = OPS["softplus"]
softmax = OPS["softmax"]
log_softmax = OPS["log_softmax"]
logsumexp = OPS["logsumexp"]
binary_cross_entropy = OPS["binary_cross_entropy"]
binary_cross_entropy_with_logits = OPS["binary_cross_entropy_with_logits"]
cross_entropy = OPS["cross_entropy"]
squared_error = OPS["squared_error"]

__version__ = "0.1.0"

__all__ = [
    "AnomalyError",
    "BroadcastWarning",
    "Changed",
    "DegenerateWarning",
    "DetachedWarning",
    "GradientError",
    "Graph",
    "KinkError",
    "Op",
    "Tensor",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "check_gradients",
    "compile",
    "constant",
    "cross_entropy",
    "custom_gradient",
    "derive",
    "detect_anomaly",
    "elu",
    "gelu",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "no_grad",
    "operation",
    "relu",
    "scope",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "squared_error",
    "stop_gradient",
    "trace",
    "value_and_grad",
    "vjp",
]

_checkout = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if os.path.isfile(os.path.join(_checkout, "pyproject.toml")) and _checkout not in __path__:
    # In a checkout models/ and viz/ stand beside this package; a wheel has them inside.
    __path__.append(_checkout)

# glibc gives freed memory back to the system at once, and the next step faults it in anew, until
# one large block has been freed: then it keeps blocks up to that size. The block is never touched.
np.empty(31 << 20, dtype="u1")
