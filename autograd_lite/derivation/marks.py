"""What becomes of each symbol from one formula to the next: it moves, merges, cancels or changes.

Both formulas are multiplied out. Factors x and 1/x of one product cancel, and so do products whose
coefficients add up to 0: a symbol is *cancelled* if it is in no product that is left. The others
are found in the same products of the next formula, where a symbol has *moved* to another place, or
several have *merged* into one. What is in a product that the other formula does not have is
*rewritten*, by an identity such as tanh′ = 1 − tanh².
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from autograd_lite.derivation.products import (
    LAYOUT,
    Key,
    Products,
    TooLongError,
    Unit,
    bare,
    key,
    leaves,
)
from autograd_lite.derivation.tree import Tree, unsigned

__all__ = ["Marks", "compared", "distinct", "in_order", "sides"]

Marks = dict[int, str]
"""The mark of each formula inside another, by its `id`."""

LONG = 80
"""Formulas with more operations than this together are not compared."""

FATES = ("merged", "", "moved", "rewritten", "cancelled")
"""What becomes of a symbol, if several things do: the first of these. The empty one stays."""


def sides(product: Tree, form: Tree, forms: Mapping[int, Tree]) -> list[tuple[Tree, Marks]]:
    """The product of a step, the same with earlier gradients put in, and its form, with marks.

    Args:
        product: the gradient in terms of gradients of later nodes.
        form: the product, simplified.
        forms: the form of each gradient, by its node.
    """
    gone = (product.gradients() - form.gradients()) & forms.keys()
    before, boxes = inserted(product, {p: forms[p] for p in gone})
    before, form = distinct(before) if not gone else before, distinct(form)
    if before.operations() + form.operations() > LONG:
        return [(product, {}), (form, {})]
    marks, ends = compared(before, form)
    if not gone:
        return [(before, marks), (form, ends)]
    product = distinct(product)
    given = {id(t): "inserted" for t in product.walk() if t.kind == "gradient" and t.data in gone}
    both = {k: f"{boxes.get(k, '')} {marks.get(k, '')}".strip() for k in {**boxes, **marks}}
    return [(product, given), (before, both), (form, ends)]


def inserted(tree: Tree, forms: Mapping[int, Tree]) -> tuple[Tree, Marks]:
    """A formula in which others take the place of gradients, all `distinct`, and their marks."""
    marks: Marks = {}

    def walk(tree: Tree) -> Tree:
        if tree.kind == "gradient" and tree.data in forms:
            bound = 1_000 * (len(marks) + 1)
            form = forms[tree.data]
            found = _renamed(form, lambda i: tree.axes[i] if i >= 0 else i - bound)
            # With a sign of its own it stands in parentheses.
            found = Tree("group", (found,), found.axes) if unsigned(found)[0] else found
            marks[id(found)] = "inserted"
            return found
        args = tuple(map(walk, tree.args))
        if tree.data == "plain" and tree.axes and id(args[0]) in marks:
            # What was one symbol is a formula now, beside which stands ⊙.
            rest = args[1] if len(args) == 2 else replace(tree, args=args[1:])
            return Tree("mul", (args[0], rest), tree.axes)
        return replace(tree, args=args)

    return walk(tree), marks


def _renamed(tree: Tree, to: Callable[[int], Any]) -> Tree:
    """A formula in other indices."""
    axes = tuple(None if i is None else to(i) for i in tree.axes)
    data = tuple(map(to, tree.data)) if tree.kind == "einsum" else tree.data
    if tree.kind == "opaque":  # its operands have indices of their own
        return distinct(replace(tree, axes=axes))
    return Tree(tree.kind, tuple(_renamed(arg, to) for arg in tree.args), axes, data)


def distinct(tree: Tree) -> Tree:
    """A formula of which no part is at two places, so that each place has an `id` of its own."""
    return replace(tree, args=tuple(map(distinct, tree.args)))


def in_order(tree: Tree) -> Iterator[Tree]:
    """A formula and every formula inside it, as they are read."""
    yield tree
    for arg in tree.args:
        yield from in_order(arg)


def compared(before: Tree, after: Tree) -> tuple[Marks, Marks]:
    """The marks of two `distinct` formulas with the same value; none if they are long."""
    try:
        one, two = Side(Products(before)), Side(Products(after))
    except TooLongError:
        return {}, {}
    _match(one, two)
    _match_rest(one, two)
    keys = one.whole(), two.whole()
    return one.marks(keys[1]), two.marks(keys[0])


class Side:
    """One of two formulas, and what becomes of its symbols or became of those of the other."""

    def __init__(self, products: Products) -> None:
        self.products = products
        self.tree: Tree = products.tree
        self.fates: dict[int, set[str]] = defaultdict(set)
        self.inside: dict[int, Marks] = {}
        """The marks in the operands of functions."""
        for tree in products.cancelled:
            self.add(tree, "cancelled")

    def add(self, tree: Tree, fate: str) -> None:
        """A fate of the symbols of a formula in one of the products."""
        for leaf in [tree] if tree.kind == "number" else leaves(tree):
            self.fates[id(leaf)].add(fate)

    def fate(self, leaf: Tree) -> str:
        """What becomes of a symbol."""
        return next((fate for fate in FATES if fate in self.fates[id(leaf)]), "")

    def _common(self, tree: Tree) -> str:
        """The fate of all symbols of a formula, if it is the same; a number that stays may move."""
        of = [(self.fate(t), t.kind) for t in leaves(tree)]
        found = {fate for fate, kind in of if fate or kind != "number"}
        fate = found.pop() if len(found) == 1 else ""
        return "" if fate in ("cancelled", "rewritten") and ("", "number") in of else fate

    def whole(self) -> set[tuple[str, Key]]:
        """The fates and keys of the formulas all of whose symbols have the same fate."""
        found = ((self._common(t), t) for t in self.tree.walk())
        return {(fate, key(t)) for fate, t in found if fate in ("moved", "merged")}

    def marks(self, others: set[tuple[str, Key]]) -> Marks:
        """The marks of the largest formulas that have one; those that move are whole in both."""
        marks: Marks = {}
        todo = [self.tree]
        while todo:
            tree = todo.pop()
            if id(tree) in self.inside:
                marks |= self.inside[id(tree)]
                continue
            fate = self._common(tree)
            is_whole = fate in ("cancelled", "rewritten") or (fate, key(tree)) in others
            if fate and (is_whole or not tree.args) and not _is_made_anew(tree):
                marks[id(tree)] = fate
            else:
                todo += tree.args
        return marks


def _is_made_anew(tree: Tree) -> bool:
    """Whether a formula is written without its sign or its layout, as another one."""
    return tree.kind in (*LAYOUT, "neg", "T") or (tree.kind != "number" and unsigned(tree)[0])


def _match(one: Side, two: Side) -> None:
    """Find what each unit of one formula is in the other, and what becomes of it."""
    before, after = one.products, two.products
    is_equal = all(before.total(p) == after.total(p) for p in {**before.of, **after.of})
    others: dict[Unit, dict[Unit, None]] = defaultdict(dict)
    for powers in before.of:
        units = [dict.fromkeys(u for p in x.of.get(powers, ()) for u in x.units(p))
                 for x in (before, after)]  # fmt: skip
        if powers not in after.of:
            for unit in units[0]:
                one.add(unit.tree, "cancelled" if is_equal else "rewritten")
            continue
        for name in dict.fromkeys(u.key for u in units[0] if bare(u.tree).kind != "number"):
            for unit, other in _pairs(*([u for u in us if u.key == name] for us in units)):
                others[unit][other] = others[other][unit] = None
        for side, us in zip((one, two), units, strict=True):
            for unit in us:
                if bare(unit.tree).kind == "number":
                    side.add(unit.tree, "")
    for powers, products in after.of.items():
        if powers not in before.of:
            for unit in (u for p in products for u in after.units(p)):
                two.add(unit.tree, "rewritten")
    for unit, found in others.items():
        is_first = before.has(unit)
        merges = any(len(others[end]) > 1 for end in (found if is_first else [unit]))
        stays = any(other.place == unit.place for other in found)
        (one if is_first else two).add(unit.tree, "merged" if merges else "" if stays else "moved")


def _pairs(before: list[Unit], after: list[Unit]) -> list[tuple[Unit, Unit]]:
    """Pairs of equal units, those at the same place first; of what is left, several have one."""
    pairs = []
    for unit in list(before):
        same = next((other for other in after if other.place == unit.place), None)
        if same is not None:
            pairs.append((unit, same))
            before.remove(unit)
            after.remove(same)
    if not before and not after:
        return pairs
    starts = before or [pairs[-1][0]]
    ends = after or [pairs[-1][1]]
    longer = range(max(len(before), len(after)))
    return pairs + [(starts[min(k, len(starts) - 1)], ends[min(k, len(ends) - 1)]) for k in longer]


def _match_rest(one: Side, two: Side) -> None:
    """Find symbols that an identity moved, and compare the operands of functions."""
    first, last = _left(one, ("rewritten", "cancelled")), _left(two, ("rewritten", "cancelled"))
    places = [side.products.places for side in (one, two)]
    for name, ends in last.items():
        here = {places[1][id(t)] for t in ends}
        starts = sorted(first.get(name, ()), key=lambda t: places[0][id(t)] not in here)
        for trees, side, of in ((starts[: len(ends)], one, 0), (ends, two, 1)):
            for t in trees:
                other = {places[1 - of][id(u)] for u in (ends if of == 0 else starts)}
                stays = places[of][id(t)] in other
                side.fates[id(t)] = {"" if stays else "moved" if starts else "rewritten"}
    _match_functions(one, two)


def _left(side: Side, fates: tuple[str, ...]) -> dict[Key, list[Tree]]:
    """The symbols of a formula with one of the fates, by key."""
    found: dict[Key, list[Tree]] = defaultdict(list)
    for leaf in leaves(side.tree):
        if side.fate(leaf) in fates and id(leaf) in side.fates:
            found[key(leaf)].append(leaf)
    return found


def _match_functions(one: Side, two: Side) -> None:
    """Compare the operands of the same function, rewritten in both formulas."""
    left = [
        [t for trees in _left(side, ("rewritten",)).values() for t in trees if len(t.args) == 1]
        for side in (one, two)
    ]
    for before in left[0]:
        alike = [t for t in left[1] if _head(t) == _head(before)]
        if len(alike) == 1:
            (after,) = alike
            left[1].remove(after)
            marks = compared(before.args[0], after.args[0])
            one.inside[id(before)], two.inside[id(after)] = marks


def _head(tree: Tree) -> Key:
    """What two functions have in common that may differ in their operands."""
    return tree.kind, tree.op, id(tree.data[1]) if tree.kind == "opaque" else tree.data
