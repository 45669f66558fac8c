"""What PyTorch, JAX and CuPy call NumPy's functions, and what they lack or write otherwise."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from autograd_lite.compiler.adapting import FORMS
from autograd_lite.compiler.libraries import Library, LibraryPrinter, NumPy, Write
from autograd_lite.expressions.expr import Expr
from autograd_lite.expressions.printer import ATOM, key_of, literal

__all__ = ["LIBRARIES"]


def _same(names: str) -> dict[str, str]:
    return {name: name for name in names.split()}


# Names that all three share, with NumPy's arguments.
ELEMENTWISE = _same("""
abs arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or bitwise_xor ceil cos
copysign cosh deg2rad divide exp exp2 expm1 float_power floor floor_divide fmax fmin fmod heaviside
hypot isclose isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2 logaddexp
logaddexp2 logical_and logical_not logical_or logical_xor matmul maximum minimum multiply negative
not_equal power rad2deg reciprocal remainder sign signbit sin sinc sinh sqrt square subtract add tan
tanh trunc greater greater_equal less less_equal where
""") | {"absolute": "abs"}

LAYOUT = _same("""
all any argmax argmin argsort argwhere broadcast_to cumprod cumsum einsum flip isin kron outer prod
reshape roll searchsorted sort squeeze stack sum swapaxes tensordot tile tril triu moveaxis
linalg.cholesky linalg.det linalg.eigh linalg.eigvalsh linalg.inv linalg.matrix_rank linalg.pinv
linalg.qr linalg.slogdet linalg.solve linalg.svd
""")

# gammaln, digamma and ndtr have fewer digits or other limits there.
FROM_SCIPY = "erf erfc erfinv xlogy xlog1py entr i0 i1 i0e i1e log_ndtr expit logit"
SPECIAL = {f"special.{name}": f"special.{name}" for name in FROM_SCIPY.split()}
ERFCX = {"special.erfcx": "special.erfcx"}  # JAX has none

# What JAX and CuPy call as NumPy does, and PyTorch otherwise or not at all.
NUMPY_ONLY = _same("""
cbrt concatenate convolve cross digitize equal expand_dims invert iscomplex ldexp
max min nanargmax nanargmin rint round trace transpose unwrap var vander copy zeros full
""")


# JAX: arrays cannot be changed, and an index out of bounds gives NaN only in `take`.


def _jax_int64(printer: LibraryPrinter, x: Expr) -> str:
    """A function whose result is int32 in JAX."""
    words = [*map(printer.text, x.args), *(f"{k}={printer.text(v)}" for k, v in x.keywords.items())]
    return f'{printer.name(x.fn)}({", ".join(words)}).astype("int64")'


def _jax_taken(printer: LibraryPrinter, x: Expr) -> str | None:
    source, key = x.args
    if not isinstance(key, Expr) or key.dtype.kind == "b":
        return None
    return f"jnp.take({printer.text(source)}, {printer.text(key)}, axis=0)"


JAX = Library(
    title="JAX",
    alias="jnp",
    headers={"jnp": "import jax.numpy as jnp", "special": "from jax.scipy import special"},
    names=ELEMENTWISE | LAYOUT | NUMPY_ONLY | _same("take_along_axis linalg.multi_dot") | SPECIAL,
    calls={"[]": _jax_taken, "np.digitize": _jax_int64, "np.searchsorted": _jax_int64},
    helpers={
        "add_at": """
def _add_at(g, key=(), shape=()):
    return jnp.zeros(shape, g.dtype).at[key].add(g)
""",
        "add_each_at": """
def _add_each_at(parts, keys=(), shape=()):
    total = jnp.zeros(shape, jnp.result_type(*parts))
    for part, key in zip(parts, keys, strict=True):
        total = total.at[key].add(part)
    return total
""",
        "vander": """
def _vander(x, N=None, increasing=False):
    return jnp.vander(x, N, increasing)
