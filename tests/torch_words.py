"""PyTorch's operators that need more than one line of the engine's functions.

Each takes what the operator of its name takes, and refuses what it cannot express.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

import autograd_lite as ag


class RefusedError(TypeError):
    """What PyTorch's operator takes and no function here does."""


def refuse(why):
    raise RefusedError(why)


def axes(dim, x=None):
    """PyTorch's dim as NumPy's axis: () and None are all, and a number has the axis 0 or −1."""
    if dim is None or dim == () or (x is not None and np.ndim(x) == 0):
        return None
    return tuple(dim) if isinstance(dim, list) else dim


def typed(dtype):
    return {} if dtype is None else {"dtype": dtype}


def reduction(function):
    def reduced(x, dim=None, keepdim=False, dtype=None):
        return function(x, axis=axes(dim, x), keepdims=keepdim, **typed(dtype))

    return reduced


def extreme(which, argument, binary):
    """torch.max and torch.min: of all, along an axis with the places, or of two tensors."""

    def found(x, dim=None, keepdim=False):
        if dim is None:
            return which(x)
        if not isinstance(dim, int):
            return binary(x, dim)
        return which(x, axis=dim, keepdims=keepdim), argument(x, axis=dim, keepdims=keepdim)

    return found


def spread(function):
    """torch.var and torch.std, where correction is the degrees of freedom."""

    def spread(x, dim=None, unbiased=None, keepdim=False, *, correction=1):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = int(unbiased) if unbiased is not None else 1 if correction is None else correction
        return function(x, axis=axes(dim), ddof=ddof, keepdims=keepdim)

    return spread


def mean_of(x, dim=None, unbiased=None, keepdim=False, **_):
    return np.mean(x, axis=None if isinstance(dim, bool) else axes(dim), keepdims=keepdim)


def running(function):
    return lambda x, dim, dtype=None: function(x, axis=dim, **typed(dtype)).reshape(x.shape)


def softmin(x, axis):
    return ag.softmax(-x, axis=axis)


def nonzero(x, *, as_tuple=False):
    """A number has one index if as_tuple, else none."""
    if as_tuple:
        return np.nonzero(np.atleast_1d(x))
    return np.argwhere(x) if x.ndim else np.argwhere(np.atleast_1d(x))[:, :0]


def diff(x, n=1, dim=-1, prepend=None, append=None):
    given = {"prepend": prepend, "append": append}
    return np.diff(x, n, dim, **{key: part for key, part in given.items() if part is not None})


def median(function):
    """Of an even number torch takes the lower of the two in the middle."""

    def median(x, dim=None, keepdim=False):
        return function(x, 0.5, axis=axes(dim, x), keepdims=keepdim, method="lower")

    return median


def middle(function):
    """torch.quantile and torch.nanquantile."""

    def quantile(x, q, dim=None, keepdim=False, *, interpolation="linear"):
        return function(x, q, axis=axes(dim, x), keepdims=keepdim, method=interpolation)

    return quantile


def norm(x, p="fro", dim=None, keepdim=False, dtype=None):
    x = x if dtype is None else x.astype(dtype)
    if not x.ndim:
        return vector_norm(x, 2 if p == "fro" else p)
    dim = axes(dim, x)
    if p == "fro" and (dim is None or isinstance(dim, int) or len(dim) == 1):
        p = 2
    if dim is None and p != "nuc":
        x, dim = np.ravel(x), 0
    if isinstance(dim, tuple) and p not in ("fro", "nuc"):
        return vector_norm(x, p, dim, keepdim)
    return np.linalg.norm(x, p, axis=dim, keepdims=keepdim)


def linalg_norm(x, ord=None, dim=None, keepdim=False, dtype=None):
    x = x if dtype is None else x.astype(dtype)
    dim = tuple(dim) if isinstance(dim, list) else dim
    if ord is None and dim is None:
        return vector_norm(x, 2, None, keepdim)
    return np.linalg.norm(x, ord, axis=dim, keepdims=keepdim)


def vector_norm(x, ord=2, dim=None, keepdim=False, dtype=None):
    x = x if dtype is None else x.astype(dtype)
    return np.linalg.vector_norm(x, ord=ord, axis=axes(dim, x), keepdims=keepdim)


def matrix_norm(x, ord="fro", dim=(-2, -1), keepdim=False, dtype=None):
    x = x if dtype is None else x.astype(dtype)
    return np.linalg.norm(x, ord, axis=tuple(dim), keepdims=keepdim)


def rounded(x, y, rounding_mode=None):
    quotient = x / y
    return {None: lambda q: q, "floor": np.floor, "trunc": np.trunc}[rounding_mode](quotient)


