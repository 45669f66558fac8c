"""Linear algebra: inverses, determinants, norms and factorisations."""

import math

import numpy as np

from autograd_lite.op import REFUSED, operation
from autograd_lite.ops.arithmetic import scaled
from autograd_lite.ops.composition import composed, lifted
from autograd_lite.ops.products import fitted, transposed
from autograd_lite.ops.reductions import spread

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
    return fitted(-part @ transposed(_columns(out, b)), a)


def _solve_right(g, out, a, b):
    part = solve(transposed(a), _columns(g, b))
    return fitted(part[..., 0] if b.ndim == 1 else part, b)


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
EighResult = type(np.linalg.eigh(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))


@composed(np.linalg.slogdet)
def _slogdet(a):
    return SlogdetResult(det_sign(a), log_abs_det(a))


# Factorisations


def _one_side(part, lower=True):
    """A gradient by a symmetric matrix, all of it on the triangle that was read."""
    n = part.shape[-1]
    side = np.tri(n, dtype=bool) if lower else np.tri(n, dtype=bool).T
    return part * side + transposed(part) * (side & ~np.eye(n, dtype=bool))


def _cholesky(g, out, a):
    n = out.shape[-1]
    inner = transposed(out) @ g * (np.tri(n, dtype=g.dtype) - np.eye(n, dtype=g.dtype) / 2)
    t = transposed(out)
    half = transposed(solve(t, transposed(solve(t, inner))))
    return _one_side((half + transposed(half)) / 2)


cholesky = operation(
    "cholesky",
    lambda a: np.linalg.cholesky(a),
    _cholesky,
    symbol="cholesky",
    formula="l, lower triangular, l lᵀ = a",
    gradient="l⁻ᵀ Φ(lᵀ g) l⁻¹, on the lower triangle",
    notes="Only the lower triangle of a is read (Murray 2016).",
)


@composed(np.linalg.cholesky)
def _cholesky_of(a, *, upper=False):
    return transposed(cholesky(transposed(lifted(a)))) if upper else cholesky(a)


def _eigenvalues(g, out, a, UPLO="L"):  # noqa: N803
    v = eigh_vectors(a, UPLO=UPLO)
    return _one_side((v * g[..., None, :]) @ transposed(v), UPLO == "L")


eigvalsh = operation(
    "eigvalsh",
    lambda a, UPLO="L": np.linalg.eigvalsh(a, UPLO),  # noqa: N803
    _eigenvalues,
    numpy=(np.linalg.eigvalsh,),
    symbol="λ",
    formula="the eigenvalues λ of a symmetric a",
    gradient="v diag(g) vᵀ, on the triangle that was read",
)


def _reciprocal(difference):
    """One over the differences, 0 where there is none."""
    same = np.equal(difference, 0)
    return np.where(same, 0, 1 / np.where(same, 1, difference))


def _eigenvectors(g, out, a, UPLO="L"):  # noqa: N803
    w, t = eigvalsh(a, UPLO=UPLO), transposed(out)
    f = _reciprocal(w[..., None, :] - w[..., :, None])
    return _one_side(out @ (f * (t @ g)) @ t, UPLO == "L")


eigh_vectors = operation(
    "eigh_vectors",
    lambda a, UPLO="L": np.linalg.eigh(a, UPLO).eigenvectors,  # noqa: N803
    _eigenvectors,
    symbol="eigenvectors",
    formula="the eigenvectors v of a symmetric a, in columns",
    gradient="v (vᵀ g / (λⱼ − λᵢ)) vᵀ, on the triangle that was read",
    notes="Eigenvectors of equal eigenvalues have no gradient by themselves; they count as 0.",
)


@composed(np.linalg.eigh)
def _eigh(a, UPLO="L"):  # noqa: N803
    return EighResult(eigvalsh(a, UPLO=UPLO), eigh_vectors(a, UPLO=UPLO))


def _svd(a):
    return np.linalg.svd(a, full_matrices=False)


# A singular value at 0 has a kink there, as |x| has, and the same derivative 0.
svdvals = operation(
    "svdvals",
    lambda a: np.linalg.svd(a, compute_uv=False),
    lambda g, out, a: svd_u(a) * (g * np.sign(out))[..., None, :] @ svd_vh(a),
    symbol="s",
    formula="the singular values s of a",
    gradient="u diag(g) vᵀ",
)


