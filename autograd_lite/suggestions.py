"""What to write for names of NumPy and PyTorch that a Tensor or this package does not have.

Importing this module adds the names to Tensor, as attributes that raise AttributeError. A
``__getattr__`` would slow down every access to the attributes that exist.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import numpy as np

from autograd_lite import functions, tensor
from autograd_lite.core.op import Op
from autograd_lite.op import NUMPY
from autograd_lite.tensor import Tensor

__all__ = ["missing_from_package"]

METHODS = {
    "abs": "abs(t)",
    "add": "t + other",
    "bmm": "t @ other",
    "bool": "t != 0",
    "cat": "np.concatenate([t, other])",
    "chunk": "np.array_split(t, n)",
    "clone": "t.copy()",
    "concatenate": "np.concatenate([t, other])",
    "contiguous": "t, since its memory layout does not matter",
    "cpu": "t, since it is in main memory",
    "cuda": "t, since there are no devices",
    "dim": "t.ndim",
    "div": "t / other",
    "double": "t.astype(np.float64)",
    "einsum": "np.einsum('ij,jk', t, other)",
    "eq": "t == other",
    "erf": "scipy.special.erf(t)",
    "expand": "np.broadcast_to(t, shape)",
    "expand_as": "np.broadcast_to(t, other.shape)",
    "float": "t.astype(np.float32)",
    "gather": "np.take_along_axis(t, indices, axis)",
    "ge": "t >= other",
    "gt": "t > other",
    "half": "t.astype(np.float32), since float16 is too coarse for gradients",
    "index_select": "np.take(t, indices, axis)",
    "int": "t.astype(np.int32)",
    "is_leaf": "t.op is None",
    "le": "t <= other",
    "long": "t.astype(np.int64)",
    "lt": "t < other",
    "masked_fill": "np.where(mask, value, t)",
    "masked_select": "t[mask]",
    "mm": "t @ other",
    "mul": "t * other",
    "multi_dot": "np.linalg.multi_dot([t, other])",
    "mv": "t @ other",
    "ne": "t != other",
    "neg": "-t",
    "norm": "np.linalg.norm(t)",
    "numel": "t.size",
    "permute": "t.transpose(axes)",
    "pow": "t ** exponent",
    "register_hook": "ag.custom_gradient",
    "requires_grad_": "t.requires_grad = True",
    "reshape_as": "t.reshape(other.shape)",
    "retain_grad": "ag.grad, since only leaves keep .grad",
    "rsqrt": "1 / np.sqrt(t)",
    "select": "np.take(t, k, axis)",
    "stack": "np.stack([t, other])",
    "sub": "t - other",
    "t": "t.T",
    "to": "t.astype(dtype)",
    "topk": "np.flip(np.sort(t), axis=-1)[..., :k]",
    "type": "t.astype(dtype)",
    "unbind": "tuple(t)",
    "unflatten": "t.reshape(shape)",
    "unsqueeze": "np.expand_dims(t, axis)",
    "view": "t.reshape(shape)",
    "view_as": "t.reshape(other.shape)",
    "where": "np.where(condition, t, other)",
    **{
        name: f"t.numpy().{name}, which has no gradient"
        for name in ("flags", "flat", "itemsize", "nbytes", "strides", "tobytes", "tofile")
    },
    "tolist": "t.numpy().tolist(), which has no gradient",
}
"""What to write for a method of PyTorch or an attribute of NumPy's arrays."""

IN_PLACE = (
    *("abs_", "add_", "clamp_", "copy_", "detach_", "div_", "exp_", "fill_", "masked_fill_"),
    *("mul_", "neg_", "normal_", "pow_", "relu_", "sqrt_", "squeeze_", "sub_", "uniform_"),
    *("zero_", "fill", "itemset", "put", "resize", "setfield"),
)

