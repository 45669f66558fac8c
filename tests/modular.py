"""Expressions modulo a large prime: two that differ, differ at nearly every point.

By the lemma of Schwartz and Zippel a polynomial of degree d that is not 0 is 0 at a random point
with probability d / P. No rounding blurs what differs by little. A quotient is a product with the
inverse, and log, √ and the like are hashed from what they are taken of.

Half of the residues are called positive, so that |x|, max and x > y mean something, and
exp(−z) = 1 / exp z and σ(−z) = 1 − σ(z) hold.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np

P = 2**61 - 1


def residue(x):
    """A number as a residue; a float is the fraction that it is."""
    if isinstance(x, (bool, np.bool_)):
        return int(x)
    if isinstance(x, (int, np.integer)):
        return int(x) % P
    exact = Fraction(float(x))
    return exact.numerator * pow(exact.denominator, -1, P) % P


def residues(x):
    """An array of residues, which NumPy holds as objects."""
    x = np.asarray(x)
    if x.dtype == object or x.dtype.kind == "b":
        return x
    return elementwise(residue)(x)


def drawn(random, shape):
    """Random residues."""
    return residues(random.integers(1, P, shape))


def elementwise(f):
    """A function of residues for arrays of them."""
    of_arrays = np.frompyfunc(f, f.__code__.co_argcount, 1)
    return lambda *x: np.asarray(of_arrays(*x), object)


def positive(x):
    return 0 < x % P <= P // 2


def opaque(name):
    """A function of which nothing is known but that it is one."""

    def hashed(x):
        return int.from_bytes(hashlib.blake2b(f"{name} {x}".encode(), digest_size=7).digest())

    return hashed


_exp, _log1p, _tanh = map(opaque, ("exp", "log1p", "tanh"))


def inverse(x):
    return pow(x, -1, P)


def exp(x):
    return _exp(x) if positive(x) else inverse(_exp(-x % P))


def absolute(x):
    return x if positive(x) else -x % P


def maximum(x, y):
    return x if positive(x - y) else y


def softplus(x):
    return (maximum(x, 0) + _log1p(exp(-absolute(x) % P))) % P


def sigmoid(x):
    return inverse((1 + exp(-x % P)) % P)


def power(x, n):
    return pow(x, n if n <= P // 2 else n - P, P)


def modulo(f):
    """One of NumPy's functions, in exact whole numbers and then as residues."""
    reduced = np.frompyfunc(lambda x: x % P, 1, 1)
    return lambda *args, **keywords: np.asarray(reduced(f(*args, **keywords)), object)


def whole(x):
    """Residues as numbers that NumPy adds and multiplies, masks among them."""
    return x.astype(object) if isinstance(x, np.ndarray) and x.dtype.kind == "b" else x


def arithmetic(f):
    return modulo(lambda *args, **keywords: f(*map(whole, args), **keywords))


FUNCTIONS = {
    "np.add": arithmetic(np.add),
    "np.subtract": arithmetic(np.subtract),
    "np.multiply": arithmetic(np.multiply),
    "np.negative": arithmetic(np.negative),
    "np.square": arithmetic(np.square),
    "np.matmul": arithmetic(np.matmul),
    ".dot": arithmetic(np.dot),
    "np.add.reduce": arithmetic(np.add.reduce),
    "np.mean": lambda x, **how: FUNCTIONS["np.divide"](
        FUNCTIONS["np.add.reduce"](x, **{"axis": None, **how}),
        x.size // np.add.reduce(x, **{"axis": None, **how, "keepdims": True}).size,
    ),
    "np.divide": elementwise(lambda x, y: x * inverse(y) % P),
    "np.reciprocal": elementwise(inverse),
    "np.power": elementwise(power),
    "np.absolute": elementwise(absolute),
    "np.copysign": elementwise(lambda x, y: absolute(x) if positive(y) else -absolute(x) % P),
    "np.maximum": elementwise(maximum),
    "np.greater": lambda x, y: elementwise(lambda x, y: positive(x - y))(x, y).astype(bool),
    "np.logaddexp": elementwise(lambda x, y: (y + softplus((x - y) % P)) % P),
    "np.exp": elementwise(exp),
    "np.log1p": elementwise(lambda x: _log1p(x)),
    "np.tanh": elementwise(lambda x: _tanh(x) if positive(x) else -_tanh(-x % P) % P),
    "sigmoid": elementwise(sigmoid),
    "softplus": elementwise(softplus),
    **{f"np.{name}": elementwise(opaque(name)) for name in ("log", "sqrt", "sin", "cos")},
    "np.where": np.where,
    ".T": lambda x: x.T,
    ".astype": lambda x, dtype: whole(x),
    "[]": lambda x, key: np.asarray(x[key], object),
    **{
        f"np.{name}": getattr(np, name)
        for name in ("broadcast_to", "expand_dims", "reshape", "squeeze", "swapaxes", "transpose")
    },
}
"""What the compiler's calls are on arrays of residues."""
