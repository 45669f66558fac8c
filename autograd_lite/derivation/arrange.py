"""From index notation to matrix formulas: sums as products, and transposes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import sympy

from autograd_lite.derivation import lowest
from autograd_lite.derivation.entries import Delta, Element, Expr, Length, Number, Opaque, Total
from autograd_lite.derivation.index import Space
from autograd_lite.derivation.tree import (
    UNIT,
    Axes,
    Tree,
    aligned,
    common,
    elementwise,
    fitted,
    flat,
    indices,
    joined,
    least_turned,
    multiplied,
    oriented,
    outer,
    place,
    scalar,
    transposed,
    turns,
    unsigned,
)

__all__ = ["Arranger"]


class Arranger:
    """Writes expressions of a space as matrix formulas."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.shape: tuple[int, ...] = ()
        self.made: dict[tuple[Expr, Axes, tuple[int, ...]], Tree] = {}

    def whole(self, expr: Expr, shape: Sequence[int]) -> Tree:
        """An expression in the indices of its axes as a formula of that shape."""
        axes: Axes = tuple(None if n == 1 else k for k, n in enumerate(shape))
        outer, self.shape = self.shape, tuple(shape)
        tree = self.tree(expr, axes)
        self.shape = outer
        if tree.axes == axes:
            return tree
        if set(indices(axes)) != tree.real:
            return Tree("broadcast", (fitted(tree, axes),), axes, tuple(shape))
        if len(axes) == 2 and tree.axes == axes[::-1]:
            return transposed(tree)
        return Tree("axes", (tree,), axes)

    def tree(self, expr: Expr, hint: Axes) -> Tree:
        """An expression as a formula, its axes in any order; `hint` is the preferred one."""
        # The size of an identity matrix depends on the shape of the whole formula.
        key = expr, hint, self.shape
        found = self.made.get(key)
        if found is None:
            found = self.made[key] = self._tree(expr, hint)
        return found

    def _tree(self, expr: Expr, hint: Axes) -> Tree:
        if expr.is_Rational:
            return Tree("number", data=expr)
        if expr.is_Symbol:
            return self._symbol(expr, hint)
        if expr.is_Add:
            content, expr = lowest.content(expr)
            if content.q == 1 and self._is_long(expr):
                expr = sympy.Add(*(content * t for t in expr.args))
            elif content != 1:
                body = self.tree(expr, hint)
                return Tree("scaled", (Tree("number", data=content), body), body.axes)
            terms = [self.tree(t, hint) for t in sorted_terms(self.space, expr.args, hint)]
            return aligned("add", terms, hint)
        if expr.is_Mul:
            return self._product(list(expr.args), hint)
        if expr.is_Pow:
            if expr.exp.is_negative:
                return self._product([expr], hint)
            base = self.tree(expr.base, hint)
            if expr.exp == sympy.Rational(1, 2):
                if base.kind == "norm²":
                    return Tree("norm", base.args)
                return Tree("call", (base,), base.axes, "sqrt")
            if base.kind == "norm²":
                power = Tree("number", data=2 * expr.exp)
                return Tree("pow", (Tree("norm", base.args), power))
            return aligned("pow", [base, self.tree(expr.exp, hint)], hint)
        return aligned("call", [self.tree(a, hint) for a in expr.args], hint, expr.func.__name__)

    def _is_long(self, expr: Expr) -> bool:
        """Whether the terms keep a common factor, as in 2Aᵀ(Aw − y) + 2λw."""
        totals = (self.space.entry(x) for x in expr.free_symbols)
        return any(isinstance(e, Total) and e.body.atoms(sympy.Add) for e in totals)

    def _symbol(self, symbol: Any, hint: Axes) -> Tree:
        entry = self.space.entry(symbol)
        if isinstance(entry, Total):
            return self._sum(entry, hint)
        if isinstance(entry, Length):
            return Tree("length", data=entry.n)
        if isinstance(entry, Number):
            return Tree("float", data=entry.value)
        if isinstance(entry, Delta):
            n = max(self.shape[i] for i in entry.indices if 0 <= i < len(self.shape))
            return Tree("eye", (), entry.indices, n)
        if isinstance(entry, Element):
            base = Tree("gradient" if entry.gradient else "node", (), entry.indices, entry.node)
        else:
            assert isinstance(entry, Opaque)
            op, attributes, shape = self.space.calls[entry.call]
            args = tuple(self.whole(arg, shape) for arg, shape in entry.args)
            shapes = tuple(shape for _, shape in entry.args)
            base = Tree("opaque", args, entry.indices, (op, attributes, shape, shapes))
        used = indices(entry.indices)
        if len(set(used)) < len(used):
            return Tree("diagonal", (replace(base, axes=(0, 1)),), (used[0],))
        return base

    # Products

    def _product(self, factors: list[Expr], hint: Axes) -> Tree:
        coefficient = sympy.Mul(*(f for f in factors if f.is_Rational))
        over: list[Tree] = []
        under: list[Tree] = []
        taken = self._taken_in(factors, hint)
        for f in (f for f in factors if not f.is_Rational):
            if f in taken:
                over.append(self._sum(self.space.entry(f), hint, taken[f]))
            elif f not in taken.values():
                expr, below = divided(f)
                (under if below else over).append(self.tree(expr, hint))
        return self._multiplied(coefficient, over, under, hint)

    def _taken_in(self, factors: list[Expr], hint: Axes) -> dict[Any, Any]:
        """A vector to multiply into a matrix product: v ⊙ Σ u M X as ((u vᵀ) ⊙ M)ᵀ X."""
        if len(indices(hint)) < 2:
            return {}
        free = self.space.free
        for total in factors:
            entry = self.space.entry(total) if total.is_Symbol else None
            if not isinstance(entry, Total) or len(entry.lengths) != 1:
                continue
            (b,) = entry.bound
            inside = [free(f) for f in sympy.Mul.make_args(entry.body)]
            for vector in factors:
                if (
                    vector is not total
                    and len(free(vector)) == 1
                    and free(vector) | {b} in inside
                    and {b} in inside
                ):
                    return {total: vector}
        return {}

    def _multiplied(
        self, coefficient: Any, over: list[Tree], under: list[Tree], hint: Axes
    ) -> Tree:
        number, over, under = numbers_apart(over, under)
        coefficient *= number
        factors = by_indices(over, under)
        scalar_over, scalar_under = factors.pop(frozenset(), ([], []))
        sets = sorted(factors, key=lambda s: (len(s), sorted(s, key=str)))
        groups = {s: elementwise(*factors[s], hint) for s in sets}
        for s in [s for s in groups if groups[s].kind == "eye"]:
            vectors = [groups.pop(frozenset({i})) for i in s if frozenset({i}) in groups]
            if vectors:
                groups[s] = Tree("diag", (elementwise(vectors, [], hint),), groups[s].axes)
        if not groups:
            return scalar(coefficient, scalar_over, scalar_under)
        body = self._combined(groups, hint)
        divisors = [t for t in scalar_under if t.kind not in ("number", "length")]
        if divisors:
            scalar_under = [t for t in scalar_under if t.kind in ("number", "length")]
            below = multiplied(divisors, joined(divisors))
            body = Tree("div", (body, below), joined([body, below]))
        if coefficient == 1 and not scalar_over and not scalar_under:
            return body
        lead = scalar(coefficient, scalar_over, scalar_under)
        gradient = any(t.kind == "gradient" for t in scalar_over)
        if unsigned(lead)[1].kind == "div" and scalar_over and (gradient or not scalar_under):
            # A fraction, then its factors.
            first = scalar(sympy.S.One, scalar_over, [])
            body = Tree("scaled", (first, body), joined([first, body]))
            lead = scalar(coefficient, [], scalar_under)
        if lead.kind == "neg" and lead.args[0] == UNIT:
            return Tree("neg", (body,), body.axes)
        if body.kind == "div" and body.args[0] == UNIT:
            return Tree("div", (lead, body.args[1]), joined([lead, body]))
        return Tree("scaled", (lead, body), joined([lead, body]))

    def _combined(self, groups: dict[frozenset[int], Tree], hint: Axes) -> Tree:
        """The product of factors with different indices: outer products, scaled rows, columns."""
        if len(groups) == 1:
            return next(iter(groups.values()))
        singles = [s for s in groups if len(s) == 1]
        rest = [s for s in groups if len(s) > 1]
        if len(frozenset().union(*groups)) == 2 and len(rest) <= 1:
            groups = {s: flat(t) for s, t in groups.items()}
            if len(singles) == 2:
                first, second = sorted(singles, key=lambda s: place(next(iter(s)), hint))
                u, v = groups[first], groups[second]
                product = outer(u, v)
                if not rest:
                    return product
                matrix = oriented(groups[rest[0]], product.axes)
                return Tree("mul", (product, matrix), product.axes)
            (single,), (pair,) = singles, rest
            return scaled_lines(groups[single], groups[pair])
        trees = list(groups.values())
        axes = common(trees, hint)
        if len(indices(axes)) > 2 and not all(
            t.axes == axes[len(axes) - len(t.axes) :] for t in trees
        ):
            return written_out(trees, [], [], hint)
        return Tree("mul", tuple(fitted(t, axes) for t in trees), axes)

    # Sums

    def _upright(self, expr: Expr, hint: Axes) -> Tree:
        """A factor of a sum, in the order of axes with fewer transposes."""
        free = sorted(self.space.free(expr), key=lambda i: (place(i, hint), i))
        if expr.is_Symbol or len(free) != 2:
            return self.tree(expr, hint)
        return min((self.tree(expr, axes) for axes in (tuple(free), tuple(free[::-1]))), key=turns)

    def _has_bound_delta(self, entry: Total) -> bool:
        """Whether a sum runs over both indices of a δᵢⱼ, which removes one of them."""
        entries = (self.space.entry(s) for s in entry.body.free_symbols)
        return any(isinstance(e, Delta) and {*e.indices} <= {*entry.bound} for e in entries)

    def _sum(self, entry: Total, hint: Axes, vector: Expr | None = None) -> Tree:
        if vector is None and self._has_bound_delta(entry):
            opened, lengths = self.space.opened(entry)
            terms = sympy.Add.make_args(sympy.expand(opened))
            if len(terms) > 1:
                return self.tree(sympy.Add(*(self.space.total(t, lengths) for t in terms)), hint)
        if entry.body.is_Pow and entry.body.exp == 2:
            base = self.tree(entry.body.base, ())
            if base.real == set(entry.bound):
                return Tree("norm²", (base,))
        factors = list(sympy.Mul.make_args(entry.body))
        over: list[Tree] = []
        under: list[Tree] = []
        if vector is not None:
            (b,) = entry.bound
            (j,) = self.space.free(vector)
            weights = [f for f in factors if self.space.free(f) == {b}]
            factors = [f for f in factors if self.space.free(f) != {b}]
            over.append(self._product([*weights, vector], (b, j)))
        for f in factors:
            expr, below = divided(f)
            (under if below else over).append(self._upright(expr, hint))
        number, over, under = numbers_apart(over, under)
        tree = contraction(self, over, under, list(entry.bound), hint)
        return tree if number == 1 else self._multiplied(number, [tree], [], hint)


