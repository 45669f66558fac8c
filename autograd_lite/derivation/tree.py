"""Formulas in matrices, and their elementwise combination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from autograd_lite.derivation.entries import Index
from autograd_lite.op import OPS

__all__ = [
    "Tree",
    "added",
    "along",
    "is_column",
    "is_product",
    "is_range",
    "is_row",
    "one_end",
    "outer",
    "spread",
    "unsigned",
]

Axes = tuple[Index, ...]

ELEMENTWISE = ("add", "neg", "mul", "div", "scaled", "pow", "call")

ATOMS = {"number", "length", "float", "node", "gradient", "eye", "axes", "broadcast"}
"""Kinds of formulas that do not count as operations."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A formula in matrices: its kind, its operands, and the index of each of its axes."""

    kind: str
    args: tuple[Tree, ...] = ()
    axes: Axes = ()
    data: Any = None

    @property
    def op(self) -> str:
        """The name of the operation, if the formula is opaque."""
        return getattr(self.data[0], "name", self.data[0]) if self.kind == "opaque" else ""

    @property
    def real(self) -> frozenset[int]:
        """The indices of the axes longer than one."""
        return frozenset(indices(self.axes))

    def walk(self) -> Iterator[Tree]:
        """The formula and every formula inside it."""
        todo = [self]
        while todo:
            tree = todo.pop()
            yield tree
            todo += tree.args

    def moved(self, to: Mapping[Any, Any]) -> Tree:
        """The formula in other nodes and numbers."""
        args = tuple([arg.moved(to) for arg in self.args])
        data = to[self.data] if self.kind in ("node", "gradient", "float") else self.data
        return Tree(self.kind, args, self.axes, data)

    def operations(self) -> int:
        """The number of operations."""
        return sum(max(1, len(t.args) - 1) for t in self.walk() if t.kind not in ATOMS)

    def gradients(self) -> set[int]:
        """The nodes whose gradients occur."""
        return {t.data for t in self.walk() if t.kind == "gradient"}

    def calls(self) -> set[str]:
        """The names of the functions that occur."""
        return {t.data for t in self.walk() if t.kind == "call"}


UNIT = Tree("number", data=sympy.S.One)


def indices(axes: Axes) -> list[int]:
    """The indices of the axes longer than one."""
    return [i for i in axes if i is not None]


def oriented(tree: Tree, axes: Axes) -> Tree:
    """A matrix with its axes in this order."""
    return tree if tree.axes == axes else transposed(tree)


def transposed(tree: Tree) -> Tree:
    axes = tree.axes[::-1]
    if tree.kind == "T":
        return tree.args[0]
    if tree.kind in ("eye", "diag"):
        return replace(tree, axes=axes)
    if tree.kind == "matmul" and len(tree.axes) == 2 and all(len(a.axes) == 2 for a in tree.args):
        a, b = tree.args
        return Tree("matmul", (transposed(b), transposed(a)), axes)
    if tree.kind == "outer":
        return Tree("outer", tree.args[::-1], axes)
    if tree.kind == "scaled" and tree.args[1].axes == tree.axes:
        return Tree("scaled", (tree.args[0], transposed(tree.args[1])), axes)
    return Tree("T", (tree,), axes)


def elementwise(over: Sequence[Tree], under: Sequence[Tree], hint: Axes) -> Tree:
    """The product of factors with the same indices."""
    axes = common([*over, *under], hint)
    top = multiplied([fitted(t, axes) for t in sorted(over, key=factor_key)], axes)
    if not under:
        return top
    below = multiplied([fitted(t, axes) for t in sorted(under, key=factor_key)], axes)
    return Tree("div", (top, below), axes)


def multiplied(trees: list[Tree], axes: Axes) -> Tree:
    if not trees:
        return UNIT
    if len(trees) == 1:
        return trees[0]
    if not indices(axes):
        return Tree("mul", tuple(trees), axes, "plain")
    groups: dict[Any, list[Tree]] = {}
    for tree in trees:
        found = frozenset(arrays(tree))
        groups.setdefault(found if len(found) == 1 else id(tree), []).append(tree)
    if len(indices(axes)) > 1:
        return Tree("mul", tuple(t for group in groups.values() for t in group), axes)
    parts = [
        group[0] if len(group) == 1 else Tree("mul", tuple(group), axes, "plain")
        for group in groups.values()
    ]
    return parts[0] if len(parts) == 1 else Tree("mul", tuple(parts), axes)


def arrays(tree: Tree) -> set[Any]:
    """The arrays of which a formula is an elementwise function; itself, if it is not one."""
    if tree.kind in ("node", "gradient", "opaque"):
        return {(tree.kind, str(tree.data), tree.axes)} if tree.real else set()
    if tree.kind in ("number", "length", "float") or not tree.real:
        return set()
    if tree.kind in ("add", "pow", "call", "neg", "mul", "div", "scaled"):
        if tree.kind == "call" and tree.data.endswith("′"):
            return {id(tree)}
        return set().union(*(arrays(a) for a in tree.args))
    return {id(tree)}


