"""Indexing, and its inverse: addition at indices."""

import numpy as np

from autograd_lite.op import Op, operation


def _basic(key):
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice))
        for part in parts
    ) and not any(isinstance(part, (bool, np.bool_)) for part in parts)


def _add_at(g, key=(), shape=()):
    total = np.zeros(shape, np.asarray(g).dtype)
    if _basic(key):
        total[key] = g
    else:
        np.add.at(total, key, g)
    return total


add_at: Op = operation(
    "add_at",
    _add_at,
    lambda g, out, x, key=(), shape=(): g[key],
    reads="",
    formula="zeros of a shape, with g added at an index",
    gradient="g at that index",
)

operation(
    "getitem",
    lambda a, key=(): a[key],
    lambda g, out, a, key=(): add_at(g, key=key, shape=a.shape),
    reads="",
    chooses=True,
    symbol="[ ]",
    precedence=90,
    formula="a[key]",
    gradient="zeros, with g added at the key; repeated indices add up",
    rows="moved",
)
