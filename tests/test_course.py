"""The course: its solutions are correct, and the mistakes that learners make are named."""

import ast
import json
import re

import notebook
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sympy")

SOLUTION = re.compile(r"^```py\n(.*?)^```\n", re.MULTILINE | re.DOTALL)

EARLY = """\
    old, w = w, w - 0.1 * dw
    dW1 = batch_gradients(W1, b1, w, b, X, y)[0]
    w = old
    return"""

PLANTED = {
    "1-one-neuron": {
        "dL_dz": [
            ("1 / (1 + np.exp(-z)) - y", "y - 1 / (1 + np.exp(-z))", "wrong sign"),
            ("1 / (1 + np.exp(-z)) - y", "-y / (1 + np.exp(z))", "missing part"),
        ],
        "gradients": [
            ("dz * x", "dz * w", "wrong factor"),
            ("dz * x, dz", "dz, dz", "gradient of another argument"),
            ("dz * x", "dz * np.ones(2)", "missing factor"),
        ],
        "gradient_of_squared": [
            (" * ŷ * (1 - ŷ)", "", "missing derivative"),
            (" * (1 - ŷ)", "", "incomplete derivative"),
            ("2 * (", "(", "incomplete derivative"),
            ("ŷ * (1 - ŷ)", "(z := w @ x + b) * (1 - z)", "derivative at the wrong place"),
            ("(ŷ - y)", "(y - ŷ)", "wrong sign"),
        ],
    },
    "2-the-chain-rule": {
        "gradients_of_d": [
            ("b + 2 * a", "b", "missing part"),
            ("b + 2 * a", "b + a", "incomplete derivative"),
            ("b + 2 * a, a", "a, b + 2 * a", "gradient of another argument"),
        ],
        "slope_of_bell": [
            (" * -0.5 * 2 * t", "", "gradient of an intermediate result"),
            (" * 2 * t", "", "missing derivative"),
            ("-0.5 * 2", "0.5 * 2", "wrong sign"),
            (" * -0.5 * 2", " * -0.5", "incomplete derivative"),
        ],
        "gradient_of_v": [
            (".sum(axis=0)", "", "rows not summed"),
            (".sum(axis=0)", ".sum()", "summed over all axes"),
            ("2 * ", "", "incomplete derivative"),
            (".sum", ".mean", "constant factor"),
        ],
    },
    "3-logistic-regression": {
        "gradient_of_total": [
            ("A.T @", "A @", "forgotten transpose"),
            ("(ŷ - y)", "(y - ŷ)", "wrong sign"),
            ("(ŷ - y)", "(ŷ - y) / len(y)", "mean in place of a sum"),
            ("A.T @ (ŷ - y)", "A * (ŷ - y)[:, None]", "rows not summed"),
        ],
        "gradient_of_mean": [
            (" / len(y)", "", "forgotten 1/m"),
            ("A.T @ (ŷ - y) / len(y)", "A.T @ (y - ŷ)", "wrong sign and forgotten 1/m"),
            ("(ŷ - y)", "((ŷ - y) * ŷ * (1 - ŷ))", "derivative applied twice"),
            ("len(y)", "len(y) ** 2", "1/m twice"),
            ("A.T", "A", "forgotten transpose"),
        ],
        "gradient_of_squared": [
            (" * ŷ * (1 - ŷ)", "", "missing derivative"),
            (" / len(y)", "", "forgotten 1/m"),
            ("2 * ", "", "incomplete derivative"),
        ],
    },
    "4-gradient-descent": {
        "step": [
            ("w - 0.1", "w + 0.1", "wrong sign"),
            ("0.1 * ", "", "missing learning rate"),
            (" / len(y)", "", "forgotten 1/m"),
            ("w - 0.1 * ", "", "gradient in place of the parameters"),
            ("w - ", "", "change in place of the parameters"),
            ("A.T @ (ŷ - y) / len(y)", "0", "parameters not changed"),
        ],
        "gradient_with_penalty": [
            (" + 0.3 * w", "", "missing part"),
            ("0.3 * w", "0.5 * 0.3 * w", "incomplete derivative"),
            ("0.3 * w", "2 * 0.3 * w", "missing constant"),
        ],
        "step_of_line": [
            ("2 * ", "", "incomplete derivative"),
            ("0.01 * 2 * A.T @ (A @ w - y) / len(y)", "0.02 * A.T @ (y - A @ w) / len(y)", "wrong"),
            ("0.01 * ", "", "missing learning rate"),
        ],
    },
    "5-the-perceptron": {
        "gradients": [
            ("np.outer(da, x)", "np.outer(x, da)", "transposed gradient"),
            ("np.outer(da, x)", "da.T @ x.T", "dot product in place of the outer product"),
            (" * (a > 0)", "", "missing mask"),
            ("(a > 0)", "(a < 0)", "inverted mask"),
            ("(a > 0)", "h", "value in place of the mask"),
        ],
        "batch_gradients": [
            ("da.T @ X", "X.T @ da", "transposed gradient"),
            ("da.sum(axis=0)", "da", "rows not summed"),
            ("da.sum(axis=0)", "da.sum()", "summed over all axes"),
            ("h.T @ dz", "a.T @ dz", "pre-activation in place of the activation"),
            (" / len(y)", "", "forgotten 1/m"),
            (" * (a > 0)", "", "missing mask"),
        ],
        "step": [
            ("- 0.1", "+ 0.1", "wrong sign"),
            ("0.1 * ", "", "missing learning rate"),
            ("    return", EARLY, "parameters changed too early"),
        ],
    },
    "6-what-goes-wrong": {
        "gradient_of_tanh": [
            (" * (1 - h**2)", "", "missing derivative"),
            ("h**2", "h", "incomplete derivative"),
        ],
        "gradient_of_network": [
            (" * (a > 0)", "", "missing mask"),
        ],
        "gradient_of_z": [
            (
                "np.where(z > 0, 1 / (1 + e), e / (1 + e)) - y",
                "y - np.where(z > 0, 1 / (1 + e), e / (1 + e))",
                "wrong sign",
            ),
        ],
    },
}  # fmt: skip
"""For each exercise, what is written in place of a part of its solution, and what is reported."""