def divided(factor: Expr) -> tuple[Expr, bool]:
    """A factor and False, or for 1/x the divisor x and True."""
    base, exponent = factor.as_base_exp() if factor.is_Pow else (factor, sympy.S.One)
    return (base**-exponent, True) if exponent.is_negative else (factor, False)


def by_indices(
    over: Iterable[Tree], under: Iterable[Tree]
) -> dict[frozenset[int], tuple[list[Tree], list[Tree]]]:
    """Factors and divisors, grouped by their indices."""
    groups: dict[frozenset[int], tuple[list[Tree], list[Tree]]] = {}
    for below, trees in enumerate((over, under)):
        for tree in trees:
            groups.setdefault(tree.real, ([], []))[below].append(tree)
    return groups


def numbers_apart(over: list[Tree], under: list[Tree]) -> tuple[Any, list[Tree], list[Tree]]:
    """The numbers that lead factors and divisors, and these without them."""
    number: Any = sympy.S.One
    left: tuple[list[Tree], list[Tree]] = [], []
    for trees, rest, exponent in zip((over, under), left, (1, -1), strict=True):
        for tree in trees:
            if tree.kind == "scaled" and tree.args[0].kind == "number":
                number *= tree.args[0].data ** exponent
                tree = tree.args[1]
            rest.append(tree)
    return (number, *left)


