"""Symbols that a derivation introduces: selection matrices, unit vectors and constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from autograd_lite.derivation.tree import (
    UNIT,
    Tree,
    indices,
    is_product,
    one_end,
    outer,
    unsigned,
)
from autograd_lite.text import number, subscript

__all__ = ["Symbols", "value"]

FEW = 12
"""Arrays of more numbers are not written out."""

ONES = Tree("symbol", (), (0,), "𝟏")

SCATTER = "scatter(g, i) adds the numbers of g to zeros, at the places i along an axis"


class Symbols:
    """Writes formulas without index arrays, and explains the symbols that take their place.

    `x[[0, 3]]` is a product S x with a selection matrix S. Its gradient is added back to the places
    by Sᵀ. A gradient at one index is a multiple of a unit vector e.

    Args:
        taken: names in use.
        unnamed: the name and the array of each constant without a name, by its position.
    """

    def __init__(
        self, taken: Iterable[str] = (), unnamed: Mapping[int, tuple[str, Any]] | None = None
    ) -> None:
        self.taken = set(taken)
        self.unnamed = unnamed or {}
        self.notes: dict[str, str] = {}
        """What each symbol is, once it has been used."""
        self.arrays: dict[str, Any] = {}
        """The matrices, vectors and constants by name."""
        self._names: dict[Any, str] = {}
        self._keys: dict[int, dict[str, Any]] = {}
        self._unit = next(u for u in _letters("e") if not any(t.startswith(u) for t in self.taken))

    def readable(self, tree: Tree) -> Tree:
        """The formula without index arrays; itself if there are none."""
        if tree.kind == "call" and tree.data == "equal" and _is_identity(*tree.args):
            return Tree("eye", (), tree.axes)
        args = tuple(map(self.readable, tree.args))
        if any(new is not old for new, old in zip(args, tree.args, strict=True)):
            grown = any(
                is_product(new) > is_product(a) for new, a in zip(args, tree.args, strict=True)
            )
            data = None if grown and tree.data == "plain" else tree.data
            tree = replace(tree, args=args, data=data)
        if tree.kind == "node" and tree.data in self.unnamed:
            self._explain(*self.unnamed[tree.data])
        if tree.op == "array":
            return self._constant(tree)
        if tree.op == "getitem":
            return self._selected(tree)
        if tree.op == "add_at":
            return self._put_back(tree)
        if tree.op == "take_along_axis" and tree.args[1] == _sorting(tree):
            return Tree("call", tree.args[:1], tree.axes, "sort")
        if tree.op == "add_along_axis":
            self.notes["scatter"] = SCATTER
        return _whole_operands(tree) if tree.op else tree

    # Constants

    def _constant(self, tree: Tree) -> Tree:
        array = np.asarray(tree.data[1]["values"])
        letter = "c" if array.ndim < 2 else "C"
        name = self._named((array.dtype.str, array.shape, array.tobytes()), letter, alone=False)
        self._explain(name, array)
        return Tree("symbol", (), tree.axes, name)

    def _explain(self, name: str, array: Any) -> None:
        array = np.asarray(array)
        what = "the constant" if array.size <= FEW else "a constant of"
        self.notes[name] = f"{name} is {what} {value(array)}"
        self.arrays[name] = array

    def _named(self, what: Any, letter: str, alone: bool = True) -> str:
        """The name of something, always the same."""
        if what not in self._names:
            numbered = (letter + subscript(k) for k in count(1 + alone))
            names = ([letter] if alone else []), numbered
            name = next(n for group in names for n in group if n not in self.taken)
            self.taken.add(name)
            self._names[what] = name
        return self._names[what]

    # Indices

    def _selected(self, tree: Tree) -> Tree:
        """x[key] for an index array."""
        op, attributes, size, (shape,) = tree.data
        (x,), key = tree.args, attributes.get("key", ())
        if all(map(_is_basic, _parts(key))):
            return tree
        key = _simple(key, shape)
        if _is_index(key):
            simple = self._keys.setdefault(id(attributes), {"key": key})
            return replace(tree, data=(op, simple, size, (shape,)))
        along = _one_axis(key, shape)
        if along is None:
            return Tree("applied", (self._map(key, shape), x), tree.axes)
        axis, places = along
        S = self._matrix(places, shape[axis])
        return Tree("matmul", (x, _turned(S)) if axis else (S, x), tree.axes)

    def _put_back(self, tree: Tree) -> Tree:
        """Zeros to which g is added at an index; a factor of g stands in front."""
        _, attributes, shape, _ = tree.data
        (g,), key = tree.args, attributes.get("key", ())
        fills = g.kind in ("number", "broadcast")
        if len(shape) <= 2 and not fills and one_end(key, shape) is not None:
            return tree
        negative, g = unsigned(g)
        if negative:
            found = self._put_back(replace(tree, args=(g,)))
            return Tree("neg", (found,), found.axes)
        if g.kind == "scaled":
            found = self._put_back(replace(tree, args=g.args[1:]))
            return Tree("scaled", (g.args[0], found), found.axes)
        return self._added(tree, _simple(key, shape), g)

    def _added(self, tree: Tree, key: Any, g: Tree) -> Tree:
        _, _, shape, (given,) = tree.data
        parts = _whole(key, shape)
        if parts is not None and all(map(_is_whole, parts, shape)):
            return g
        filled = _filled(g, given)
        if filled is not g and filled.kind == "scaled":
            found = self._added(replace(tree, args=filled.args[1:]), key, filled.args[1])
            return Tree("scaled", (filled.args[0], found), found.axes)
        g = filled
        ends = _places(key, shape)
        if ends is not None and len(shape) <= 2 and 1 not in shape:
            units = [self._vector(k, n) for k, n in zip(ends, shape, strict=True) if k is not None]
            if len(units) == len(shape):
                unit = outer(*units) if len(units) == 2 else units[0]
                return _times(g, unit, tree.axes)
            return outer(g, units[0]) if ends[0] is None else outer(units[0], g)
        along = _one_axis(key, shape)
        if along is None:
            return Tree("applied", (_turned(self._map(key, shape)), g), tree.axes)
        axis, places = along
        S = self._matrix(places, shape[axis])
        return Tree("matmul", (g, S) if axis else (_turned(S), g), tree.axes)

    def _vector(self, k: int, n: int) -> Tree:
        name = self._unit + subscript(k)
        self.notes[self._unit] = f"{self._unit}ₖ is 1 at index k, counted from 0, and 0 elsewhere"
        self.arrays[f"{name} {n}"] = np.eye(n)[k]
        return Tree("symbol", (), (0,), name)

    def _matrix(self, places: Any, n: int) -> Tree:
        name = self._named(("matrix", places.tobytes(), n), "S")
        self.arrays[name] = np.eye(n)[places]
        self._explain_selection(name, f", {len(places)} × {n},", _listed(places))
        return Tree("symbol", (), (0, 1), name)

    def _map(self, key: Any, shape: tuple[int, ...]) -> Tree:
        places = np.atleast_1d(np.arange(np.prod(shape, dtype=int)).reshape(shape)[key])
        name = self._named(("map", places.shape, places.tobytes(), shape), "S")
        size = f", with a {' × '.join(map(str, places.shape))} result," * (places.ndim > 1)
        if len(shape) > 1:
            places = np.stack(np.unravel_index(places.ravel(), shape), axis=-1)
        self._explain_selection(name, size, _listed(places))
        return Tree("symbol", (), (0, 1), name)

    def _explain_selection(self, name: str, size: str, places: str) -> None:
        self.notes[name] = (
            f"{name}{size} selects the places {places}, counted from 0; "
            f"{name}ᵀ adds back to these places"
        )


def _letters(first: str) -> Iterator[str]:
    yield first
    yield from "uvdqrs"
    yield from (first * k for k in count(2))


def _is_identity(labels: Tree, places: Tree) -> bool:
    """Whether 1[labels = places] is the identity matrix."""
    while labels.kind == "axes":
        (labels,) = labels.args
    while places.kind == "axes":
        (places,) = places.args
    if labels.op != "array" or places.op != "arange":
        return False
    values = labels.data[1]["values"]
    return values.ndim == 1 and np.array_equal(values, np.arange(places.data[1]["n"]))


def _sorting(tree: Tree) -> Tree:
    """The indices that sort the first operand along its only axis."""
    x, by = tree.args
    return by if by.op == "argsort" and by.args == (x,) and len(tree.axes) == 1 else x


def _turned(tree: Tree) -> Tree:
    return Tree("T", (tree,), tree.axes[::-1])


def _times(g: Tree, unit: Tree, axes: Any) -> Tree:
    """A number times a unit vector or matrix."""
    if g == UNIT:
        return unit
    return Tree("scaled" if g.kind in ("number", "add") else "mul", (g, unit), axes, "plain")


def _whole_operands(tree: Tree) -> Tree:
    """A function of arrays; a number that fills one is a multiple of 𝟏."""
    args = tuple(map(_filled, tree.args, tree.data[3])) if tree.args else ()
    if all(new is old for new, old in zip(args, tree.args, strict=True)):
        return tree
    return replace(tree, args=args)


def _filled(g: Tree, shape: tuple[int, ...]) -> Tree:
    """A number or a vector that fills an array, as a multiple of 𝟏."""
    inner = g.args[0] if g.kind == "broadcast" else g
    while inner.kind == "axes" and not inner.real:
        (inner,) = inner.args
    if len(shape) not in (1, 2) or all(n == 1 for n in shape):
        return g
    if not inner.real:
        ones = ONES if len(shape) == 1 else Tree("spread", (ONES,), (0, 1))
        ones = _turned(ONES) if shape[0] == 1 else ONES if shape[-1] == 1 else ones
        return _times(inner, ones, ones.axes)
    if g.kind == "broadcast" and len(indices(inner.axes)) == 1 and len(shape) == 2:
        return (
            outer(ONES, inner) if inner.axes[-1] is not None else Tree("spread", (inner,), g.axes)
        )
    return g


# Keys


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _is_index(part: Any) -> bool:
    return isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_))


def _is_basic(part: Any) -> bool:
    return part is None or part is Ellipsis or isinstance(part, slice) or _is_index(part)


def _whole(key: Any, shape: tuple[int, ...]) -> list[Any] | None:
    """One part of a key for each axis; None if it adds axes or its parts take several."""
    parts = list(_parts(key))
    if any(p is None or isinstance(p, (bool, np.bool_)) for p in parts):
        return None
    if any(not _is_basic(p) and np.ndim(p) != 1 for p in parts):
        return None
    dots = [k for k, p in enumerate(parts) if p is Ellipsis]
    missing = len(shape) - len(parts) + len(dots)
    gap = dots[0] if dots else len(parts)
    parts[gap : gap + len(dots)] = [slice(None)] * missing
    return parts


def _places(key: Any, shape: tuple[int, ...]) -> list[int | None] | None:
    """The index along each axis, None for a whole axis; None for a key of another kind."""
    parts = _whole(key, shape)
    if parts is None or not any(map(_is_index, parts)):
        return None
    ends = list(zip(parts, shape, strict=True))
    if not all(_is_index(p) or _is_whole(p, n) for p, n in ends):
        return None
    return [int(p) % n if _is_index(p) else None for p, n in ends]


def _one_axis(key: Any, shape: tuple[int, ...]) -> tuple[int, Any] | None:
    """The axis of a vector or matrix along which a key selects, and the places there."""
    parts = _whole(key, shape)
    if parts is None or len(shape) > 2 or any(map(_is_index, parts)):
        return None
    cut = [k for k, n in enumerate(shape) if not _is_whole(parts[k], n)]
    if len(cut) != 1:
        return None
    (axis,) = cut
    part = parts[axis]
    return axis, np.arange(shape[axis])[part if isinstance(part, slice) else np.asarray(part)]


def _simple(key: Any, shape: tuple[int, ...]) -> Any:
    """A number for a key that takes one element of a vector."""
    along = _one_axis(key, shape) if len(shape) == 1 else None
    return key if along is None or len(along[1]) != 1 else int(along[1][0])


def _is_whole(part: Any, n: int) -> bool:
    """Whether a part of a key is a whole axis."""
    return isinstance(part, slice) and range(n)[part] == range(n)


# Numbers in words


def value(array: Any) -> str:
    """The numbers of an array, or its shape where it is large."""
    array = np.asarray(array)
    if array.ndim == 0:
        return number(array)
    if array.size > FEW:
        return f"{' × '.join(map(str, array.shape))} numbers"
    return f"({', '.join(map(number if array.ndim == 1 else value, array))})"


def _listed(places: Any) -> str:
    """Places, the first of many; those of each row in parentheses."""
    if places.ndim > 1:
        rows = [f"({_listed(row)})" for row in places[:4]]
        return ", ".join(rows) + ", …" * (len(places) > 4)
    shown = [str(k) for k in places[:8].tolist()]
    return ", ".join(shown) + ", …" * (len(places) > 8)
