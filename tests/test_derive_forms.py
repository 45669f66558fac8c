"""The forms that people derive by hand come out of losses written naively."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.models import LogisticRegression, MLPClassifier, student
from autograd_lite.sweep import gradients

pytest.importorskip("sympy")

RANDOM = np.random.default_rng(4)


def T(shape, name):
    return ag.Tensor(RANDOM.normal(size=shape) / 2, name=name)


def C(data, name):
    return ag.constant(data, name=name)


LABELS = np.array([1.0, 0, 1, 1, 0])


def cross_entropy(ŷ, y, reduce=np.sum):
    return -reduce(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))


def logistic(reduce=np.sum, written=False):
    A, y, w = C(RANDOM.normal(size=(5, 3)), "A"), C(LABELS, "y"), T(3, "w")
    z = (A @ w).named("z")
    ŷ = (1 / (1 + np.exp(-z)) if written else ag.sigmoid(z)).named("ŷ")
    return cross_entropy(ŷ, y, reduce).named("L")


def network(sizes=(4,), activation=ag.relu, rows=5):
    """A perceptron in its naive form; no rows is one example, columns are rows < 0."""
    X = C(RANDOM.normal(size=(rows, 3)) if rows else RANDOM.normal(size=3), "X" if rows else "x")
    h, k = X, 3
    for layer, size in enumerate(sizes, start=1):
        up = f"⁽{'⁰¹²³⁴⁵'[layer]}⁾" if len(sizes) > 1 or rows else ""
        W, b = T((size, k), f"W{up or '⁽¹⁾'}"), T(size, f"b{up or '⁽¹⁾'}")
        a = (h @ W.T + b if rows else W @ h + b).named("a" + up)
        h, k = activation(a).named("h" + up), size
    w, b = T(k, "w"), T((), "b")
    ŷ = ag.sigmoid((h @ w + b).named("z")).named("ŷ")
    y = C(LABELS if rows else 1.0, "y")
    return cross_entropy(ŷ, y, np.mean if rows else np.sum).named("L")


def forms(loss, wrt=None, **options):
    derivation = ag.derive(loss, wrt, **options)
    names = derivation._writer.names
    return {names[x.position]: str(form) for x, form in derivation.closed_form.items()}


@pytest.mark.parametrize("σ", [ag.sigmoid, lambda z: 1 / (1 + np.exp(-z))])
def test_the_derivative_of_σ(σ):
    assert forms(σ(T((), "z"))) == {"z": "σ(z)(1 − σ(z))"}
    assert forms(σ(T((), "z")).named("ŷ")) == {"z": "ŷ(1 − ŷ)"}


@pytest.mark.parametrize("written", [False, True])
def test_logistic_regression(written):
    assert forms(logistic(written=written), ["ŷ", "z", "w"]) == {
        "ŷ": "−y/ŷ + (1 − y)/(1 − ŷ)",
        "z": "ŷ − y",
        "w": "Aᵀ(ŷ − y)",
    }
    assert forms(logistic(np.mean, written)) == {"w": "(1/5) Aᵀ(ŷ − y)"}
    assert forms(logistic(np.mean, written), lengths=True) == {"w": "(1/m) Aᵀ(ŷ − y)"}


def test_ten_lines_without_a_name_in_between():
    A, y, w = C(RANDOM.normal(size=(5, 3)), "A"), C(LABELS, "y"), T(3, "w")
    assert forms(cross_entropy(1 / (1 + np.exp(-(A @ w))), y)) == {"w": "Aᵀ(σ(Aw) − y)"}


def test_the_models_losses_have_the_same_forms():
    X, y = RANDOM.normal(size=(5, 2)), [1, 0, 0, 1, 1]
    separate = LogisticRegression(intercept="separate").loss_graph(X, y)
    assert forms(separate, lengths=True) == {"w": "(1/m) Xᵀ(ŷ − y)", "b": "(1/m) Σ(ŷ − y)"}
    assert forms(LogisticRegression(reduction="sum").loss_graph(X, y)) == {"w": "Aᵀ(ŷ − y)"}
    assert forms(student()) == {"w": "(ŷ − y) x", "b": "ŷ − y"}
    assert forms(MLPClassifier(3, random_state=0).loss_graph(X, y), lengths=True) == {
        "W⁽¹⁾": "(∂L/∂a⁽¹⁾)ᵀ X",
        "b⁽¹⁾": "𝟏ᵀ ∂L/∂a⁽¹⁾",
        "w": "(1/m) h⁽¹⁾ᵀ(ŷ − y)",
        "b": "(1/m) Σ(ŷ − y)",
    }


def test_a_perceptron_on_one_example():
    assert forms(network(rows=0), ["b", "w", "h", "a", "b⁽¹⁾", "W⁽¹⁾"]) == {
        "b": "ŷ − y",
        "w": "(ŷ − y) h",
        "h": "(ŷ − y) w",
        "a": "∂L/∂h ⊙ g′(a)",
        "b⁽¹⁾": "∂L/∂a",
        "W⁽¹⁾": "∂L/∂a xᵀ",
    }
    assert forms(network(rows=0), ["a", "W⁽¹⁾"], expand=True) == {
        "a": "(ŷ − y)(w ⊙ 1[a > 0])",
        "W⁽¹⁾": "(ŷ − y)(w ⊙ 1[a > 0]) xᵀ",
    }


def test_a_perceptron_on_rows():
    assert forms(network(), ["h⁽¹⁾", "a⁽¹⁾", "W⁽¹⁾", "b⁽¹⁾"], lengths=True) == {
        "h⁽¹⁾": "(1/m)(ŷ − y) wᵀ",
        "a⁽¹⁾": "∂L/∂h⁽¹⁾ ⊙ g′(a⁽¹⁾)",
        "W⁽¹⁾": "(∂L/∂a⁽¹⁾)ᵀ X",
        "b⁽¹⁾": "𝟏ᵀ ∂L/∂a⁽¹⁾",
    }
    expanded = forms(network(), ["W⁽¹⁾"], expand=True, lengths=True)
    assert expanded == {"W⁽¹⁾": "(1/m)(((ŷ − y) wᵀ) ⊙ 1[a⁽¹⁾ > 0])ᵀ X"}


def test_a_perceptron_on_columns():
    X, y = C(RANDOM.normal(size=(3, 5)), "X"), C(LABELS[None], "y")
    W, b1, w, b = T((4, 3), "W"), T((4, 1), "c"), T((1, 4), "w"), T((1, 1), "b")
    h = ag.relu((W @ X + b1).named("a")).named("h")
    ŷ = ag.sigmoid((w @ h + b).named("z")).named("ŷ")
    assert forms(cross_entropy(ŷ, y).named("L"), [W, b1, w, b, h]) == {
        "W": "∂L/∂a Xᵀ",
        "c": "∂L/∂a 𝟏",
        "w": "(ŷ − y)hᵀ",
        "b": "Σ(ŷ − y)",
        "h": "wᵀ(ŷ − y)",
    }


def test_three_hidden_layers_by_recursion():
    derivation = ag.derive(network((4, 3, 2)))
    steps = {step.name: str(step.form) for step in derivation.steps}
    assert steps["δ⁽³⁾"] == "(1/5)(((ŷ − y) wᵀ) ⊙ g′(a⁽³⁾))"
    assert steps["δ⁽²⁾"] == "(δ⁽³⁾ W⁽³⁾) ⊙ g′(a⁽²⁾)"
    assert steps["δ⁽¹⁾"] == "(δ⁽²⁾ W⁽²⁾) ⊙ g′(a⁽¹⁾)"
    assert steps["∂L/∂W⁽²⁾"] == "δ⁽²⁾ᵀ h⁽¹⁾"
    assert steps["∂L/∂W⁽¹⁾"] == "δ⁽¹⁾ᵀ X"
    assert derivation.legend() == "g = ReLU, g′(a) = 1[a > 0]"


@pytest.mark.parametrize(
    ("activation", "derivative"),
    [
        (np.tanh, "g = tanh, g′(a) = 1 − tanh(a)²"),
        (ag.softplus, "g = softplus, g′(a) = σ(a)"),
        (ag.sigmoid, "g = σ, g′(a) = σ(a)(1 − σ(a))"),
    ],
)
def test_layers_of_other_activations(activation, derivative):
    derivation = ag.derive(network(rows=0, activation=activation), "a")
    assert str(derivation.closed_form["a"]) == "∂L/∂h ⊙ g′(a)"
    assert derivation.legend() == derivative


def test_least_squares_and_ridge():
    A, y, w, λ = C(RANDOM.normal(size=(5, 3)), "A"), C(LABELS, "y"), T(3, "w"), C(0.3, "λ")
    r = A @ w - y
    for loss in (np.sum(r**2), r @ r, np.sum(np.square(r)), np.linalg.norm(r) ** 2):
        assert forms(loss) == {"w": "2Aᵀ(Aw − y)"}
    assert forms(np.mean(r**2), lengths=True) == {"w": "(2/m) Aᵀ(Aw − y)"}
    assert forms(r @ r / 4) == {"w": "(1/2) Aᵀ(Aw − y)"}
    assert forms(r @ r + λ * (w @ w)) == {"w": "2Aᵀ(Aw − y) + 2λw"}


def test_a_square_is_written_as_given():
    A, y, w = C(RANDOM.normal(size=(5, 3)), "A"), C(LABELS, "y"), T(3, "w")
    for r, text in ((A @ w - y, "Aw − y"), (y - A @ w, "y − Aw")):
        (_, form), *_ = ag.derive(np.mean(r**2), lengths=True).definitions()
        assert str(form) == f"(1/m) ‖{text}‖²"


def test_a_fraction_stands_before_its_factors():
    A, w = C(RANDOM.normal(size=(6, 3)), "A"), T(3, "w")
    for sign, minus in ((1, ""), (-1, "−")):
        for lengths, factor in ((True, "4/m"), (False, "2/3")):
            E = (4 * sign * np.mean(np.exp(A @ w))).named("E")
            _, step = ag.derive(np.sin(E).named("L"), lengths=lengths).steps
            assert str(step.product) == f"{minus}({factor}) ∂L/∂E Aᵀ exp(Aw)"


def test_forms_of_linear_algebra():
    A, x, X = C(RANDOM.normal(size=(3, 3)), "A"), T(3, "x"), T((3, 3), "X")
    assert forms(x @ A @ x) == forms(x @ (A @ x)) == {"x": "(A + Aᵀ)x"}
    assert forms(np.linalg.norm(x)) == forms(np.sqrt(np.sum(x * x))) == {"x": "x/‖x‖"}
    assert forms(np.trace(A @ X)) == {"X": "Aᵀ"}
    assert forms(np.trace(X.T @ A @ X)) == {"X": "(A + Aᵀ)X"}
    positive = ag.Tensor(X.numpy() @ X.numpy().T + np.eye(3), name="X")
    assert forms(np.linalg.slogdet(positive)[1]) == {"X": "X⁻ᵀ"}
    assert forms(np.linalg.det(positive)) == {"X": "det(X) X⁻ᵀ"}


@pytest.mark.parametrize(
    ("f", "form"),
    [
        (lambda e, d: (e - d) / (e + d), "1 − tanh(x)²"),
        (lambda e, d: np.log(e + d), "tanh(x)"),
        (lambda e, d: e + d, "exp(x) − exp(−x)"),
    ],
)
def test_tanh_written_out(f, form):
    x = T(3, "x")
    assert forms(np.sum(f(np.exp(x), np.exp(-x)))) == {"x": form}


@pytest.mark.parametrize("named", [True, False])
def test_labels_that_pick_one_of_each_row(named):
    X, W, labels = C(RANDOM.normal(size=(3, 2)), "X"), T((2, 4), "W"), np.array([0, 3, -3])
    log_p = ag.log_softmax((X @ W).named("Z"))
    log_p = log_p.named("ℓ") if named else log_p
    loss = -np.mean(log_p[np.arange(3), labels])
    p = "exp(ℓ)" if named else "softmax(Z)"
    assert forms(loss) == {"W": f"(1/3) Xᵀ({p} − onehot(c₁))"}
    np.testing.assert_allclose(ag.derive(loss).closed_form[W].evaluate(), gradients(loss).of[W])


@pytest.mark.parametrize(
    ("f", "form"),
    [
        (lambda x: np.sum(np.sqrt(x**2 + 0.001)), "x/√(0.001 + x²)"),
        (lambda x: np.sum(x / (x**2 + 0.01)), "−2x²/(0.01 + x²)² + 1/(0.01 + x²)"),
        (lambda x: np.sqrt(x @ x + 0.001), "x/√(0.001 + ‖x‖²)"),
    ],
)
def test_what_keeps_a_denominator_from_zero_is_not_multiplied_out(f, form):
    assert forms(f(T(3, "x"))) == {"x": form}


def test_softmax():
    z, Z = T(3, "z"), T((4, 3), "z")
    onehot = C(np.eye(3)[[0, 2, 1, 0]], "y")
    for loss in (ag.logsumexp(z), np.log(np.sum(np.exp(z)))):
        assert forms(loss) == {"z": "softmax(z)"}
    labels = C(np.array([0, 2, 1, 0]), "y")
    assert forms(ag.cross_entropy(Z, labels, reduction="sum")) == {"z": "softmax(z) − onehot(y)"}
    assert forms(ag.cross_entropy(Z, onehot), lengths=True) == {"z": "(1/m)(softmax(z) − y)"}
    e = np.exp(Z)
    p = e / np.sum(e, axis=1, keepdims=True)
    assert forms(-np.sum(onehot * np.log(p))) == {"z": "softmax(z) − y"}
    assert "y sums to 1 along axis 1" in ag.derive(-np.sum(onehot * np.log(p))).text()
    p = ag.softmax(Z).named("p")
    assert forms(-np.sum(onehot * np.log(p)), ["z", "p"]) == {"z": "p − y", "p": "−y/p"}


@pytest.mark.parametrize("written", [False, True])
def test_weighted_rows(written):
    """Weights of rows stay beside ŷ − y."""
    X, s = C(RANDOM.normal(size=(5, 2)), "X"), C(RANDOM.uniform(1, 2, size=5), "s")
    w, W, y = T(2, "w"), T((2, 3), "W"), C(LABELS, "y")
    ŷ = ag.sigmoid((X @ w).named("z")).named("ŷ")
    costs = ag.binary_cross_entropy(ŷ, y, reduction="none")
    if written:
        costs = -(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))
    assert forms(np.mean(s * costs), lengths=True) == {"w": "(1/m) Xᵀ(s ⊙ (ŷ − y))"}
    assert forms(np.sum(s * costs)) == {"w": "Xᵀ(s ⊙ (ŷ − y))"}
    onehot = C(np.eye(3)[[0, 2, 1, 0, 1]], "y")
    p = ag.softmax((X @ W).named("Z")).named("p")
    costs = -np.sum(onehot * np.log(p), axis=1)
    found = forms(np.mean(s * costs), ["Z", W], lengths=True)
    assert found == {"Z": "(1/m) diag(s)(p − y)", "W": "(1/m) Xᵀ diag(s)(p − y)"}


def test_hessians():
    loss, A, x = logistic(), C(RANDOM.normal(size=(5, 3)), "A"), T(3, "x")
    assert str(ag.derive(loss).hessian("w")) == "Aᵀ diag(ŷ(1 − ŷ)) A"
    mean = ag.derive(logistic(np.mean), lengths=True).hessian("w")
    assert str(mean) == "(1/m) Aᵀ diag(ŷ(1 − ŷ)) A"
    r = A @ x - C(LABELS, "y")
    assert str(ag.derive(r @ r).hessian(x)) == "2AᵀA"
    S = C(RANDOM.normal(size=(3, 3)), "A")
    assert str(ag.derive(x @ S @ x).hessian(x)) == "A + Aᵀ"
    assert str(ag.derive(np.sum(x**3)).hessian(x)) == "6 diag(x)"
    z = T(3, "z")
    softmax = "diag(softmax(z)) − softmax(z)(softmax(z))ᵀ"
    assert str(ag.derive(ag.logsumexp(z)).hessian(z)) == softmax
    decayed = np.mean((A @ x - C(LABELS, "y")) ** 2) + 0.03 * np.sum(x**2)
    assert str(ag.derive(decayed).hessian(x)) == "0.4AᵀA + 0.06I"


@pytest.mark.parametrize(
    "f",
    [
        lambda w, m: w @ np.linalg.inv(m * 0.1 + np.eye(3)) @ w,
        lambda w, m: np.sum(np.diag(w) @ m @ np.diag(w)) + np.sum(w) ** 2 / 3,
    ],
)
def test_hessians_name_arrays_of_the_derivation(f):
    w, m = np.array([1.0, 2.0, 3.0]), np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1]]) > 0
    derivation = ag.derive(f, args=(w, m))
    form = derivation.hessian("w")
    found = eval(form.numpy(), {"np": np, **derivation.values})
    np.testing.assert_allclose(found, ag.hessian(f)(w, m))
    assert f"{derivation.hessian('w')}" == f"{form}"


def test_hessians_of_a_softmax_of_products():
    """Diag(p) − p pᵀ between Aᵀ and A, multiplied out."""
    A, w = C(RANDOM.normal(size=(4, 3)), "A"), T(3, "w")
    p = "softmax(Aw)"
    hessian = ag.derive(ag.logsumexp(A @ w)).hessian(w)
    assert str(hessian) == f"Aᵀ diag({p}) A − Aᵀ {p}(Aᵀ {p})ᵀ"
    decayed = ag.derive(ag.logsumexp(A @ w) + w @ w).hessian(w)
    assert str(decayed) == f"Aᵀ diag({p}) A + 2I − Aᵀ {p}(Aᵀ {p})ᵀ"
    expected = ag.hessian(lambda w: ag.logsumexp(A @ w) + w @ w)(w.numpy())
    np.testing.assert_allclose(decayed.evaluate(), expected)


def test_identities_of_two_sizes():
    X, Y = T((2, 2), "X"), T((3, 3), "Y")
    derivation = ag.derive(np.trace(X) + np.trace(Y))
    assert {w.name: form.numpy() for w, form in derivation.closed_form.items()} == {
        "X": "np.eye(2)",
        "Y": "np.eye(3)",
    }


def test_newtons_method_converges_with_the_derived_hessian():
    A = C(np.c_[np.ones(40), RANDOM.normal(size=(40, 2))], "A")
    y = C((RANDOM.random(40) < 0.5).astype(float), "y")
    start = np.zeros(3)

    def derivation(w):
        return ag.derive(cross_entropy(ag.sigmoid((A @ w).named("z")).named("ŷ"), y).named("L"), w)

    w = ag.Tensor(start, name="w")
    d = derivation(w)
    gradient, hessian = d.closed_form[w], d.hessian(w)
    point, sizes = start, []
    for _ in range(6):
        g = gradient.evaluate({"w": point})
        sizes.append(np.abs(g).max())
        point = point - np.linalg.solve(hessian.evaluate({"w": point}), g)
    assert sizes[-1] < 1e-12 < sizes[0]


def test_a_number_leads_a_product():
    """Also where it comes from a sum inside: 2Wᵀ(h − h³), not Wᵀ2(h − h³)."""
    W, x, U = T((2, 2), "W"), T(2, "x"), T((2, 1), "U")
    h = np.tanh(W @ x + U @ C([0.5], "s")).named("h")
    d = ag.derive(3 * (h * h).sum())
    assert {v.name: str(form) for v, form in d.closed_form.items()} == {
        "W": "6(h − h³) xᵀ", "x": "6Wᵀ(h − h³)", "U": "6s(h − h³)",
    }  # fmt: skip
    H = np.tanh(C([[1.0, 2.0], [3.0, 4.0]], "X") @ W).named("H")
    assert str(ag.derive((H * H).sum()).closed_form[W]) == "2Xᵀ(H − H³)"


@pytest.mark.parametrize(
    ("number", "written"),
    [(1e100, "10¹⁰⁰"), (-6.02e23, "−6.02 · 10²³"), (1e15, "1" + "0" * 15), (2.0**60, str(2**60))],
)
def test_a_large_number_is_as_short_as_its_literal(number, written):
    x = T(3, "x")
    assert str(ag.derive((number * x).sum()).closed_form[x]) == written