def ungrouped(
    groups: Mapping[Any, tuple[list[Tree], list[Tree]]],
) -> tuple[list[Tree], list[Tree]]:
    """The factors and the divisors of all groups."""
    over, under = ([t for group in groups.values() for t in group[k]] for k in (0, 1))
    return over, under


def contraction(
    arranger: Arranger, over: list[Tree], under: list[Tree], bound: list[int], hint: Axes
) -> Tree:
    """A sum of a product over bound indices as matrix products, one index at a time."""
    if any(len(t.real) > 2 for t in over + under):
        return written_out(over, under, bound, hint)
    state = by_indices(map(flat, over), map(flat, under))

    def put(tree: Tree) -> None:
        tree = flat(tree)
        state.setdefault(tree.real, ([], []))[0].append(tree)

    def cost(i: int) -> tuple[int, int]:
        """The number of matrices with an index, and with it as their first: x · A x."""
        matrices = [trees for s, trees in state.items() if i in s and len(s) == 2]
        return len(matrices), sum(t.axes[0] == i for trees in matrices for t in trees[0])

    left = list(bound)
    while left:
        b = min(left, key=lambda i: (*cost(i), place(i, hint)))
        left.remove(b)
        pairs = [s for s in state if b in s and len(s) == 2]
        weights = state.pop(frozenset({b}), None)
        if len(pairs) > 2:
            state |= {frozenset({b}): weights} if weights else {}
            return written_out(*ungrouped(state), [b, *left], hint)
        matrices = [elementwise(*state.pop(s), hint) for s in pairs]
        if not pairs:
            assert weights is not None
            put(summed(arranger.space, weights, hint))
        elif len(pairs) == 1:
            put(matrix_vector(matrices[0], weights and elementwise(*weights, hint), b))
        else:
            first, second = matrices
            put(matrix_matrix(first, second, weights and elementwise(*weights, hint), b, hint))
    return arranger._multiplied(sympy.S.One, *ungrouped(state), hint)


