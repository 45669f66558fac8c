"""The training report: one self-contained page, and each of its parts as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from html import escape
from inspect import Parameter, Signature
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from autograd_lite.commands.html import cell, csv_of, image, part, section, table
from autograd_lite.commands.output import message, page
from autograd_lite.data import Table
from autograd_lite.derivation import DerivationError
from autograd_lite.models import LogisticRegression
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.estimator import Array, symbol
from autograd_lite.viz import style
from autograd_lite.viz.decisions import confusion, confusion_matrix, decision_boundary

__all__ = ["Run", "report"]

Files = dict[str, bytes]


class Run(NamedTuple):
    """A training run: the table, its split, and the fitted models by file name."""

    title: str
    table: Table
    X_train: Array
    X_test: Array
    y_train: Array
    y_test: Array
    models: Mapping[str, Classifier]


def report(run: Run, drawn: Mapping[str, bytes]) -> Files:
    """The page `report.html` and those of its parts that are not in `drawn`, by file name.

    Args:
        run: the training run.
        drawn: the existing pictures: `NAME.svg` of each model's graph, and `loss-curves.svg`.
    """
    files, sections = _data(run)
    if "loss-curves.svg" in drawn:
        picture = image("loss-curves.svg", drawn, "the loss of each model by step or epoch")
        sections.append(section("Loss", picture))
    for name, model in run.models.items():
        parts = [_results(name, model, run, files)]
        if f"{name}.svg" in drawn:
            picture = image(f"{name}.svg", drawn, f"the graph of the loss of {model.title}")
            parts.append(part("Graph", f'<div class="wide" tabindex="0">{picture}</div>'))
        for make in (_decisions, _derivation, _source):
            parts += make(name, model, run, files)
        parts.append(_weights(name, model, run))
        sections.append(section(model.title.capitalize(), *parts))
    names = sorted({*files, *drawn, *(f"{name}.npz" for name in run.models)})
    listed = "".join(f'<li><a href="{escape(n)}">{escape(n)}</a></li>' for n in names)
    sections.append(section("Files", f"<p>The parts of this page as files:</p><ul>{listed}</ul>"))
    body = "\n".join(["<h1>Training report</h1>", *sections])
    return files | {"report.html": page(run.title, body).encode()}


def _data(run: Run) -> tuple[Files, list[str]]:
    X = run.table.X
    head = ("column", "min", "mean", "max", "standard deviation")
    measures = (X.min(axis=0), X.mean(axis=0), X.max(axis=0), X.std(axis=0))
    rows = list(zip(run.table.columns, *(m.tolist() for m in measures), strict=True))
    train, test = len(run.y_train), len(run.y_test)
    body = (
        f"<p>{escape(run.title)}. {train} rows to train on, {test} held out, stratified "
        "by class.</p>"
    )
    return {"data.csv": csv_of([head, *rows])}, [section("Data", body, table(head, rows))]


def _results(name: str, model: Classifier, run: Run, files: Files) -> str:
    settings = {
        field.name: value
        for field in fields(model)
        if isinstance(value := getattr(model, field.name), (int, float, str, tuple, type(None)))
    }
    results = {
        "parameters": sum(array.size for array in model.parameters_.values()),
        "solver": model.solver_,
        "steps or epochs": model.n_iter_,
        "computed by": model.backend_,
        "loss at the start": model.loss_curve_[0],
        "loss of the trained weights": model.loss_,
        "accuracy on the training rows": model.score(run.X_train, run.y_train),
        "accuracy on the held-out rows": model.score(run.X_test, run.y_test),
    }
    if model.early_stopping:
        results["best validation accuracy"] = max(model.validation_scores_)
    content = {"model": model.title, "settings": settings, "results": results}
    files[f"{name}.json"] = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
    files[f"{name}-loss.csv"] = csv_of([("step or epoch", "loss"), *enumerate(model.loss_curve_)])
    chosen = ", ".join(f"{key} = {cell(value)}" for key, value in settings.items())
    return f"{table(('result', ''), list(results.items()))}<p class='small'>{escape(chosen)}</p>"


def _decisions(name: str, model: Classifier, run: Run, files: Files) -> list[str]:
    """The confusion matrix of the held-out rows; for two columns the decision boundary too."""
    predicted, classes = model.predict(run.X_test), model.classes_
    counts = confusion(run.y_test, predicted, classes)
    head = ("true ＼ predicted", *map(str, classes))
    rows = [(str(k), *row) for k, row in zip(classes, counts.tolist(), strict=True)]
    files[f"{name}-confusion.csv"] = csv_of([head, *rows])
    shown = table(head, rows)
    try:
        matrix = f"{name}-confusion.svg"
        files[matrix] = style.render(confusion_matrix(run.y_test, predicted, classes), "svg")
        shown = image(matrix, files, f"the confusion matrix of {model.title}: {rows}")
        if run.table.X.shape[1] == 2 and len(classes) <= len(style.CLASSES):
            boundary = f"{name}-boundary.svg"
            columns = run.table.columns[0], run.table.columns[1]
            ax = decision_boundary(model, run.X_test, run.y_test, columns=columns)
            files[boundary] = style.render(ax, "svg")
            shown += image(boundary, files, f"the decision boundary of {model.title}")
    except ImportError as error:
        message(f"{name}-confusion.svg could not be drawn: {error}")
    return [part("Held-out rows", f'<div class="row">{shown}</div>')]


def _derivation(name: str, model: Classifier, run: Run, files: Files) -> list[str]:
    # At the initial weights no ŷ rounds to 0 or 1, so the formulas can be checked numerically.
    loss = replace(model).loss_graph(run.X_train, run.y_train)
    try:
        derivation = ag.derive(loss, lengths=True)
    except (ImportError, DerivationError) as error:
        message(f"the report has no derivation: {error}")
        return []
    title = f"# {model.title.capitalize()}: the gradient in closed form"
    files[f"{name}-derivation.md"] = f"{title}\n\n{derivation.markdown()}".encode()
    return [part("Derivation of the gradient", f'<div class="wide">{derivation.mathml()}</div>')]


def _source(name: str, model: Classifier, run: Run, files: Files) -> list[str]:
    """The loss and its gradients as NumPy source from `ag.compile`."""
    nodes = {
        node.name: node.numpy()
        for node in ag.Graph.of(model.loss_graph(run.X_train, run.y_train)).inputs
    }
    X = "A" if "A" in nodes else "X"

    def loss_and_gradients(*args: Any) -> Any:
        *arrays, examples, target = args
        θ = dict(zip(model.parameters_, arrays, strict=True))
        return model.loss(examples, target, θ, alpha=model.alpha or None)

    names = [*model.parameters_, X, "y"]
    loss_and_gradients.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    )
    value_and_grad = ag.value_and_grad(
        loss_and_gradients, argnums=tuple(range(len(model.parameters_)))
    )
    source = ag.compile(value_and_grad).readable(*model.parameters_.values(), nodes[X], nodes["y"])
    file = f"{name.replace('-', '_')}_gradients.py"
    files[file] = source.encode()
    note = (
        f'<p class="small">The loss and its gradients as plain NumPy, generated from the graph; '
        f'<a href="{file}">{file}</a> needs only NumPy.</p>'
    )
    code = f'<pre tabindex="0"><code>{escape(source)}</code></pre>'
    return [part("Generated source", note + code)]


def _weights(name: str, model: Classifier, run: Run) -> str:
    rows: list[tuple[object, ...]] = []
    for key, array in model.parameters_.items():
        shape = " × ".join(map(str, array.shape)) or "number"
        rows.append((symbol(key), shape, array.min(), array.mean(), array.max()))
    shown = table(("parameter", "shape", "min", "mean", "max"), rows)
    if isinstance(model, LogisticRegression):
        w = np.column_stack([model.intercept_, model.coef_]).T
        names = ("intercept", *run.table.columns)
        order = np.argsort(-np.abs(w).max(axis=1), kind="stable")
        columns = [(names[k], *w[k].tolist()) for k in order]
        heads = ["weight"] if w.shape[1] == 1 else [f"weight for {k}" for k in model.classes_]
        scaled = " for the standardized columns" if model.scale_ is not None else ""
        shown += f"<p>The weights{scaled}, largest first:</p>"
        shown += table(("column", *heads), columns)
    note = f'<p class="small">All weights are in <a href="{name}.npz">{name}.npz</a>.</p>'
    return part("Weights", shown + note)
