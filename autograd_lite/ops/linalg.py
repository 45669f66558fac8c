"""Inverses, linear systems and determinants."""

import numpy as np

from autograd_lite.op import REFUSED, operation
from autograd_lite.ops.composition import composed
from autograd_lite.ops.products import fitted, transposed

# Reverse rules after Giles, "An extended collection of matrix derivative results" (2008).


def _each(g):
    """One number for each matrix of a stack, ready to meet the matrices."""
    return g[..., None, None]


inv = operation(
    "inv",
    lambda a: np.linalg.inv(a),
    lambda g, out, a: -transposed(out) @ g @ transposed(out),
    numpy=(np.linalg.inv,),
    symbol="inv",
    formula="a⁻¹",
    gradient="−a⁻ᵀ g a⁻ᵀ",
)


def _pinv(g, out, a, rcond=None):
    p, t, m, n = out, transposed(out), a.shape[-2], a.shape[-1]
    g_t = transposed(g)
    return (
        -t @ g @ t
        + (np.eye(m, dtype=a.dtype) - a @ p) @ g_t @ p @ t
        + t @ p @ g_t @ (np.eye(n, dtype=a.dtype) - p @ a)
    )


pinv = operation(
    "pinv",
    lambda a, rcond=None: np.linalg.pinv(a, rcond),
    _pinv,
    numpy=(np.linalg.pinv,),
    symbol="pinv",
    formula="a⁺",
    gradient="−a⁺ᵀ g a⁺ᵀ + (1 − a a⁺) gᵀ a⁺ a⁺ᵀ + a⁺ᵀ a⁺ gᵀ (1 − a⁺ a)",
    notes="As long as the rank stays what it is (Golub and Pereyra 1973).",
)


def _solve_left(g, out, a, b):
    part = solve(transposed(a), _columns(g, b))
    return fitted(-part @ transposed(_columns(out, b)), a.shape)


def _solve_right(g, out, a, b):
    part = solve(transposed(a), _columns(g, b))
    return fitted(part[..., 0] if b.ndim == 1 else part, b.shape)


def _columns(x, b):
    return x[..., None] if b.ndim == 1 else x


solve = operation(
    "solve",
    lambda a, b: np.linalg.solve(a, b),
    _solve_left,
    _solve_right,
    numpy=(np.linalg.solve,),
    symbol="solve",
    formula="x = a⁻¹ b",
    gradient="−(a⁻ᵀ g) xᵀ, a⁻ᵀ g",
    notes="A b of one axis is a vector, any other a stack of matrices.",
)


def _cofactors(a):
    """The signed minors of each matrix, also of a singular one.

    From a = u s vᵀ: det(u) det(v) u c vᵀ, where cᵢ is the product of the other singular values.
    """
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), s.dtype.type(1), s[..., None, :]).prod(axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return sign[..., None, None] * ((u * others[..., None, :]) @ vh)


def _cofactors_rule(g, out, a):
    t = transposed(inv(a))
    return _each(np.sum(g * out, axis=(-2, -1))) * t - out @ transposed(g) @ t


cofactors = operation(
    "cofactors",
    _cofactors,
    _cofactors_rule,
    symbol="cof",
    formula="det(a) a⁻ᵀ, the signed minors",
    gradient="⟨g, c⟩ a⁻ᵀ − c gᵀ a⁻ᵀ",
    notes="The gradient of the determinant, right for singular matrices as well.",
)

det = operation(
    "det",
    lambda a: np.linalg.det(a),
    lambda g, out, a: _each(g) * cofactors(a),
    numpy=(np.linalg.det,),
    symbol="det",
    formula="det a",
    gradient="g det(a) a⁻ᵀ",
    notes="Through the signed minors, so that a singular matrix has its gradient.",
)

det_sign = operation(
    "det_sign",
    lambda a: np.linalg.slogdet(a).sign,
    arity=1,
    symbol="sign det",
    formula="sign det a",
)

log_abs_det = operation(
    "log_abs_det",
    lambda a: np.linalg.slogdet(a).logabsdet,
    lambda g, out, a: _each(g) * transposed(inv(a)),
    symbol="log |det|",
    formula="log |det a|",
    gradient="g a⁻ᵀ",
)

SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


@composed(np.linalg.slogdet)
def _slogdet(a):
    """The sign and the logarithm of the absolute value of a determinant."""
    return SlogdetResult(det_sign(a), log_abs_det(a))


REFUSED |= {
    np.linalg.lstsq: "it returns a rank and residuals too; use np.linalg.pinv(a) @ b, or solve",
    np.linalg.cond: "use the quotient of the first and the last of np.linalg.svdvals(a)",
    np.linalg.tensorinv: "use np.linalg.inv of the array reshaped to a matrix",
    np.linalg.tensorsolve: "use np.linalg.solve of the array reshaped to a matrix",
}
