"""The names and the derivatives of each library, for the programs of docs/conventions.md."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

__all__ = ["LIBRARIES", "Names", "version_of"]

Names = Mapping[str, Any]
Derivatives = Callable[[Callable[..., Any], list[np.ndarray]], tuple[np.ndarray, np.ndarray | None]]

COMMON = """
abs maximum minimum fmax fmin max min clip median sort hypot std copysign sign heaviside exp log
log1p sqrt cbrt cos cosh tanh sinc where isnan arcsin arccos arccosh arctanh arctan2 prod
cumprod mod fmod logaddexp floor ceil trunc rint round fix signbit angle equal not_equal argmax
argmin nanargmax nanargmin argsort partition interp digitize count_nonzero all any sum trace
tril triu take_along_axis frexp quantile nansum nan_to_num nanmedian nanquantile
"""


def _found(home: Any, names: str, **renamed: str) -> dict[str, Any]:
    """The functions of a module by their names, without those that it lacks."""
    pairs = {name: name for name in names.split()} | renamed
    return {ours: getattr(home, name) for ours, name in pairs.items() if hasattr(home, name)}


def _flat(parts: list[Any]) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(part, float)) for part in parts])


def _split(x: Any, at: list[np.ndarray]) -> list[Any]:
    """The arguments, cut out of one vector."""
    parts, start = [], 0
    for a in at:
        parts.append(x[start : start + a.size].reshape(a.shape))
        start += a.size
    return parts


def here() -> tuple[Names, Derivatives]:
    """autograd_lite."""
    import autograd_lite as ag

    try:
        from scipy import special
    except ImportError:
        special = None

    linalg = np.linalg
    names = _found(np, COMMON) | _found(ag, "relu leaky_relu elu sigmoid softplus silu gelu")
    names |= _found(ag, "logsumexp softmax log_softmax")
    names |= _found(linalg, "norm det inv eigvalsh svdvals pinv cholesky")
    names |= _found(
        special, "xlogy entr rel_entr erfinv logit log_ndtr ndtr ndtri erfcx gammaln i0 i1"
    )
    names |= _found(special, "digamma i0e ive xlog1py") | _found(ag, "polygamma")
    names |= {
        "array": np.array,
        "pinv": lambda x, rtol=None: linalg.pinv(x, rtol=rtol),
        "exact_gelu": lambda x: ag.gelu(x, approximate="none"),
        "cross_entropy": lambda x, label: ag.cross_entropy(x, np.array(label)),
        "bce": ag.binary_cross_entropy,
        "bce_with_logits": ag.binary_cross_entropy_with_logits,
        "logabsdet": lambda x: linalg.slogdet(x).logabsdet,
        "eigvectors": lambda x: linalg.eigh(x).eigenvectors,
        "svd_u": lambda x: linalg.svd(x, full_matrices=False).U,
        "qr_r": lambda x: linalg.qr(x).R,
        "qr_complete": lambda x: linalg.qr(x, mode="complete").Q,
        "svd_full": lambda x: linalg.svd(x).U,
        "nuclear": lambda x: linalg.norm(x, "nuc"),
    }

    def derivatives(f: Any, at: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        numbers = tuple(range(len(at)))
        first = _flat(list(ag.grad(f, numbers)(*at)))
        second = ag.hessian(f, numbers)(*at)
        rows = [
            np.concatenate(
                [np.reshape(second[i][j], (at[i].size, at[j].size)) for j in numbers],
                axis=1,
            )
            for i in numbers
        ]
        return first, np.concatenate(rows)

    return names, derivatives


def torch() -> tuple[Names, Derivatives]:
    """PyTorch."""
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(1)
    linalg = torch.linalg
    names = _found(torch, COMMON, rint="round", mod="remainder")
    names |= _found(torch, "sigmoid", not_equal="ne", equal="eq")
    names |= _found(F, "relu leaky_relu elu softplus silu gelu")
    names |= _found(linalg, "det inv eigvalsh svdvals pinv cholesky")
    names |= _found(
        torch.special,
        "xlogy xlog1py entr erfinv logit log_ndtr ndtr ndtri erfcx gammaln digamma polygamma",
    ) | _found(torch.special, "i0 i1 i0e")
    names |= {
        "array": lambda x: torch.tensor(x, dtype=torch.float64),
        "max": lambda x: torch.amax(x, 0),
        "min": lambda x: torch.amin(x, 0),
        "prod": torch.prod,
        "cumprod": lambda x: torch.cumprod(x, 0),
        "median": torch.median,
        "sort": lambda x: torch.sort(x, stable=True).values,
        "argsort": lambda x: torch.argsort(x, stable=True),
        "std": lambda x: torch.std(x, correction=0),
        "norm": lambda x, ord=2: linalg.vector_norm(x, ord),
        "heaviside": lambda x, at: torch.heaviside(x, torch.tensor(at, dtype=x.dtype)),
        "logsumexp": lambda x: torch.logsumexp(x, 0),
        "softmax": lambda x: torch.softmax(x, 0),
        "log_softmax": lambda x: torch.log_softmax(x, 0),
        "pinv": lambda x, rtol=None: linalg.pinv(x, rtol=rtol),
        "gelu": lambda x: F.gelu(x, approximate="tanh"),
        "exact_gelu": F.gelu,
        "cross_entropy": lambda x, label: F.cross_entropy(x, torch.tensor(label)),
        "bce": lambda p, y: F.binary_cross_entropy(p, torch.tensor(y, dtype=p.dtype)),
        "bce_with_logits": lambda z, y: F.binary_cross_entropy_with_logits(
            z, torch.tensor(y, dtype=z.dtype)
        ),
        "logabsdet": lambda x: linalg.slogdet(x).logabsdet,
        "eigvectors": lambda x: linalg.eigh(x).eigenvectors,
        "svd_u": lambda x: linalg.svd(x, full_matrices=False).U,
        "qr_r": lambda x: linalg.qr(x).R,
        "qr_complete": lambda x: linalg.qr(x, mode="complete").Q,
        "svd_full": lambda x: linalg.svd(x).U,
        "nuclear": lambda x: linalg.matrix_norm(x, "nuc"),
        "digitize": lambda x, bins: torch.bucketize(x, bins, right=True),
        "take_along_axis": lambda x, k, axis: torch.take_along_dim(x, k.long(), axis),
    }

    def gradient(y: Any, xs: list[Any]) -> Any:
        if not y.requires_grad:
            return torch.zeros(sum(x.numel() for x in xs), dtype=torch.float64)
        parts = torch.autograd.grad(y, xs, create_graph=True, allow_unused=True)
        parts = [torch.zeros_like(x) if g is None else g for x, g in zip(xs, parts, strict=True)]
        return torch.cat([part.reshape(-1) for part in parts])

    def derivatives(f: Any, at: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        xs = [torch.tensor(x, requires_grad=True) for x in at]
        first = gradient(f(*xs), xs)
        try:
            second = np.stack([gradient(g, xs).detach().numpy() for g in first])
        except (RuntimeError, NotImplementedError):
            second = None
        return first.detach().numpy(), second

    return names, derivatives


def jax() -> tuple[Names, Derivatives]:
    """JAX."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    from jax import nn, numpy
    from jax.scipy import special

    jax.config.update("jax_enable_x64", True)
    linalg = numpy.linalg
    names = _found(numpy, COMMON) | _found(nn, "relu leaky_relu elu sigmoid softplus silu gelu")
    names |= _found(nn, "logsumexp softmax log_softmax")
    names |= _found(linalg, "norm det inv eigvalsh svdvals pinv cholesky")
    names |= _found(
        special, "xlogy entr rel_entr erfinv logit log_ndtr ndtr ndtri gammaln digamma i0 i1"
    )
    names |= _found(special, "polygamma i0e xlog1py")
    names |= {
        "array": numpy.array,
        "exact_gelu": lambda x: nn.gelu(x, approximate=False),
        "logabsdet": lambda x: linalg.slogdet(x)[1],
        "eigvectors": lambda x: linalg.eigh(x)[1],
        "svd_u": lambda x: linalg.svd(x, full_matrices=False)[0],
        "qr_r": lambda x: linalg.qr(x)[1],
        "qr_complete": lambda x: linalg.qr(x, mode="complete")[0],
        "svd_full": lambda x: linalg.svd(x, full_matrices=True)[0],
        "nuclear": lambda x: linalg.norm(x, "nuc"),
    }

    def derivatives(f: Any, at: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        x = numpy.array(_flat(list(at)))
        gradient = jax.grad(lambda x: f(*_split(x, at)))
        return np.asarray(gradient(x)), np.asarray(jax.jacfwd(gradient)(x))

    return names, derivatives


def autograd() -> tuple[Names, Derivatives]:
    """HIPS autograd."""
    import autograd
    from autograd import numpy
    from autograd.scipy import special

    linalg = numpy.linalg
    names = _found(numpy, COMMON) | _found(linalg, "norm det inv eigvalsh svdvals pinv cholesky")
    names |= _found(
        special, "erfinv logit gammaln digamma polygamma i0 i1 ive logsumexp", sigmoid="expit"
    )
    names |= {
        "array": numpy.array,
        "logabsdet": lambda x: linalg.slogdet(x)[1],
        "eigvalsh": lambda x: linalg.eigh(x)[0],
        "eigvectors": lambda x: linalg.eigh(x)[1],
        "svdvals": lambda x: linalg.svd(x, full_matrices=False)[1],
        "svd_u": lambda x: linalg.svd(x, full_matrices=False)[0],
        "qr_r": lambda x: linalg.qr(x)[1],
        "qr_complete": lambda x: linalg.qr(x, mode="complete")[0],
        "svd_full": lambda x: linalg.svd(x, full_matrices=True)[0],
        "nuclear": lambda x: linalg.norm(x, "nuc"),
    }

    def derivatives(f: Any, at: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        x = _flat(list(at))
        gradient = autograd.grad(lambda x: f(*_split(x, at)))
        first = gradient(x)
        try:
            return first, np.reshape(autograd.jacobian(gradient)(x), (x.size, x.size))
        except (NotImplementedError, TypeError, ValueError):
            return first, None

    return names, derivatives


def mygrad() -> tuple[Names, Derivatives]:
    """MyGrad, which has first derivatives only."""
    import mygrad
    from mygrad import nnet

    names = _found(mygrad, COMMON) | _found(nnet, "relu softmax sigmoid", log_softmax="logsoftmax")
    names |= _found(mygrad.linalg, "norm") | {
        "array": np.array,
        "leaky_relu": lambda x: nnet.leaky_relu(x, 0.01),
        "elu": nnet.elu,
        "cross_entropy": lambda x, label: nnet.losses.softmax_crossentropy(
            x.reshape(1, -1), np.array([label])
        ),
    }

    def derivatives(f: Any, at: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        xs = [mygrad.tensor(x) for x in at]
        y = f(*xs)
        y.backward()
        return _flat([np.zeros(x.shape) if x.grad is None else x.grad for x in xs]), None

    return names, derivatives


def pytensor() -> tuple[Names, Derivatives]:
    """PyTensor, with its default rewrites and without its compiler."""
    import pytensor
    from pytensor import tensor
    from pytensor.compile.mode import Mode
    from pytensor.tensor import special

    pytensor.config.on_opt_error = "ignore"
    mode = Mode(linker="py", optimizer="fast_run")
    linalg = tensor.linalg
    names = _found(tensor, COMMON, not_equal="neq", equal="eq")
    names |= _found(
        tensor, "sigmoid softplus logsumexp erfinv gammaln digamma polygamma i0 i1 ive erfcx"
    )
    names |= _found(linalg, "norm det inv pinv cholesky eigvalsh") | {
        "array": tensor.constant,
        "softmax": special.softmax,
        "log_softmax": special.log_softmax,
        "xlogy": getattr(special, "xlogy", None),
        "logit": getattr(special, "logit", None),
        "logabsdet": lambda x: linalg.slogdet(x)[1],
        "eigvectors": lambda x: linalg.eigh(x)[1],
        "svdvals": lambda x: linalg.svd(x, compute_uv=False),
        "svd_u": lambda x: linalg.svd(x, full_matrices=False)[0],
        "qr_r": lambda x: linalg.qr(x)[1],
        "qr_complete": lambda x: linalg.qr(x, mode="complete")[0],
        "svd_full": lambda x: linalg.svd(x, full_matrices=True)[0],
        "nuclear": lambda x: linalg.norm(x, "nuc"),
    }
    names = {name: function for name, function in names.items() if function is not None}

    def derivatives(f: Any, at: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        xs = [tensor.tensor(shape=x.shape, dtype="float64") for x in at]
        parts = tensor.grad(f(*xs), xs, disconnected_inputs="ignore")
        first = _flat(pytensor.function(xs, parts, mode=mode, on_unused_input="ignore")(*at))
        rows = []
        try:
            for part, x in zip(parts, at, strict=True):
                for k in range(x.size):
                    row = tensor.grad(part.ravel()[k], xs, disconnected_inputs="ignore")
                    rows.append(
                        _flat(pytensor.function(xs, row, mode=mode, on_unused_input="ignore")(*at))
                    )
        except Exception:  # whatever a rule without a second derivative raises
            return first, None
        return first, np.stack(rows)

    return names, derivatives


LIBRARIES: dict[str, tuple[str, Callable[[], tuple[Names, Derivatives]]]] = {
    "here": ("here", here),
    "torch": ("PyTorch", torch),
    "jax": ("JAX", jax),
    "autograd": ("autograd", autograd),
    "mygrad": ("MyGrad", mygrad),
    "pytensor": ("PyTensor", pytensor),
}
"""Each library by its package: its name on the page, and its functions."""


def version_of(package: str) -> str:
    """The version of a library without its build, such as 2.13 for 2.13.0+cpu."""
    return ".".join(version(package).split("+")[0].split(".")[:2])
