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


@overload
def polygamma(n: Any, x: Tensor) -> Tensor: ...
@overload
def polygamma(n: Any, x: Any) -> Any: ...
def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of the digamma function ψ (DLMF 5.15).

    `scipy.special.polygamma` is not a ufunc, so it does not accept a Tensor. This function needs
    SciPy too. float32 stays float32.

    Args:
        n: the order, an integer from 0 or an array of them, broadcast with x; it has no gradient.
        x: an array or Tensor of any shape.

    Raises:
        ImportError: without SciPy.
        ValueError: if n is negative or no integer.

    Example:
        >>> import autograd_lite as ag
        >>> ag.polygamma(1, ag.Tensor([1.0, 2.0]))
        Tensor([1.64493407, 0.64493407], op=polygamma)
        >>> ag.polygamma([0, 2], 1.0)
        array([-0.57721566, -2.40411381])
    """
    return OPS["polygamma"](n, x)
