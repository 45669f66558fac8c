"""Equal steps of a loop are derived once, with the formulas that each of them would have."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from benchmarks.slow import PROGRAMS

pytest.importorskip("sympy")

from autograd_lite.derivation import CannotCheckWarning, DerivationError
from autograd_lite.derivation.chain import Chain
from autograd_lite.derivation.patterns import Patterns

A = np.array([[0.4, -0.2], [0.3, 0.5]])

STEPS = {
    "tanh(A z)": lambda z, w, k: np.tanh(A @ z),
    "z w": lambda z, w, k: z * w,
    "σ(z) + w": lambda z, w, k: ag.sigmoid(z) + w,
    "z / Σ z²": lambda z, w, k: z / (1 + np.sum(z * z)),
    "softmax": lambda z, w, k: ag.softmax(z) * w,
    "number": lambda z, w, k: z * np.sqrt(k + 2) / 3,
    "named": lambda z, w, k: (z + w * w).named(f"z{k}"),
    "turned": lambda z, w, k: z[::-1] - w,
    "relu": lambda z, w, k: ag.relu(z) + 0.1 * w,
    "maximum": lambda z, w, k: np.maximum(z, 0.2 * w),
    "outer": lambda z, w, k: np.outer(z, w) @ w,
}
bodies = st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=3)


def looped(body, times):
    z, w = ag.Tensor([0.3, -0.2], name="z"), ag.Tensor([0.7, 1.1], name="w")
    for k in range(times):
        for step in body:
            z = STEPS[step](z, w, k)
    return np.sum(z * z).named("L")


def derived(loss, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CannotCheckWarning)
        return ag.derive(loss, **options)


def always(self, key, given, function):
    """`Patterns.computed` without its memory."""
    exprs, info = function()
    return [self.placed(expr) for expr in exprs], info


@settings(max_examples=12, deadline=None)
@given(bodies, st.integers(2, 5), st.booleans())
def test_a_loop_has_the_formulas_that_its_steps_have_one_by_one(body, times, expand):
    loss = looped(body, times)
    expand = expand and times < 3
    found = derived(loss, expand=expand)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Patterns, "computed", always)
        one_by_one = derived(loss, expand=expand)
    # Terms of the same rank come in any order.
    assert Counter(found.text()) == Counter(one_by_one.text())
    for x, form in found.closed_form.items():
        np.testing.assert_allclose(form.evaluate(), one_by_one.closed_form[x].evaluate(), 1e-10)


def computed(loss, monkeypatch):
    """How many nodes a derivation looks at, forwards and back."""
    count = 0
    for name in ("_read", "_derived", "_passed"):
        function = getattr(Chain, name)

        def counted(self, *args, function=function):
            nonlocal count
            count += 1
            return function(self, *args)

        monkeypatch.setattr(Chain, name, counted)
    derived(loss)
    monkeypatch.undo()
    return count


@pytest.mark.parametrize("program", sorted(PROGRAMS.keys() - {"determinant by minors"}))
def test_a_long_loop_costs_no_more_than_a_short_one(program, monkeypatch):
    counts = []
    for nodes in (1_100, 1_700):
        function, arguments = PROGRAMS[program](nodes)
        loss = function(*(ag.Tensor(x, name=f"x{k}") for k, x in enumerate(arguments)))
        counts.append(computed(loss, monkeypatch))
    assert counts[1] <= counts[0] + 16


def test_a_formula_of_another_operation_is_not_shown(monkeypatch):
    z, w = ag.Tensor([0.3, -0.2], name="z"), ag.Tensor([0.7, 1.1], name="w")
    loss = np.sum((z * w).named("a") * (z - w).named("b"))
    derived(loss)
    monkeypatch.setattr(Chain, "_key", lambda *_: ())
    with pytest.raises(DerivationError, match="disagrees"):
        derived(loss)


def test_a_chain_of_thousands_needs_no_recursion():
    z = ag.Tensor([0.3, 0.2], name="z")
    loss = z
    for _ in range(1_000):
        loss = np.tanh(loss) * 1.1
    assert "more …" in derived(np.sum(loss)).text()


def test_a_sum_of_many_terms_collects_equal_ones():
    w, x = ag.Tensor([0.3, 0.2], name="w"), ag.Tensor([0.5, 0.7], name="x")
    terms = [w * x, np.sin(w), w * w * x]
    form = derived(np.sum(sum(terms[k % 3] for k in range(99)))).closed_form[w]
    expected = 33 * (x.numpy() + np.cos(w.numpy()) + 2 * w.numpy() * x.numpy())
    np.testing.assert_allclose(form.evaluate(), expected, rtol=1e-13)
    assert str(form).count("33") <= 4


def test_a_number_that_grows_gets_a_name():
    z = ag.Tensor([0.3, 0.2], name="z")
    loss = z
    for _ in range(150):
        loss = loss - 0.1 * (2 * loss - 1)
    derivation = derived(np.sum(loss * loss))
    assert max(map(len, derivation.text().split())) < 100
    expected = ag.grad(lambda z: np.sum(((z - 0.5) * 0.8**150 + 0.5) ** 2))(z.numpy())
    np.testing.assert_allclose(derivation.closed_form[z].evaluate(), expected, rtol=1e-8)


@pytest.mark.parametrize("program", ["logistic map", "x + x tanh x"])
def test_what_is_expanded_stays_within_a_budget(program):
    for nodes in (30, 60):
        function, arguments = PROGRAMS[program](nodes)
        text = derived(function, args=arguments, expand=True).text()
        assert max(map(len, text.splitlines())) < 10_000
