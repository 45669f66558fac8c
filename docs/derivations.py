"""The pages under docs/derivations: text, and programs with the output of running them."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

MADE = "<!-- Made by `python docs/make.py`: every formula and number comes from a run. -->\n"


def logistic_regression() -> str:
    """Aᵀ(ŷ − y) from ten lines of NumPy."""
    page = Page("Logistic regression: from NumPy to Aᵀ(ŷ − y)")
    page.say("""
        The loss below is plain NumPy code, with σ and the cross-entropy written out. `ag.derive`
        derives the gradients from the graph that this program records.
    """)
    page.run("""
        import numpy as np
        import autograd_lite as ag

        A = ag.constant([[1, 3, 5], [1, 1, 4], [1, 4, 8], [1, 0.5, 6]], name="A")
        y = ag.constant([1, 0, 1, 0], name="y")
        w = ag.Tensor([0, 0.1, -0.2], name="w")

        z = (A @ w).named("z")
        ŷ = (1 / (1 + np.exp(-z))).named("ŷ")
        L = (-np.sum(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))).named("L")

        print(ag.derive(L))
    """)
    page.say("""
        Each line of the second block applies the chain rule once. It shows the gradient, the
        product that the chain rule gives, and the simplified product. The denominators of the two
        fractions cancel with σ' = ŷ(1 − ŷ), and the error ŷ − y remains. The last line states how
        the formulas were checked.

        With the mean instead of the sum, the gradient is divided by the number of rows. With
        `lengths=True` that number is a letter:
    """)
    page.run("""
        L = (-np.mean(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))).named("L")
        mean = ag.derive(L, lengths=True)
        print(mean.closed_form[w])
        print(mean.closed_form[w].numpy())
        print(mean.closed_form[w].latex())
    """)
    page.formula("mean", "w")
    page.say("""
        Without names for the intermediate results, the closed form contains only the data and the
        weights:
    """)
    page.run("""
        p = 1 / (1 + np.exp(-(A @ w)))
        print(ag.derive(-np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))).closed_form[w])
    """)
    return page.text()


def mlp() -> str:
    """A multilayer perceptron, by rows, and the recursion over layers."""
    page = Page("The multilayer perceptron: outer products and the recursion over layers")
    page.say("""
        We start with one example, whose vectors are columns: h = ReLU(W x + b) and ŷ = σ(w·h + b).
    """)
    page.run("""
        import numpy as np
        import autograd_lite as ag

        x, y = ag.constant([1, 2], name="x"), ag.constant(1, name="y")
        W1 = ag.Tensor([[0.5, 0.3], [-0.8, 0.2]], name="W⁽¹⁾")
        b1 = ag.Tensor([0.1, -0.2], name="b⁽¹⁾")
        w, b = ag.Tensor([0.7, -0.5], name="w"), ag.Tensor(0.2, name="b")

        a = (W1 @ x + b1).named("a")
        h = ag.relu(a).named("h")
        ŷ = ag.sigmoid(w @ h + b).named("ŷ")
        L = (-(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))).named("L")

        print(ag.derive(L, wrt=[b, w, h, a, b1, W1]))
    """)
    page.say("""
        The gradient of the first weights is the outer product of ∂L/∂a and x. A gradient that is
        longer than a difference such as ŷ − y keeps its name in later formulas. `expand=True`
        inserts its formula instead:
    """)
    page.run("""
        print(ag.derive(L, wrt=W1, expand=True).closed_form[W1])
    """)
    page.say("""
        The next network has three hidden layers, and examples are rows. Weights have shape (units,
        inputs), so a layer is X W⁽¹⁾ᵀ + b⁽¹⁾. With two or more hidden layers, the gradient at the
        input of an activation is called δ, and each δ is computed from that of the next layer:
    """)
    page.run("""
        from autograd_lite.models import MLPClassifier

        X = np.random.default_rng(0).normal(size=(6, 2))
        network = MLPClassifier((4, 3, 2), random_state=0)
        derivation = ag.derive(network.loss_graph(X, [0, 1, 1, 0, 1, 0]), lengths=True)
        print(derivation)
    """)
    page.say("""
        This is the same gradient as NumPy code. All gradients that it depends on are inserted, so
        one expression is the whole backward pass down to these weights:
    """)
    page.run("""
        print(derivation.closed_form["W⁽¹⁾"].numpy())
    """)
    return page.text()


def student() -> str:
    """One example with its numbers, up to the new weights."""
    page = Page("The student: every step with its number")
    page.say("""
        A student studied for 3 hours, slept for 5, and passed. Logistic regression with
        w = (0.1, −0.2) and b = 0 predicts this with probability 0.33. With `numbers=True` each line
        ends with its value.
    """)
    page.run("""
        import autograd_lite as ag
        from autograd_lite.models import student

        derivation = ag.derive(student(), numbers=True)
        print(derivation)
    """)
    page.say("""
        One step of gradient descent with a learning rate of 0.1, computed with the NumPy code of
        the closed forms:
    """)
    page.run("""
        import numpy as np
        from autograd_lite.text import number

        values = derivation.values
        for name in ("w", "b"):
            source = derivation.closed_form[name].numpy()
            new = values[name] - 0.1 * eval(source, {"np": np, **values})
            print(f"{name} ← {name} − 0.1 · ({source}) =", ", ".join(map(number, np.ravel(new))))
    """)
    return page.text()


def newton() -> str:
    """Newton's method for logistic regression, compared with gradient descent."""
    page = Page("Newton's method for logistic regression")
    page.say("""
        The closed form of the gradient can be differentiated again. For logistic regression the
        Hessian is Aᵀ diag(ŷ(1 − ŷ)) A. The weight of each row, ŷ(1 − ŷ), is largest where the model
        is least certain.
    """)
    page.run("""
        import numpy as np
        import autograd_lite as ag

        random = np.random.default_rng(7)
        data = np.c_[np.ones(40), random.normal(size=(40, 2))]
        labels = (data @ [0.5, 2.0, -1.0] + random.logistic(size=40) > 0).astype(float)

        A, y = ag.constant(data, name="A"), ag.constant(labels, name="y")
        w = ag.Tensor(np.zeros(3), name="w")
        ŷ = ag.sigmoid((A @ w).named("z")).named("ŷ")
        L = (-np.mean(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))).named("L")

        derivation = ag.derive(L, lengths=True)
        gradient, hessian = derivation.closed_form[w], derivation.hessian(w)
        print("gradient  ", gradient)
        print("Hessian   ", hessian)
        print("as NumPy  ", hessian.numpy())
    """)
    page.say("""
        A step of Newton's method solves Hessian · step = gradient. The table compares it with
        gradient descent with a learning rate of 1. The numbers are the largest element of the
        gradient:
    """)
    page.run("""
        newton = descent = np.zeros(3)
        print("step   Newton    descent")
        for step in range(8):
            g, d = gradient.evaluate({w: newton}), gradient.evaluate({w: descent})
            print(f"{step:4}   {rounded(g)}   {rounded(d)}")
            newton = newton - np.linalg.solve(hessian.evaluate({w: newton}), g)
            descent = descent - d
    """)
    page.say("""
        Near the minimum, each step of Newton's method doubles the number of correct digits. Each
        step of gradient descent reduces the gradient by about the same factor.
    """)
    return page.text()


