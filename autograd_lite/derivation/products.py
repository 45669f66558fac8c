"""A formula multiplied out to a sum of products, in which each factor knows where it stands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import sympy

from autograd_lite.derivation.tree import Tree, indices

__all__ = ["LAYOUT", "Key", "Product", "Products", "TooLongError", "Unit", "bare", "key", "leaves"]

MANY = 256
"""Formulas with more products than this are not multiplied out."""

LAYOUT = ("axes", "broadcast", "spread", "group")
"""Kinds that only lay an array out."""

ELEMENTWISE = ("mul", "scaled", "rows", "columns", "outer")
SUMS = ("sum", "trace", "dot", "matmul", "einsum")
"""Kinds that sum over an index."""

Key = Any
"""What equal symbols have in common."""


class TooLongError(ValueError):
    """A formula has too many products."""


@dataclass(eq=False, slots=True)
class Unit:
    """A symbol, a function, a divisor, or a number that is a term, at its place in a formula."""

    tree: Tree
    key: Key
    place: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """A power of a formula, whether it is transposed, and the sums around it."""

    tree: Tree
    exponent: Any = sympy.S.One
    turned: bool = False
    sums: tuple[int, ...] = ()

    def inside(self, tree: Tree, exponent: Any = None) -> Factor:
        """A factor that is a part of this one."""
        sums = (*self.sums, id(self.tree)) if self.tree.kind in (*SUMS, "norm²") else self.sums
        turned = self.turned != (self.tree.kind == "T")
        return Factor(tree, self.exponent if exponent is None else exponent, turned, sums)

    @property
    def key(self) -> Key:
        """What is the same for factors that can cancel: the symbol, its indices, the sums."""
        return key(self.tree), tuple(indices(self.tree.axes)), self.sums


@dataclass(slots=True)
class Product:
    """A number times units; `ones` are the terms that are numbers."""

    coefficient: Any
    factors: list[Factor]
    ones: list[Tree]

    def times(self, factor: Factor) -> Product:
        """The product with one more factor."""
        number = bare(factor.tree)
        ones = [*self.ones, number] if number.kind == "number" else self.ones
        factors = list(self.factors)
        return Product(self.coefficient * _taken_apart(factor, factors), factors, ones)


class Products:
    """The products to which a formula multiplies out.

    Attributes:
        tree: the formula, each part of which is at one place only.
        of: the products with the same powers of symbols.
        cancelled: what cancels in one of the products, x and 1/x.

    Raises:
        TooLongError: if there are more than MANY.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.of: dict[frozenset[Any], list[Product]] = defaultdict(list)
        self.cancelled: list[Tree] = []
        self._units: dict[int, Unit] = {}
        self.places: dict[int, tuple[Any, ...]] = {}
        """The kinds of the formulas around each part."""
        self._place(tree, ())
        self._multiply_out()

    def _place(self, tree: Tree, place: tuple[Any, ...]) -> None:
        self.places[id(tree)] = place
        for k, arg in enumerate(tree.args):
            if tree.kind in (*LAYOUT, "neg", "scaled", "T"):
                self._place(arg, place)
            elif tree.kind in ("add", "mul"):
                self._place(arg, place if place[-1:] == (tree.kind,) else (*place, tree.kind))
            else:
                self._place(arg, (*place, tree.kind, k))

    def units(self, product: Product) -> list[Unit]:
        """The units of a product."""
        return [self._unit(f.tree, f.turned) for f in product.factors] + list(
            map(self._unit, product.ones)
        )

    def has(self, unit: Unit) -> bool:
        """Whether a unit belongs to this formula."""
        return id(unit.tree) in self._units

    def _unit(self, tree: Tree, turned: bool = False) -> Unit:
        found = self._units.get(id(tree))
        if found is None:
            found = self._units[id(tree)] = Unit(tree, key(tree, turned), self.places[id(tree)])
        return found

    def _multiply_out(self) -> None:
        todo = [Product(sympy.S.One, [], []).times(Factor(self.tree))]
        count = 0
        while todo:
            product = todo.pop()
            count += 1
            if count > 4 * MANY or len(todo) > MANY:
                raise TooLongError
            factors = self._without_cancelled(product.factors)
            sums = [f for f in factors if f.tree.kind == "add" and f.exponent >= 1]
            if not sums:
                self._add(replace(product, factors=factors))
                continue
            # Fractions first: in them may be what cancels another sum as a whole.
            chosen = next((f for f in sums if any(t.kind == "div" for t in f.tree.walk())), sums[0])
            factors.remove(chosen)
            if chosen.exponent > 1:
                factors.append(replace(chosen, exponent=chosen.exponent - 1))
            rest = Product(product.coefficient, factors, product.ones)
            todo += [rest.times(chosen.inside(t, sympy.S.One)) for t in reversed(chosen.tree.args)]

    def _without_cancelled(self, factors: list[Factor]) -> list[Factor]:
        """The factors without x and 1/x of one product."""
        left = dict(enumerate(factors))
        for j, k in combinations(range(len(factors)), 2):
            if j not in left or k not in left or factors[j].key != factors[k].key:
                continue
            over, under = (j, k) if left[j].exponent > 0 else (k, j)
            least = min(left[over].exponent, -left[under].exponent)
            if least <= 0:
                continue
            for end, sign in ((over, -1), (under, 1)):
                exponent = left[end].exponent + sign * least
                left[end] = replace(left[end], exponent=exponent)
                if exponent == 0:
                    self.cancelled.append(left.pop(end).tree)
        return list(left.values())

    def _add(self, product: Product) -> None:
        powers: Counter[Key] = Counter()
        for factor in product.factors:
            powers[self._unit(factor.tree, factor.turned).key] += factor.exponent
        self.of[frozenset(powers.items())].append(product)

    def total(self, powers: frozenset[Any]) -> Any:
        """The sum of the coefficients of the products with these powers."""
        return sum(product.coefficient for product in self.of.get(powers, ()))


