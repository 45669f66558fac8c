"""`autograd-lite train`: train models on a table; write graphs, curves, weights and a report."""

from __future__ import annotations

import argparse
import os
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.commands.output import DEFAULT, message
from autograd_lite.commands.report import Run, report
from autograd_lite.data import Table, load_breast_cancer, read_csv, split
from autograd_lite.files import atomic
from autograd_lite.models import ConvergenceWarning, LogisticRegression, MLPClassifier, save
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.solvers import SOLVERS
from autograd_lite.viz import draw, style

MODELS: dict[str, type[Classifier]] = {
    "logistic-regression": LogisticRegression,
    "mlp": MLPClassifier,
}


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Train on the Wisconsin breast cancer data or on a CSV file, and write the graphs, the "
        "loss curves and the weights to a folder. Ctrl-C ends the training of a model and keeps "
        "its best weights so far."
    )
    parser.set_defaults(run=_train)
    option = parser.add_argument
    option("--data", type=Path, metavar="CSV", help="a table with a header row")
    option("--target", metavar="COLUMN", help="the column to predict: two classes or more")
    option("--out", type=Path, default="results", metavar="DIR", help=f"output folder {DEFAULT}")
    option("--report", action="store_true", help="also write report.html and its parts as files")
    option("--test-size", type=float, default=0.25, metavar="SHARE", help=f"held out {DEFAULT}")
    option("--random-state", type=int, default=0, metavar="SEED", help=f"random seed {DEFAULT}")
    option("--quiet", action="store_true", help="show no progress")
    _of_the_models(parser.add_argument_group("the models").add_argument)
    _of_training(parser.add_argument_group("training").add_argument)


def _of_the_models(option: Callable[..., Any]) -> None:
    """What is trained."""
    option("--model", choices=[*MODELS, "both"], default="both", help=f"model to train {DEFAULT}")
    option(
        "--intercept",
        choices=["column", "separate"],
        help="z = A w, where A has a column of ones, or z = X w + b (default: column)",
    )
    option(
        "--init",
        choices=["zeros", "random"],
        help="initial weights of logistic regression (default: zeros)",
    )
    option("--hidden", type=_sizes, metavar="N,N,…", help="hidden units by layer (default: 16)")
    option(
        "--activation",
        choices=["relu", "tanh", "logistic"],
        help="activation function of the hidden units (default: relu)",
    )
    option(
        "--alpha",
        type=float,
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
        help="how (default: auto, for logistic regression on few rows lbfgs if SciPy is installed, "
        "else adam)",
    )
    option(
        "--learning-rate",
        type=float,
        metavar="RATE",
        help="step size of gd, sgd and adam (default: 0.1; of sgd and adam for mlp 0.01; of both a "
        "tenth if a batch is not all rows)",
    )
    option(
        "--batch-size", type=int, metavar="N", help="rows of a step of sgd and adam (default: 200)"
    )
    option(
        "--max-iter",
        type=int,
        metavar="N",
        help="maximum number of steps, of epochs if a batch is not all rows (default: 500)",
    )
    option(
        "--tol",
        type=float,
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


def _train(args: argparse.Namespace) -> None:
    if (args.data is None) != (args.target is None):
        raise ValueError("--data and --target must be given together")
    _check_folder(args.out)
    table = read_csv(args.data, args.target) if args.data else load_breast_cancer()
    parts = split(table.X, table.y, test_size=args.test_size, random_state=args.random_state)
    X_train, X_test, y_train, y_test = parts

    fitted: dict[str, Classifier] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = lambda warning, *_: message(f"warning: {warning}")
        for name, options in _chosen(args).items():
            fitted[name] = MODELS[name](**options).fit(X_train, y_train)

    title = f"{args.data or 'Wisconsin breast cancer'}: {_described(table)}"
    print(title)
    print(f"{len(y_train)} rows to train on, {len(y_test)} held out\n")
    print(f"{'model':<24}{'loss':>8}{'held-out accuracy':>20}")
    for model in fitted.values():
        print(f"{model.title:<24}{model.loss_:>8.4f}{model.score(X_test, y_test):>20.4f}")

    # Draw everything before writing anything, so that a failure leaves the folder unchanged.
    files: dict[str, bytes] = {}
    for name, model in fitted.items():
        files |= _picture(name, model.loss_graph(X_train, y_train))
    files |= _curves({model.title: model.loss_curve_ for model in fitted.values()})
    if args.report:
        files |= report(Run(title, table, *parts, fitted), files)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, model in fitted.items():
        model.feature_names_in_ = np.array(table.columns, dtype=object)
        model.target_name_ = table.target
        save(model, args.out / f"{name}.npz")
    for file, content in files.items():
        with atomic(args.out / file, "wb") as target:
            target.write(content)
    written = sorted([*files, *(f"{name}.npz" for name in fitted)])
    print(f"\nwritten to {args.out}: {', '.join(written)}")


def _check_folder(folder: Path) -> None:
    """Raise before the models are trained if the folder cannot be written to."""
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise ValueError(f"--out must be a folder; {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(f"--out {folder}: no permission to write to {nearest.absolute()}")


def _chosen(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The models to train, each with the options that were given for it."""
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
        "logistic-regression": {"intercept": args.intercept, "init": args.init},
        "mlp": {"hidden_layer_sizes": args.hidden, "activation": args.activation},
    }
    names = list(MODELS) if args.model == "both" else [args.model]
    for name in own.keys() - set(names):
        if any(value is not None for value in own[name].values()):
            raise ValueError(f"an option of {name} was given, but the model is {args.model}")
    return {
        name: {key: value for key, value in (shared | own[name]).items() if value is not None}
        for name in names
    }


def _described(table: Table) -> str:
    rows, columns = table.X.shape
    counts = sorted(Counter(table.y.tolist()).items())
    classes = ", ".join(f"{n} {label}" for label, n in counts)
    if len(counts) > 10:
        classes = f"{len(counts)} classes"
    return f"{rows} rows, {columns} columns, {table.target}: {classes}"


def _picture(name: str, loss: ag.Tensor) -> dict[str, bytes]:
    """The graph as SVG, or in DOT if Graphviz is not installed."""
    drawing = draw(loss)
    try:
        return {f"{name}.svg": drawing.svg().encode()}
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


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = (0,)
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of positive integers like 16,8")
    return sizes