def written_out(over: list[Tree], under: list[Tree], bound: list[int], hint: Axes) -> Tree:
    """A sum that is no matrix product, with its indices."""
    trees = over + [Tree("div", (UNIT, t), t.axes) for t in under]
    free = frozenset().union(*(t.real for t in trees)) - set(bound)
    axes = tuple(sorted(free, key=lambda i: place(i, hint)))
    return Tree("einsum", tuple(trees), axes, tuple(bound))


def summed(space: Space, weights: tuple[list[Tree], list[Tree]], hint: Axes) -> Tree:
    """The sum of an elementwise product of vectors: a dot product of two."""
    over, under = weights
    if len(over) == 2 and not under:
        # The data of other kinds are not positions: those of a sum are its axis.
        nodes = ("node", "gradient")
        u, v = sorted(over, key=lambda t: t.kind not in nodes or t.data not in space.parameters)
        axes = common(over, hint)
        return Tree("dot", (fitted(u, axes), fitted(v, axes)))
    vector = elementwise(over, under, hint)
    if vector.kind == "diagonal":
        return Tree("trace", vector.args)
    if vector.kind == "sum":
        return least_turned(vector.args[0])
    if vector.kind == "pow" and vector.args[1].data == 2:
        return Tree("norm²", (vector.args[0],))
    return Tree("sum", (vector,))


