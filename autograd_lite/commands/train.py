"""`autograd-lite train`: train models on a table; write graphs, curves, weights and a report."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import numpy as np

import autograd_lite as ag
from autograd_lite.commands import streaming
from autograd_lite.commands.folder import Folder, notice
from autograd_lite.commands.options import (
    at_least_zero,
    count,
    fold_count,
    positive,
    seed,
    share,
    sizes,
)
from autograd_lite.commands.output import DEFAULT, message, say
from autograd_lite.commands.prepare import Table, decisions, encoded, prepared
from autograd_lite.commands.report import Run, report
from autograd_lite.commands.results import as_json, as_text, folds_as_text, of_folds
from autograd_lite.commands.resume import Kept, resumed
from autograd_lite.commands.streaming import streams
from autograd_lite.commands.table import Fitted, add_reading, lines_of, listed, names
from autograd_lite.commands.training import (
    MODELS,
    Chosen,
    Encoded,
    Model,
    complaints,
    cross_validated,
    trained,
)
from autograd_lite.data.encoder import Missing
from autograd_lite.data.selection import Decision
from autograd_lite.data.targets import Task, label_named
from autograd_lite.models import save
from autograd_lite.models.block_metrics import figures
from autograd_lite.models.metrics import Figures
from autograd_lite.models.settings import check_packages, check_settings
from autograd_lite.models.solvers import SOLVERS
from autograd_lite.viz import draw, style

_NAMES = [*dict.fromkeys(name for models in MODELS.values() for name in models)]
FILES = (
    *_NAMES,
    *(name.replace("-", "_") for name in _NAMES),
    "loss-curves",
    "data.",
    "report.",
    "checkpoint.",
)
"""How the names of the files that are written begin."""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Train on the Wisconsin breast cancer data or on a table, and write the graphs, as "
        "pictures and as pages to step through, the loss curves and the weights to a folder. The "
        "table is a text file (CSV, TSV, with semicolons, gzip), Parquet or Feather. Ctrl-C ends "
        "the training and keeps the best weights so far; --resume goes on from there."
    )
    parser.set_defaults(run=_train)
    option = parser.add_argument
    option("--data", metavar="FILE", help="a table with a header row; - is standard input")
    option("--target", metavar="COLUMN", help="the column to predict: classes or a number")
    option("--out", type=Path, default="results", metavar="DIR", help=f"output folder {DEFAULT}")
    option("--resume", type=Path, metavar="DIR", help="go on where the training in DIR stopped")
    option("--report", action="store_true", help="also write report.html and its parts as files")
    option("--test-size", type=share, default=0.25, metavar="SHARE", help=f"held out {DEFAULT}")
    option("--random-state", type=seed, default=0, metavar="SEED", help=f"random seed {DEFAULT}")
    option(
        "--cv",
        type=fold_count,
        metavar="K",
        help="also report the figures of K-fold cross-validation",
    )
    option(
        "--stream",
        action=argparse.BooleanOptionalAction,
        help="read the table piece by piece, for one that is larger than memory; its rows wait as "
        "numbers in a temporary file in DIR (default: if the file is larger than a quarter of the "
        "free memory, or a folder of files)",
    )
    option("--json", action="store_true", help="print the results as one JSON object")
    option("--quiet", action="store_true", help="show no progress")
    _of_the_table(parser.add_argument_group("the table").add_argument)
    _of_the_models(parser.add_argument_group("the models").add_argument)
    _of_training(parser.add_argument_group("training").add_argument)


def _of_the_table(option: Callable[..., Any]) -> None:
    """What is read."""
    add_reading(option)
    option(
        "--columns", type=names, metavar="NAME,…", help="the columns to learn from (default: all)"
    )
    option(
        "--text",
        type=names,
        default=[],
        metavar="NAME,…",
        help="columns to take as categories even if they hold numbers or dates",
    )
    option("--drop", type=names, default=[], metavar="NAME,…", help="columns to leave out")
    option(
        "--missing",
        choices=get_args(Missing),
        default="mean",
        help="what stands for a missing value: the mean of the training rows, the mean and a "
        f"column that says so; or drop the row {DEFAULT}",
    )
    option(
        "--task",
        choices=get_args(Task),
        help="whether a target of numbers has classes (default: few whole numbers have)",
    )
    option(
        "--positive",
        metavar="CLASS",
        help="of two classes the one to report the probability of (default: the second)",
    )


def _of_the_models(option: Callable[..., Any]) -> None:
    """What is trained."""
    option("--model", choices=[*_NAMES, "both"], default="both", help=f"model to train {DEFAULT}")
    option(
        "--intercept",
        choices=["column", "separate"],
        help="of a linear model: z = A w, where A has a column of ones, or z = X w + b (default: "
        "column)",
    )
    option(
        "--init",
        choices=["zeros", "random"],
        help="initial weights of a linear model (default: zeros)",
    )
    option("--hidden", type=sizes, metavar="N,N,…", help="hidden units by layer (default: 16)")
    option(
        "--activation",
        choices=["relu", "tanh", "logistic"],
        help="activation function of the hidden units (default: relu)",
    )
    option(
        "--alpha",
        type=at_least_zero,
        metavar="α",
        help="add the penalty α/2 Σ w² on the weights, not on the biases (default: 0)",
    )
    option("--reduction", choices=["mean", "sum"], help="of the rows' losses (default: mean)")
    option(
        "--standardize",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="scale each column to mean 0 and standard deviation 1 (default: yes)",
    )


def _of_training(option: Callable[..., Any]) -> None:
    """How it is trained."""
    option(
        "--solver",
        choices=[*SOLVERS, "auto"],
        help="how (default: auto, lbfgs for linear and for logistic regression on few rows, else "
        "adam)",
    )
    option(
        "--learning-rate",
        type=positive,
        metavar="RATE",
        help="step size of gd, sgd and adam (default: 0.1; of sgd and adam for mlp 0.01; of both a "
        "tenth if a batch is not all rows)",
    )
    option(
        "--batch-size",
        type=count,
        metavar="N",
        help="rows of a step of sgd and adam (default: 200)",
    )
    option(
        "--max-iter",
        type=count,
        metavar="N",
        help="maximum number of steps, of epochs if a batch is not all rows (default: 500)",
    )
    option(
        "--tol",
        type=at_least_zero,
        help="end when no element of the gradient exceeds it, or, if a batch is not all rows, when "
        "the loss has not fallen by more for 10 epochs; 0 takes all steps (default: 0.0001)",
    )
    option(
        "--early-stopping",
        action="store_true",
        help="hold out a tenth of the training rows, keep the weights of their smallest loss, and "
        "end when it has not fallen for 10 steps or epochs",
    )
    option(
        "--backend",
        choices=["numpy", "numba", "auto"],
        help="what computes the steps (default: auto, Numba if it is installed and pays)",
    )


def _train(args: argparse.Namespace) -> int:
    args, earlier = resumed(args)
    if (args.data is None) != (args.target is None):
        raise ValueError("--data and --target must be given together")
    if args.data and _is_output(Path(args.data), args.out):
        raise ValueError(f"--data {args.data} would be overwritten; use another --out")
    tell = _nothing if args.json else say
    with Folder(args.out, FILES) as folder, complaints():
        before = notice(folder.path)
        _notify(before)
        table, rows = _read(args, folder.path)
        positive = _positive(args.positive, table, rows)
        chosen = _chosen(args, table.data.task)
        fitted = Fitted(rows.encoder, decisions(table, rows), positive)
        told = [*table.told, *_unseen(rows)]
        _introduce(table, rows, fitted.decisions if args.data else [], told, tell)

        kept = Kept(folder, args, rows, earlier)
        models, interrupted = trained(chosen, rows.X_train, rows.y_train, kept.of)
        files = _weights(models, fitted, table.target)
        found: dict[str, Figures] = {}
        try:
            for name, model in models.items():
                found[name] = figures(model, rows.X_test, rows.y_test, rows.y_train)
            tell("\n".join(as_text(models, found)))
            folds: dict[str, dict[str, Any]] = {}
            if args.cv and not interrupted:
                folds = of_folds(cross_validated(chosen, table.data, args.cv, args.random_state))
                tell("\n".join(folds_as_text(models, folds)))
                found = {name: of | {"cv": folds[name]} for name, of in found.items()}
            X, y = rows.first
            about = table.title, rows.encoder.names, table.target, X, rows.X_test, y, rows.y_test
            run = Run(*about, models, told, fitted.decisions, folds, positive)
            files |= _drawn(run, folder if args.report else None)
        except KeyboardInterrupt:
            interrupted = True
        files = kept.write(files, interrupted)
        tell(f"\nwritten to {args.out}: {', '.join(sorted(files))}")
        _notify(None if before else notice(folder.path))
    if args.json:
        data = {"data": args.data, "target": table.target, "task": table.data.task}
        size = {"train": len(rows.y_train), "held_out": len(rows.y_test)}
        more = {"rows": size, "notes": told, "run": folder.run, "files": sorted(files)}
        say(as_json(found, fitted.decisions, **data, **more))
    return 130 if interrupted else 0


def _read(args: argparse.Namespace, folder: Path) -> tuple[Table, Encoded]:
    """The table, and its rows in memory or, if it is too large, by blocks."""
    args.stream = streams(args)  # for --resume, when other memory may be free
    if args.stream:
        return streaming.prepared(args, folder)
    table = prepared(args)
    rows = encoded(table, args.test_size, args.random_state)
    if args.cv:
        table.data.folds(args.cv, args.random_state)
    return table, rows


def _is_output(path: Path, folder: Path) -> bool:
    """Whether a file is where one of the results is written."""
    path = path.resolve()
    return path.parent == folder.resolve() and path.name.startswith(FILES)


def _nothing(text: str) -> None:
    """Print nothing."""


def _notify(text: str | None) -> None:
    if text:
        message(text)


def _introduce(
    table: Table,
    rows: Encoded,
    chosen: Sequence[Decision],
    told: Sequence[str],
    tell: Callable[[str], None],
) -> None:
    """Print what the table is and what is done with its columns."""
    tell("\n".join([table.title, *told]))
    if chosen:
        tell("\n".join(["", *lines_of(chosen), ""]))
    tell(f"{len(rows.y_train):,} rows to train on, {len(rows.y_test):,} held out\n")


def _unseen(rows: Encoded) -> list[str]:
    """The categories that only held-out rows have."""
    return [
        f"column {name!r}: {listed(texts)} held out, none to train on; taken as missing"
        for name, texts in rows.unseen.items()
    ]


def _positive(name: str | None, table: Table, rows: Encoded) -> int:
    """The index of the class that matters of two classes."""
    if name is None:
        return 1
    classes = rows.classes
    if table.data.task != "classification" or len(classes) > 2:
        raise ValueError(f"--positive {name} needs a target of two classes")
    return label_named(classes, name, f"the target {table.target!r}")


def _chosen(args: argparse.Namespace, task: Task) -> Chosen:
    """The models to train, each with the options that were given for it, checked."""
    shared = {
        "solver": args.solver,
        "learning_rate_init": args.learning_rate,
        "max_iter": args.max_iter,
        "tol": args.tol,
        "batch_size": args.batch_size,
        "alpha": args.alpha,
        "early_stopping": args.early_stopping,
        "reduction": args.reduction,
        "standardize": args.standardize,
        "random_state": args.random_state,
        "verbose": not args.quiet,
        "backend": args.backend,
    }
    own = {
        "linear": {"intercept": args.intercept, "init": args.init},
        "mlp": {
            "hidden_layer_sizes": args.hidden and tuple(args.hidden),
            "activation": args.activation,
        },
    }
    kinds = MODELS[task]
    if args.model != "both" and args.model not in kinds:
        raise ValueError(f"--model {args.model} does not fit a {task}; use {' or '.join(kinds)}")
    kinds = {name: kind for name, kind in kinds.items() if args.model in (name, "both")}
    used = {"mlp" if name == "mlp" else "linear" for name in kinds}
    for name in own.keys() - used:
        if any(value is not None for value in own[name].values()):
            raise ValueError(f"an option of {name} was given, but the model is {args.model}")
    chosen = {}
    for name, kind in kinds.items():
        given = shared | own["mlp" if name == "mlp" else "linear"]
        chosen[name] = kind, {key: value for key, value in given.items() if value is not None}
        model = kind(**chosen[name][1])
        check_settings(model)
        check_packages(model)
    return chosen


def _weights(models: Mapping[str, Model], fitted: Fitted, target: str) -> dict[str, bytes]:
    """The weights of each model as a file, with what it must know about the table."""
    files = {}
    for name, model in models.items():
        model.feature_names_in_ = np.array(fitted.encoder.names, dtype=object)
        model.target_name_, model.table_ = target, fitted.to_json()
        file = BytesIO()
        save(model, file)
        files[f"{name}.npz"] = file.getvalue()
        del model.feature_names_in_  # X has no names
    return files


def _drawn(run: Run, folder: Folder | None) -> dict[str, bytes]:
    """The graph of each model and the loss curves as files, and with the folder the report."""
    files: dict[str, bytes] = {}
    for name, model in run.models.items():
        files |= _picture(name, model.loss_graph(run.X_train, run.y_train))
    files |= _curves({model.title: model.loss_curve_ for model in run.models.values()})
    return files | report(run, files, folder) if folder else files


def _picture(name: str, loss: ag.Tensor) -> dict[str, bytes]:
    """The graph as SVG and as a page to step through, or in DOT if Graphviz is not installed."""
    drawing = draw(loss)
    try:
        return {f"{name}.svg": drawing.svg().encode(), f"{name}.html": drawing.html().encode()}
    except RuntimeError as error:
        message(f"{name}.svg could not be drawn; writing {name}.dot instead: {error}")
        return {f"{name}.dot": drawing.source.encode()}


def _curves(losses: dict[str, list[float]]) -> dict[str, bytes]:
    """The loss curves as SVG, or a note if matplotlib is not installed."""
    from autograd_lite.viz.curves import loss_curves

    try:
        ax = loss_curves(losses)
        ax.set_xlabel("step or epoch")
        return {"loss-curves.svg": style.render(ax, "svg")}
    except ImportError as error:
        note = f"The loss curves could not be drawn: {error}"
        message(note)
        return {"loss-curves.txt": f"{note}\n".encode()}