def functions(code):
    """The source of each function by its name."""
    return {
        node.name: ast.get_source_segment(code, node)
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef)
    }


def solutions(text):
    """The source of the solution of each exercise."""
    return {k: v for code in SOLUTION.findall(text) for k, v in functions(code).items()}


def exercises(text):
    """Each cell that checks an answer, and the name of the function that is the answer."""
    found = {}
    for cell in notebook.cells(text):
        if cell.code and re.search(r"^check_\w+\(", cell.source, re.MULTILINE):
            (check,) = re.findall(r"^check_\w+\((\w+), .*\)$", cell.source, re.MULTILINE)
            found[check] = cell.source
    return found


def answered(text, name):
    """The page with each solution, and after it a cell for each planted mistake."""
    expected = []
    for function, source in exercises(text).items():
        solution, given = solutions(text)[function], functions(source)[function]
        check = source.splitlines()[-1]
        solved = [source.replace(given, solution)]
        expected.append("correct")
        for old, new, mistake in PLANTED[name][function]:
            assert old in solution, (function, old)
            solved.append(f"{solution.replace(old, new)}\n\n\n{check}")
            expected.append(mistake)
        solved.append(solution)
        cells = "\n```\n\n```python\n".join(solved)
        text = text.replace(f"```python\n{source}\n```", f"```python\n{cells}\n```")
    return text, expected


@pytest.mark.parametrize("page", notebook.COURSE)
def test_solutions_are_correct_and_mistakes_are_named(page):
    name = page.removeprefix("course/")
    text, expected = answered(notebook.page(page), name)
    reports = [
        data["text/plain"]
        for cell, _, data in notebook.run(text, name)
        if cell.code and cell.source.splitlines()[-1].startswith("check_")
    ]
    assert len(reports) == len(expected)
    for report, mistake in zip(reports, expected, strict=True):
        if mistake == "correct":
            assert re.fullmatch(r".* (is|are) correct\.", report)
        else:
            assert f"not correct: {mistake}" in report, report


@pytest.mark.parametrize("page", notebook.COURSE)
def test_a_notebook_has_three_exercises(page):
    text = notebook.page(page)
    assert len(exercises(text)) == 3
    assert list(exercises(text)) == list(solutions(text))
    assert list(exercises(text)) == list(PLANTED[page.removeprefix("course/")])


@pytest.mark.parametrize("page", notebook.COURSE)
def test_the_exercises_of_a_notebook_are_open(page):
    content = json.loads((notebook.HERE / f"{page}.ipynb").read_text(encoding="utf-8"))
    reports = [
        "".join(cell["outputs"][0]["data"]["text/plain"])
        for cell in content["cells"]
        if cell["cell_type"] == "code"
        and cell["source"][-1].startswith(("check_answer", "check_step"))
    ][-3:]
    expected = ["no answer yet"] * 3
    if page == "course/6-what-goes-wrong":
        expected = ["derivative at the wrong place", "wrong sign and missing mask", "not finite"]
    for report, part in zip(reports, expected, strict=True):
        assert report.splitlines()[0].endswith(f": {part}.")


def test_solutions_stay_folded():
    for page in notebook.COURSE:
        *_, last = notebook.cells(notebook.page(page))
        assert not last.code
        assert last.source.count("```py\n") == last.source.count("</details>") * 3 == 3
