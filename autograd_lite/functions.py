"""Functions of Tensors under names of their own, with types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, overload

from autograd_lite.op import OPS

if TYPE_CHECKING:
    from autograd_lite.tensor import Tensor


class Function(Protocol):
    """An operation: it returns a Tensor for Tensors and an array for arrays."""

    @overload
    def __call__(self, x: Tensor, /, *args: Any, **kwargs: Any) -> Tensor: ...
    @overload
    def __call__(self, x: Any, y: Tensor, /, *args: Any, **kwargs: Any) -> Tensor: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


# Activations and losses

relu: Function = OPS["relu"]
leaky_relu: Function = OPS["leaky_relu"]
elu: Function = OPS["elu"]
gelu: Function = OPS["gelu"]
silu: Function = OPS["silu"]
sigmoid: Function = OPS["sigmoid"]
softplus: Function = OPS["softplus"]
softmax: Function = OPS["softmax"]
log_softmax: Function = OPS["log_softmax"]
logsumexp: Function = OPS["logsumexp"]
binary_cross_entropy: Function = OPS["binary_cross_entropy"]
binary_cross_entropy_with_logits: Function = OPS["binary_cross_entropy_with_logits"]
cross_entropy: Function = OPS["cross_entropy"]
squared_error: Function = OPS["squared_error"]

# NumPy's stubs say that np.exp(t) is an array. These are NumPy's functions with the right type.

exp: Function = OPS["exp"]
log: Function = OPS["log"]
sqrt: Function = OPS["sqrt"]
square: Function = OPS["square"]
tanh: Function = OPS["tanh"]
sin: Function = OPS["sin"]
cos: Function = OPS["cos"]
maximum: Function = OPS["maximum"]
minimum: Function = OPS["minimum"]
sum: Function = OPS["sum"]
mean: Function = OPS["mean"]
