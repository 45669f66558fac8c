"""PyTorch's operators by the names of its own samples (`op_db`), written with the engine's."""

from __future__ import annotations

import numpy as np
from scipy import special
from torch_words import (
    averaged,
    axes,
    chunk,
    clamp,
    cov,
    cross_entropy,
    cut,
    diff,
    elu,
    expand,
    extreme,
    flatten,
    gelu,
    gradient,
    interleaved,
    lerp,
    linalg_norm,
    logit,
    matrix,
    matrix_norm,
    mean_of,
    median,
    middle,
    mvlgamma,
    nan_to_num,
    narrow,
    nonzero,
    norm,
    ordered,
    pad,
    pinv,
    polygamma,
    rank,
    reduction,
    repeated,
    rolled,
    rounded,
    running,
    searchsorted,
    select,
    several,
    softmax,
    softmin,
    softplus,
    solve,
    spread,
    squeeze,
    sums,
    swapped,
    taken,
    top,
    trapezoid,
    unflatten,
    vander,
    varargs,
    vector_norm,
    weighted,
)

import autograd_lite as ag


def variants(name, function, kinds):
    return {f"{name}.{kind}" if kind else name: function for kind in kinds}


EXTREMES = ("binary", "reduction_no_dim", "reduction_with_dim")
UNBIASED = ("", "unbiased")
PADDINGS = ("constant", "reflect", "replicate", "replicate_negative", "circular")
SAME = {
    name: getattr(np, name)
    for name in (
        *("sin", "cos", "tan", "sinh", "cosh", "tanh", "sinc", "exp", "exp2", "expm1", "abs"),
        *("log", "log2", "log10", "log1p", "sqrt", "reciprocal", "square", "positive", "sign"),
        *("floor", "ceil", "trunc", "deg2rad", "rad2deg", "isfinite", "isinf", "isnan"),
        *("isneginf", "isposinf", "isreal", "signbit", "logical_not", "angle", "real"),
        *("fliplr", "flipud", "ravel", "trace", "fmax", "fmin", "maximum", "minimum", "hypot"),
        *("fmod", "remainder", "copysign", "logaddexp", "logaddexp2", "heaviside", "float_power"),
        *("logical_and", "logical_or", "logical_xor", "matmul", "inner", "outer", "vdot", "kron"),
        *("hstack", "vstack", "dstack", "column_stack", "hsplit", "vsplit", "dsplit"),
        *("allclose", "isclose", "rot90"),
        *("floor_divide", "corrcoef", "broadcast_to", "dot", "argwhere", "frexp"),
    )
}

