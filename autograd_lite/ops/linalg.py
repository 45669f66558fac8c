"""Inverses, linear systems and determinants."""

from math import isfinite
from typing import Any

import numpy as np

from autograd_lite.broadcasting import warn
from autograd_lite.op import REFUSED, Op, operation
from autograd_lite.ops.composition import composed
from autograd_lite.ops.products import fitted, transposed

# Reverse rules after Giles, "An extended collection of matrix derivative results" (2008).


def _each(g):
    """One number for each matrix of a stack, with two axes added for broadcasting."""
    return g[..., None, None]


def of_finite(function: Any, a: Any, *others: Any, core: Any = None, read: Any = "") -> Any:
    """The function of each matrix; NaN for a matrix with a NaN or an infinity.

    LAPACK returns finite numbers for some of these, and does not return at all for others.

    Args:
        function: of a stack of matrices and of the others.
        core: the number of axes of the result for one matrix; by default 2, or 1 as those of a
            vector b in a x = b.
        read: "L" or "U" if only this triangle is read.
    """
    a = np.asarray(a)
    flat = a.ravel("K")
    # The sum of squares is the fastest test. Where it overflows, the elements decide.
    if isfinite(np.vdot(flat, flat)) or a.ndim < 2:
        return function(a, *others)
    part = a if not read else np.tril(a) if read in "Ll" else np.triu(a)
    finite = np.isfinite(part).all(axis=(-2, -1))
    if finite.all():
        return function(a, *others)
    regular = np.eye(*a.shape[-2:], dtype=a.dtype)
    result = function(np.where(finite[..., None, None], a, regular), *others)
    if core is None:
        core = 1 if others and np.ndim(others[0]) == 1 else 2
    return np.where(np.reshape(finite, finite.shape + (1,) * core), result, np.nan)[()]


inv: Op = operation(
    "inv",
    lambda a: of_finite(np.linalg.inv, a),
    lambda g, out, a: -transposed(out) @ g @ transposed(out),
    reads="out",
    numpy=(np.linalg.inv,),
    symbol="inv",
    formula="a⁻¹",
    gradient="−a⁻ᵀ g a⁻ᵀ",
)


class DegenerateWarning(RuntimeWarning):
    """Equal eigenvalues or singular values, or a lower rank: a derivative does not exist."""


def _regular(s, what="singular value"):
    """1 for each length that is not 0, 0 for the others, with a warning that names them."""
    n = s.shape[-1]
    least = max(n, 100) * np.finfo(s.dtype).eps * np.max(s, axis=-1, initial=0)
    zero = s <= least[..., None]
    if np.any(zero):
        places = np.argwhere(zero)
        *stack, k = places[0].tolist()
        more = f", and so are {len(places) - 1} more" if len(places) > 1 else ""
        warn(
            f"{what} {k}{f' of matrix {tuple(stack)}' if stack else ''} is 0 up to rounding"
            f"{more}; where the rank may change, a pseudoinverse, QR factors and the singular "
            "vectors of 0 have a derivative only along matrices of the same rank; remove the "
            "dependent rows or columns, or add a small multiple of the identity",
            DegenerateWarning,
        )
    return (~zero).astype(s.dtype)


regular: Op = operation(
    "regular",
    _regular,
    arity=1,
    formula="1 for each length that is more than rounding, 0 for the others",
)


def _columns(x, b):
    return x[..., None] if b.ndim == 1 else x


solve: Op = operation(
    "solve",
    lambda a, b: of_finite(np.linalg.solve, a, b),
    lambda s, out, a, b: fitted(-s @ transposed(_columns(out, b)), a.shape),
    lambda s, out, a, b: fitted(s[..., 0] if b.ndim == 1 else s, b.shape),
    shared=lambda g, out, a, b: solve(transposed(a), _columns(g, b)),
    reads=("out a b", "a b"),
    numpy=(np.linalg.solve,),
    symbol="solve",
    formula="x = a⁻¹ b",
    gradient="−(a⁻ᵀ g) xᵀ, a⁻ᵀ g",
    notes="A 1-d b is a vector, any other b a stack of matrices.",
)


def _inverse(a, det, power):
    """The inverse, and the matrices whose derivatives must be computed from singular values.

    For the others, det(a) times a product of so many inverses has half the digits or more.
    """
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        inverse = np.full_like(a, np.inf)
    limits, size = np.finfo(a.dtype), np.abs(det)
    lengths = (np.einsum("...ij,...ij", x, x) for x in (a, inverse))
    squared_condition = np.multiply(*lengths)
    regular = squared_condition <= limits.eps ** (-1 / power)
    regular &= (limits.tiny <= size) & (size < np.inf)
    if regular.all():
        return inverse, ~regular
    finite = np.all(np.isfinite(a), axis=(-2, -1))
    return np.where(_each(finite), inverse, a.dtype.type(np.nan)), finite & ~regular