def _turns(x, g, s):
    """(xᵀ g − gᵀ x) / (sⱼ² − sᵢ²)."""
    squares = s * s
    f = _reciprocal(squares[..., None, :] - squares[..., :, None])
    product = transposed(x) @ g
    return f * (product - transposed(product))


def _svd_u(g, out, a):
    s, vh = svdvals(a), svd_vh(a)
    within = out @ (_turns(out, g, s) * s[..., None, :])
    outside = (g - out @ (transposed(out) @ g)) / s[..., None, :]
    return (within if a.shape[-2] <= a.shape[-1] else within + outside) @ vh


def _svd_vh(g, out, a):
    s, u = svdvals(a), svd_u(a)
    v, g = transposed(out), transposed(g)
    within = (s[..., :, None] * _turns(v, g, s)) @ out
    outside = transposed((g - v @ (out @ g)) / s[..., None, :])
    return u @ (within if a.shape[-1] <= a.shape[-2] else within + outside)


svd_u = operation(
    "svd_u",
    lambda a: _svd(a).U,
    _svd_u,
    symbol="u",
    formula="the left singular vectors u of a, in columns",
    gradient="u ((uᵀg − gᵀu)/(sⱼ² − sᵢ²)) s vᵀ + (1 − u uᵀ) g s⁻¹ vᵀ",
    notes="Vectors of equal singular values have no gradient by themselves; they count as 0.",
)

svd_vh = operation(
    "svd_vh",
    lambda a: _svd(a).Vh,
    _svd_vh,
    symbol="vᵀ",
    formula="the right singular vectors v of a, in rows",
    gradient="u s ((vᵀgᵀ − g v)/(sⱼ² − sᵢ²)) vᵀ + u s⁻¹ g (1 − v vᵀ)",
    notes="Vectors of equal singular values have no gradient by themselves; they count as 0.",
)


@composed(np.linalg.svdvals)
def _svdvals(x):
    return svdvals(x)


@composed(np.linalg.svd)
def _svd_of(a, full_matrices=True, compute_uv=True):
    a = lifted(a)
    if not compute_uv:
        return svdvals(a)
    if full_matrices and a.shape[-1:] != a.shape[-2:-1]:
        raise TypeError(
            f"svd: the further singular vectors of matrices {a.shape[-2:]} are any that complete "
            "the others, and have no derivative; give full_matrices=False"
        )
    return SVDResult(svd_u(a), svdvals(a), svd_vh(a))


def _qr_rule(a, q, r, inner, g=0):
    """(g + q m) r⁻ᵀ, where m is the lower triangle of a matrix, mirrored."""
    n = inner.shape[-1]
    lower, strictly = np.tri(n, dtype=bool), np.tri(n, k=-1, dtype=bool)
    mirrored = inner * lower + transposed(inner * strictly)
    return transposed(solve(r, transposed(g + q @ mirrored)))


qr_q = operation(
    "qr_q",
    lambda a: np.linalg.qr(a).Q,
    lambda g, out, a: _qr_rule(a, out, qr_r(a), -transposed(g) @ out, g),
    symbol="q",
    formula="q, orthonormal columns, q r = a",
    gradient="(g + q sym(−gᵀ q)) r⁻ᵀ",
)

qr_r = operation(
    "qr_r",
    lambda a: np.linalg.qr(a).R,
    lambda g, out, a: _qr_rule(a, qr_q(a), out, out @ transposed(g)),
    symbol="r",
    formula="r, upper triangular, q r = a",
    gradient="q sym(r gᵀ) r⁻ᵀ",
)


@composed(np.linalg.qr)
def _qr(a, mode="reduced"):
    a = lifted(a)
    square = a.shape[-2:-1] == a.shape[-1:]
    if a.ndim < 2 or a.shape[-2] < a.shape[-1] or not (
        mode in ("reduced", "r") or (mode == "complete" and square)
    ):
        raise TypeError(
            f"qr: has a derivative for at least as many rows as columns and mode='reduced' or "
            f"'r', not for an array of shape {a.shape} and mode={mode!r}"
        )
    return qr_r(a) if mode == "r" else QRResult(qr_q(a), qr_r(a))