TABLE = {
    **SAME,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "atan2": np.arctan2,
    "neg": np.negative,
    "sgn": np.sign,
    "conj": np.conjugate,
    "ldexp": lambda x, y: x * np.exp2(y),
    "equal": np.array_equal,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "frac": lambda x: x - np.trunc(x),
    **variants("round", np.round, ["", "decimals_0", "decimals_3", "decimals_neg_3"]),
    "nan_to_num": nan_to_num,
    "sigmoid": ag.sigmoid,
    "logit": logit,
    **{name: getattr(special, name) for name in ("erf", "erfc", "erfinv", "xlogy")},
    **{f"special.{name}": getattr(special, name) for name in ("entr", "erfcx", "xlog1py")},
    **{f"special.{name}": getattr(special, name) for name in ("ndtr", "ndtri", "log_ndtr")},
    "lgamma": special.gammaln,
    "digamma": special.digamma,
    **variants("mvlgamma", mvlgamma, ["mvlgamma_p_1", "mvlgamma_p_3", "mvlgamma_p_5"]),
    **variants("polygamma", polygamma, [f"polygamma_n_{n}" for n in range(5)]),
    "special.polygamma.special_polygamma_n_0": polygamma,
    "i0": np.i0,
    **{f"special.{name}": getattr(special, name) for name in ("i0e", "i1", "i1e")},
    "clone": lambda x, memory_format=None: np.copy(x),
    # arithmetic
    "add": lambda x, y, alpha=1: x + (y if alpha == 1 else alpha * y),
    "sub": lambda x, y, alpha=1: x - (y if alpha == 1 else alpha * y),
    "rsub": lambda x, y, alpha=1: y - alpha * x,
    "mul": np.multiply,
    "true_divide": np.divide,
    **variants("div", rounded, ["no_rounding_mode", "floor_rounding", "trunc_rounding"]),
    "pow": lambda x, y: x**y,
    "__radd__": lambda x, y: y + x,
    "__rsub__": lambda x, y: y - x,
    "__rmul__": lambda x, y: y * x,
    "__rdiv__": lambda x, y: y / x,
    "__rmod__": lambda x, y: y % x,
    "__rpow__": lambda x, y: y**x,
    "__rmatmul__": lambda x, y: y @ x,
    "lerp": lerp,
    **{name: getattr(np, name) for name in ("bitwise_and", "bitwise_or", "bitwise_xor")},
    "bitwise_not": np.invert,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "clamp": clamp,
    "clamp_min": lambda x, min: np.maximum(x, min),
    "clamp_max": lambda x, max: np.minimum(x, max),
    # reductions
    **{name: reduction(getattr(np, name)) for name in ("sum", "mean", "prod", "amax", "amin")},
    **{name: reduction(getattr(np, name)) for name in ("all", "any", "nansum", "nanmean")},
    "argmax": reduction(np.argmax),
    "argmin": reduction(np.argmin),
    "logsumexp": lambda x, dim, keepdim=False: ag.logsumexp(x, axis=axes(dim, x), keepdims=keepdim),
    **variants("max", extreme(np.max, np.argmax, np.maximum), EXTREMES),
    **variants("min", extreme(np.min, np.argmin, np.minimum), EXTREMES),
    "aminmax": lambda x, dim=None, keepdim=False: (
        np.min(x, axis=dim, keepdims=keepdim),
        np.max(x, axis=dim, keepdims=keepdim),
    ),
    **variants("var", spread(np.var), UNBIASED),
    **variants("std", spread(np.std), UNBIASED),
    "count_nonzero": lambda x, dim=None: np.count_nonzero(x, axis=axes(dim)),
    "quantile": middle(np.quantile),
    "nanquantile": middle(np.nanquantile),
    "cumsum": running(np.cumsum),
    "cumprod": running(np.cumprod),
    "diff": diff,
    "median": median(np.quantile),
    "nanmedian": median(np.nanquantile),
    **variants("std_mean", lambda *x, **o: (TABLE["std"](*x, **o), mean_of(*x, **o)), UNBIASED),
    **variants("var_mean", lambda *x, **o: (TABLE["var"](*x, **o), mean_of(*x, **o)), UNBIASED),
    "trapezoid": trapezoid,
    "trapz": trapezoid,
    "gradient": gradient,
    "cov": cov,
    **variants("norm", norm, ["", "nuc", "fro", "inf"]),
    **variants("linalg.norm", linalg_norm, ["", "subgradients_at_zero"]),
    "linalg.vector_norm": vector_norm,
    "linalg.matrix_norm": matrix_norm,
    "dist": lambda x, y, p=2: vector_norm(x - y, p),
    # shapes
    **{name: several(getattr(np, name)) for name in ("atleast_1d", "atleast_2d", "atleast_3d")},
    "reshape": lambda x, shape: np.reshape(x, shape),
    "view": varargs(np.reshape),
    "reshape_as": lambda x, other: np.reshape(x, other.shape),
    "view_as": lambda x, other: np.reshape(x, other.shape),
    "flatten": flatten,
    "unflatten": unflatten,
    **variants("squeeze", squeeze, ["", "multiple"]),
    "unsqueeze": lambda x, dim: np.expand_dims(x, dim),
    "transpose": swapped,
    "permute": varargs(np.transpose),
    "movedim": np.moveaxis,
    "t": np.transpose,
    "T": lambda x: x.T,
    "mT": lambda x: np.swapaxes(x, -1, -2),
    "expand": expand,
    "expand_as": lambda x, other: np.broadcast_to(x, other.shape),
    "broadcast_tensors": np.broadcast_arrays,
    "meshgrid.variadic_tensors": lambda *x, indexing="ij": np.meshgrid(*x, indexing=indexing),
    "meshgrid.list_of_tensors": lambda x, indexing="ij": np.meshgrid(*x, indexing=indexing),
    "tile": repeated,
    "repeat": repeated,
    "repeat_interleave": interleaved,
    "flip": lambda x, dims: np.flip(x, tuple(dims)),
    "roll": rolled,
    "cat": lambda x, dim=0: np.concatenate(x, axis=dim),
    "stack": lambda x, dim=0: np.stack(x, axis=dim),
    "split": cut,
    "split.list_args": cut,
    "split_with_sizes": cut,
    "chunk": chunk,
    "tensor_split": lambda x, parts, dim=0: np.array_split(
        x, parts if isinstance(parts, (int, tuple, list)) else np.asarray(parts).tolist(), axis=dim
    ),
    "unbind": lambda x, dim=0: np.unstack(x, axis=dim),
    "diag": lambda x, diagonal=0: np.diag(x, diagonal),
    "diagonal": matrix,
    "linalg.diagonal": lambda A, *, offset=0, dim1=-2, dim2=-1: matrix(A, offset, dim1, dim2),
    "diagflat": lambda x, offset=0: np.diagflat(x, offset),
    "tril": lambda x, diagonal=0: np.tril(x, diagonal),
    "triu": lambda x, diagonal=0: np.triu(x, diagonal),
    **variants("nn.functional.pad", pad, PADDINGS),
    "constant_pad_nd": lambda x, width, value=0.0: pad(x, width, "constant", value),
    "sum_to_size": sums,
    # indices
    "__getitem__": lambda x, key: x[key],
    "select": select,
    "narrow": narrow,
    "index_select": lambda x, dim, index: np.take(
        x, np.atleast_1d(index) if x.ndim else np.reshape(index, ()), axis=dim
    ),
    "take": taken,
    "take_along_dim": lambda x, places, dim=None: (
        np.take_along_axis(np.ravel(x), np.ravel(places), 0)
        if dim is None
        else np.take_along_axis(x, places, dim)
    ),
    "where": lambda x, condition, y: np.where(condition, x, y),
    "nonzero": nonzero,
    "isin": lambda x, y, assume_unique=False, invert=False: np.isin(x, y, invert=invert),
    "searchsorted": searchsorted,
    "masked_fill": lambda x, mask, value: np.where(mask, value, x),
    "masked_select": lambda x, mask: np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape))[
        np.broadcast_to(mask, np.broadcast_shapes(x.shape, mask.shape))
    ],
    "sort": ordered,
    "argsort": lambda *x, **options: ordered(*x, **options)[1],
    "msort": lambda x: np.sort(x, axis=0),
    "topk": top,
    # products and systems
    **dict.fromkeys(("mm", "mv", "bmm"), np.matmul),
    "linalg.vecdot": lambda x, y, dim=-1: np.vecdot(
        np.moveaxis(x, dim, -1), np.moveaxis(y, dim, -1)
    ),
    "einsum": lambda operands, subscripts: np.einsum(subscripts, *operands),
    "tensordot": lambda x, y, dims=2: np.tensordot(x, y, dims),
    "cross": lambda x, y, dim=None: np.cross(x, y, axis=-1 if dim is None else dim),
    "linalg.cross": lambda x, y, *, dim=-1: np.cross(x, y, axis=dim),
    "linalg.multi_dot": np.linalg.multi_dot,
    "linalg.matrix_power": np.linalg.matrix_power,
    "linalg.matrix_rank": rank,
    "linalg.det": np.linalg.det,
    "linalg.slogdet": np.linalg.slogdet,
    "logdet": lambda x: np.where(np.linalg.det(x) > 0, np.linalg.slogdet(x)[1], np.nan),
    "linalg.inv": np.linalg.inv,
    **variants("linalg.pinv", pinv, ["", "hermitian"]),
    "pinverse": np.linalg.pinv,
    "linalg.solve": solve,
    "linalg.cholesky": lambda x, *, upper=False: np.linalg.cholesky(x, upper=upper),
    "cholesky": lambda x, upper=False: np.linalg.cholesky(x, upper=upper),
    "linalg.eigvalsh": np.linalg.eigvalsh,
    "linalg.eigh": np.linalg.eigh,
    "linalg.svdvals": np.linalg.svdvals,
    "linalg.svd": lambda x, full_matrices=True: np.linalg.svd(x, full_matrices),
    "linalg.qr": lambda x, mode="reduced": (
        np.linalg.qr(x, mode) if mode != "r" else (np.zeros(0), np.linalg.qr(x, mode))
    ),
    "linalg.vander": vander,
    # activations and losses
    "nn.functional.relu": lambda x, inplace=False: ag.relu(x),
    "nn.functional.leaky_relu": lambda x, negative_slope=0.01, inplace=False: ag.leaky_relu(
        x, negative_slope
    ),
    "nn.functional.elu": elu,
    "nn.functional.silu": lambda x, inplace=False: ag.silu(x),
    "nn.functional.gelu": gelu,
    "nn.functional.softplus": softplus,
    "nn.functional.logsigmoid": lambda x: -ag.softplus(-x),
    "nn.functional.softmin": softmax(softmin),
    "softmax": softmax(ag.softmax),
    "log_softmax": softmax(ag.log_softmax),
    "nn.functional.tanhshrink": lambda x: x - np.tanh(x),
    "nn.functional.softsign": lambda x: x / (1 + np.abs(x)),
    "nn.functional.linear": lambda x, w, b=None: x @ w.T if b is None else x @ w.T + b,
    "nn.functional.mse_loss": lambda x, y, reduction="mean": ag.squared_error(
        x, y, reduction=reduction
    ),
    "nn.functional.l1_loss": lambda x, y, reduction="mean": averaged(np.abs(x - y), reduction),
    "nn.functional.binary_cross_entropy": weighted(ag.binary_cross_entropy),
    "nn.functional.binary_cross_entropy_with_logits": weighted(ag.binary_cross_entropy_with_logits),
    "nn.functional.cross_entropy": cross_entropy,
}


