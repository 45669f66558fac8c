"""Errors and warnings of derive, and names in any alphabet."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.derivation import CannotCheckWarning
from autograd_lite.derivation.names import latex
from autograd_lite.expressions.printer import literal

pytest.importorskip("sympy")


def test_refusals():
    x = ag.Tensor([1.0, 2.0], name="x")
    with pytest.raises(TypeError, match="takes a Tensor or a function, not float"):
        ag.derive(3.0)
    with pytest.raises(
        ValueError, match=r"derive needs a scalar; got the result of multiply \(2,\)"
    ):
        ag.derive(x * x)
    with pytest.raises(TypeError, match="wrt takes Tensors and names, not ndarray"):
        ag.derive(np.sum(x), [np.ones(2)])
    with pytest.raises(TypeError, match="no node of this graph has the name 'q'"):
        ag.derive(np.sum(x), "q")
    with pytest.raises(ValueError, match="depends on no Tensor that requires a gradient"):
        ag.derive(ag.constant(2.0))
    with pytest.raises(TypeError, match="needs the function's arguments"):
        ag.derive(np.sum)
    derivation = ag.derive(np.sum(x))
    with pytest.raises(KeyError, match="no closed form was derived for 'q'"):
        derivation.closed_form["q"]
    with pytest.raises(KeyError, match="nothing in this derivation is called 'q'"):
        derivation.closed_form[x].evaluate({"q": 1.0})


def test_what_the_loss_does_not_depend_on_is_zero_with_a_warning():
    x, other = ag.Tensor([1.0, 2.0], name="x"), ag.Tensor(np.ones((2, 3)), name="other")
    with pytest.warns(UserWarning, match=r"does not depend on other \(2, 3\)"):
        derivation = ag.derive(np.sum(x), [x, other])
    assert str(derivation.closed_form[other]) == "0"
    assert derivation.closed_form[other].evaluate().tolist() == np.zeros((2, 3)).tolist()


def test_what_requires_no_gradient_has_no_closed_form():
    """A closed form of 0 would be silently wrong: the loss does depend on A."""
    A, w = ag.constant([[1.0, 2.0], [3.0, 4.0]], name="A"), ag.Tensor([1.0, 2.0], name="w")
    L, AA = np.sum((A @ w) ** 2), (A @ A).named("B")
    for wrt in ([A], A, "A", [w, A], ["w", "A"]):
        with pytest.raises(ValueError, match=r"A \(2, 2\) requires no .*requires_grad=True"):
            ag.derive(L, wrt=wrt)
    with pytest.raises(ValueError, match=r"B \(2, 2\) .* computed from constants"):
        ag.derive(np.sum(AA @ w), wrt=AA)
    with pytest.raises(ValueError, match="requires no gradient"):
        ag.derive(np.sum(w), wrt=[ag.constant(1.0, name="unused")])
    with pytest.raises(KeyError, match="no closed form was derived for A"):
        ag.derive(L).hessian(A)

    def power(w, k):
        return np.sum(w**k)

    arguments = np.array([1.0, 2.0]), np.array([2, 3])
    with pytest.raises(ValueError, match=r"k \(2,\) .* dtype int64, and only floating"):
        ag.derive(power, 1, args=arguments)
    with pytest.raises(ValueError, match="wrt=2 is out of range for 2 arguments"):
        ag.derive(power, [0, 2], args=arguments)


def test_a_hessian_of_what_is_linear_is_zero():
    w, u = ag.Tensor([1.0, 2.0], name="w"), ag.Tensor([3.0, 4.0], name="u")
    for loss in (np.sum(w), w @ u, np.sum(u * np.where(w > 0, w, -w))):
        assert str(ag.derive(loss).hessian(w)) == "0"


def test_a_function_with_its_arguments():
    def f(w, A, y):
        r = A @ w - y
        return r @ r

    arguments = (np.array([1.0, 2.0]), np.eye(2), np.zeros(2))
    assert str(ag.derive(f, 0, args=arguments).closed_form["w"]) == "2Aᵀ(Aw − y)"
    assert set(map(str, ag.derive(f, args=arguments).closed_form.values())) == {
        "2Aᵀ(Aw − y)",
        "2(Aw − y) wᵀ",
        "2(y − Aw)",
    }


def test_arguments_in_containers():
    def f(θ, x):
        return np.sum((θ["W"] @ x + θ["b"]) ** 2)

    arguments = ({"W": np.eye(2), "b": np.ones(2)}, np.array([1.0, 2.0]))
    derivation = ag.derive(f, 0, args=arguments)
    assert list(map(str, derivation.closed_form.values())) == [
        "2(θ[W] x + θ[b]) xᵀ",
        "2(θ[W] x + θ[b])",
    ]
    assert [step.name for step in derivation.steps] == ["∂L/∂θ[b]", "∂L/∂θ[W]"]


def test_values_that_are_not_finite_are_derived_and_reported():
    x = ag.Tensor([0.0, 2.0], name="x")
    with np.errstate(divide="ignore"):
        derivation = ag.derive(np.sum(np.log(x)))
    assert str(derivation.closed_form[x]) == "1/x"
    assert "at the graph's values some of it is not finite" in derivation.checked
    y = ag.constant([np.nan, 1.0], name="y")
    with pytest.warns(CannotCheckWarning, match="not checked, because the values are not finite"):
        derivation = ag.derive(np.sum(x * y))
    assert str(derivation.closed_form[x]) == "y"


def test_a_large_graph_is_folded():
    x = ag.Tensor(0.3, name="x")
    y = x
    for _ in range(300):
        y = np.sin(y) * 0.9
    text = ag.derive(y).text()
    assert len(text.splitlines()) < 150
    assert re.search(r"… \d+ more …", text)


def test_without_sympy_one_line_says_what_to_do():
    program = (
        "import sys; sys.modules['sympy'] = None\n"
        "import autograd_lite as ag\n"
        "try: ag.derive(ag.Tensor(1.0) * 2)\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    wanted = "derive needs SymPy for its algebra: pip install 'autograd_lite[derive]'"
    assert result.stdout.strip() == wanted


def test_sympy_is_imported_only_when_something_is_derived():
    program = "import sys, autograd_lite; print('sympy' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


NASTY = st.text(min_size=1, max_size=12)


@settings(max_examples=40)
@given(NASTY, NASTY, NASTY)
@example("lambda", "np", "W⁽¹⁾")
@example("<script>", "$x$", "\\end{align*}")
@example("x", "x", "x")
@example("50 %", "a_b^c", "日本")
@example("∂L/∂w", "δ⁽¹⁾", "1/m")
def test_names_in_any_language_and_markup(first, second, third):
    w = ag.Tensor([0.5, -0.25], name=first)
    A = ag.constant([[1.0, 2.0], [3.0, 5.0]], name=second)
    L = np.sum((A @ w) ** 2).named(third)
    derivation = ag.derive(L, w)
    form = derivation.closed_form[w]
    assert "\n" not in form.text()
    got = eval(form.numpy(), {"np": np, **derivation.values})
    np.testing.assert_allclose(got, 2 * A.numpy().T @ A.numpy() @ w.numpy())
    well_formed(form.latex())
    well_formed(derivation.latex().removeprefix("\\begin{align*}").removesuffix("\\end{align*}\n"))
    ET.fromstring(form.mathml())
    ET.fromstring(derivation.mathml())


def well_formed(text):
    """No dollar, no stray brace, no end of an environment that was not begun."""
    text = re.sub(r"\\[\\&%$#_{}]", "", text)
    assert text.count("{") == text.count("}")
    for character in "$%#":
        assert character not in text
    assert "\\end" not in text


def test_letters_of_latex():
    assert latex("ŷ") == "\\hat{y}"
    assert latex("W⁽¹⁾") == "W^{(1)}"
    assert latex("λ") == "\\lambda"
    assert latex("δ⁽²⁾") == "\\delta^{(2)}"
    assert latex("rate") == "\\text{rate}"


def test_a_leaf_with_two_values_is_refused():
    w = ag.Tensor([1.0, 2.0], name="w")
    first = np.sum(w * w)
    w.data -= 0.5
    with pytest.raises(ag.ChangedError, match=r"w .* changed between two uses"):
        ag.derive(first + np.sum(w), w)


def test_a_derivation_after_an_update_is_of_the_values_before_it():
    w, x = ag.Tensor([1.0, 2.0], name="w"), ag.constant([3.0, 4.0], name="x")
    loss = np.sum(w * x) ** 2
    before = ag.derive(loss, w).closed_form[w].evaluate()
    w.data -= 0.5
    after = ag.derive(loss, w)
    np.testing.assert_array_equal(after.closed_form[w].evaluate(), before)


@pytest.mark.parametrize(
    "f",
    [
        lambda w, k: np.linalg.norm(w * k, 3),
        lambda w, k: np.sum(np.linalg.norm(np.outer(w, k), 2.5, axis=1, keepdims=True) ** 2),
        lambda w, k: -np.sum(w * k * k) + np.sum(w**2 / k),
        lambda w, k: -(k @ w) - np.sum(w**2 * k * k),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint64", "int32"])
def test_formulas_of_norms_and_of_integers_that_would_wrap_around(f, dtype):
    w, k = np.array([0.5, -0.25, 2.0]), np.array([200, 3, 1], dtype)
    derivation = ag.derive(f, args=(w, k))
    (form,) = derivation.closed_form.values()
    expected = ag.grad(f)(w, k)
    np.testing.assert_allclose(form.evaluate(), expected)
    np.testing.assert_allclose(eval(form.numpy(), {"np": np, **derivation.values}), expected)


def test_arrays_in_formulas_are_written_whole():
    for x in (np.array([np.inf, -np.inf, 2.0]), np.zeros((0, 3)), np.array([[True]])):
        found = eval(literal(x), {"np": np})
        assert (found.shape, found.dtype) == (x.shape, x.dtype)
        np.testing.assert_array_equal(found, x)
