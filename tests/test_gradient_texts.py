"""The text of a gradient has one rule for each operand."""

from __future__ import annotations

import pytest

from autograd_lite.op import OPS

TEXTS = {
    ("multiply", 0): "g b",
    ("multiply", 1): "g a",
    ("beta", 1): "g B(a, b) (ψ(b) − ψ(a + b))",
    ("where", 0): "none",
    ("where", 1): "g where condition (else 0)",
    ("where", 2): "g where not condition (else 0)",
    ("maximum", 0): "g where the operand is the result (g/2 to each at a tie)",
    ("maximum", 1): "g where the operand is the result (g/2 to each at a tie)",
    ("leaky_relu", 0): "g where x > 0, else c g",
    ("squared_error", 1): "2 g (y − ŷ); over m for the mean",
    ("binary_cross_entropy_with_logits", 0): "g (σ(z) − y); over m for the mean",
    ("take_along_axis", 0): "zeros with g added at the indices",
    ("gammainc", 1): "by x: g xᵃ⁻¹ e⁻ˣ / Γ(a)",
    ("polygamma", 1): "g ψ⁽ⁿ⁺¹⁾(x)",
    ("concatenate", 1): "the part of g that belongs to each array",
}


@pytest.mark.parametrize(("name", "k"), TEXTS)
def test_the_rule_of_an_operand(name, k):
    assert OPS[name].notation.gradient_of(k, OPS[name].arity) == TEXTS[name, k]


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.differentiable])
def test_a_text_says_none_for_an_operand_without_a_gradient(name):
    op = OPS[name]
    for k in range(op.arity or 0):
        text = op.notation.gradient_of(k, op.arity)
        if text != op.notation.gradient:
            assert (text == "none") == (op.rules[k] is None)
