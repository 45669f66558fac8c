"""Products of vectors, matrices and stacks of them."""

import functools
from typing import Any

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import composed, normalized
from autograd_lite.ops.reductions import Reduction
from autograd_lite.ops.shapes import sum_to
from autograd_lite.tensor import lifted


def transposed(x: Any) -> Any:
    """Each matrix of a stack transposed."""
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


# A derivation is more readable with np.expand_dims; indexing is six times faster.
def _column(x):
    return x[..., None] if type(x) is np.ndarray else np.expand_dims(x, -1)


def _row(x):
    return x[..., None, :] if type(x) is np.ndarray else np.expand_dims(x, -2)


def fitted(part: Any, shape: Any) -> Any:
    """A gradient of a stack, summed over the axes that broadcasting repeated."""
    return part if part.shape == shape else sum_to(part, shape=shape)


# If a gradient has the memory layout of its operand, it is contiguous after a transpose is undone,
# as in x Wᵀ. Later operations on it are several times faster.


def _left(g, out, a, b):
    if b.ndim == 1:
        if a.ndim == 1:
            return g * b
        return _column(g) * _row(b) if a.ndim == 2 else _column(g) @ _row(b)
    if a.ndim == 1:
        return fitted((b @ _column(g))[..., 0], a.shape)
    if a.ndim == b.ndim == 2 and type(g) is np.ndarray and a.strides[0] < a.strides[1]:
        return (b @ g.T).T
    return fitted(g @ transposed(b), a.shape)


def _right(g, out, a, b):
    if a.ndim == 1:
        return g * a if b.ndim == 1 else fitted(_column(a) @ _row(g), b.shape)
    if a.ndim == b.ndim == 2 and type(g) is np.ndarray and b.strides[0] < b.strides[1]:
        return (g.T @ a).T
    if b.ndim > 1:
        return fitted(transposed(a) @ g, b.shape)
    if a.ndim == 2:
        return a.T @ g
    return fitted((transposed(a) @ _column(g))[..., 0], b.shape)


operation(
    "matmul",
    np.matmul,
    _left,
    _right,
    reads=("b", "a"),
    symbol="@",
    precedence=60,
    elementwise=False,
    broadcasts=False,
    formula="a b",
    gradient="g bᵀ, aᵀ g",
    notes="Vectors and stacks of matrices as in NumPy; a gradient is summed over repeated axes.",
    rows="product",
)


def _outer(a, b):
    return np.outer(a, b)


operation(
    "outer",
    _outer,
    lambda g, out, a, b: np.reshape(g @ np.reshape(b, -1), a.shape),
    lambda g, out, a, b: np.reshape(np.reshape(a, -1) @ g, b.shape),
    reads=("b", "a"),
    numpy=(np.outer, np.linalg.outer),
    symbol="⊗",
    precedence=60,
    formula="a bᵀ of the flattened arrays",
    gradient="g b, gᵀ a; in their shapes",
)


def _axes(axes, a, b):
    """The axes of a tensor product as two lists of non-negative numbers."""
    if isinstance(axes, (int, np.integer)):
        return list(range(a.ndim - axes, a.ndim)), list(range(axes))
    first, second = (np.atleast_1d(part).tolist() for part in axes)
    return [k % a.ndim for k in first], [k % b.ndim for k in second]


def _tensordot(g, a, b, mine, others, g_first):
    """The gradient of a: g times b, summed over the axes that only b has, in the order of a."""
    kept = [k for k in range(a.ndim) if k not in mine]
    free = [k for k in range(np.ndim(b)) if k not in others]
    if g_first:
        part = np.tensordot(g, b, axes=(list(range(len(kept), len(kept) + len(free))), free))
        order = kept + [mine[others.index(k)] for k in sorted(others)]
    else:
        part = np.tensordot(b, g, axes=(free, list(range(len(free)))))
        order = [mine[others.index(k)] for k in sorted(others)] + kept
    return np.transpose(part, tuple(order.index(k) for k in range(a.ndim)))


def _tensordot_left(g, out, a, b, axes=2):
    mine, others = _axes(axes, a, b)
    return _tensordot(g, a, b, mine, others, True)


