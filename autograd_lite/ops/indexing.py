"""Indexing, and its inverse: addition at indices."""

from typing import Any

import numpy as np

from autograd_lite.core.sweep import fitted
from autograd_lite.core.tensor import Value
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


def _add_each_at(parts, keys=(), shape=()):
    total = np.zeros(shape, np.result_type(*parts))
    for part, key in zip(parts, keys, strict=True):
        if _basic(key):
            total[key] += part
        else:
            np.add.at(total, key, part)
    return total[()]


add_each_at: Op = operation(
    "add_each_at",
    _add_each_at,
    lambda g, out, *parts, k, keys=(), shape=(): g[keys[k]],
    reads="",
    arity=None,
    formula="zeros of a shape, with each part added at its index",
    gradient="g at the index of the part",
)


def _gathered(total, x, edges):
    """The gradient of an array of which several elements or parts were taken, in linear time."""
    parts: list[Any] = []
    keys: list[Any] = []
    for g, node in edges:
        key = node.attributes.get("key", ())
        if keys and type(key) is type(keys[-1]) is int and key == keys[-1]:
            parts[-1] = parts[-1] + g
        else:
            parts.append(g)
            keys.append(key)
    if len(parts) == 1:
        part = add_at(parts[0], key=keys[0], shape=x.form.shape)
    else:
        part = add_each_at(parts, keys=_as_range(keys), shape=x.form.shape)
    part = fitted(part, edges[0][1], x)
    if isinstance(part, Value):  # it belongs to the line of the indexing, where lines are recorded
        part.node.line = getattr(edges[0][1], "line", None)
    return part if total is None else total + part


def _as_range(keys):
    """Integers at equal distances as a range, other keys as a tuple."""
    if all(type(key) is int for key in keys):
        step = keys[1] - keys[0]
        found = range(keys[0], keys[0] + step * len(keys), step) if step else ()
        if [*found] == keys:
            return found
    return tuple(keys)


operation(
    "getitem",
    lambda a, key=(): a[key],
    lambda g, out, a, key=(): add_at(g, key=key, shape=a.shape),
    reads="",
    gather=_gathered,
    chooses=True,
    symbol="[ ]",
    precedence=90,
    formula="a[key]",
    gradient="zeros, with g added at the key; repeated indices add up",
    rows="moved",
)
