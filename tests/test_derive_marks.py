"""What moved, merged and cancelled from one formula to the next is marked."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.models import student

pytest.importorskip("sympy")

from test_derive_models import models

from autograd_lite.derivation import marks, products
from autograd_lite.derivation.forms import values_of
from autograd_lite.derivation.marks import compared, distinct, in_order, sides
from autograd_lite.derivation.notation import Text
from autograd_lite.derivation.products import Products
from autograd_lite.expressions.expr import evaluated


def shown(derivation, name):
    """The sides of a step: the text of each, and of its marked parts by their mark."""
    (step,) = (step for step in derivation.steps if step.name == name)
    text = derivation._writer.notation(Text)
    return [(text(tree), marked(text, tree, marks)) for tree, marks in steps_of(derivation, step)]


def steps_of(derivation, step):
    before = step.product.readable
    return sides(before, step.form.readable, derivation._writer.closed(before.gradients()))


def marked(text, tree, marks):
    found = {}
    for part in in_order(tree):
        for mark in marks.get(id(part), "").split():
            found.setdefault(mark, []).append(text(part))
    return found


def test_what_cancels_in_the_gradient_of_the_cross_entropy():
    product, middle, form = shown(ag.derive(student()), "∂L/∂z")
    assert product == ("∂L/∂ŷ · ŷ(1 − ŷ)", {"inserted": ["∂L/∂ŷ"]})
    assert middle[1] == {
        "inserted": ["−y/ŷ + (1 − y)/(1 − ŷ)"],
        "moved": ["y", "ŷ"],
        "cancelled": ["ŷ", "y", "1 − ŷ", "ŷ"],
    }
    assert form == ("ŷ − y", {"moved": ["ŷ", "y"]})


def test_what_sums_to_one_is_rewritten():
    X, Y = ag.constant([[1.0, 2.0], [0.5, 1.0]], name="X"), ag.constant(np.eye(2), name="Y")
    P = ag.softmax(X @ ag.Tensor(np.ones((2, 2)), name="W").T).named("P")
    _, middle, form = shown(ag.derive(-np.sum(Y * np.log(P))), "∂L/∂W")
    assert middle[1]["rewritten"] == ["Y"]
    assert middle[1]["moved"] == form[1]["moved"][::1] == ["P", "Y"]


def test_equal_factors_of_two_terms_merge_inside_a_function():
    a, b = ag.Tensor([1.0, 2.0], name="a"), ag.Tensor([3.0], name="b")
    M, c = ag.constant(np.arange(9.0).reshape(3, 3), name="M"), np.concatenate([a, b])
    before, after = shown(ag.derive(np.sum(c * (M @ c))), "∂L/∂b")
    assert before[1] == {"moved": ["M", "M"], "merged": ["concatenate(a, b)"] * 2}
    assert after[1] == {"moved": ["M", "M"], "merged": ["concatenate(a, b)"]}


def test_a_factor_outside_a_sum_cancels_nothing_inside_it():
    x = ag.Tensor([1.0, 2.0, 4.0], name="x")
    for loss in (np.sum(np.sum(x) / x), np.sum(x / np.sum(x)), np.sum(x) * np.sum(1 / x)):
        derivation = ag.derive(loss)
        for step in derivation.steps:
            for _, found in shown(derivation, step.name):
                assert "cancelled" not in found


def check(derivation):
    """What is marked as moved or merged is in both formulas, and what cancelled in the first."""
    text = derivation._writer.notation(Text)
    for step in derivation.steps:
        *_, (before, marks), (after, ends) = steps_of(derivation, step)
        if before is step.product.readable or len(steps_of(derivation, step)) < 2:
            continue
        first, last = ({same(part) for part in in_order(tree)} for tree in (before, after))
        found, left = marked(text, before, marks), marked(text, after, ends)
        assert "cancelled" not in left
        for mark in ("moved", "merged"):
            assert parts(before, marks, mark) <= last, (step.name, found, left)
            assert parts(after, ends, mark) <= first, (step.name, found, left)
        every, live = symbols(before, marks, ()), symbols(before, marks, ("cancelled",))
        known = symbols(after, ends, ("rewritten",))
        assert known <= live, (step.name, text(before), text(after), found, left)
        for symbol in every - live:
            assert symbol not in symbols(after, {}, ()), (step.name, symbol, found)


def parts(tree, marks, mark):
    return {same(part) for part in in_order(tree) if mark in marks.get(id(part), "").split()}


def same(tree):
    """A formula in whatever order its terms and factors are, and however it is turned."""
    args = [same(arg) for arg in tree.args]
    if tree.kind in ("axes", "broadcast", "spread", "group", "T"):
        return args[0]
    args = sorted(args) if tree.kind in ("add", "mul", "dot") else args
    return f"{tree.kind}{'' if tree.kind in ('mul', 'sum', 'einsum') else tree.data}({args})"


def symbols(tree, marks, without):
    """The symbols of a formula outside the parts with some of the marks."""
    if set(marks.get(id(tree), "").split()) & set(without):
        return set()
    if not tree.args or tree.kind in ("call", "opaque", "norm"):
        return set() if tree.kind in ("number", "float") else {(tree.kind, tree.data.__str__())}
    return set().union(*(symbols(arg, marks, without) for arg in tree.args))


@settings(max_examples=8)
@given(models(), st.booleans())
def test_marks_of_any_model_hold(loss, lengths):
    check(ag.derive(loss, lengths=lengths))


@settings(max_examples=8)
@given(models())
def test_a_formula_with_others_put_in_has_the_same_value(loss):
    derivation = ag.derive(loss)
    writer = derivation._writer
    values = {writer.arguments[p]: x for p, x in values_of(writer, {}).items()}

    def bare(tree):
        tree = tree.args[0] if tree.kind == "group" else tree
        return replace(tree, args=tuple(map(bare, tree.args)))

    for step in derivation.steps:
        found = steps_of(derivation, step)
        for tree, _ in found:
            (value,) = evaluated([writer.expression(bare(tree))], values)
            scale = 1 + np.abs(step.value).max()
            np.testing.assert_allclose(value + np.zeros(step.node.shape), step.value,
                                       rtol=1e-6, atol=1e-9 * scale)  # fmt: skip


@st.composite
def expressions(draw, depth=2):
    """A program of numbers with cancelling and merging terms."""
    if depth == 0:
        return draw(st.sampled_from(["x", "y", "z", "x", "y"]))
    a, b = draw(expressions(depth=depth - 1)), draw(expressions(depth=depth - 1))
    form = draw(st.sampled_from(
        ["({0} + {1})", "({0} - {1})", "({0} * {1})", "({0} / {1})", "(1 - {0})", "(2 * {0})",
         "({0} ** 2)", "exp({0})", "sqrt({0} ** 2 + 1)", "tanh({0})"]
    ))  # fmt: skip
    return form.format(a, b)


def numbers(program):
    given = {name: ag.Tensor(value, name=name) for name, value in
             (("x", 0.7), ("y", 1.3), ("z", 0.4))}  # fmt: skip
    steps = {"exp": np.exp, "sqrt": np.sqrt, "tanh": np.tanh}
    with np.errstate(all="ignore"):
        value = eval(program, {**given, **steps})
        u = np.sin(value).named("u") if isinstance(value, ag.Tensor) else None
        return None if u is None else u * u + value * given["x"] + u / given["y"]


def multiplied_out(derivation):
    """Compare each formula with the sum of the products to which it multiplies out."""
    writer = derivation._writer
    values = {writer.arguments[p]: x for p, x in values_of(writer, {}).items()}

    def value(tree):
        return float(evaluated([writer.expression(tree)], values)[0])

    for step in derivation.steps:
        for form in (step.product, step.form):
            made = Products(distinct(form.tree))
            total = sum(
                float(product.coefficient)
                * np.prod([value(f.tree) ** float(f.exponent) for f in product.factors])
                for products in made.of.values()
                for product in products
            )
            expected = value(form.tree)
            if np.isfinite(expected) and np.isfinite(total):
                assert total == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(max_examples=10)
@given(expressions())
def test_a_formula_of_numbers_is_the_sum_of_its_products(program):
    loss = numbers(program)
    if loss is None or not np.isfinite(loss.numpy()):
        return
    with np.errstate(all="ignore"):
        try:
            derivation = ag.derive(loss)
        except ValueError:
            return  # 0 / 0 by construction
        check(derivation)
        try:
            multiplied_out(derivation)
        except products.TooLongError:
            return


def test_a_wrong_cancellation_is_seen(monkeypatch):
    right = Products._without_cancelled

    def wrong(self, factors):
        left = right(self, factors)
        if len(left) > 1 and left[-1].exponent > 0:
            self.cancelled.append(left.pop().tree)
        return left

    with monkeypatch.context() as patch:
        patch.setattr(Products, "_without_cancelled", wrong)
        with pytest.raises(AssertionError):
            multiplied_out(ag.derive(student()))
    monkeypatch.setattr(marks, "FATES", marks.FATES[::-1])
    with pytest.raises(AssertionError):
        check(ag.derive(student()))


def test_the_marks_of_equal_formulas_are_empty_and_long_ones_are_not_compared():
    x = ag.Tensor([1.0, 2.0], name="x")
    form = ag.derive(np.sum(np.exp(x) * x)).closed_form["x"].tree
    assert compared(distinct(form), distinct(form)) == ({}, {})
    tree = form
    for _ in range(9):
        tree = replace(form, kind="mul", args=(tree, distinct(form)))
    assert compared(distinct(tree), distinct(tree)) == ({}, {})
    assert sides(tree, tree, {}) == [(tree, {}), (tree, {})]


def test_the_page_shows_the_marks_by_shape_and_in_words():
    derivation = ag.derive(student())
    html = derivation.mathml()
    root = ET.fromstring(html)
    classes = {c for e in root.iter("mrow") for c in e.get("class", "").split()}
    assert classes == {"inserted", "moved", "cancelled"}
    notes = ["".join(p.itertext()) for p in root.iter("p")]
    assert "cancelled: ŷ, y, 1 − ŷ; moved: y, ŷ" in notes
    assert any(note.startswith("boxed an earlier gradient is put in") for note in notes)
    style = derivation._repr_html_()
    for name in classes:
        assert re.search(rf"\.{name} \{{ (border|background)", style)
    assert not any(word in derivation.text() + derivation.latex() for word in ("moved", "boxed"))


def test_a_page_without_marks_has_no_legend():
    x = ag.Tensor([1.0, 2.0], name="x")
    assert "marks" not in ag.derive(np.sum(x * x)).mathml()
