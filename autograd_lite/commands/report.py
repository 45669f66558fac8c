"""The training report: one self-contained page, and each of its parts as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from html import escape
from inspect import Parameter, Signature
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from autograd_lite.commands.folder import Folder
from autograd_lite.commands.html import cell, csv_of, image, part, section, table
from autograd_lite.commands.model_pictures import class_curves
from autograd_lite.commands.output import message, page
from autograd_lite.commands.results import HEADINGS
from autograd_lite.commands.resume import CHECKPOINT
from autograd_lite.data.selection import Decision
from autograd_lite.derivation import DerivationError
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.estimator import Array, symbol
from autograd_lite.models.linear import Linear
from autograd_lite.models.metrics import Figures, below_baseline, figures
from autograd_lite.models.regressor import Regressor
from autograd_lite.viz import style
from autograd_lite.viz.decisions import confusion, confusion_matrix, decision_boundary
from autograd_lite.viz.scores import calibration_curves, predicted_against_true, roc_curves

__all__ = ["Run", "report"]

Files = dict[str, bytes]
Model = Classifier | Regressor


class Run(NamedTuple):
    """A training run: names, the rows of both parts, and the fitted models by file name.

    `told` are sentences about the table, `decisions` what was done with its columns, `folds` the
    figures of cross-validation of each model, and `positive` is the index of the class that matters
    of two.
    """

    title: str
    columns: Sequence[str]
    target: str
    X_train: Array
    X_test: Array
    y_train: Array
    y_test: Array
    models: Mapping[str, Model]
    told: Sequence[str] = ()
    decisions: Sequence[Decision] = ()
    folds: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    positive: int = 1


def report(run: Run, drawn: Mapping[str, bytes], folder: Folder | None = None) -> Files:
    """The page `report.html` and those of its parts that are not in `drawn`, by file name.

    Args:
        run: the training run.
        drawn: the existing pictures: `NAME.svg` of each model's graph, its page `NAME.html`, and
            `loss-curves.svg`.
        folder: where the files will be written, whose run the page names.
    """
    files, sections = _data(run)
    if "loss-curves.svg" in drawn:
        picture = image("loss-curves.svg", drawn, "the loss of each model by step or epoch")
        sections.append(section("Loss", picture))
    for name, model in run.models.items():
        found = figures(model, run.X_test, run.y_test, run.y_train)
        parts = [_results(name, model, run, found, files)]
        held_out = _figures(model.title, found), _pictures(name, model, run, files)
        parts.append(part("Held-out rows", "".join(held_out)))
        if name in run.folds:
            parts.append(_folds(run.folds[name]))
        if f"{name}.svg" in drawn:
            picture = image(f"{name}.svg", drawn, f"the graph of the loss of {model.title}")
            shown = f'<div class="wide" tabindex="0">{picture}</div>'
            parts.append(part("Graph", shown + _stepping(f"{name}.html", drawn)))
        for make in (_derivation, _source):
            parts += make(name, model, run, files)
        parts.append(_weights(name, model, run))
        sections.append(section(model.title.capitalize(), *parts))
    names = sorted({*files, *drawn, *(f"{name}.npz" for name in run.models)})
    listed = "".join(f'<li><a href="{escape(n)}">{escape(n)}</a></li>' for n in names)
    of = f", of the run {folder.run}" if folder else ""
    listed = f"<p>The parts of this page as files{of}:</p><ul>{listed}</ul>"
    if folder and (kept := folder.kept([*names, "report.html", CHECKPOINT])):
        listed += f"<p>{escape(kept)}.</p>"
    sections.append(section("Files", listed))
    body = "\n".join(["<h1>Training report</h1>", *sections])
    return files | {"report.html": page(run.title, body).encode()}


def _stepping(page: str, drawn: Mapping[str, bytes]) -> str:
    """A link to the page of a graph, if there is one."""
    if page not in drawn:
        return ""
    return (
        f'<p class="small"><a href="{page}">{page}</a> steps through the graph, forward and '
        "backward.</p>"
    )


def _data(run: Run) -> tuple[Files, list[str]]:
    X = np.concatenate([run.X_train, run.X_test])
    head = ("column", "min", "mean", "max", "standard deviation")
    measures = (X.min(axis=0), X.mean(axis=0), X.max(axis=0), X.std(axis=0))
    rows = list(zip(run.columns, *(m.tolist() for m in measures), strict=True))
    train, test = len(run.y_train), len(run.y_test)
    classes = any(isinstance(model, Classifier) for model in run.models.values())
    how = ", stratified by class" if classes else ""
    body = f"<p>{escape(run.title)}. {train} rows to train on, {test} held out{how}.</p>"
    body += "".join(f"<p>{escape(sentence)}.</p>" for sentence in run.told)
    if run.decisions:
        chosen = [(d.name, d.kind, d.missing, d.done) for d in run.decisions]
        body += table(("column", "kind", "rows without a value", "what is done"), chosen)
    return {"data.csv": csv_of([head, *rows])}, [section("Data", body, table(head, rows))]


def _results(name: str, model: Model, run: Run, found: Figures, files: Files) -> str:
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
        f"{model.score_name} on the training rows": model.score(run.X_train, run.y_train),
        f"{model.score_name} on the held-out rows": model.score(run.X_test, run.y_test),
    }
    if model.early_stopping:
        results[f"best validation {model.score_name}"] = max(model.validation_scores_)
    content = {"model": model.title, "settings": settings, "results": results, "figures": found}
    files[f"{name}.json"] = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
    files[f"{name}-loss.csv"] = csv_of([("step or epoch", "loss"), *enumerate(model.loss_curve_)])
    chosen = ", ".join(f"{key} = {cell(value)}" for key, value in settings.items())
    return f"{table(('result', ''), list(results.items()))}<p class='small'>{escape(chosen)}</p>"


def _figures(title: str, found: Figures) -> str:
    """The figures of the held-out rows beside their baselines."""
    complaint = below_baseline(title, found)
    shown = f"<p><strong>{escape(complaint)}</strong></p>" if complaint else ""
    if "rmse" in found:
        rows = [("RMSE", found["rmse"], found["baseline_rmse"]), ("R²", found["r2"], "")]
        note = "The baseline is the mean of the training rows."
    else:
        rows = [
            ("accuracy", found["accuracy"], found["baseline"]),
            ("log-loss", found["log_loss"], found["baseline_log_loss"]),
            ("area under the ROC curve", found["auc"], 0.5),
        ]
        note = (
            f"The baselines are always predicting {found['majority']!r}, the shares of the classes "
            "in the training rows, and guessing."
        )
    shown += table(("figure", "model", "baseline"), [_defined(row) for row in rows])
    shown += f"<p class='small'>{escape(note)}</p>"
    if "classes" in found:
        classes = [(k, *of.values()) for k, of in found["classes"].items()]
        head = ("class", "precision", "recall", "rows")
        shown += table(head, [_defined(row) for row in classes])
    return shown


def _folds(found: Mapping[str, Any]) -> str:
    """The figures of cross-validation."""
    rows = [(HEADINGS[key], of["mean"], of["std"]) for key, of in found.items() if key in HEADINGS]
    shown = table(("figure", "mean", "standard deviation"), rows)
    return part(f"Cross-validation, {found['folds']} folds of all rows", shown)


def _defined(row: Sequence[object]) -> list[object]:
    return ["not defined" if value is None else value for value in row]


def _pictures(name: str, model: Model, run: Run, files: Files) -> str:
    """Pictures of the held-out rows; without matplotlib the confusion matrix as a table."""
    predicted, shown, words = model.predict(run.X_test), "", dict(_PICTURES)
    if isinstance(model, Classifier):
        counts = confusion(run.y_test, predicted, model.classes_)
        head = ("true ＼ predicted", *map(str, model.classes_))
        rows = [(str(k), *row) for k, row in zip(model.classes_, counts.tolist(), strict=True)]
        files[f"{name}-confusion.csv"] = csv_of([head, *rows])
        shown = table(head, rows)
        words["confusion"] += f" {rows}"
    try:
        draw = _of_classes if isinstance(model, Classifier) else _of_numbers
        pictures = draw(model, run, predicted)
        made = {end: style.render(ax, "svg") for end, ax in pictures.items()}
    except ImportError as error:
        message(f"the held-out rows could not be drawn: {error}")
        return shown
    files |= {f"{name}-{end}.svg": picture for end, picture in made.items()}
    images = [image(f"{name}-{end}.svg", files, f"{model.title}: {words[end]}") for end in made]
    return f'<div class="row">{"".join(images)}</div>'


_PICTURES = {
    "predicted": "the predicted over the true numbers",
    "confusion": "the confusion matrix",
    "boundary": "the decision boundary",
    "roc": "the ROC curve",
    "calibration": "the calibration curve",
}
"""What each picture of the held-out rows shows, by the end of its file's name."""


