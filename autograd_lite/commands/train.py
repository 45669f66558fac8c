"""`autograd-lite train`: the models trained on a table; graphs, curves, weights and a report."""

from __future__ import annotations

import argparse
import os
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autograd_lite as ag
from autograd_lite.commands.report import Run, report
from autograd_lite.commands.say import complain
from autograd_lite.data import Table, load_breast_cancer, read_csv, split
from autograd_lite.files import atomic
from autograd_lite.models import ConvergenceWarning, LogisticRegression, MLPClassifier, save
from autograd_lite.models.classifier import Classifier
from autograd_lite.viz import draw, style

MODELS: dict[str, type[Classifier]] = {
    "logistic-regression": LogisticRegression,
    "mlp": MLPClassifier,
}


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Train on the Wisconsin breast cancer data or on a CSV file; write the graphs, "
        "the loss curves and the weights into a folder."
    )
    parser.set_defaults(run=_checked(parser))
    option = parser.add_argument
    option("--data", type=Path, metavar="CSV", help="a table with a header line, in place of it")
    option("--target", metavar="COLUMN", help="the column to predict, of two classes")
    option(
        "--model",
        choices=[*MODELS, "both"],
        default="both",
        help="what to train (default: %(default)s)",
    )
    option(
        "--out",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="a folder (default: %(default)s)",
    )
    option(
        "--report",
        action="store_true",
        help="write report.html too, and each of its parts as a file",
    )
    option(
        "--test-size",
        type=float,
        default=0.25,
        metavar="SHARE",
        help="held out (default: %(default)s)",
    )
    option(
        "--standardize",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="bring each column to mean 0 and deviation 1 (default: yes)",
    )
    option("--learning-rate", type=float, metavar="α", help="the length of a step (default: 0.1)")
    option("--max-iter", type=int, metavar="N", help="the number of steps (default: 500)")
    option("--tol", type=float, help="end when no element of the gradient exceeds it (default: 0)")
    option("--reduction", choices=["mean", "sum"], help="of the rows' losses (default: mean)")
    option(
        "--intercept",
        choices=["column", "separate"],
        help="z = A w or z = X w + b (default: column)",
    )
    option(
        "--init",
        choices=["zeros", "random"],
        help="where logistic regression starts (default: zeros)",
    )
    option(
        "--hidden",
        type=_sizes,
        metavar="N,N,…",
        help="units of the MLP's hidden layers (default: 16)",
    )
    option(
        "--random-state",
        type=int,
        default=0,
        metavar="SEED",
        help="for all draws (default: %(default)s)",
    )
    option("--quiet", action="store_true", help="show no progress")


def _checked(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], None]:
    def run(args: argparse.Namespace) -> None:
        if (args.data is None) != (args.target is None):
            parser.error("--data and --target go together")
        _train(args)

    return run


def _train(args: argparse.Namespace) -> None:
    _check_folder(args.out)
    table = read_csv(args.data, args.target) if args.data else load_breast_cancer()
    parts = split(table.X, table.y, test_size=args.test_size, random_state=args.random_state)
    X_train, X_test, y_train, y_test = parts

    fitted: dict[str, Classifier] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = lambda message, *_: complain(f"warning: {message}")
        for name, options in _chosen(args).items():
            fitted[name] = MODELS[name](**options).fit(X_train, y_train)
    for model in fitted.values():
        model.feature_names_in_, model.target_name_ = table.columns, table.target

    title = f"{args.data or 'Wisconsin breast cancer'}: {_described(table)}"
    print(title)
    print(f"{len(y_train)} rows to train on, {len(y_test)} held out\n")
    print(f"{'model':<24}{'loss':>8}{'held-out accuracy':>20}")
    for model in fitted.values():
        print(f"{model.title:<24}{model.loss_:>8.4f}{model.score(X_test, y_test):>20.4f}")

    # Everything is drawn before anything is written, so that a failure leaves the folder alone.
    files: dict[str, bytes] = {}
    for name, model in fitted.items():
        files |= _picture(name, model.loss_graph(X_train, y_train))
    files |= _curves({model.title: model.loss_curve_ for model in fitted.values()})
    if args.report:
        files |= report(Run(title, table, *parts, fitted), files)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, model in fitted.items():
        save(model, args.out / f"{name}.npz")
    for file, content in files.items():
        with atomic(args.out / file, "wb") as target:
            target.write(content)
    written = sorted([*files, *(f"{name}.npz" for name in fitted)])
    print(f"\nwritten to {args.out}: {', '.join(written)}")


def _check_folder(folder: Path) -> None:
    """Say that nothing can be written there before the models are trained, not after."""
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise ValueError(f"{nearest} is a file; --out wants a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(f"--out {folder}: nothing may be written into {nearest.absolute()}")


def _chosen(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The models to train, with the options given for each."""
    shared = {
        "learning_rate_init": args.learning_rate,
        "max_iter": args.max_iter,
        "tol": args.tol,
        "reduction": args.reduction,
        "standardize": args.standardize,
        "random_state": args.random_state,
        "verbose": not args.quiet,
    }
    own = {
        "logistic-regression": {"intercept": args.intercept, "init": args.init},
        "mlp": {"hidden_layer_sizes": args.hidden},
    }
    names = list(MODELS) if args.model == "both" else [args.model]
    for name in own.keys() - set(names):
        if any(value is not None for value in own[name].values()):
            raise ValueError(f"an option of {name} is given, but the model is {args.model}")
    return {
        name: {key: value for key, value in (shared | own[name]).items() if value is not None}
        for name in names
    }


def _described(table: Table) -> str:
    rows, columns = table.X.shape
    classes = ", ".join(f"{n} {label}" for label, n in sorted(Counter(table.y.tolist()).items()))
    return f"{rows} rows, {columns} columns, {table.target}: {classes}"


def _picture(name: str, loss: ag.Tensor) -> dict[str, bytes]:
    """The graph as SVG, or in DOT where there is no Graphviz to draw it."""
    drawing = draw(loss)
    try:
        return {f"{name}.svg": drawing.svg().encode()}
    except RuntimeError as error:
        complain(f"{name}.svg is not drawn, {name}.dot is written in its place: {error}")
        return {f"{name}.dot": drawing.source.encode()}


def _curves(losses: dict[str, list[float]]) -> dict[str, bytes]:
    """The loss curves as SVG, or a note where there is no matplotlib to draw them."""
    from autograd_lite.viz.curves import loss_curves

    try:
        return {"loss-curves.svg": style.render(loss_curves(losses), "svg")}
    except ImportError as error:
        note = f"The loss curves are not drawn: {error}"
        complain(note)
        return {"loss-curves.txt": f"{note}\n".encode()}


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = (0,)
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of sizes like 16,8")
    return sizes
