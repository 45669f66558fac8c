"""Letters in formulas: variables italic, functions upright, the same in LaTeX and MathML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.derivation import names

pytest.importorskip("sympy")


def derived(name):
    x = ag.Tensor([0.5, 1.5], name=name)
    return ag.derive(np.sum(np.exp(x) / (1 + x**2)))


@pytest.mark.parametrize(
    ("name", "latex", "mathml"),
    [
        ("x", "x", "<mi>x</mi>"),
        ("θ₂", r"\theta_{2}", "<msub><mi>θ</mi><mrow><mn>2</mn></mrow></msub>"),
        ("x1", "x_{1}", "<msub><mi>x</mi><mrow><mn>1</mn></mrow></msub>"),
        ("W_Q", "W_{Q}", "<msub><mi>W</mi><mrow><mi>Q</mi></mrow></msub>"),
        ("x_train", r"x_{\text{train}}", "<msub><mi>x</mi><mrow><mi>train</mi></mrow></msub>"),
        ("h′", r"h^{\prime }", "<msup><mi>h</mi><mrow><mo>′</mo></mrow></msup>"),
        ("loss", r"\text{loss}", "<mtext>loss</mtext>"),
        ("a b", r"\text{a b}", "<mtext>a b</mtext>"),
        ("</mi>", r"\text{\textless{}/mi\textgreater{}}", "<mtext>&lt;/mi&gt;</mtext>"),
    ],
)
def test_a_name_is_a_letter_with_scripts_or_a_word(name, latex, mathml):
    assert (names.latex(name), names.mathml(name)) == (latex, mathml)


def test_an_accent_stands_over_an_italic_letter():
    root = ET.fromstring(names.mathml("ŷ⁽²⁾"))
    assert [e.tag for e in root.iter()][:3] == ["msup", "mover", "mi"]
    assert root.find("mover/mi").text == "y"


def test_letters_of_variables_are_italic_and_functions_upright():
    """A browser shows an <mi> of one letter in italics, any other upright."""
    for name in ("x", "ŷ", "W⁽¹⁾", "x1"):
        elements = list(ET.fromstring(derived(name).mathml()).iter("mi"))
        variables = [e for e in elements if e.text in ("x", "y", "W")]
        assert variables
        assert not any("mathvariant" in e.attrib for e in variables)
        assert "exp" in {e.text for e in elements}
    z = ag.Tensor([0.5, 1.5], name="z")
    shown = ET.fromstring(ag.derive(np.sum(ag.sigmoid(z))).mathml())
    assert {e.get("mathvariant") for e in shown.iter("mi") if e.text == "σ"} == {"normal"}


def test_a_transpose_joins_the_superscript_and_adds_no_second_parentheses():
    W, x = ag.Tensor(np.ones((2, 2)), name="W⁽¹⁾"), ag.constant([1.0, 2.0], name="x")
    form = ag.derive(np.sum(np.sin(W @ x)), "W⁽¹⁾").closed_form["W⁽¹⁾"]
    assert "((" not in "".join(ET.fromstring(form.mathml()).itertext())
    y = ag.derive(np.sum(np.sin(W.T @ x)))
    assert "<mn>1</mn><mo>)</mo><mi>⊤</mi></mrow></msup>" in y.mathml()


def test_brackets_stretch():
    """A bracket stretches to the row that it begins or ends."""
    for loss in (np.sum, lambda t: np.linalg.norm(np.exp(t) / (1 + t)), lambda t: np.sum(abs(t))):
        x = ag.Tensor([0.5, 1.5], name="x")
        root = ET.fromstring(ag.derive(loss(1 / (1 + 1 / x)) * np.sum(x > 1)).mathml())
        for parent in root.iter():
            for k, e in enumerate(parent):
                if e.tag == "mo" and e.text in ("(", "["):
                    assert k == 0, ET.tostring(parent)
                elif e.tag == "mo" and e.text in (")", "]"):
                    assert k == len(parent) - 1, ET.tostring(parent)
                elif e.tag == "mo" and e.text in ("|", "‖"):
                    assert k in (0, len(parent) - 1)


@given(st.text(min_size=1, max_size=12))
def test_any_name_is_valid(name):
    ET.fromstring(names.mathml(name))
    latex = re.sub(r"\\[\\{}&%$#_]", "", names.latex(name))
    assert latex.count("{") == latex.count("}")


def test_a_name_that_several_nodes_have_is_no_name_of_another():
    a, b, c = (ag.Tensor(x, name=name) for x, name in ((2.0, "h"), (3.0, "h"), (5.0, "h₂")))
    forms = ag.derive(a * b * c).closed_form
    assert [str(forms[x]) for x in (a, b, c)] == ["h₃h₂", "hh₂", "hh₃"]
