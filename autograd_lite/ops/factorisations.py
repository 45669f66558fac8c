"""Factorisations of matrices: Cholesky, eigenvalues, singular values, QR."""

import numpy as np

from autograd_lite.op import operation
from autograd_lite.ops.composition import composed, lifted
from autograd_lite.ops.linalg import solve
from autograd_lite.ops.products import transposed

# Reverse rules after Giles, "An extended collection of matrix derivative results" (2008), and
# Walter and Lehmann, "Algorithmic differentiation of linear algebra functions" (2010).

EighResult = type(np.linalg.eigh(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))


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
    """The Cholesky factor, lower triangular, or upper."""
    return transposed(cholesky(transposed(lifted(a)))) if upper else cholesky(a)


def _eigenvalues(g, out, a, UPLO="L"):
    v = eigh_vectors(a, UPLO=UPLO)
    return _one_side((v * g[..., None, :]) @ transposed(v), UPLO == "L")


eigvalsh = operation(
    "eigvalsh",
    lambda a, UPLO="L": np.linalg.eigvalsh(a, UPLO),
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


def _eigenvectors(g, out, a, UPLO="L"):
    w, t = eigvalsh(a, UPLO=UPLO), transposed(out)
    f = _reciprocal(w[..., None, :] - w[..., :, None])
    return _one_side(out @ (f * (t @ g)) @ t, UPLO == "L")


eigh_vectors = operation(
    "eigh_vectors",
    lambda a, UPLO="L": np.linalg.eigh(a, UPLO).eigenvectors,
    _eigenvectors,
    symbol="eigenvectors",
    formula="the eigenvectors v of a symmetric a, in columns",
    gradient="v (vᵀ g / (λⱼ − λᵢ)) vᵀ, on the triangle that was read",
    notes="Eigenvectors of equal eigenvalues have no gradient by themselves; they count as 0.",
)


@composed(np.linalg.eigh)
def _eigh(a, UPLO="L"):
    """The eigenvalues and eigenvectors of a symmetric matrix."""
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
    """The singular values."""
    return svdvals(x)


@composed(np.linalg.svd)
def _svd_of(a, full_matrices=True, compute_uv=True):
    """The singular vectors and values."""
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
    """Orthonormal columns and an upper triangle, whose product is the matrix."""
    a = lifted(a)
    square = a.shape[-2:-1] == a.shape[-1:]
    if (
        a.ndim < 2
        or a.shape[-2] < a.shape[-1]
        or not (mode in ("reduced", "r") or (mode == "complete" and square))
    ):
        raise TypeError(
            f"qr: has a derivative for at least as many rows as columns and mode='reduced' or "
            f"'r', not for an array of shape {a.shape} and mode={mode!r}"
        )
    return qr_r(a) if mode == "r" else QRResult(qr_q(a), qr_r(a))


matrix_rank = operation(
    "matrix_rank",
    lambda A, tol=None, hermitian=False: np.linalg.matrix_rank(A, tol, hermitian),
    numpy=(np.linalg.matrix_rank,),
    arity=1,
    symbol="rank",
    formula="rank a",
)
