"""autograd_lite: reverse-mode automatic differentiation on NumPy that shows its work."""

from autograd_lite import ops as ops
from autograd_lite.anomaly import AnomalyError, KinkError, detect_anomaly
from autograd_lite.broadcasting import BroadcastWarning
from autograd_lite.checkout import find_beside
from autograd_lite.checks import GradientError, check_gradients
from autograd_lite.compiler import NotSeparableError, compile
from autograd_lite.context import no_grad, scope
from autograd_lite.custom import custom_gradient, operation
from autograd_lite.derivation import CannotCheckWarning, DerivationError, derive
from autograd_lite.graph import ChangedError, Graph
from autograd_lite.jacobians import hessian, hvp, jacobian
from autograd_lite.leaks import DetachedWarning
from autograd_lite.op import OPS, Op
from autograd_lite.ops.linalg import DegenerateWarning
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
    "CannotCheckWarning",
    "ChangedError",
    "DegenerateWarning",
    "DerivationError",
    "DetachedWarning",
    "GradientError",
    "Graph",
    "KinkError",
    "NotSeparableError",
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

find_beside(__path__[0])