def _others(d, count):
    """The products of all elements except those at some indices; 0 if two indices are equal."""
    n = d.shape[-1]
    for _ in range(count - 1):
        d = np.where(np.eye(n, dtype=bool), d.dtype.type(1), d[..., None, :])
    one = np.ones_like(d[..., :1])
    before = np.cumprod(np.concatenate([one, d[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([one, d[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    places = np.indices((n,) * count)
    equal = [places[i] == places[j] for j in range(count) for i in range(j)]
    return before * after * ~np.any(equal, axis=0)


def _along_diagonal(d, directions):
    """The cofactors of diag(d), or their derivative along directions.

    They are a sum over the permutations of the indices, each with the product of all other elements
    of d.
    """
    count = len(directions) + 1
    places = "ijklmnopqrstuvw"[:count]
    others = _others(d, count)
    made = np.zeros(d.shape + d.shape[-1:], d.dtype)
    for to in np.ndindex((count,) * count):
        if len(set(to)) < count:
            continue
        sign = np.linalg.det(np.eye(count)[list(to)]).round().astype(d.dtype)
        factors = [f"...{places[m]}{places[to[m]]}" for m in range(1, count)]
        read = ",".join([f"...{places}", *factors])
        part = sign * np.einsum(f"{read}->...i{places[to[0]].strip('i')}", others, *directions)
        made = made + (part if to[0] else np.eye(d.shape[-1], dtype=d.dtype) * part[..., None])
    return made


def _from_singular_values(arrays):
    """The cofactors of a, or their derivative along directions; they need no inverse."""
    *directions, a = arrays
    u, d, vh = np.linalg.svd(a)
    turned = [np.swapaxes(u, -1, -2) @ x @ np.swapaxes(vh, -1, -2) for x in directions]
    return _each(np.linalg.slogdet(u @ vh).sign) * (u @ _along_diagonal(d, turned) @ vh)


def _cofactors(a, det):
    inverse, singular = _inverse(a, det, 1)
    made = _each(det) * np.swapaxes(inverse, -1, -2)
    if singular.any():
        made[singular] = _from_singular_values([a[singular]])
    return made


def _cofactors_along(arrays):
    *directions, a = arrays
    det = np.linalg.det(a)
    inverse, singular = _inverse(a, det, len(arrays))
    # The cofactors of a + v are the cofactors of a times those of 1 + a⁻¹ v.
    turned = [inverse @ x for x in directions]
    along = _along_diagonal(np.ones(a.shape[:-1], a.dtype), turned)
    made = _each(det) * np.swapaxes(inverse, -1, -2) @ along
    if singular.any():
        made[singular] = _from_singular_values([x[singular] for x in arrays])
    return made


def _cofactors_along_rule(g, out, *arrays, k):
    *directions, a = arrays
    directions[k : k + 1] = [g]
    return cofactors_along([*directions, a])


cofactors_along: Op = operation(
    "cofactors_along",
    _cofactors_along,
    _cofactors_along_rule,
    arity=None,
    symbol="∂cof",
    formula="the derivative of the cofactors of the last matrix along the others",
    gradient="the same along g, in place of a direction or in addition",
    notes="For nearly singular matrices, from products of singular values.",
)

cofactors: Op = operation(
    "cofactors",
    _cofactors,
    lambda g, out, a, det: cofactors_along([g, a]),
    None,
    reads="a",
    symbol="cof",
    formula="det(a) a⁻ᵀ, the cofactors, where det a is known",
    gradient="the derivative along g (⟨g, c⟩ a⁻ᵀ − c gᵀ a⁻ᵀ), none",
    notes="The gradient of the determinant; for nearly singular matrices, from products of "
    "singular values.",
)

operation(
    "det",
    lambda a: of_finite(np.linalg.det, a, core=0),
    lambda g, out, a: _each(g) * cofactors(a, out),
    numpy=(np.linalg.det,),
    symbol="det",
    formula="det a",
    gradient="g det(a) a⁻ᵀ",
    notes="From the cofactors, also for singular matrices.",
)


def _sign(a):
    return np.linalg.slogdet(a).sign


def _log_abs(a):
    return np.linalg.slogdet(a).logabsdet


det_sign: Op = operation(
    "det_sign",
    lambda a: of_finite(_sign, a, core=0),
    arity=1,
    symbol="sign det",
    formula="sign det a",
)

log_abs_det: Op = operation(
    "log_abs_det",
    lambda a: of_finite(_log_abs, a, core=0),
    lambda g, out, a: _each(g) * transposed(inv(a)),
    reads="a",
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
    np.linalg.cond: "use the quotient of the first and the last of np.linalg.svdvals(a)",
    np.linalg.tensorinv: "use np.linalg.inv of the array reshaped to a matrix",
    np.linalg.tensorsolve: "use np.linalg.solve of the array reshaped to a matrix",
}
