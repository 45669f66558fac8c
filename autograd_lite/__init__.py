"""autograd_lite: reverse-mode automatic differentiation on NumPy that shows its work."""

from typing import TYPE_CHECKING

from autograd_lite import interrupts as interrupts  # isort: skip (before NumPy)
from autograd_lite import interop as interop
from autograd_lite import ops as ops
from autograd_lite.anomaly import AnomalyError, KinkError, detect_anomaly
from autograd_lite.broadcasting import BroadcastWarning
from autograd_lite.checkout import find_beside
from autograd_lite.checks import GradientError, check_gradients
from autograd_lite.compiler import NotNativeWarning, NotSeparableError, compile
from autograd_lite.context import no_grad, scope
from autograd_lite.custom import custom_gradient, operation
from autograd_lite.derivation import CannotCheckWarning, DerivationError, derive
from autograd_lite.explanation import walkthrough
from autograd_lite.functions import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cos,
    cross_entropy,
    elu,
    exp,
    gelu,
    leaky_relu,
    log,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    polygamma,
    relu,
    sigmoid,
    silu,
    sin,
    softmax,
    softplus,
    sqrt,
    square,
    squared_error,
    sum,
    tanh,
)
from autograd_lite.graph import ChangedError, Graph
from autograd_lite.jacobians import hessian, hvp, jacobian
from autograd_lite.leaks import DetachedWarning
from autograd_lite.onnx import export_onnx, import_onnx
from autograd_lite.op import Op
from autograd_lite.ops.linalg import DegenerateWarning
from autograd_lite.suggestions import missing_from_package
from autograd_lite.tensor import Tensor, constant
from autograd_lite.transforms import grad, jvp, stop_gradient, trace, value_and_grad, vjp

if not TYPE_CHECKING:

    def __getattr__(name: str) -> None:
        raise missing_from_package(name)


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
    "NotNativeWarning",
    "NotSeparableError",
    "Op",
    "Tensor",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "check_gradients",
    "compile",
    "constant",
    "cos",
    "cross_entropy",
    "custom_gradient",
    "derive",
    "detect_anomaly",
    "elu",
    "exp",
    "export_onnx",
    "gelu",
    "grad",
    "hessian",
    "hvp",
    "import_onnx",
    "jacobian",
    "jvp",
    "leaky_relu",
    "log",
    "log_softmax",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "no_grad",
    "operation",
    "polygamma",
    "relu",
    "scope",
    "sigmoid",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "squared_error",
    "stop_gradient",
    "sum",
    "tanh",
    "trace",
    "value_and_grad",
    "vjp",
    "walkthrough",
]

find_beside(__path__[0])