def _rounded(g: Any) -> str:
    """The largest element of a gradient, to one digit: other digits differ between machines."""
    import numpy as np

    size = float(np.abs(g).max())
    return "< 1e-12" if size < 1e-12 else f"{size:7.0e}"


PAGES = {
    "derivations/logistic-regression.md": logistic_regression,
    "derivations/mlp.md": mlp,
    "derivations/student.md": student,
    "derivations/newton.md": newton,
}
"""Each page, and the function that returns its text."""


class Page:
    """A page that runs the programs it shows."""

    def __init__(self, title: str) -> None:
        self.parts = [MADE, f"# {title}\n"]
        self.names: dict[str, Any] = {"rounded": _rounded}

    def say(self, prose: str) -> None:
        """Add a paragraph of text."""
        self.parts.append(_flush(prose))

    def run(self, program: str) -> None:
        """Add a program and its output."""
        source = _flush(program)
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(source, "<page>", "exec"), self.names)
        self.parts.append(f"```python\n{source}```\n")
        self.parts.append(f"```text\n{printed.getvalue().rstrip()}\n```\n")

    def formula(self, derivation: str, name: str) -> None:
        """Add a closed form, typeset."""
        form = self.names[derivation].closed_form[name]
        self.parts.append(f"$$\\frac{{\\partial L}}{{\\partial {name}}} = {form.latex()}$$\n")

    def text(self) -> str:
        """The text of the page."""
        return "\n".join(self.parts)


def _flush(text: str) -> str:
    """Text without the indentation that all its lines share."""
    import textwrap

    return textwrap.dedent(text).strip("\n").rstrip() + "\n"