def _tensordot_right(g, out, a, b, axes=2):
    others, mine = _axes(axes, a, b)
    return _tensordot(g, b, a, mine, others, False)


tensordot: Op = operation(
    "tensordot",
    lambda a, b, axes=2: np.tensordot(a, b, axes=axes),
    _tensordot_left,
    _tensordot_right,
    reads="a b",
    numpy=(np.tensordot, np.linalg.tensordot),
    precedence=60,
    formula="Σ a b over pairs of axes",
    gradient="Σ g b, Σ g a; over the axes of the other",
)


def _interleaved(a, b):
    """The shapes in which a product of every element with every element broadcasts."""
    ndim = max(np.ndim(a), np.ndim(b))
    rows = (1,) * (ndim - np.ndim(a)) + tuple(np.shape(a))
    columns = (1,) * (ndim - np.ndim(b)) + tuple(np.shape(b))
    return (
        tuple(n for pair in zip(rows, columns, strict=True) for n in pair),
        tuple(n for row in rows for n in (row, 1)),
        tuple(n for column in columns for n in (1, column)),
    )


def _kron_left(g, out, a, b):
    whole, rows, columns = _interleaved(a, b)
    part = np.reshape(g, whole) * np.reshape(b, columns)
    return np.reshape(sum_to(part, shape=rows), a.shape)


def _kron_right(g, out, a, b):
    whole, rows, columns = _interleaved(a, b)
    part = np.reshape(g, whole) * np.reshape(a, rows)
    return np.reshape(sum_to(part, shape=columns), b.shape)


operation(
    "kron",
    lambda a, b: np.kron(a, b),
    _kron_left,
    _kron_right,
    reads="a b",
    numpy=(np.kron,),
    symbol="⊗ₖ",
    precedence=60,
    formula="blocks aᵢⱼ b",
    gradient="Σ g b over each block, Σ g a over the blocks",
)

cross: Op = operation(
    "cross",
    lambda a, b: np.cross(a, b),
    lambda g, out, a, b: cross(b, g),
    lambda g, out, a, b: cross(g, a),
    reads=("b", "a"),
    symbol="×",
    precedence=60,
    broadcasts=True,
    formula="a × b of vectors of length 3 along the last axis",
    gradient="b × g, g × a",
)