def scalar(coefficient: Any, over: list[Tree], under: list[Tree]) -> Tree:
    """A product of numbers as one fraction."""
    negative = coefficient < 0
    p, q = abs(coefficient).p, abs(coefficient).q
    if not over and not under:
        return Tree("number", data=coefficient)
    top = sorted(over, key=factor_key)
    below = sorted(under, key=factor_key)
    if p != 1 or not top:
        top.insert(0, Tree("number", data=sympy.Integer(p)))
    if q != 1:
        below.insert(0, Tree("number", data=sympy.Integer(q)))
    sums = [t for t in top if t.kind in ("sum", "dot", "norm²", "trace")]
    rest = [t for t in top if t not in sums]
    if sums and below and all(t.kind in ("number", "length") for t in below + rest[:1]):
        lead = Tree("div", (multiplied(rest, ()), multiplied(below, ())), joined(below))
        if {t.kind for t in lead.args} == {"number"}:
            lead = Tree("number", data=sympy.Rational(p, q))
        tree = Tree("scaled", (lead, multiplied(sums, ())))
    else:
        tree = multiplied(top, joined(top))
        if below:
            tree = Tree("div", (tree, multiplied(below, joined(below))), joined([*top, *below]))
    return Tree("neg", (tree,), tree.axes) if negative else tree


def joined(trees: Iterable[Tree]) -> Axes:
    """The axes to which formulas broadcast whose axes are aligned already."""
    axes: list[Index] = []
    for tree in trees:
        own: list[Index] = [None] * (len(axes) - len(tree.axes))
        own += tree.axes
        axes[:0] = [None] * (len(own) - len(axes))
        axes = [i if i is not None else j for i, j in zip(own, axes, strict=True)]
    return tuple(axes)


def common(trees: Iterable[Tree], hint: Axes) -> Axes:
    """The axes in which formulas are combined elementwise."""
    shapes = dict.fromkeys(t.axes for t in trees if t.real)
    if len(shapes) == 1:
        return next(iter(shapes))
    if not shapes:
        return max((t.axes for t in trees), key=len, default=())
    real = {i for axes in shapes for i in indices(axes)}
    # Of equally good axes the last count, whatever the run: a set has another order in each.
    longest = [axes for axes in reversed(shapes) if real <= set(axes)]
    if set(indices(hint)) == real and (not longest or hint in longest):
        return hint
    if longest:
        return min(longest, key=lambda axes: ([place(i, hint) for i in axes], len(axes)))
    return tuple(sorted(real, key=lambda i: place(i, hint)))


def fitted(tree: Tree, axes: Axes) -> Tree:
    """A formula that broadcasts against these axes."""
    if tree.kind == "neg":
        arg = fitted(tree.args[0], axes)
        return Tree("neg", (arg,), arg.axes)
    own = tree.axes
    aligned = axes[len(axes) - len(own) :] if len(own) <= len(axes) else None
    if aligned is not None and all(i is None or i == j for i, j in zip(own, aligned, strict=True)):
        return tree
    if len(own) == 2 and len(axes) == 2 and own[0] != own[1]:
        flipped = own[::-1]
        if all(i is None or i == j for i, j in zip(flipped, axes, strict=True)):
            return transposed(tree)
    kept = tuple(i if i in tree.real else None for i in axes)
    while len(kept) > 1 and kept[0] is None:
        kept = kept[1:]
    return Tree("axes", (tree,), kept)


def aligned(kind: str, trees: Sequence[Tree], hint: Axes, data: Any = None) -> Tree:
    """An elementwise formula of operands that broadcast against each other."""
    axes = common(trees, hint)
    return Tree(kind, tuple(fitted(t, axes) for t in trees), axes, data)


def added(trees: Iterable[Tree]) -> Tree:
    """The sum of formulas of one shape."""
    args = [arg for tree in trees for arg in (tree.args if tree.kind == "add" else (tree,))]
    return Tree("add", tuple(args), joined(args))


def flat(tree: Tree) -> Tree:
    """A vector or matrix without the axes of length one that make more than two of them."""
    if len(tree.axes) <= 2:
        return tree
    return Tree("axes", (tree,), tuple(indices(tree.axes)))


def place(i: Index, hint: Axes) -> int:
    """The sort key of an index: its axis, or a middle place for one that is summed over."""
    return 2 * hint.index(i) if i in hint else 1


def factor_key(tree: Tree) -> tuple[Any, ...]:
    """The order of factors: numbers, gradients, nodes, formulas of them, sums, functions."""
    activation = (
        isinstance(tree.data, str) and tree.data in OPS and OPS[tree.data].notation.activation
    )
    order = {
        "number": 0,
        "length": 1,
        "gradient": 2,
        "outer": 2,
        "matmul": 2,
        "scaled": 2,
        "node": 3,
        "pow": 3,
        "add": 5,
        "call": 4 if activation else 6,
    }.get(tree.kind, 4)
    return order, len(tree.args), tree.data if isinstance(tree.data, int) else 0, str(tree.kind)