PACKAGE = {
    **dict.fromkeys(("Parameter", "Variable", "array", "asarray"), "ag.Tensor(data)"),
    **dict.fromkeys(("as_tensor", "from_numpy"), "ag.Tensor(data), or ag.constant(data)"),
    **{
        name: f"ag.Tensor(np.{name}(…))"
        for name in ("arange", "empty", "eye", "full", "identity", "linspace", "ones", "zeros")
    },
    "rand": "ag.Tensor(np.random.default_rng(0).random(shape))",
    "randn": "ag.Tensor(np.random.default_rng(0).normal(size=shape))",
    "cat": "np.concatenate",
    "clamp": "np.clip",
    "elementwise_grad": "ag.grad(lambda x: np.sum(f(x)))",
    "jacfwd": "ag.jacobian",
    "jacrev": "ag.jacobian",
    "jit": "ag.compile",
    "linalg": "np.linalg, whose functions accept Tensors",
    "manual_seed": "rng = np.random.default_rng(seed)",
    "nn": "ag.relu and other functions of ag, or import autograd_lite.models",
    "numpy": "import numpy as np, whose functions accept Tensors",
    "optim": "w.data -= rate * w.grad, or import autograd_lite.models",
    "vmap": "NumPy's broadcasting",
    **{name: f"import autograd_lite.{name}" for name in ("data", "models", "testing", "viz")},
}
"""What to write for a name that this package does not have."""

HOMES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}


def of_numpy(name: str) -> tuple[str, Any] | None:
    """NumPy's function of that name with its path, if it accepts Tensors."""
    for path, home in HOMES.items():
        function = getattr(home, name, None)
        if callable(function) and function in NUMPY:
            return f"{path}.{name}", function
    return None


def call_of(name: str) -> str:
    """The call of a function of this package or of NumPy, with dots for what else it needs."""
    path, function = of_numpy(name) or (f"ag.{name}", getattr(functions, name))
    if isinstance(function, Op):
        needed = function.arity or 2
    elif isinstance(function, np.ufunc):
        needed = function.nin
    else:
        parameters = inspect.signature(function).parameters.values()
        needed = sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in parameters)
    return f"{path}(t)" if needed == 1 else f"{path}(t, …)"


def missing_from_package(name: str) -> AttributeError:
    """The error for a name that this package does not have."""
    found = of_numpy(name)
    write = PACKAGE.get(name) or (found and found[0])
    text = f"module 'autograd_lite' has no attribute {name!r}"
    return AttributeError(f"{text}; write {write}" if write else text)


class Missing:
    """An attribute that a Tensor does not have. Reading it raises an error with what to write."""

    def __init__(self, name: str, write: str | None) -> None:
        self.name = name
        self.write = write  # None: the call of a function, whose signature is read when needed

    def __get__(self, owner: Any, kind: Any) -> Any:
        write = self.write or f"write {call_of(self.name)}"
        text = f"a Tensor has no attribute {self.name!r}; {write}"
        raise AttributeError(text, name=self.name, obj=kind if owner is None else owner)


def missing_from_tensor() -> dict[str, str | None]:
    """For each name that a Tensor does not have, what to write, or None for a call of it."""
    found: dict[str, str | None] = {f.__name__: None for f in NUMPY if of_numpy(f.__name__)}
    found |= {name: None for name, f in vars(functions).items() if isinstance(f, Op)}
    found |= {name: f"write {text}" for name, text in METHODS.items()}
    in_place = "it cannot be changed in place; write np.where, or, for a leaf, set t.data"
    found |= dict.fromkeys(IN_PLACE, in_place)
    return {name: found[name] for name in sorted(found) if not hasattr(Tensor, name)}


class Uncallable(ModuleType):
    """The module `autograd_lite.tensor`, whose name PyTorch has for a function."""

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("autograd_lite.tensor is a module; write ag.Tensor(data)")


def _existing(self: Tensor) -> list[str]:
    return [name for name in object.__dir__(self) if hasattr(type(self), name)]


tensor.__class__ = Uncallable
Tensor.__dir__ = _existing  # type: ignore[assignment]

for _name, _write in missing_from_tensor().items():
    setattr(Tensor, _name, Missing(_name, _write))