def _of_numbers(model: Any, run: Run, predicted: Array) -> dict[str, Any]:
    return {"predicted": predicted_against_true(run.y_test, predicted, name=run.target)}


def _of_classes(model: Any, run: Run, predicted: Array) -> dict[str, Any]:
    """The confusion matrix; for two columns the decision boundary; the curves of few classes."""
    X, y, classes = run.X_test, run.y_test, model.classes_
    pictures = {"confusion": confusion_matrix(y, predicted, classes)}
    if X.shape[1] == 2 and len(classes) <= len(style.CLASSES):
        columns = run.columns[0], run.columns[1]
        pictures["boundary"] = decision_boundary(model, X, y, columns=columns)
    if len(classes) <= len(style.SERIES):
        curves = class_curves(model, X, y, run.positive)
        pictures["roc"] = roc_curves({name: found for name, (found, _) in curves.items()})
        pictures["calibration"] = calibration_curves(
            {name: found for name, (_, found) in curves.items()}
        )
    return pictures


def _derivation(name: str, model: Model, run: Run, files: Files) -> list[str]:
    # At the initial weights no ŷ rounds to 0 or 1, so the formulas can be checked numerically.
    loss = replace(model).loss_graph(run.X_train, run.y_train)
    try:
        derivation = ag.derive(loss, lengths=True)
    except (ImportError, DerivationError) as error:
        message(f"the report has no derivation: {error}")
        return []
    title = f"# {model.title.capitalize()}: the gradient in closed form"
    files[f"{name}-derivation.md"] = f"{title}\n\n{derivation.markdown()}".encode()
    return [
        part("Derivation of the gradient", f'<div class="wide">{derivation._repr_html_()}</div>')
    ]


def _source(name: str, model: Model, run: Run, files: Files) -> list[str]:
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


def _weights(name: str, model: Model, run: Run) -> str:
    rows: list[tuple[object, ...]] = []
    for key, array in model.parameters_.items():
        shape = " × ".join(map(str, array.shape)) or "number"
        rows.append((symbol(key), shape, array.min(), array.mean(), array.max()))
    shown = table(("parameter", "shape", "min", "mean", "max"), rows)
    if isinstance(model, Linear):
        w = np.vstack([np.atleast_1d(model.intercept_), np.atleast_2d(model.coef_).T])
        names = ("intercept", *run.columns)
        classes = getattr(model, "classes_", ())
        order = np.argsort(-np.abs(w).max(axis=1), kind="stable")
        columns = [(names[k], *w[k].tolist()) for k in order]
        heads = ["weight"] if w.shape[1] == 1 else [f"weight for {k}" for k in classes]
        scaled = " for the standardized columns" if model.scale_ is not None else ""
        shown += f"<p>The weights{scaled}, largest first:</p>"
        shown += table(("column", *heads), columns)
    note = f'<p class="small">All weights are in <a href="{name}.npz">{name}.npz</a>.</p>'
    return part("Weights", shown + note)