def outer(u: Tree, v: Tree) -> Tree:
    """u vᵀ; a sum over an axis is a column M 𝟏 as u, and a row 𝟏ᵀ M as v."""
    (i,), (j,) = u.real, v.real
    return Tree("outer", (along(u, 1), along(v, 0)), (i, j))


def along(tree: Tree, axis: int) -> Tree:
    """A vector in which sums are columns M 𝟏 (axis 1) or rows 𝟏ᵀ M (axis 0)."""
    if tree.kind in ("axes", *ELEMENTWISE):
        args = tuple(along(arg, axis) for arg in tree.args)
        same = all(new is old for new, old in zip(args, tree.args, strict=True))
        return tree if same else replace(tree, args=args)
    if tree.kind != "sum" or tree.data in (None, axis):
        return tree
    return Tree("sum", (transposed(tree.args[0]),), tree.axes, axis)


def unsigned(tree: Tree) -> tuple[bool, Tree]:
    """Whether a formula begins with a minus sign, and the formula without it."""
    if tree.kind == "neg":
        return True, tree.args[0]
    if tree.kind == "number" and tree.data < 0:
        return True, Tree("number", data=-tree.data)
    if tree.kind in ("axes", "T", "broadcast"):
        negative, arg = unsigned(tree.args[0])
        return negative, replace(tree, args=(arg,)) if negative else tree
    if tree.kind in ("scaled", "div"):
        negative, lead = unsigned(tree.args[0])
        if negative:
            rest = tree.args[1]
            if tree.kind == "scaled" and lead.kind == "number" and lead.data == 1:
                return True, rest
            return True, Tree(tree.kind, (lead, rest), tree.axes, tree.data)
    return False, tree


def spread(tree: Tree, beside: Tree) -> Tree:
    """A column beside a matrix as v 𝟏ᵀ; a row broadcasts without change."""
    axes = beside.axes[-2:]
    if tree.kind == "axes" and tree.axes != axes and tree.axes[1:] == (None,):
        (i,) = tree.axes[:1]
        if len(axes) == 2 and i is not None and axes[0] == i and axes[1] is not None:
            return Tree("spread", (along(tree.args[0], 1),), tree.axes)
    return tree


def one_end(key: Any, shape: Sequence[int]) -> tuple[int, bool] | None:
    """The axis of which a key takes one end, and whether that is the last; None for other keys."""
    parts = key if isinstance(key, tuple) else (key,)
    if not all(part is Ellipsis or isinstance(part, slice) for part in parts):
        return None
    gap = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    whole = (slice(None),) * (len(shape) - len(parts) + (Ellipsis in parts))
    parts = (*parts[:gap], *whole, *parts[gap + 1 :])
    taken = [range(n)[part] for part, n in zip(parts, shape, strict=True)]
    cut = [axis for axis, n in enumerate(shape) if taken[axis] != range(n)]
    if len(cut) != 1 or not (places := taken[cut[0]]) or places.step != 1:
        return None
    is_last = places.stop == shape[cut[0]]
    return (cut[0], is_last) if is_last or places.start == 0 else None


def is_range(tree: Tree) -> bool:
    """Whether a formula is 0, 1, 2, …"""
    if tree.kind in ("axes", "T"):
        return is_range(tree.args[0])
    return tree.op == "arange"


def is_column(tree: Tree, axes: Axes) -> bool:
    """Whether a formula of vectors is a column that fills a matrix."""
    if len(axes) != 2 or axes[1] is None or tree.axes != (axes[0], None):
        return False
    if tree.kind == "axes":
        return len(tree.args[0].axes) == 1
    return tree.kind in ELEMENTWISE and any(is_column(arg, axes) for arg in tree.args)


def is_row(tree: Tree) -> bool:
    """Whether a vector is written as a row."""
    return tree.axes[:1] == (None,) or (tree.kind == "sum" and tree.data == 0)


def is_product(tree: Tree) -> bool:
    """Whether a formula is a matrix product, which needs parentheses beside ⊙."""
    if tree.kind in ("scaled", "group"):
        return is_product(tree.args[-1])
    return tree.kind in ("matmul", "outer", "rows", "columns", "sum", "spread")


def turns(tree: Tree) -> int:
    """The number of transposes and of changed axes."""
    return sum(t.kind in ("T", "axes") for t in tree.walk())


def least_turned(matrix: Tree) -> Tree:
    """Σ(Aᵀ ⊙ B) as tr(A B), where that saves a transpose."""
    total = Tree("sum", (matrix,))
    if matrix.kind != "mul" or len(matrix.args) != 2 or len(matrix.axes) != 2:
        return total
    a, b = matrix.args
    if a.axes != b.axes or len(a.real) != 2:
        return total
    products = [
        Tree("matmul", (transposed(u), v), (v.axes[1], v.axes[1])) for u, v in ((a, b), (b, a))
    ]
    return min([total, *(Tree("trace", (p,)) for p in products)], key=turns)