def bare(tree: Tree) -> Tree:
    """A formula without its sign and without what only lays it out."""
    while tree.kind in (*LAYOUT, "neg"):
        (tree,) = tree.args
    return tree


def leaves(tree: Tree) -> Iterator[Tree]:
    """The symbols and functions of a formula, and the numbers that are terms."""
    if not tree.args or tree.kind in ("call", "opaque", "norm"):
        if tree.kind != "number":
            yield tree
        return
    for arg in tree.args:
        number = bare(arg)
        if tree.kind == "add" and number.kind == "number":
            yield number
        else:
            yield from leaves(arg)


def _taken_apart(factor: Factor, found: list[Factor]) -> Any:
    """Put the factors of a factor into a list; the number that is left."""
    tree, exponent = factor.tree, factor.exponent
    kind, args = tree.kind, tree.args
    whole = exponent.is_Integer
    if kind == "number":
        return tree.data**exponent
    if kind in (*LAYOUT, "T", "diag", "diagonal") or (kind == "sum" and exponent == 1):
        return _taken_apart(factor.inside(args[0]), found)
    if kind == "neg" and whole:
        return sympy.S.NegativeOne**exponent * _taken_apart(factor.inside(args[0]), found)
    if (kind in ELEMENTWISE and whole) or (kind in SUMS and exponent == 1):
        return sympy.Mul(*[_taken_apart(factor.inside(arg), found) for arg in args])
    if kind == "div" and whole:
        over, under = factor.inside(args[0]), factor.inside(args[1], -exponent)
        return _taken_apart(over, found) * _taken_apart(under, found)
    power = _power(tree, exponent)
    if power is not None:
        return _taken_apart(factor.inside(args[0], power), found)
    found.append(factor)
    return sympy.S.One


def _power(tree: Tree, exponent: Any) -> Any:
    """The exponent of the operand of a power or root; None for other formulas."""
    whole = exponent.is_Integer
    if tree.kind == "norm²" and exponent == 1:
        return sympy.Integer(2)
    if tree.kind == "pow" and tree.args[1].kind == "number" and whole:  # √(x²) is |x|
        return exponent * tree.args[1].data
    return exponent / 2 if tree.kind == "call" and tree.data == "sqrt" and whole else None


def key(tree: Tree, turned: bool = False) -> Key:
    """What equal formulas have in common, in whatever order their terms and factors are."""
    kind, args = tree.kind, tree.args
    if kind in LAYOUT:
        return key(args[0], turned)
    if kind == "T":
        return key(args[0], not turned)
    if kind in ("node", "gradient"):
        return kind, tree.data, turned and len(tree.real) == 2
    if kind == "opaque":
        return kind, tree.op, id(tree.data[1]), tuple(map(key, args)), turned
    inner = [key(arg, turned) for arg in args]
    if kind in ("add", "mul", "dot"):
        return kind, frozenset(Counter(inner).items())
    return (
        kind,
        tree.data if kind in ("number", "float", "length", "call", "symbol") else None,
        tuple(inner),
    )
