"""Derivatives along directions in long double, by Taylor arithmetic of its own."""

from __future__ import annotations

import numpy as np


class Jet:
    """A function and its two derivatives along lines, which the first axis of these counts."""

    __array_ufunc__ = None

    def __init__(self, value, first, second):
        self.value, self.first, self.second = value, first, second

    def through(self, f, d, d2):
        """A function of one number, given its value and two derivatives here."""
        return Jet(f, d * self.first, d2 * self.first * self.first + d * self.second)

    def linear(self, f):
        return Jet(f(self.value), f(self.first), f(self.second))

    def __add__(self, other):
        a, b = self, lifted(other, self)
        return Jet(added(a.value, b.value), aligned(a, b) + aligned(b, a), _seconds(a, b))

    def __mul__(self, other):
        a, b = self, lifted(other, self)
        da, db = aligned(a, b), aligned(b, a)
        second = a.value * _second(b, a) + 2 * da * db + b.value * _second(a, b)
        return Jet(a.value * b.value, a.value * db + b.value * da, second)

    def __neg__(self):
        return self.linear(np.negative)

    def __sub__(self, other):
        return self + (-lifted(other, self))

    def __truediv__(self, other):
        x = lifted(other, self)
        return self * x.through(1 / x.value, -1 / x.value**2, 2 / x.value**3)

    def __pow__(self, n):
        x = self.value
        return self.through(x**n, n * x ** (n - 1), n * (n - 1) * x ** max(n - 2, 0))

    def __rmatmul__(self, matrix):
        wide = np.asarray(matrix, np.longdouble)
        return self.linear(lambda x: (wide * x[..., None, :]).sum(-1))

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return lifted(other, self) / self

    __radd__, __rmul__ = __add__, __mul__


def added(a, b):
    """The sum; NaN where the two cancel so far that fewer than seven digits are left."""
    total = a + b
    lost = (total != 0) & (np.abs(total) < 1e-12 * np.maximum(np.abs(a), np.abs(b)))
    return np.where(lost, np.nan, total)


def lifted(x, like):
    """A number as a jet with derivatives 0."""
    if isinstance(x, Jet):
        return x
    wide = np.asarray(x, np.longdouble)
    nothing = np.zeros((len(like.first), *wide.shape), np.longdouble)
    return Jet(wide, nothing, nothing)


def _spread(x, ndim):
    return x.reshape(len(x), *(1,) * (ndim - x.ndim + 1), *x.shape[1:])


def aligned(a, b):
    return _spread(a.first, max(a.value.ndim, b.value.ndim))


def _second(a, b):
    return _spread(a.second, max(a.value.ndim, b.value.ndim))


def _seconds(a, b):
    return _second(a, b) + _second(b, a)


def exp(x):
    e = np.exp(x.value)
    return x.through(e, e, e)


def log(x):
    return x.through(np.log(x.value), 1 / x.value, -1 / x.value**2)


def log1p(x):
    return x.through(np.log1p(x.value), 1 / (1 + x.value), -1 / (1 + x.value) ** 2)


def sqrt(x):
    root = np.sqrt(x.value)
    return x.through(root, 1 / (2 * root), -1 / (4 * root * x.value))


def tanh(x):
    t = np.tanh(x.value)
    derivative = 1 / np.cosh(x.value) ** 2
    return x.through(t, derivative, -2 * t * derivative)


def _logistic(z):
    decay = np.exp(-np.abs(z))
    return np.where(z > 0, 1, decay) / (1 + decay)


def sigmoid(x):
    s, rest = _logistic(x.value), _logistic(-x.value)
    return x.through(s, s * rest, -s * rest * np.tanh(x.value / 2))


def softplus(x):
    z = x.value
    s, rest = _logistic(z), _logistic(-z)
    return x.through(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), s, s * rest)


def total(x, axis=None, keepdims=False):
    """The sum over all axes, or over negative ones."""
    axes = tuple(range(-x.value.ndim, 0)) if axis is None else axis
    return x.linear(lambda y: np.sum(y, axis=axes, keepdims=keepdims))


def mean(x, axis=None, keepdims=False):
    found = total(x, axis, keepdims)
    return found * (np.longdouble(found.value.size) / x.value.size)


NAMES = {
    **{f.__name__: f for f in (exp, log, log1p, sqrt, tanh, sigmoid, softplus, mean)},
    "sum": total,
}


def derivatives(function, arrays, direction):
    """The value of a function, its gradients and the product of its Hessian with a direction.

    The Hessian is taken apart by h″(v + e) − h″(v − e) = 4 v·He along lines.
    """
    sizes = [np.size(x) for x in arrays]
    v = np.concatenate([np.ravel(x) for x in direction]).astype(np.longdouble)
    basis = np.eye(sum(sizes), dtype=np.longdouble)
    lines = np.concatenate([basis, v + basis, v - basis])
    parts = np.split(lines, np.cumsum(sizes)[:-1], axis=1)
    jets = [
        Jet(
            wide,
            part.reshape(len(lines), *wide.shape),
            np.zeros((len(lines), *wide.shape), wide.dtype),
        )
        for x, part in zip(arrays, parts, strict=True)
        for wide in [np.asarray(x, np.longdouble)]
    ]
    out = function(*jets)
    n = len(v)
    product = (out.second[n : 2 * n] - out.second[2 * n :]) / 4

    def cut(flat):
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        return [part.reshape(np.shape(x)) for part, x in zip(parts, arrays, strict=True)]

    return out.value, cut(out.first[:n]), cut(product)
