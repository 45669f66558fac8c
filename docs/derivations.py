"""The pages under docs/derivations: prose, and programs that are run for what they show."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

MADE = "<!-- Made by `python docs/make.py`: every formula and number comes from a run. -->\n"


def logistic_regression() -> str:
    """Aᵀ(ŷ − y) out of ten lines of NumPy."""
    page = Page("Logistic regression: from NumPy to Aᵀ(ŷ − y)")
    page.say("""
        The loss below is written as one would write it in NumPy, with `log` and with σ spelled
        out. Nothing in it knows what a cross-entropy is. `ag.derive` reads the graph that the
        program leaves behind.
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
        Each line after the first block is one application of the chain rule: the gradient, the
        product by the gradient before it, and that product in lowest terms. The two fractions
        meet σ' = ŷ(1 − ŷ) and cancel; what is left is the error ŷ − y. The last line says what
        the formulas were compared with.

        The mean in place of the sum divides by the number of rows, here asked for as a letter:
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
        Without names in between, the form is in terms of the data and the weights alone:
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
        One example first, its vectors as columns: h = ReLU(W x + b), then ŷ = σ(w·h + b).
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
        The gradient of the first weights is the outer product of ∂L/∂a with x. A gradient that
        is longer than a difference keeps its name in those that follow; `expand=True` puts it in:
    """)
    page.run("""
        print(ag.derive(L, wrt=W1, expand=True).closed_form[W1])
    """)
    page.say("""
        Rows of examples, and three hidden layers. Weights are (units, inputs), so a layer reads
        X W⁽¹⁾ᵀ + b⁽¹⁾. From two hidden layers on, the gradient at what enters an activation is
        called δ, and each δ comes out of the one behind it:
    """)
    page.run("""
        from autograd_lite.models import MLPClassifier

        X = np.random.default_rng(0).normal(size=(6, 2))
        network = MLPClassifier((4, 3, 2), random_state=0)
        derivation = ag.derive(network.loss_graph(X, [0, 1, 1, 0, 1, 0]), lengths=True)
        print(derivation)
    """)
    page.say("""
        The same as NumPy. Every gradient that a form leads back to stands before it, so one
        expression is the whole backward pass down to these weights:
    """)
    page.run("""
        print(derivation.closed_form["W⁽¹⁾"].numpy())
    """)
    return page.text()


def student() -> str:
    """One example with its numbers, to the new weights."""
    page = Page("The student: every step with its number")
    page.say("""
        A student who has learned for 3 hours and slept for 5 passes. Logistic regression with
        w = (0.1, −0.2) and b = 0 gives that a probability of a third. With `numbers=True` each
        line ends in the value.
    """)
    page.run("""
        import autograd_lite as ag
        from autograd_lite.models import student

        derivation = ag.derive(student(), numbers=True)
        print(derivation)
    """)
    page.say("""
        The step against the gradient, with a learning rate of 0.1, in the closed forms' own
        NumPy:
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
    """Newton's method for logistic regression beside gradient descent."""
    page = Page("Newton's method for logistic regression")
    page.say("""
        The gradient's closed form can be derived once more. For logistic regression the Hessian
        is Aᵀ diag(ŷ(1 − ŷ)) A: a matrix of the columns' products, weighted by how undecided each
        row is.
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
        A step of Newton's method solves Hessian · step = gradient. Beside it, gradient descent
        with a learning rate of 1, each measured by the largest element of its gradient:
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
        Near the minimum each step of Newton's method doubles the number of right digits, so a
        handful of steps is enough; gradient descent gains about the same factor every time.
    """)
    return page.text()


def _rounded(g: Any) -> str:
    """The size of a gradient to one digit, so that no machine's last digits are in a page."""
    import numpy as np

    size = float(np.abs(g).max())
    return "< 1e-12" if size < 1e-12 else f"{size:7.0e}"


PAGES = {
    "derivations/logistic-regression.md": logistic_regression,
    "derivations/mlp.md": mlp,
    "derivations/student.md": student,
    "derivations/newton.md": newton,
}
"""Each page, and what makes its text."""


class Page:
    """A page that runs the programs that it shows."""

    def __init__(self, title: str) -> None:
        self.parts = [MADE, f"# {title}\n"]
        self.names: dict[str, Any] = {"rounded": _rounded}

    def say(self, prose: str) -> None:
        """A piece of prose."""
        self.parts.append(_flush(prose))

    def run(self, program: str) -> None:
        """A program, and what it prints."""
        source = _flush(program)
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(source, "<page>", "exec"), self.names)
        self.parts.append(f"```python\n{source}```\n")
        self.parts.append(f"```text\n{printed.getvalue().rstrip()}\n```\n")

    def formula(self, derivation: str, name: str) -> None:
        """A closed form, typeset."""
        form = self.names[derivation].closed_form[name]
        self.parts.append(f"$$\\frac{{\\partial L}}{{\\partial {name}}} = {form.latex()}$$\n")

    def text(self) -> str:
        """The whole page."""
        return "\n".join(self.parts)


def _flush(text: str) -> str:
    """Text without the indentation that all its lines share."""
    import textwrap

    return textwrap.dedent(text).strip("\n").rstrip() + "\n"