matrix_rank = operation(
    "matrix_rank",
    lambda A, tol=None, hermitian=False: np.linalg.matrix_rank(A, tol, hermitian),  # noqa: N803
    numpy=(np.linalg.matrix_rank,),
    arity=1,
    symbol="rank",
    formula="rank a",
)


# Norms


def _norm(x, ord=2, axis=None, keepdims=False):
    if ord == 2:
        return np.sqrt(np.add.reduce(x * x, axis=axis, keepdims=keepdims))
    with np.errstate(divide="ignore"):
        powers = np.add.reduce(np.abs(x) ** ord, axis=axis, keepdims=keepdims)
        return powers ** (1 / ord)


def _norm_rule(g, out, x, ord=2, axis=None, keepdims=False):
    g, out = spread(g, x, axis, keepdims), spread(out, x, axis, keepdims)
    if ord == 1:
        return g * np.sign(x)
    if ord == 2:
        return g * scaled(x, 1 / out)
    # Powers of a quotient, which is at most 1, neither overflow nor vanish.
    return g * scaled(np.sign(x), scaled(np.abs(x), 1 / out) ** (ord - 1))


norm = operation(
    "norm",
    _norm,
    _norm_rule,
    symbol="‖·‖",
    formula="(Σ |x|ᵖ)^(1/p)",
    gradient="g sign x (|x| / ‖x‖)ᵖ⁻¹",
    notes="The gradient at 0 is 0.",
)


@composed(np.linalg.norm)
def _norm_of(x, ord=None, axis=None, keepdims=False):
    x = _floating(x)
    if axis is None and (ord is None or (ord, x.ndim) in ((2, 1), ("fro", 2))):
        return norm(x, keepdims=keepdims)
    axes = _several(range(x.ndim) if axis is None else axis)
    if len(axes) == 1:
        return _of_vectors(x, 2 if ord is None else ord, axes[0], keepdims)
    if len(axes) == 2:
        return _of_matrices(x, "fro" if ord is None else ord, axes, keepdims)
    raise ValueError(f"norm: ord={ord!r} is for vectors and matrices, not for {len(axes)} axes")


@composed(np.linalg.vector_norm)
def _vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    x = _floating(x)
    return _of_vectors(x, ord, None if axis is None else _several(axis), keepdims)


@composed(np.linalg.matrix_norm)
def _matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return _of_matrices(_floating(x), ord, (-2, -1), keepdims)


def _floating(x):
    x = lifted(x)
    return x if x.dtype.kind == "f" else np.astype(x, np.float64)


def _several(axis):
    return tuple(int(k) for k in np.atleast_1d(axis))


def _of_vectors(x, ord, axis, keepdims):
    if isinstance(ord, str):
        raise ValueError(f"norm: ord={ord!r} is for matrices")
    if ord == math.inf:
        return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(np.astype(np.not_equal(x, 0), x.dtype), axis=axis, keepdims=keepdims)
    return norm(x, ord=float(ord) if ord != 2 else 2, axis=axis, keepdims=keepdims)


def _of_matrices(x, ord, axes, keepdims):
    rows, columns = (k % x.ndim for k in axes)
    if ord == "fro":
        return norm(x, axis=(rows, columns), keepdims=keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        summed, kept = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        result = (np.max if ord > 0 else np.min)(sums, axis=kept, keepdims=True)
    elif ord in ("nuc", 2, -2):
        s = svdvals(np.moveaxis(x, (rows, columns), (-2, -1)))
        result = {"nuc": np.sum, 2: np.max, -2: np.min}[ord](s, axis=-1)
        if keepdims:
            result = np.expand_dims(result, (rows, columns))
        return result
    else:
        raise ValueError(f"norm: ord={ord!r} is no norm of matrices")
    return result if keepdims else np.squeeze(result, axis=(rows, columns))


REFUSED.update({
    np.linalg.lstsq: "it also returns a rank and residuals; use np.linalg.pinv(a) @ b, or solve",
    np.linalg.cond: "use the quotient of the first and the last of np.linalg.svdvals(a)",
    np.linalg.tensorinv: "use np.linalg.inv of the array reshaped to a matrix",
    np.linalg.tensorsolve: "use np.linalg.solve of the array reshaped to a matrix",
})