@composed(np.cross)
def _cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vector product along an axis."""
    a, b = lifted(a), lifted(b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _last(a, axisa), _last(b, axisb)
    if a.shape[-1:] != (3,) or b.shape[-1:] != (3,):
        raise ValueError(
            f"cross: needs vectors of length 3, not {a.shape[-1]} and {b.shape[-1]}; in the plane "
            "use a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]"
        )
    product = cross(a, b)
    return product if axisc in (-1, product.ndim - 1) else np.moveaxis(product, -1, axisc)


def _last(x, axis):
    if not x.ndim:
        raise ValueError("cross: needs vectors, not numbers")
    return x if axis in (-1, x.ndim - 1) else np.moveaxis(x, axis, -1)


@composed(np.linalg.cross)
def _linalg_cross(x1, x2, axis=-1):
    """The vector product of vectors in three dimensions."""
    return _cross(x1, x2, axis=axis)


@composed(np.dot)
def _dot(a, b):
    """The product of vectors or matrices: the sum over a's last axis and b's second to last."""
    a, b = lifted(a), lifted(b)
    if not (a.ndim and b.ndim):
        return a * b
    if max(a.ndim, b.ndim) <= 2:
        return a @ b
    return tensordot(a, b, axes=((a.ndim - 1,), (max(b.ndim - 2, 0),)))


@composed(np.inner)
def _inner(a, b):
    """The sum of products over the last axes."""
    a, b = lifted(a), lifted(b)
    if not (a.ndim and b.ndim):
        return a * b
    if a.ndim == b.ndim == 1:
        return a @ b
    return tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 1,)))


@composed(np.vdot)
def _vdot(a, b):
    """The inner product of all elements."""
    return np.reshape(lifted(a), (-1,)) @ np.reshape(lifted(b), (-1,))


def _with_axes(name, *pairs):
    for x, least in pairs:
        if np.ndim(x) < least:
            raise ValueError(f"{name}: needs at least {least} axes, not shape {np.shape(x)}")


def _vecdot(x1, x2):
    """The inner product of vectors along an axis."""
    _with_axes("vecdot", (x1, 1), (x2, 1))
    return np.sum(x1 * x2, axis=-1)


def _matvec(x1, x2):
    """The product of matrices with vectors."""
    _with_axes("matvec", (x1, 2), (x2, 1))
    return (x1 @ np.expand_dims(x2, -1))[..., 0]


def _vecmat(x1, x2):
    """The product of vectors with matrices."""
    _with_axes("vecmat", (x1, 1), (x2, 2))
    return (np.expand_dims(x1, -2) @ x2)[..., 0, :]


for _name, _answer in {"vecdot": _vecdot, "matvec": _matvec, "vecmat": _vecmat}.items():
    if hasattr(np, _name):
        composed(getattr(np, _name))(_answer)


@composed(np.linalg.vecdot)
def _linalg_vecdot(x1, x2, axis=-1):
    """The inner product of vectors along an axis."""
    return np.sum(x1 * x2, axis=axis)


@composed(np.linalg.matmul)
def _linalg_matmul(x1, x2):
    """The matrix product."""
    return lifted(x1) @ lifted(x2)


@composed(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x):
    """The last two axes swapped."""
    x = lifted(x)
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: needs at least two axes, not shape {x.shape}")
    return transposed(x)


def _multi_dot(g, out, *arrays, k):
    """The product before, transposed, times g, times the product after, transposed."""
    matrices = [
        np.reshape(x, (1, -1) if j == 0 else (-1, 1)) if x.ndim == 1 else x
        for j, x in enumerate(arrays)
    ]
    g = np.reshape(g, (matrices[0].shape[0], matrices[-1].shape[1]))
    before = [x.T for x in reversed(matrices[:k])]
    after = [x.T for x in reversed(matrices[k + 1 :])]
    return np.reshape(multi_dot([*before, g, *after]), arrays[k].shape)


multi_dot: Op = operation(
    "multi_dot",
    lambda arrays: np.linalg.multi_dot(arrays),
    _multi_dot,
    numpy=(np.linalg.multi_dot,),
    arity=None,
    symbol="@",
    precedence=60,
    formula="a b c … in the cheapest order",
    gradient="(product before)ᵀ g (product after)ᵀ",
)


@composed(np.linalg.matrix_power)
def _matrix_power(a, n):
    """A square matrix times itself, or its inverse."""
    a = lifted(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(
            f"matrix_power: needs square matrices, not an array of shape {a.shape}"
        )
    if n == 0:
        return 0 * a + np.eye(a.shape[-1], dtype=a.dtype)
    square, factors, rest = (np.linalg.inv(a) if n < 0 else a), [], abs(n)
    while rest:
        if rest & 1:
            factors.append(square)
        rest >>= 1
        square = square @ square if rest else square
    return functools.reduce(lambda x, y: x @ y, factors)


def _trace(g, out, a, offset=0, axis1=0, axis2=1):
    axis1, axis2 = normalized(axis1, a.ndim), normalized(axis2, a.ndim)
    ones = np.eye(a.shape[axis1], a.shape[axis2], offset, dtype=g.dtype)
    part = g[..., None, None] * ones.reshape((1,) * g.ndim + ones.shape)
    return np.moveaxis(part, (-2, -1), (axis1, axis2))


trace: Op = operation(
    "trace",
    lambda a, offset=0, axis1=0, axis2=1: np.trace(a, offset, axis1, axis2),
    _trace,
    reads="",
    kind=Reduction,
    numpy=(np.trace,),
    symbol="tr",
    chooses=True,
    formula="Σ aᵢᵢ",
    gradient="g on the diagonal",
)


@composed(np.linalg.trace)
def _linalg_trace(x, offset=0):
    """The sum of the diagonal of the last two axes."""
    return trace(x, offset=offset, axis1=-2, axis2=-1)


@composed(np.linalg.diagonal)
def _linalg_diagonal(x, offset=0):
    """The diagonal of the last two axes."""
    return np.diagonal(x, offset=offset, axis1=-2, axis2=-1)
