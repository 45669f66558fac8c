"""Notebooks: how things show themselves, the tour run cell by cell, and what notebooks hold."""

import json
from html.parser import HTMLParser

import notebook
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.models import student
from autograd_lite.text import printable


class Text(HTMLParser):
    """The text of some HTML, cell by cell."""

    def __init__(self, html):
        super().__init__()
        self.cells, self.tags = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.cells.append(data)


def shown(value):
    return Text(value._repr_html_())


# Tensors and graphs


@given(st.text(), st.lists(st.floats(-100, 100, width=32), max_size=8))
def test_a_tensor_is_shown_and_its_name_stays_text(name, data):
    text = shown(ag.Tensor(np.array(data), name=name))
    assert set(text.tags) == {"div", "b", "span", "table", "tr", "td"}
    assert (printable(name, 60) or "Tensor") in text.cells
    assert len(text.cells) >= 3 + max(1, len(data))


def test_a_tensor_shows_its_gradient():
    w = ag.Tensor([1.0, -2.0], name="w")
    assert shown(w).cells == ["w", " ", "(2,), float64", "value", "1", "−2"]
    (w * w).sum().backward()
    assert shown(w).cells[-3:] == ["grad", "2", "−4"]


def test_what_kinds_of_tensors_say():
    assert "(), int64, constant" in shown(ag.constant(3)).cells
    assert "(2,), float64, made by exp" in shown(np.exp(ag.Tensor([0.0, 1.0]))).cells
    assert "empty" in shown(ag.Tensor(np.zeros(0))).cells
    assert shown(ag.Tensor(np.eye(3))).tags.count("tr") == 3
    assert "mean 49.5" in shown(ag.Tensor(np.arange(100.0))).cells


def test_a_graph_lists_its_nodes():
    text = shown(ag.Graph.of(student()))
    assert text.tags.count("tr") == 1 + 8
    row = text.cells.index("#4")
    assert text.cells[row : row + 5] == ["#4", "w·x", "matmul", "w, x", "()"]


def test_a_long_graph_shows_its_ends():
    x = ag.Tensor(1.0, name="<x>")
    y = x
    for _ in range(1000):
        y = y * 1.001
    text = shown(ag.Graph.of(y))
    assert text.tags.count("tr") == 1 + 40 + 1
    assert f"{len(ag.Graph.of(y)) - 40} more" in text.cells
    assert "<x>, 1.001" in text.cells


# A tour in twenty minutes


def test_the_cells_of_a_page():
    page = "# A\n\ntext\n\n```python\nx = 1\nx\n```\n\n```bash\nls\n```\n\n```python\ny\n```\n"
    assert notebook.cells(page) == [
        (False, "# A\n\ntext"),
        (True, "x = 1\nx"),
        (False, "```bash\nls\n```"),
        (True, "y"),
    ]


def test_a_page_runs_in_one_namespace():
    page = "```python\nx = 20\nprint(x)\n```\nthen\n```python\nx + 1\n```\n```python\nNone\n```\n"
    found = [(printed, data) for cell, printed, data in notebook.run(page, "p") if cell.code]
    assert found == [("20\n", {}), ("", {"text/plain": "21"}), ("", {})]


def test_an_error_shows_the_line_of_the_cell():
    page = "```python\nx = 1\n\n1 / 0\n```\n"
    with pytest.raises(ZeroDivisionError) as failure:
        list(notebook.run(page, "p"))
    last = failure.traceback[-1]
    assert (str(last.path), last.lineno) == ("<p, cell 0>", 2)


def test_the_engine_in_twenty_minutes(capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("sympy")
    found = [data for cell, _, data in notebook.run(notebook.page("tour"), "tour") if cell.code]
    assert "text/html" in found[0]
    assert sum("image/png" in data for data in found) == 2
    assert "accuracy 1.0000" in capsys.readouterr().err


@pytest.mark.parametrize("name", notebook.PAGES)
def test_the_notebook_holds_the_page(name):
    content = json.loads((notebook.HERE / f"{name}.ipynb").read_text(encoding="utf-8"))
    held = [(cell["cell_type"] == "code", "".join(cell["source"])) for cell in content["cells"]]
    assert held == [tuple(cell) for cell in notebook.cells(notebook.page(name))], (
        f"docs/{name}.ipynb is stale; run python docs/make.py --pictures"
    )
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in content["cells"]}) == len(held)
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            assert output["output_type"] in ("stream", "execute_result")
            assert all(value for value in output.get("data", {}).values())
