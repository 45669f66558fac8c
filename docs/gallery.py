"""The gallery: pictures that the project draws, and the page that shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import notebook

from autograd_lite.commands.pictures import PICTURES
from autograd_lite.data import load_breast_cancer
from autograd_lite.files import atomic
from autograd_lite.models import MLPClassifier
from autograd_lite.models.examples import perceptron, student, students
from autograd_lite.viz import Drawing, draw, style

HEAD = """\
# Gallery

The engine computed every value and gradient in these pictures. `python docs/make.py --pictures`
draws all of them again.

## Graphs

Data have square corners and are blue, parameters have a thick amber border, and the loss has a
double border. The dark badge is the operation. Each card shows a value and its gradient. To step
through a graph forward and backward, save it as a web page ([page.md](page.md)):
`draw(loss).save("graph.html")`, or `autograd-lite draw mlp --out mlp.html`.
"""


CURVES = """\
## Curves and surfaces

`autograd-lite plot confusion results/mlp.npz` draws a model that `train` wrote, and so do others
([models.md](models.md#looking-into-a-trained-model)).
"""


class Graph(NamedTuple):
    """A graph: its title, its caption, the command that draws it, and the drawing."""

    title: str
    caption: str
    how: str
    drawing: Callable[[], Drawing]


def _network() -> Drawing:
    table = load_breast_cancer()
    model = MLPClassifier((32, 16), standardize=True, random_state=0)
    return draw(model.loss_graph(table.X, table.y), depth=0)


GRAPHS = {
    "graph-student": Graph(
        "Logistic regression on one student",
        "The gradient of the loss is 1, that of ŷ is −1/ŷ, that of z is ŷ − y, and that of w is "
        "(ŷ − y) x.",
        "autograd-lite draw student",
        lambda: draw(student()),
    ),
    "graph-students": Graph(
        "Logistic regression on four students",
        "The rows of A are examples. Its first column is all ones, for the intercept.",
        "autograd-lite draw logistic-regression",
        lambda: draw(students()),
    ),
    "graph-mlp": Graph(
        "A multilayer perceptron",
        "Two hidden units, one example. The second is inactive: its ReLU passes no gradient on.",
        "autograd-lite draw mlp",
        lambda: draw(perceptron()),
    ),
    "graph-folded": Graph(
        "The same with its layers folded",
        "569 rows of the breast cancer data, hidden layers of 32 and 16 units; one card per layer.",
        "draw(model.loss_graph(X, y), depth=0)",
        _network,
    ),
}


def page() -> str:
    """The gallery as Markdown."""
    lines = [HEAD]
    for name, graph in GRAPHS.items():
        lines += [
            f"### {graph.title}\n",
            f"![{graph.title}](pictures/{name}.svg)\n",
            f"{graph.caption}\n",
            f"`{graph.how}`\n",
        ]
    lines.append(CURVES)
    for name, picture in PICTURES.items():
        lines += [
            f"### {picture.title}\n",
            f"![{picture.title}](pictures/{name}.png)\n",
            f"{picture.caption}\n",
            f"`autograd-lite plot {name}`\n",
        ]
    return "\n".join(lines)


def pictures() -> dict[str, Callable[[], bytes]]:
    """The pictures and the notebooks: for each path below docs/ a function that returns its bytes.

    The bytes depend on the versions of Graphviz and matplotlib, so no test compares them.
    """
    made: dict[str, Callable[[], bytes]] = {
        f"{name}.ipynb": lambda name=name: notebook.made(name).encode()  # type: ignore[misc]
        for name in notebook.PAGES
    }
    for name, graph in GRAPHS.items():
        made[f"pictures/{name}.svg"] = lambda graph=graph: graph.drawing().svg().encode()  # type: ignore[misc]
    for name, picture in PICTURES.items():
        made[f"pictures/{name}.png"] = lambda p=picture: style.render(p.axes(), "png")  # type: ignore[misc]
    return made


def write(here: Path) -> None:
    """Draw every picture and run the notebooks again."""
    (here / "pictures").mkdir(exist_ok=True)
    for name, make in pictures().items():
        with atomic(here / name, "wb") as file:
            file.write(make())
        print(f"docs/{name}")