def symmetric(x):
    return (x + np.swapaxes(x, -1, -2)) / 2 if isinstance(x, ag.Tensor) else (x + x.mT) / 2


def magnitudes(*places):
    """Eigenvectors and singular vectors are unique up to their signs."""
    return lambda out: [abs(part) if k in places else part for k, part in enumerate(out)]


def thin(out):
    """Without the vectors that complete U and Vh to square matrices, which are arbitrary."""
    u, s, vh = out
    return [abs(u[..., : s.shape[-1]]), s, abs(vh[..., : s.shape[-1], :])]


def values(out):
    """Without the places of the values."""
    return out[0] if isinstance(out, tuple) else out


BEFORE = dict.fromkeys(
    ("linalg.eigh", "linalg.eigvalsh", "linalg.cholesky", "cholesky", "linalg.pinv.hermitian"),
    symmetric,
)
"""What both sides do to the first operand: one triangle is read here, and in torch both."""

AFTER = {
    "linalg.eigh": magnitudes(1),
    "linalg.svd": thin,
    "median": values,
    "nanmedian": values,
}
"""What both sides do to the results."""

REFUSED = {
    "cat": (2, "axis", "torch leaves out vectors without elements"),
    "tensordot": (2, "shape-mismatch", "torch repeats an axis of length 1 that is summed over"),
    "softmax": (2, "zero-size", "NumPy has no maximum of an axis of length 0"),
    "log_softmax": (2, "zero-size", "NumPy has no maximum of an axis of length 0"),
    "nn.functional.softmin": (2, "zero-size", "NumPy has no maximum of an axis of length 0"),
}
"""How many samples of an operator are refused at most, a pattern of the error, and why."""

CONVENTIONS = {
    "cov": "torch sums its float32 weights in float32 beside float64 observations",
    "clamp": "NumPy's dtypes: float32 beside int32 is float64",
    "linalg.norm.subgradients_at_zero": "at a kink; torch: U Vᵀ for the nuclear norm, NaN twice",
}
"""Where samples differ though both are right, or torch is not."""