def matrix_vector(matrix: Tree, vector: Tree | None, b: int) -> Tree:
    (c,) = matrix.real - {b}
    if vector is None:
        return Tree("sum", (matrix,), (c,), matrix.axes.index(b))
    if vector.kind == "sum" and vector.data == 0:
        vector = Tree("sum", (transposed(vector.args[0]),), vector.axes, 1)
    if vector.axes == (None, b):
        return Tree("matmul", (vector, oriented(matrix, (b, c))), (None, c))
    return Tree(
        "matmul", (oriented(matrix, (c, b)), vector), tuple(c if i == b else i for i in vector.axes)
    )


def matrix_matrix(m: Tree, n: Tree, weight: Tree | None, b: int, hint: Axes) -> Tree:
    (a,), (c,) = m.real - {b}, n.real - {b}
    turned = (m.axes != (a, b)) + (n.axes != (b, c)), (m.axes != (b, a)) + (n.axes != (c, b))
    if (place(a, hint), turned[0]) > (place(c, hint), turned[1]):
        m, n, a, c = n, m, c, a
    m, n = oriented(m, (a, b)), oriented(n, (b, c))
    if weight is not None:
        m = scaled_lines(weight, m)
    return Tree("matmul", (m, n), (a, c))


def scaled_lines(vector: Tree, matrix: Tree) -> Tree:
    """diag(v) M or M diag(v)."""
    (i,) = vector.real
    rows = matrix.axes[0] == i
    if vector.kind == "div" and vector.args[0] == UNIT:
        return Tree("div", (matrix, fitted(vector.args[1], matrix.axes)), matrix.axes)
    return Tree("rows" if rows else "columns", (vector, matrix), matrix.axes)


def sorted_terms(space: Space, terms: Sequence[Expr], hint: Axes) -> list[Expr]:
    """Terms in the usual order."""

    def key(term: Expr) -> tuple[Any, ...]:
        coefficient, rest = term.as_coeff_Mul()
        entries = [space.entry(s) for s in rest.free_symbols]
        has_sum = any(isinstance(e, Total) for e in entries)
        divisors = [p.base for p in rest.atoms(sympy.Pow) if p.exp.is_negative]
        return (
            any(base.is_Add for base in divisors),
            bool(coefficient < 0) and not divisors,
            not term.is_Rational,
            not is_result(space, rest),
            not has_sum,
            bool(rest.atoms(sympy.Add)) and not has_sum,
            is_turned(space, rest, hint),
            max((e.node for e in entries if isinstance(e, Element)), default=-1),
        )

    keys = {term: key(term) for term in terms}
    groups = (list(alike) for _, alike in groupby(sorted(terms, key=keys.__getitem__), keys.get))
    # The text of a term is only needed, and only written, where all else is equal.
    return [t for alike in groups for t in (alike if len(alike) == 1 else sorted(alike, key=str))]


def is_result(space: Space, expr: Expr) -> bool:
    """Whether an expression is a number that is computed, such as the loss before a penalty."""
    entry = space.entry(expr)
    if not isinstance(entry, Element) or entry.gradient or space.free(expr):
        return False
    return entry.node not in space.constants and entry.node not in space.parameters


def is_turned(space: Space, expr: Expr, hint: Axes) -> bool:
    """Whether a matrix in an expression is transposed."""
    for symbol in expr.free_symbols:
        entry = space.entry(symbol)
        if isinstance(entry, Total) and is_turned(space, entry.body, hint):
            return True
        if isinstance(entry, (Element, Opaque)):
            places = [place(i, hint) for i in indices(entry.indices)]
            if places != sorted(places):
                return True
    return False