""",
    },
    note='JAX computes in float32 unless jax.config.update("jax_enable_x64", True) came first.',
)

CUPY = Library(
    title="CuPy",
    alias="cp",
    headers={"cp": "import cupy as cp", "special": "from cupyx.scipy import special"},
    names=ELEMENTWISE | LAYOUT | NUMPY_ONLY | _same("take_along_axis") | SPECIAL | ERFCX,
    helpers={
        "add_at": """
def _add_at(g, key=(), shape=()):
    total = cp.zeros(shape, g.dtype)
    cp.add.at(total, key, g)
    return total
""",
        "add_each_at": """
def _add_each_at(parts, keys=(), shape=()):
    total = cp.zeros(shape, cp.result_type(*parts))
    for part, key in zip(parts, keys, strict=True):
        cp.add.at(total, key, part)
    return total
""",
        "vander": """
def _vander(x, N=None, increasing=False):
    return cp.vander(x, N, increasing)
""",
    },
    forms=FORMS | {"np.linalg.multi_dot": lambda arrays: reduce(np.matmul, arrays)},
    note="CuPy wraps indices that are out of bounds where NumPy raises an error.",
)

# PyTorch


ARRAYS_ONLY = """
arctan2 hypot copysign fmax fmin fmod maximum minimum logaddexp logaddexp2 heaviside logical_and
logical_or logical_xor bitwise_and bitwise_or bitwise_xor float_power
"""


def _torch_added(printer: LibraryPrinter, x: Expr) -> str:
    """One part is added as several are."""
    (g,), key, shape = x.args, x.keywords.get("key", ()), x.keywords.get("shape", ())
    words = f"({printer.text(g)},), keys=({printer.text(key)},), shape={literal(shape)}"
    return f"{printer.helper('add_each_at')}({words})"


def _torch_transposed(printer: LibraryPrinter, x: Expr) -> str:
    axes: Any = x.args[1] if len(x.args) > 1 else x.keywords["axes"]
    return f"torch.permute({printer.text(x.args[0])}, {literal(tuple(axes))})"


def _torch_expanded(printer: LibraryPrinter, x: Expr) -> str:
    axis = x.args[1] if len(x.args) > 1 else x.keywords["axis"]
    axes = {k % x.ndim for k in (axis if isinstance(axis, tuple) else (axis,))}
    key = tuple(None if k in axes else slice(None) for k in range(max(axes) + 1))
    return f"{printer.text(x.args[0], ATOM)}[{key_of(key)}]"


def _torch_flipped(printer: LibraryPrinter, x: Expr) -> str:
    given = (*x.args[1:], *x.keywords.values())
    axes = given[0] if given and given[0] is not None else tuple(range(x.ndim))
    axes = axes if isinstance(axes, tuple) else (axes,)
    return f"torch.flip({printer.text(x.args[0])}, {literal(axes)})"


def _torch_reshaped(printer: LibraryPrinter, x: Expr) -> str:
    shape = x.args[1] if isinstance(x.args[1], tuple) else (x.args[1],)
    return f"torch.reshape({printer.text(x.args[0])}, {literal(shape)})"


def _torch_astype(printer: LibraryPrinter, x: Expr) -> str:
    return f"{printer.text(x.args[0], ATOM)}.to({printer.dtype(x.args[1])})"


def _torch_reduced(name: str) -> Write:
    """A maximum or minimum: `torch.max` along an axis returns a pair."""

    def write(printer: LibraryPrinter, x: Expr) -> str:
        words = [printer.text(x.args[0])]
        if x.args[0].dtype.kind == "b":
            raise printer.refused(f"{name} of booleans")
        words += [f"{printer.keyword(k)}={printer.text(v)}" for k, v in x.keywords.items()]
        if x.keywords.get("axis", 0) == ():
            return f"torch.clone({words[0]})"
        return f"torch.{name}({', '.join(words)})"

    return write


def _torch_sum(printer: LibraryPrinter, x: Expr) -> str | None:
    """A sum over no axes, and one over all that keeps them; `torch.sum` takes () for all."""
    axis = x.keywords.get("axis", 0)
    if axis == () and x.args[0].ndim:
        return f"torch.clone({printer.text(x.args[0])})"
    if not x.keywords.get("keepdims"):
        return None
    axis = tuple(range(x.args[0].ndim)) if axis is None else axis
    return f"torch.sum({printer.text(x.args[0])}, dim={literal(axis)}, keepdim=True)"


def _torch_joined(printer: LibraryPrinter, x: Expr) -> str | None:
    """Arrays joined without an axis."""
    if x.keywords.get("axis", 0) is not None:
        return None
    parts = (f"torch.reshape({printer.text(y)}, (-1,))" for y in x.args[0])
    return f"torch.cat([{', '.join(parts)}])"


def _torch_rounded(printer: LibraryPrinter, x: Expr) -> str:
    decimals = x.args[1] if len(x.args) > 1 else x.keywords.get("decimals", 0)
    return f"torch.round({printer.text(x.args[0])}, decimals={literal(decimals)})"


def _torch_heaviside(x: Any, at_zero: Any) -> Any:
    """`torch.heaviside` of NaN is 0."""
    return np.where(np.isnan(x), x, np.heaviside(x, at_zero))


def _torch_flat(name: str) -> Write:
    """A cumulative sum or product, which needs an axis."""

    def write(printer: LibraryPrinter, x: Expr) -> str:
        axis = x.args[1] if len(x.args) > 1 else x.keywords.get("axis")
        text = printer.text(x.args[0])
        if axis is None:
            return f"torch.{name}(torch.reshape({text}, (-1,)), dim=0)"
        return f"torch.{name}({text}, dim={literal(axis)})"

    return write


def _torch_var(printer: LibraryPrinter, x: Expr) -> str:
    keywords = {"axis": None, "ddof": 0, "keepdims": False} | x.keywords
    text = f"torch.var({printer.text(x.args[0])}, dim={literal(keywords['axis'])}"
    keep = ", keepdim=True" if keywords["keepdims"] else ""
    return f"{text}, correction={literal(keywords['ddof'])}{keep})"


def _torch_einsum(printer: LibraryPrinter, x: Expr) -> str:
    if not isinstance(x.args[0], str):
        raise printer.refused("einsum with lists of axes")
    operands = [y for y in x.args[1:] if isinstance(y, Expr)]
    return f"torch.einsum({literal(x.args[0])}, {', '.join(map(printer.text, operands))})"


def _torch_svd(printer: LibraryPrinter, x: Expr) -> str | None:
    if x.keywords.get("compute_uv", True):
        return None
    return f"torch.linalg.svdvals({printer.text(x.args[0])})"


def _torch_roll(printer: LibraryPrinter, x: Expr) -> str:
    shift, axis = x.args[1], x.args[2] if len(x.args) > 2 else x.keywords.get("axis")
    words = [printer.text(x.args[0]), literal(shift)]
    return f"torch.roll({', '.join(words + ([] if axis is None else [literal(axis)]))})"


def _torch_power(printer: LibraryPrinter, x: Expr) -> str | None:
    """A number to the power of an array, as an infix, needs the dtype of NumPy."""
    base, exponent = x.args
    if isinstance(base, Expr) or not isinstance(exponent, Expr):
        return None
    made = printer.literal(np.asarray(base, x.dtype)[()])
    return f"{made} ** {printer.text(exponent, 100)}"


def _torch_compared(name: str) -> Write:
    """`torch.eq` takes a number as its second argument only; `torch.equal` gives one boolean."""

    def write(printer: LibraryPrinter, x: Expr) -> str:
        one, two = x.args if isinstance(x.args[0], Expr) else x.args[::-1]
        return f"torch.{name}({printer.text(one)}, {printer.text(two)})"

    return write


def _torch_arranged(name: str) -> Write:
    """A function whose arguments PyTorch takes in another form."""

    def write(printer: LibraryPrinter, x: Expr) -> str | None:
        if name == "outer":
            vectors = (f"torch.reshape({printer.text(y)}, (-1,))" for y in x.args)
            return f"torch.outer({', '.join(vectors)})"
        if name == "argsort" and None in (x.keywords.get("axis", 0), *x.args[1:]):
            return f"torch.argsort(torch.reshape({printer.text(x.args[0])}, (-1,)), stable=True)"
        if name == "trace":
            words = ", ".join(map(literal, x.args[1:]))
            return f"torch.diagonal({', '.join([printer.text(x.args[0]), words])}).sum(-1)"
        if name == "tile":
            repeats = x.args[1] if isinstance(x.args[1], tuple) else (x.args[1],)
            return f"torch.tile({printer.text(x.args[0])}, {literal(repeats)})"
        if name == "cross":
            if any(y.shape[-1:] != (3,) for y in x.args) or x.keywords:
                raise printer.refused("cross of other than 3 components")
            return f"torch.linalg.cross({', '.join(map(printer.text, x.args))})"
        return None

    return write


def _torch_sign(x: Any) -> Any:
    """`torch.sign` of NaN is 0."""
    if x.dtype.kind != "f":
        return NotImplemented
    return np.where(np.isnan(x), x, np.sign(x))


def _torch_prod(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`torch.prod` takes one axis."""
    if axis is None and keepdims:
        axis = tuple(range(a.ndim))
    if not isinstance(axis, tuple):
        return NotImplemented
    for k in sorted((k % a.ndim for k in axis), reverse=True):
        a = np.prod(a, axis=k, keepdims=keepdims)
    return a


