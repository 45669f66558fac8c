"""The pictures that the project can draw of itself, by name; every number in them is computed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from autograd_lite.data import Table, load_breast_cancer, make_moons, make_spirals, split
from autograd_lite.models import LogisticRegression, MLPClassifier
from autograd_lite.models.classifier import Classifier
from autograd_lite.text import superscript
from autograd_lite.viz import style
from autograd_lite.viz.curves import layer_histograms, loss_curves, sigmoid_curves
from autograd_lite.viz.decisions import confusion_matrix, decision_boundary
from autograd_lite.viz.surfaces import descent_path, learning_rates

__all__ = ["PICTURES", "Picture"]


class Picture(NamedTuple):
    """A picture: what it is called, what is seen in it, and the function that gives its Axes."""

    title: str
    caption: str
    axes: Callable[[], Any]


def _sigmoid() -> Any:
    return sigmoid_curves()


@style.styled
def _descent() -> Any:
    """The student: 3 hours studied, 5 slept, passed; w starts at (0.1, −0.2), b stays 0."""
    x, start = np.array([3.0, 5.0]), (0.1, -0.2)

    def loss(w: Any) -> Any:
        return ag.binary_cross_entropy(ag.sigmoid(x @ w), 1.0)

    ax = descent_path(loss, start, 0.1, 12, window=((-0.3, 0.85), (-0.45, 0.7)))
    ax.annotate("start: (0.1, −0.2)", start, (10, -4), textcoords="offset points", size=9)
    second = start + 0.1 * 2.0046 / 3 * x
    ax.annotate("after one step: (0.3005, 0.1341)", second, (10, -4), textcoords="offset points", size=9)
    ax.set_title("each step is a multiple of x = (3, 5)")
    return ax


def _rates() -> Any:
    table = load_breast_cancer()
    X = table.X[:, [table.columns.index(name) for name in ("mean_radius", "mean_texture")]]
    X = ag.constant((X - X.mean(axis=0)) / X.std(axis=0))
    y = ag.constant(table.y == "malignant")

    def loss(w: Any) -> Any:
        return ag.binary_cross_entropy(ag.sigmoid(X @ w), y)

    import os
    rates = eval(os.environ.get("RATES","{'too small': 0.3, 'right': 6.0, 'too large': 24.0}"))
    return learning_rates(loss, eval(os.environ.get("START","(-1.0, 2.0)")), rates, 25)


def _runs() -> Any:
    table = make_moons(200, random_state=0)
    runs: dict[str, Classifier] = {"logistic regression": LogisticRegression(standardize=True)}
    runs |= {f"MLP, {n} hidden units": _mlp(n, 500) for n in (2, 8, 32)}
    for model in runs.values():
        model.learning_rate_init = 0.5
    return loss_curves({k: m.fit(table.X, table.y).loss_curve_ for k, m in runs.items()})


def _mlp(units: Any, steps: int) -> MLPClassifier:
    return MLPClassifier(
        units, learning_rate_init=0.5, max_iter=steps, standardize=True, random_state=0
    )


@style.styled
def _boundaries(table: Table, perceptron: MLPClassifier) -> Any:
    models = (LogisticRegression(learning_rate_init=0.5, standardize=True), perceptron)
    axes = style.panels(1, 2, (9, 4.1), sharex=True, sharey=True)[0]
    for ax, model in zip(axes, models, strict=True):
        model.fit(table.X, table.y)
        decision_boundary(model, table.X, table.y, ax=ax)
        right = model.score(table.X, table.y)
        ax.set_title(f"{model.title}: {right:.0%} right")
        ax.set_aspect("equal")
        ax.label_outer()
    lines, labels = axes[0].get_legend_handles_labels()
    axes[0].figure.legend(lines, labels, loc="outside lower center", ncols=4)
    return axes


def _moons() -> Any:
    return _boundaries(make_moons(200, random_state=0), _mlp(16, 1000))


def _spiral() -> Any:
    return _boundaries(make_spirals(240, random_state=0), _mlp((32, 32), 1000))


def _layers() -> Any:
    """Five layers at the start of training: He's weights keep the spread of what flows."""
    table = make_spirals(240, random_state=0)
    return layer_histograms(_mlp((64,) * 4, 1).loss_graph(table.X, table.y), [f"h{superscript(f'({k})')}" for k in range(1, 5)])


def _confusion() -> Any:
    table = load_breast_cancer()
    X, X_test, y, y_test = split(table.X, table.y, random_state=0)
    model = LogisticRegression(standardize=True).fit(X, y)
    return confusion_matrix(y_test, model.predict(X_test), model.classes_)


PICTURES: dict[str, Picture] = {
    "sigmoid": Picture("The sigmoid and its derivative", "", _sigmoid),
    "descent": Picture("Gradient descent on one student", "", _descent),
    "learning-rates": Picture("The learning rate", "", _rates),
    "loss-curves": Picture("Loss curves of several runs", "", _runs),
    "moons": Picture("Two moons", "", _moons),
    "spirals": Picture("Two spirals", "", _spiral),
    "layers": Picture("Activations and gradients by layer", "", _layers),
    "confusion": Picture("Right and wrong", "", _confusion),
}
