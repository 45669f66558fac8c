"""Factorisations of matrices: Cholesky, eigenvalues, singular values, QR."""

import numpy as np

from autograd_lite.broadcasting import warn
from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import composed
from autograd_lite.ops.linalg import DegenerateWarning, of_finite, regular, solve
from autograd_lite.ops.products import transposed
from autograd_lite.tensor import lifted

# Reverse rules after Giles, "An extended collection of matrix derivative results" (2008), and
# Walter and Lehmann, "Algorithmic differentiation of linear algebra functions" (2010).

EighResult = type(np.linalg.eigh(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))

_ALONE = "Vectors of equal {} have no derivative: it is left out, and a warning names the pair."


def _one_side(part, UPLO="L"):
    """The gradient of a symmetric matrix, all of it on the triangle that was read."""
    n = part.shape[-1]
    side = np.tri(n, dtype=bool) if UPLO in "Ll" else np.tri(n, dtype=bool).T
    return part * side + transposed(part) * (side & ~np.eye(n, dtype=bool))


def _cholesky(g, out, a):
    n = out.shape[-1]
    inner = transposed(out) @ g * (np.tri(n, dtype=g.dtype) - np.eye(n, dtype=g.dtype) / 2)
    t = transposed(out)
    half = transposed(solve(t, transposed(solve(t, inner))))
    return _one_side((half + transposed(half)) / 2)


