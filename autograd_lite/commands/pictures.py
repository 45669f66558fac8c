"""The pictures of `autograd-lite plot`, by name; every number in them is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from autograd_lite.data import Table, load_breast_cancer, make_moons, make_spirals, split
from autograd_lite.models import LogisticRegression, MLPClassifier
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.metrics import calibration, roc
from autograd_lite.text import number, superscript
from autograd_lite.viz import style
from autograd_lite.viz.curves import layer_histograms, loss_curves, sigmoid_curves
from autograd_lite.viz.decisions import confusion_matrix, decision_boundary
from autograd_lite.viz.scores import calibration_curves, roc_curves
from autograd_lite.viz.surfaces import descent_path, learning_rates

__all__ = ["PICTURES", "Picture"]

_DESCENT: dict[str, Any] = {"solver": "gd", "tol": 0, "standardize": True}
"""The settings of a model that plain descent trains, for exactly `max_iter` steps."""


class Picture(NamedTuple):
    """A picture: its title, its caption, and the function that draws it and returns its Axes."""

    title: str
    caption: str
    axes: Callable[[], Any]


@style.styled
def _descent() -> Any:
    """The student: 3 hours studied, 5 slept, passed; w starts at (0.1, −0.2), b stays 0."""
    x, start = np.array([3.0, 5.0]), (0.1, -0.2)

    def loss(w: Any) -> Any:
        return ag.binary_cross_entropy(ag.sigmoid(x @ w), 1.0)

    ax = descent_path(loss, start, 0.1, 12, window=((-0.3, 0.85), (-0.45, 0.7)))
    second = start - 0.1 * ag.grad(loss)(np.array(start))
    note: dict[str, Any] = {"textcoords": "offset points", "size": 9}
    ax.annotate("start: (0.1, −0.2)", start, (10, -4), **note)
    ax.annotate(
        f"after one step:\n({number(second[0])}, {number(second[1])})",
        second,
        (-8, -1),
        ha="right",
        **note,
    )
    ax.set_title("each step is a multiple of x = (3, 5)")
    return ax


def _rates() -> Any:
    table = make_moons(200, noise=0.7, random_state=0)
    X = ag.constant((table.X - table.X.mean(axis=0)) * [2, 1])
    y = ag.constant(table.y)

    def loss(w: Any) -> Any:
        return ag.binary_cross_entropy(ag.sigmoid(X @ w), y)

    rates = {"too small": 0.1, "right": 1.2, "too large": 6.0}
    return learning_rates(loss, (-1.0, 2.0), rates, 25)


def _runs() -> Any:
    table = make_moons(200, random_state=0)
    runs: dict[str, Classifier] = {"logistic regression": LogisticRegression(**_DESCENT)}
    runs |= {f"MLP, {n} hidden units": _mlp(n, 500) for n in (2, 8, 32)}
    for model in runs.values():
        model.learning_rate_init = 0.5
    return loss_curves({k: m.fit(table.X, table.y).loss_curve_ for k, m in runs.items()})


def _mlp(units: Any, steps: int) -> MLPClassifier:
    return MLPClassifier(units, learning_rate_init=0.5, max_iter=steps, random_state=0, **_DESCENT)


@style.styled
def _boundaries(table: Table, perceptron: MLPClassifier, size: tuple[float, float]) -> Any:
    models = (LogisticRegression(learning_rate_init=0.5, **_DESCENT), perceptron)
    axes = style.panels(1, 2, size, sharex=True, sharey=True)[0]
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
    return _boundaries(make_moons(200, random_state=0), _mlp(16, 1000), (9, 3.8))


def _spirals() -> Any:
    return _boundaries(make_spirals(240, random_state=0), _mlp((32, 32), 1000), (7.4, 4.9))


def _layers() -> Any:
    table = make_spirals(240, random_state=0)
    names = [f"h{superscript(f'({layer})')}" for layer in range(1, 5)]
    return layer_histograms(_mlp((64,) * 4, 1).loss_graph(table.X, table.y), names)


def _confusion() -> Any:
    table = load_breast_cancer()
    X, X_test, y, y_test = split(table.X, table.y, random_state=0)
    model = LogisticRegression(**_DESCENT).fit(X, y)
    return confusion_matrix(y_test, model.predict(X_test), model.classes_)


@style.styled
def _curves() -> Any:
    table, more = (make_moons(n, noise=0.5, random_state=k) for k, n in enumerate((60, 2000)))
    settings: dict[str, Any] = {"solver": "adam", "standardize": True, "tol": 0, "random_state": 0}
    models = {
        "logistic regression": LogisticRegression(**settings),
        "MLP": MLPClassifier(64, **settings),
        "MLP, α = 0.05": MLPClassifier(64, alpha=0.05, **settings),
    }
    p = {k: m.fit(table.X, table.y).predict_proba(more.X)[:, 1] for k, m in models.items()}
    axes, positive = style.panels(1, 2, (9.2, 4.4))[0], more.y == 1
    roc_curves({name: roc(positive, score) for name, score in p.items()}, ax=axes[0])
    calibration_curves({name: calibration(positive, q) for name, q in p.items()}, ax=axes[1])
    return axes


PICTURES: dict[str, Picture] = {
    "sigmoid": Picture(
        "The sigmoid and its derivative",
        "The derivative is at most ¼ and nearly 0 far from z = 0, so a saturated unit learns "
        "slowly. Cross-entropy undoes this, because its gradient divides by σ′.",
        sigmoid_curves,
    ),
    "descent": Picture(
        "Gradient descent on one student",
        "The loss of the student who studied 3 hours, slept 5 and passed, over the two weights; "
        "b stays 0, α = 0.1. The gradient is (ŷ − y) x, so every step goes along x = (3, 5), "
        "perpendicular to the contours, and gets shorter as ŷ approaches y.",
        _descent,
    ),
    "learning-rates": Picture(
        "The learning rate: too small, right, too large",
        "Logistic regression without an intercept, z = w₁x₁ + w₂x₂, on 200 points of two moons "
        "that overlap, x₁ scaled by 2; 25 steps from the same start. A rate that is too small has "
        "not converged after 25 steps; one that is too large jumps back and forth across the "
        "valley and never converges. `fit` reports this with a `ConvergenceWarning`.",
        _rates,
    ),
    "loss-curves": Picture(
        "Loss curves of several runs",
        "Two moons, gradient descent with α = 0.5 for all models. Two hidden units do no better "
        "than none; with 8 the loss keeps falling, because a curved boundary can separate the "
        "moons.",
        _runs,
    ),
    "moons": Picture(
        "The decision boundary on two moons",
        "Logistic regression has a straight boundary; one hidden layer of 16 units bends it. On "
        "the thick line both classes are equally probable; on the dashed lines one has 10 %.",
        _moons,
    ),
    "spirals": Picture(
        "The decision boundary on two spirals",
        "No straight line separates two spirals. Two hidden layers of 32 units do, after 1,000 "
        "steps of gradient descent.",
        _spirals,
    ),
    "layers": Picture(
        "Activations and gradients by layer",
        "A perceptron with four hidden layers of 64 units, before its first step, on two spirals. "
        "He initialization keeps the spread of the activations similar from layer to layer, and "
        "that of the gradients on the way back; half of all ReLUs output 0.",
        _layers,
    ),
    "confusion": Picture(
        "Where a model is right and wrong",
        "Logistic regression on the held-out quarter of the Wisconsin breast cancer data.",
        _confusion,
    ),
    "curves": Picture(
        "ROC and calibration",
        "60 points of two moons to train on, 2,000 held out. The perceptron without a penalty "
        "orders them nearly as well as the others, but is much too certain: of the points with a "
        "probability of nearly 90 %, 66 % are of the class. Thin lines are 95 % intervals.",
        _curves,
    ),
}
"""Every picture by its name on the command line."""