def clamp(x, min=None, max=None):
    x = x if min is None else np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def pad(x, pad, mode="constant", value=0.0):
    pairs = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    if mode == "replicate" and min(pad) < 0:
        for k, (a, b) in enumerate(pairs):
            places = np.clip(np.arange(-a, x.shape[k] + b), 0, x.shape[k] - 1)
            x = np.take(x, places, axis=k)
        return x
    # A negative padding crops.
    x = x[
        tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape, strict=True))
    ]
    width = [(max(a, 0), max(b, 0)) for a, b in pairs]
    mode = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
    extra = {"constant_values": value or 0.0} if mode == "constant" else {}
    return np.pad(x, width, mode, **extra)


def gradient(x, *, spacing=None, dim=None, edge_order=1):
    axis = tuple(range(x.ndim)) if dim is None else dim
    count = 1 if isinstance(axis, int) else len(axis)
    steps = spacing if isinstance(spacing, list) else [1.0 if spacing is None else spacing] * count
    found = np.gradient(x, *steps, axis=axis, edge_order=edge_order)
    return found if isinstance(found, (list, tuple)) else (found,)


def trapezoid(y, x=None, *, dx=1.0, dim=-1):
    return np.trapezoid(y, x, dx=dx, axis=dim)


def ordered(x, dim=-1, descending=False, stable=False):
    if not x.ndim:
        return x, np.argsort(x, axis=None)[0]
    if descending:
        places = np.flip(np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
        places = x.shape[dim] - 1 - places
    else:
        places = np.argsort(x, axis=dim, kind="stable")
    return np.take_along_axis(x, places, dim), places


def top(x, k, dim=-1, largest=True, sorted=True):
    values, places = ordered(x, dim, descending=largest)
    first = [slice(None)] * x.ndim
    if first:
        first[dim] = slice(k)
    return values[tuple(first)], places[tuple(first)]


def rolled(x, shifts, dims=None):
    return np.roll(x, shifts, axis=None if dims == () else dims)


def taken(x, index):
    index = np.asarray(index)
    return np.take(np.ravel(x), np.ravel(index)).reshape(index.shape)


def index(dim, *key):
    return (*([slice(None)] * dim), *key)


def select(x, dim, index):
    return np.take(x, index, axis=dim)


def narrow(x, dim, start, length):
    start, dim = int(start) % x.shape[dim] if x.shape[dim] else 0, dim % x.ndim
    return x[index(dim, slice(start, start + length))]


def cut(x, size, dim=0):
    """torch.split, whose last part may be shorter."""
    parts = range(size, x.shape[dim], size) if isinstance(size, int) else np.cumsum(size)[:-1]
    return np.split(x, list(parts), axis=dim)


def chunk(x, chunks, dim=0):
    return cut(x, max(1, -(-x.shape[dim] // chunks)), dim)


def unflatten(x, dim, sizes):
    dim %= x.ndim
    return x.reshape(*x.shape[:dim], *sizes, *x.shape[dim + 1 :])


def flatten(x, start_dim=0, end_dim=-1):
    if x.ndim == 0:
        return np.ravel(x)
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:start], -1, *x.shape[end + 1 :])


def expand(x, *shape):
    shape = shape[0] if isinstance(shape[0], (tuple, list)) else shape
    own = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, [a if b == -1 else b for a, b in zip(own, shape, strict=True)])


def repeated(x, *reps):
    return np.tile(x, reps[0] if isinstance(reps[0], (tuple, list)) else reps)


def interleaved(x, repeats, dim=None, output_size=None):
    return np.repeat(x, repeats, axis=dim)


def searchsorted(places, x, *, side=None, right=False, sorter=None, out_int32=False):
    side = side or ("right" if right else "left")
    if places.ndim < 2:
        return np.searchsorted(places, x, side=side, sorter=sorter)
    found = [
        np.searchsorted(places[k], x[k], side, None if sorter is None else sorter[k])
        for k in np.ndindex(places.shape[:-1])
    ]
    return np.reshape(np.stack(found), x.shape) if found else np.zeros(x.shape, int)


def pinv(x, *, atol=None, rtol=None, hermitian=False):
    if atol is None:
        return np.linalg.pinv(x, hermitian=hermitian, rtol=rtol)
    largest = np.max(np.linalg.svdvals(np.asarray(x)), axis=-1, initial=0)
    return np.linalg.pinv(x, hermitian=hermitian, rtol=np.maximum(rtol or 0, atol / largest))


def squeeze(x, dim=None):
    dim = (dim,) if isinstance(dim, int) else dim
    ones = None if dim is None else tuple(k for k in dim if x.ndim and x.shape[k] == 1)
    return np.squeeze(x, axis=ones)


def solve(a, b):
    """A stack of vectors is a stack of columns in NumPy 2."""
    if b.ndim > 1 and b.shape == a.shape[:-1]:
        return np.linalg.solve(a, b[..., None])[..., 0]
    return np.linalg.solve(a, b)


def rank(x, *, atol=None, rtol=None, hermitian=False):
    if atol is None:
        return np.linalg.matrix_rank(x, hermitian=hermitian, rtol=rtol)
    # Without a relative tolerance there is none beside an absolute one.
    largest = np.max(np.linalg.svdvals(x.numpy()), axis=-1, initial=0)
    tolerance = np.maximum(np.asarray(atol), largest * (0 if rtol is None else np.asarray(rtol)))
    return np.linalg.matrix_rank(x, tolerance, hermitian)


def vander(x, N=None):
    x = np.atleast_1d(x)
    return x[..., None] ** np.arange(x.shape[-1] if N is None else N).astype(x.dtype)


def several(function):
    return lambda *x: function(*x[0]) if isinstance(x[0], (list, tuple)) else function(*x)


def varargs(function):
    """Takes the last argument as a tuple or spread out."""
    return lambda x, *given: function(x, *given[:1] if isinstance(given[0], tuple) else [given])


def elu(x, alpha=1.0, inplace=False):
    return ag.elu(x, alpha)


def gelu(x, approximate="none"):
    return ag.gelu(x, approximate=approximate)


def mvlgamma(x, p):
    return p * (p - 1) / 4 * math.log(math.pi) + sum(special.gammaln(x - k / 2) for k in range(p))


def polygamma(x, n):
    return ag.polygamma(n, x)


def logit(x, eps=None):
    return special.logit(x if eps is None else np.clip(x, eps, 1 - eps))


def softplus(x, beta=1, threshold=20):
    # Above the threshold torch gives x itself.
    return np.where(x * beta > threshold, x, ag.softplus(x * beta) / beta)


def softmax(function):
    return lambda x, dim, dtype=None: function(x.astype(dtype) if dtype else x, axis=axes(dim, x))


def averaged(losses, how):
    return {"none": lambda x: x, "mean": np.mean, "sum": np.sum}[how](losses)


def weighted(function):
    def loss(x, y, weight=None, reduction="mean", pos_weight=None):
        if pos_weight is not None:
            losses = pos_weight * y * ag.softplus(-x) + (1 - y) * ag.softplus(x)
            return averaged(losses if weight is None else weight * losses, reduction)
        if weight is None:
            return function(x, y, reduction=reduction)
        return averaged(weight * function(x, y, reduction="none"), reduction)

    return loss


def cross_entropy(z, y, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    if z.ndim > 2:
        z = np.moveaxis(z, 1, -1)
        y = np.moveaxis(y, 1, -1) if y.ndim == z.ndim else y
    if weight is None and not label_smoothing and not np.any(np.equal(y, ignore_index)):
        return ag.cross_entropy(z, y, reduction=reduction)
    count, counted = z.shape[-1], 1.0
    weight = np.ones(count) if weight is None else np.asarray(weight)
    if y.ndim < z.ndim:
        y = np.asarray(y)
        counted = (y != ignore_index) * weight[np.where(y == ignore_index, 0, y)]
        y = np.where((y == ignore_index)[..., None], 0, np.eye(count)[np.where(y < 0, 0, y)])
        smooth = np.any(y, axis=-1, keepdims=True) / count
    else:
        smooth = 1 / count
    y = y * (1 - label_smoothing) + label_smoothing * smooth
    losses = -np.sum(y * weight * ag.log_softmax(z), axis=-1)
    if reduction == "mean":
        labels = np.sum(counted) if np.ndim(counted) else losses.size
        return np.sum(losses) / labels
    return averaged(losses, reduction)


def swapped(x, dim0, dim1):
    return np.swapaxes(x, dim0, dim1) if x.ndim else x


def matrix(x, offset=0, dim1=0, dim2=1):
    return np.diagonal(x, offset, dim1, dim2)


def sums(x, *shape):
    shape = shape[0] if isinstance(shape[0], (tuple, list)) else shape
    lead = x.ndim - len(shape)
    x = np.sum(x, axis=tuple(range(lead)))
    ones = tuple(k for k, n in enumerate(shape) if n == 1 and x.shape[k] != 1)
    return np.sum(x, axis=ones, keepdims=True)


def lerp(start, end, weight):
    return start + weight * (end - start)


def cov(x, *, correction=1, fweights=None, aweights=None):
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    return np.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf)