cholesky: Op = operation(
    "cholesky",
    lambda a: of_finite(np.linalg.cholesky, a, read="L"),
    _cholesky,
    reads="out",
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
    return _one_side((v * g[..., None, :]) @ transposed(v), UPLO)


eigvalsh: Op = operation(
    "eigvalsh",
    lambda a, UPLO="L": of_finite(np.linalg.eigvalsh, a, UPLO, core=1, read=UPLO),
    _eigenvalues,
    reads="a",
    numpy=(np.linalg.eigvalsh,),
    symbol="λ",
    formula="the eigenvalues λ of a symmetric a",
    gradient="v diag(g) vᵀ, on the triangle that was read",
    notes="At equal eigenvalues, where g differs between them, one of the subgradients.",
)


def _distinct(w, what="eigenvalues"):
    """1 for each pair of different values, 0 for equal ones, with a warning that names them."""
    n = w.shape[-1]
    difference = np.abs(w[..., None, :] - w[..., :, None])
    # A difference of this size may be rounding, with a relative error of a per cent or more.
    least = max(n, 100) * np.finfo(w.dtype).eps * np.max(np.abs(w), axis=-1, initial=0)
    equal = difference <= least[..., None, None]
    below = equal & np.tri(n, k=-1, dtype=bool)
    if np.any(below):
        pairs = np.argwhere(below)
        *stack, j, i = pairs[0].tolist()
        more = f", and so are {len(pairs) - 1} more pairs" if len(pairs) > 1 else ""
        warn(
            f"{what} {i} and {j}{f' of matrix {tuple(stack)}' if stack else ''} are both "
            f"{w[(*stack, i)]:.3g} up to rounding{more}; their vectors have no derivative, and the "
            "gradient leaves out the rotation between them. It is correct for a function of the "
            "space that they span; write another function without these vectors, with inv, solve, "
            "cholesky or matrix_power",
            DegenerateWarning,
        )
    return (~equal).astype(w.dtype)


distinct: Op = operation(
    "distinct",
    _distinct,
    arity=1,
    formula="1 for each pair of values that differ by more than rounding, 0 for the others",
)


def _gaps(w, what):
    """1 / (wⱼ − wᵢ), 0 for a pair of equal values."""
    apart = distinct(w, what=what)
    return apart / (w[..., None, :] - w[..., :, None] + (1 - apart))


def _eigenvectors(g, out, a, UPLO="L"):
    w, t = eigvalsh(a, UPLO=UPLO), transposed(out)
    return _one_side(out @ (_gaps(w, "eigenvalues") * (t @ g)) @ t, UPLO)


def _vectors(a, UPLO):
    return np.linalg.eigh(a, UPLO).eigenvectors


eigh_vectors: Op = operation(
    "eigh_vectors",
    lambda a, UPLO="L": of_finite(_vectors, a, UPLO, read=UPLO),
    _eigenvectors,
    symbol="eigenvectors",
    formula="the eigenvectors v of a symmetric a, in columns",
    gradient="v (vᵀ g / (λⱼ − λᵢ)) vᵀ, on the triangle that was read",
    notes=_ALONE.format("eigenvalues"),
)


@composed(np.linalg.eigh)
def _eigh(a, UPLO="L"):
    """The eigenvalues and eigenvectors of a symmetric matrix."""
    return EighResult(eigvalsh(a, UPLO=UPLO), eigh_vectors(a, UPLO=UPLO))


def _completion(a, of="u"):
    rows, columns = a.shape[-2:]
    if of == "q":
        return np.linalg.qr(a, mode="complete").Q[..., columns:]
    found = np.linalg.svd(a)
    return found.U[..., columns:] if of == "u" else found.Vh[..., rows:, :]


completion: Op = operation(
    "completion",
    lambda a, of="u": of_finite(_completion, a, of),
    lambda g, out, a, of="u": arbitrary(g, shape=a.shape),
    reads="",
    formula="vectors that complete u, v or q to a square orthogonal matrix",
    gradient="NaN, and 0 where g is 0",
    notes="They are arbitrary, so a function of them has no derivative.",
)


def _arbitrary(g, shape=()):
    used = np.any(np.not_equal(g, 0), axis=(-2, -1), keepdims=True)
    if np.any(used):
        warn(
            "the vectors that complete a matrix to a square one, with svd(full_matrices=True) or "
            "qr(mode='complete'), are arbitrary; the gradient of a function of them is NaN",
            DegenerateWarning,
        )
    kind = g.dtype.type
    return np.broadcast_to(np.where(used, kind(np.nan), kind(0)), shape)


arbitrary: Op = operation(
    "arbitrary",
    _arbitrary,
    lambda g, out, a, shape=(): arbitrary(g, shape=a.shape),
    reads="",
    formula="NaN of a shape, 0 where a is 0",
    gradient="NaN, and 0 where g is 0",
    notes="The gradient of arbitrary vectors, with a warning where they are used.",
)


svdvals: Op = operation(
    "svdvals",
    lambda a: of_finite(np.linalg.svdvals, a, core=1),
    lambda g, out, a: svd_u(a) * (g * np.sign(out))[..., None, :] @ svd_vh(a),
    symbol="s",
    formula="the singular values s of a",
    gradient="u diag(g) vᵀ",
    notes="A singular value of 0 has a kink like |x|, and derivative 0. At equal ones, where g "
    "differs between them, one of the subgradients.",
)


def _turns(x, g, s):
    """(xᵀ g − gᵀ x) / (sⱼ − sᵢ) / (sⱼ + sᵢ), in two factors that do not overflow."""
    product = transposed(x) @ g
    total = s[..., None, :] + s[..., :, None]
    sums = 1 / (total + np.equal(total, 0))
    return _gaps(s, "singular values") * (product - transposed(product)), sums


def _svd_u(g, out, a):
    s, vh = svdvals(a), svd_vh(a)
    turns, sums = _turns(out, g, s)
    part = out @ (turns * (sums * s[..., None, :]))
    if a.shape[-2] > a.shape[-1]:
        part = part + (g - out @ (transposed(out) @ g)) * _inverse(s)[..., None, :]
    return part @ vh


def _svd_vh(g, out, a):
    s, u = svdvals(a), svd_u(a)
    v, g = transposed(out), transposed(g)
    turns, sums = _turns(v, g, s)
    rows, columns = a.shape[-2:]
    # At a singular value of 0 of a square matrix, u may change its sign without v.
    lengths = s * regular(s) if rows == columns else s
    part = (sums * lengths[..., :, None] * turns) @ out
    if columns > rows:
        part = part + transposed((g - v @ (out @ g)) * _inverse(s)[..., None, :])
    return u @ part


def _inverse(s):
    """1/s, and 0 where s is 0 up to rounding."""
    counts = regular(s)
    return counts / (s + (1 - counts))


def _u(a):
    return np.linalg.svd(a, full_matrices=False).U


def _vh(a):
    return np.linalg.svd(a, full_matrices=False).Vh


svd_u: Op = operation(
    "svd_u",
    lambda a: of_finite(_u, a),
    _svd_u,
    symbol="u",
    formula="the left singular vectors u of a, in columns",
    gradient="u ((uᵀg − gᵀu)/(sⱼ² − sᵢ²)) s vᵀ + (1 − u uᵀ) g s⁻¹ vᵀ",
    notes=_ALONE.format("singular values, or of one that is 0,"),
)

svd_vh: Op = operation(
    "svd_vh",
    lambda a: of_finite(_vh, a),
    _svd_vh,
    symbol="vᵀ",
    formula="the right singular vectors v of a, in rows",
    gradient="u s ((vᵀgᵀ − g v)/(sⱼ² − sᵢ²)) vᵀ + u s⁻¹ g (1 − v vᵀ)",
    notes=_ALONE.format("singular values, or of one that is 0,"),
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
    u, vh = svd_u(a), svd_vh(a)
    rows, columns = a.shape[-2:]
    if full_matrices and rows > columns:
        u = np.concatenate([u, completion(a, of="u")], axis=-1)
    if full_matrices and columns > rows:
        vh = np.concatenate([vh, completion(a, of="vh")], axis=-2)
    return SVDResult(u, svdvals(a), vh)


def _qr_rule(a, q, r, inner, g=0):
    """(g + q m) r⁻ᵀ, where m is the symmetric matrix with this lower triangle."""
    n = inner.shape[-1]
    counts = regular(np.abs(np.diagonal(r, axis1=-2, axis2=-1)), what="diagonal element of r")
    r = r / np.prod(counts, axis=-1)[..., None, None]
    lower, strictly = np.tri(n, dtype=bool), np.tri(n, k=-1, dtype=bool)
    mirrored = inner * lower + transposed(inner * strictly)
    return transposed(solve(r, transposed(g + q @ mirrored)))


def _q(a):
    return np.linalg.qr(a).Q


def _r(a):
    return np.linalg.qr(a).R


qr_q: Op = operation(
    "qr_q",
    lambda a: of_finite(_q, a),
    lambda g, out, a: _qr_rule(a, out, qr_r(a), -transposed(g) @ out, g),
    symbol="q",
    formula="q, orthonormal columns, q r = a",
    gradient="(g + q sym(−gᵀ q)) r⁻ᵀ",
)

qr_r: Op = operation(
    "qr_r",
    lambda a: of_finite(_r, a),
    lambda g, out, a: _qr_rule(a, qr_q(a), out, out @ transposed(g)),
    symbol="r",
    formula="r, upper triangular, q r = a",
    gradient="q sym(r gᵀ) r⁻ᵀ",
)


@composed(np.linalg.qr)
def _qr(a, mode="reduced"):
    """Orthonormal columns and an upper triangular matrix, whose product is the matrix."""
    a = lifted(a)
    if a.ndim < 2 or mode not in ("reduced", "complete", "r"):
        raise TypeError(
            f"qr: needs matrices and mode='reduced', 'complete' or 'r', not an array of shape "
            f"{a.shape} and mode={mode!r}"
        )
    rows, columns = a.shape[-2:]
    left = a[..., :rows] if columns > rows else a
    q, r = qr_q(left), qr_r(left)
    if columns > rows:
        r = np.concatenate([r, transposed(q) @ a[..., rows:]], axis=-1)
    if mode == "complete" and rows > columns:
        below = np.zeros((*a.shape[:-2], rows - columns, columns), r.dtype)
        q = np.concatenate([q, completion(a, of="q")], axis=-1)
        r = np.concatenate([r, below], axis=-2)
    return r if mode == "r" else QRResult(q, r)


def _rank(A, tol=None, hermitian=False, rtol=None):
    if not np.isfinite(A).all():
        raise np.linalg.LinAlgError("a matrix with NaN or infinity has no rank")
    return np.linalg.matrix_rank(A, tol, hermitian, rtol=rtol)


rank: Op = operation(
    "matrix_rank",
    _rank,
    numpy=(np.linalg.matrix_rank,),
    arity=1,
    symbol="rank",
    formula="rank a",
)


def _rounding(shape, dtype):
    """The relative size below which a singular value is rounding."""
    return max(*shape[-2:], 100) * np.finfo(dtype).eps


def _pinv_rule(g, out, a, rcond=None):
    if rcond is not None and np.max(rcond, initial=0) > _rounding(a.shape, out.dtype):
        return _truncated_rule(g, a, rcond)
    g = g * np.sign(np.sum(regular(svdvals(a)), axis=-1))[..., None, None]
    p, t, m, n = out, transposed(out), a.shape[-2], a.shape[-1]
    g_t = transposed(g)
    return (
        -t @ g @ t
        + (np.eye(m, dtype=a.dtype) - a @ p) @ g_t @ p @ t
        + t @ p @ g_t @ (np.eye(n, dtype=a.dtype) - p @ a)
    )


def _truncated_rule(g, a, rcond):
    """The gradient where singular values that are not 0 may be left out."""
    u, s, vh, g = svd_u(a), svdvals(a), svd_vh(a), transposed(g)
    kept = s > np.asarray(rcond)[..., None] * np.max(s, axis=-1, keepdims=True, initial=0)
    f = np.where(kept, 1 / np.where(kept, s, 1), 0)
    row, column = (..., slice(None), None), (..., None, slice(None))
    one_kept = np.not_equal(kept[row], kept[column])
    gap = np.abs((s[row] - s[column]) * (s[row] + s[column]))
    w = np.where(one_kept, 1 / np.where(one_kept, gap, 1), 0)
    inner = transposed(u) @ g @ transposed(vh)
    mixed = w * (f[row] * s[column] + s[row] * f[column]) - f[row] * f[column]
    part = u @ (w * inner + mixed * transposed(inner)) @ vh
    if a.shape[-2] > a.shape[-1]:
        v = transposed(vh)
        part = part + (g - u @ (transposed(u) @ g)) @ (v * np.square(f)[column]) @ vh
    if a.shape[-1] > a.shape[-2]:
        part = part + u @ (np.square(f)[row] * (transposed(u) @ (g - g @ transposed(vh) @ vh)))
    return part


pinv: Op = operation(
    "pinv",
    lambda a, rcond=None: of_finite(np.linalg.pinv, a, rcond, core=2),
    _pinv_rule,
    symbol="pinv",
    formula="a⁺",
    gradient="−a⁺ᵀ g a⁺ᵀ + (1 − a a⁺) gᵀ a⁺ a⁺ᵀ + a⁺ᵀ a⁺ gᵀ (1 − a⁺ a)",
    notes="For a constant rank (Golub and Pereyra 1973); a warning if the rank is not full. If "
    "`rcond` leaves out singular values that are not 0, from the singular vectors.",
)


@composed(np.linalg.pinv)
def _pinv(a, rcond=None, hermitian=False, *, rtol=np._NoValue):
    """The pseudoinverse, without singular values of at most rtol times the largest."""
    a = lifted(a)
    if rtol is not np._NoValue:
        if rcond is not None:
            raise ValueError("pinv: pass rtol= or rcond=, not both")
        rcond = _relative(a) if rtol is None else rtol
    if hermitian:
        a = np.tril(a) + transposed(np.tril(a, -1))
    return pinv(a) if rcond is None else pinv(a, rcond=rcond)


def _relative(a):
    return max(a.shape[-2:]) * float(np.finfo(a.dtype if a.dtype.kind == "f" else float).eps)


@composed(np.linalg.lstsq)
def _lstsq(a, b, rcond=None):
    """The shortest x with the least ‖a x − b‖, the squares of these, the rank, singular values."""
    a, b = lifted(a), lifted(b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise np.linalg.LinAlgError(
            f"lstsq: needs a matrix and a vector or matrix with as many rows, not arrays of shape "
            f"{a.shape} and {b.shape}"
        )
    rows, columns = a.shape
    if rcond is None or rcond == -1:
        rcond = _relative(a) / (1 if rcond is None else max(a.shape))
    x, order = pinv(a, rcond=rcond) @ b, rank(a, rtol=rcond)
    # While tracing, the rank is not known, and taken to be full.
    if rows > columns and (order.always_recorded or int(order.array) == columns):
        residuals = np.atleast_1d(np.sum(np.square(b - a @ x), axis=0))
    else:
        residuals = lifted(np.zeros(0, x.dtype))
    return x, residuals, order, svdvals(a)