TORCH = Library(
    title="PyTorch",
    alias="torch",
    headers={"torch": "import torch"},
    names=ELEMENTWISE
    | LAYOUT
    | _same("zeros full linalg.multi_dot")
    | {
        "concatenate": "cat",
        "equal": "eq",
        "rint": "round",
        "power": "pow",
        "take_along_axis": "take_along_dim",
        "invert": "bitwise_not",
    }
    | {"moveaxis": "movedim"}
    | SPECIAL
    | ERFCX,
    keywords={"axis": "dim", "keepdims": "keepdim", "axes": "dims"},
    calls={
        "add_at": _torch_added,
        "np.transpose": _torch_transposed,
        "np.expand_dims": _torch_expanded,
        "np.flip": _torch_flipped,
        "np.reshape": _torch_reshaped,
        ".astype": _torch_astype,
        "np.max": _torch_reduced("amax"),
        "np.min": _torch_reduced("amin"),
        "np.add.reduce": _torch_sum,
        "np.concatenate": _torch_joined,
        "np.round": _torch_rounded,
        "np.cumsum": _torch_flat("cumsum"),
        "np.cumprod": _torch_flat("cumprod"),
        "np.var": _torch_var,
        "np.einsum": _torch_einsum,
        "np.linalg.svd": _torch_svd,
        "np.roll": _torch_roll,
        "np.power": _torch_power,
        "np.equal": _torch_compared("eq"),
        "np.not_equal": _torch_compared("ne"),
        **{
            f"np.{name}": _torch_arranged(name)
            for name in ("argsort", "outer", "trace", "tile", "cross")
        },
    },
    helpers={
        "add_each_at": """
def _add_each_at(parts, keys=(), shape=()):
    total = torch.zeros(shape, dtype=parts[0].dtype, device=parts[0].device)
    numbers = torch.arange(total.numel(), device=total.device).reshape(shape)
    places = [numbers[key] for key in keys]
    given = [torch.broadcast_to(x, at.shape) for x, at in zip(parts, places, strict=True)]
    places, given = (torch.cat([x.reshape(-1) for x in group]) for group in (places, given))
    return total.reshape(-1).index_add(0, places, given).reshape(shape)
""",
        "vander": """
def _vander(x, N=None, increasing=False):
    return torch.vander(x, N, increasing)
""",
    },
    copy="clone",
    dtypes=frozenset(["bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64"]),
    arrays_only=frozenset(f"np.{name}" for name in ARRAYS_ONLY.split()),
    forms=FORMS
    | {"np.sign": _torch_sign, "np.heaviside": _torch_heaviside, "np.prod": _torch_prod},
    note="Constants are on the default device: torch.set_default_device changes it.",
)

LIBRARIES = {"numpy": NumPy(), "torch": TORCH, "jax.numpy": JAX, "cupy": CUPY}
"""The libraries by the name of their namespace."""
