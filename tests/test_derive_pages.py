"""The steps of a derivation, their numbers, and its notations."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.cli import main
from autograd_lite.models import LogisticRegression, student
from autograd_lite.models.examples import perceptron, students

pytest.importorskip("sympy")

STUDENT = """\
z = w · x + b
ŷ = σ(z)
L = −y log(ŷ) − (1 − y) log(1 − ŷ)

∂L/∂ŷ = −y/ŷ + (1 − y)/(1 − ŷ) = −3.0138
∂L/∂z = ∂L/∂ŷ · ŷ(1 − ŷ) = ŷ − y = −0.6682         ∂ŷ/∂z = ŷ(1 − ŷ)
∂L/∂b = ∂L/∂z = ŷ − y = −0.6682
∂L/∂w = ∂L/∂z x = (ŷ − y) x = (−2.0046, −3.3409)

∂L/∂w = (ŷ − y) x
∂L/∂b = ŷ − y

checked against the sweep at the graph's values and at 3 random points
"""


def test_the_student_step_by_step():
    assert ag.derive(student(), numbers=True).text() == STUDENT


def test_the_student_ends_in_the_new_weights():
    derivation = ag.derive(student())
    new = {
        name: derivation.values[name] - 0.1 * derivation.closed_form[name].evaluate()
        for name in ("w", "b")
    }
    np.testing.assert_allclose(new["w"], [0.30045633, 0.13409389], atol=1e-8)
    np.testing.assert_allclose(new["b"], 0.0668187772, atol=1e-8)


def test_each_step_names_its_node_and_its_rule():
    L = students()
    steps = {step.name: step for step in ag.derive(L).steps}
    assert list(steps) == ["∂L/∂ŷ", "∂L/∂z", "∂L/∂w"]
    step = steps["∂L/∂z"]
    assert step.node.name == "z"
    assert (step.local, str(step.local_form)) == ("∂ŷ/∂z", "ŷ(1 − ŷ)")
    assert (str(step.product), str(step.form)) == ("∂L/∂ŷ ⊙ ŷ(1 − ŷ)", "(1/4)(ŷ − y)")
    np.testing.assert_allclose(step.value, step.form.evaluate())


def test_the_notations_of_a_form():
    form = ag.derive(students()).closed_form["w"]
    assert form.latex() == r"\frac{1}{4} A^{\top} \, \left(\hat{y} - y\right)"
    assert form.numpy() == "A.T @ (y_hat - y) / 4"
    assert form._repr_latex_() == f"$\\displaystyle {form.latex()}$"
    found = ET.fromstring(form.mathml())
    assert found.tag == "math"
    assert "".join(found.itertext()) == "14A⊤(yˆ−y)"


@pytest.mark.parametrize("loss", [student, students, perceptron])
@pytest.mark.parametrize("numbers", [False, True])
def test_every_notation_of_a_derivation(loss, numbers):
    derivation = ag.derive(loss(), numbers=numbers)
    for form in derivation.closed_form.values():
        assert form.text() in derivation.text()
        assert form.latex() in derivation.markdown()
    latex = derivation.latex()
    assert latex.startswith("\\begin{align*}")
    assert latex.count("{") == latex.count("}")
    assert latex.count("\\left") == latex.count("\\right")
    ET.fromstring(derivation.mathml())
    assert derivation._repr_html_().endswith(derivation.mathml())
    assert derivation._repr_markdown_() == derivation.markdown()
    assert "Derivation(" in repr(derivation)


def test_the_same_graph_gives_the_same_bytes():
    one, two = ag.derive(perceptron()), ag.derive(perceptron())
    assert (one.text(), one.latex(), one.mathml()) == (two.text(), two.latex(), two.mathml())
    for x, y in zip(one.closed_form.values(), two.closed_form.values(), strict=True):
        assert x.numpy() == y.numpy()


def test_lengths_with_given_letters():
    L = LogisticRegression().loss_graph(np.ones((4, 2)), [0, 1, 1, 0])
    assert str(ag.derive(L, lengths={"N": 4}).closed_form["w"]) == "(1/N) Aᵀ(ŷ − y)"
    w, A = ag.Tensor(np.ones(2), name="w"), ag.constant(np.ones((4, 2)), name="A")
    halves = np.sum((A @ w) ** 2) / 4
    assert str(ag.derive(halves, lengths={"N": 4}).closed_form["w"]) == "(2/N) AᵀAw"
    assert str(ag.derive(halves).closed_form["w"]) == "(1/2) AᵀAw"


def test_the_command(capsys, tmp_path):
    assert main(["derive", "student", "--numbers"]) == 0
    assert capsys.readouterr().out == STUDENT
    for name, begins in {
        "a.md": "$$",
        "a.tex": "\\begin",
        "a.html": "<!DOCTYPE",
        "a.txt": "z",
    }.items():
        path = tmp_path / name
        assert main(["derive", "logistic-regression", "--lengths", "--out", str(path)]) == 0
        assert path.read_text(encoding="utf-8").startswith(begins)
    file = tmp_path / "mine.py"
    file.write_text(
        "import autograd_lite as ag\n"
        "def loss():\n"
        "    x = ag.Tensor([1.0, 2.0], name='x')\n"
        "    return (x * x).sum()\n",
        encoding="utf-8",
    )
    capsys.readouterr()
    assert main(["derive", f"{file}:loss"]) == 0
    assert "∂L/∂x = 2x" in capsys.readouterr().out
    for wrong in (["nothing"], [f"{file}:other"], ["missing.py:f"], ["student", "--wrt", "q"]):
        assert main(["derive", *wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    picture = tmp_path / "a.pdf"
    assert main(["derive", "student", "--out", str(picture)]) == 2
    assert "must end in .txt, .md, .tex, .html" in capsys.readouterr().err
    assert not picture.exists()
    assert main(["derive", "student", "--format", "latex", "--out", str(picture)]) == 0
