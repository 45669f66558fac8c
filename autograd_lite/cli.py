"""The command line: train the models, walk through one iteration, draw a graph."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import autograd_lite as ag
from autograd_lite.data import Table, load_breast_cancer, read_csv, split
from autograd_lite.files import atomic
from autograd_lite.models import (
    ConvergenceWarning,
    LogisticRegression,
    MLPClassifier,
    save,
    walkthrough,
)
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.examples import perceptron, student, students
from autograd_lite.viz import draw

MODELS: dict[str, type[Classifier]] = {
    "logistic-regression": LogisticRegression,
    "mlp": MLPClassifier,
}

EXAMPLES: dict[str, Callable[[], ag.Tensor]] = {
    "student": student,
    "logistic-regression": students,
    "mlp": perceptron,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 after one line about bad input."""
    args = _parser().parse_args(_joined(sys.argv[1:] if argv is None else argv))
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show ŷ shows a question mark in place of a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        args.run(args)
    except KeyboardInterrupt:
        _complain("interrupted; nothing more is written")
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        _complain(f"error: {error}")
        return 2
    return 0


def _train(args: argparse.Namespace) -> None:
    if args.out.exists() and not args.out.is_dir():
        raise ValueError(f"{args.out} is a file; --out wants a folder")
    table = read_csv(args.data, args.target) if args.data else load_breast_cancer()
    X_train, X_test, y_train, y_test = split(
        table.X, table.y, test_size=args.test_size, random_state=args.random_state
    )

    fitted: dict[str, Classifier] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = lambda message, *_: _complain(f"warning: {message}")
        for name, options in _chosen(args).items():
            fitted[name] = MODELS[name](**options).fit(X_train, y_train)

    print(_described(args.data or "Wisconsin breast cancer", table))
    print(f"{len(y_train)} rows to train on, {len(y_test)} held out\n")
    print(f"{'model':<24}{'loss':>8}{'held-out accuracy':>20}")
    for model in fitted.values():
        print(f"{model.title:<24}{model.loss_:>8.4f}{model.score(X_test, y_test):>20.4f}")

    # Everything is drawn before anything is written, so that a failure leaves the folder alone.
    files: dict[str, bytes] = {}
    for name, model in fitted.items():
        files |= _picture(name, model.loss_graph(X_train, y_train))
    files |= _curves({model.title: model.loss_curve_ for model in fitted.values()})
    args.out.mkdir(parents=True, exist_ok=True)
    for name, model in fitted.items():
        save(model, args.out / f"{name}.npz")
    for file, content in files.items():
        with atomic(args.out / file, "wb") as target:
            target.write(content)
    written = sorted([*files, *(f"{name}.npz" for name in fitted)])
    print(f"\nwritten to {args.out}: {', '.join(written)}")


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


def _described(source: object, table: Table) -> str:
    rows, columns = table.X.shape
    classes = ", ".join(f"{n} {label}" for label, n in sorted(Counter(table.y.tolist()).items()))
    return f"{source}: {rows} rows, {columns} columns, {table.target}: {classes}"


def _picture(name: str, loss: ag.Tensor) -> dict[str, bytes]:
    """The graph as SVG, or in DOT where there is no Graphviz to draw it."""
    drawing = draw(loss)
    try:
        return {f"{name}.svg": drawing.svg().encode()}
    except RuntimeError as error:
        _complain(f"{name}.svg is not drawn, {name}.dot is written in its place: {error}")
        return {f"{name}.dot": drawing.source.encode()}


def _curves(losses: dict[str, list[float]]) -> dict[str, bytes]:
    """The loss curves as SVG, or a note where there is no matplotlib to draw them."""
    try:
        import matplotlib

        from autograd_lite.viz.curves import loss_curves

        figure = loss_curves(losses)
    except ImportError:
        note = (
            "The loss curves are not drawn, because matplotlib is missing: pip install matplotlib"
        )
        _complain(note)
        return {"loss-curves.txt": f"{note}\n".encode()}
    picture = BytesIO()
    # Without a date and with fixed identifiers the same losses give the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "autograd_lite"}):
        figure.savefig(picture, format="svg", metadata={"Date": None})
    return {"loss-curves.svg": picture.getvalue()}


def _walk(args: argparse.Namespace) -> None:
    text = walkthrough(args.x, args.y, args.w, args.b, args.learning_rate)
    if args.out is None:
        print(text, end="")
        return
    with atomic(args.out) as file:
        file.write(text)


def _draw(args: argparse.Namespace) -> None:
    path = draw(EXAMPLES[args.example](), gradients=args.gradients).save(args.out)
    print(f"written to {path}")


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="autograd-lite", description="Reverse-mode autodiff that shows its work.")
    parser.add_argument("--version", action="version", version=f"autograd_lite {ag.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, help, add in (
        ("train", "train the models on a table", _add_train),
        ("walkthrough", "one iteration, every number read off the graph", _add_walkthrough),
        ("draw", "draw the graph of a small example", _add_draw),
    ):
        add(commands.add_parser(name, help=help, allow_abbrev=False))
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Train on the Wisconsin breast cancer data or on a CSV file; write the graphs, "
        "the loss curves and the weights into a folder."
    )
    parser.set_defaults(run=_train_checked(parser))
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


def _train_checked(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], None]:
    def run(args: argparse.Namespace) -> None:
        if (args.data is None) != (args.target is None):
            parser.error("--data and --target go together")
        _train(args)

    return run


def _add_walkthrough(parser: argparse.ArgumentParser) -> None:
    parser.description = "One training iteration of logistic regression, read off the graph."
    parser.set_defaults(run=_walk)
    option = parser.add_argument
    option("--x", type=_numbers, default="3,5", metavar="N,N,…", help="the example (default: 3,5)")
    option("--y", type=float, default=1.0, help="its label, 0 or 1 (default: 1)")
    option(
        "--w",
        type=_numbers,
        default="0.1,-0.2",
        metavar="N,N,…",
        help="the weights (default: 0.1,-0.2)",
    )
    option("--b", type=float, default=0.0, help="the bias (default: 0)")
    option(
        "--learning-rate",
        type=float,
        default=0.1,
        metavar="α",
        help="the length of the step (default: 0.1)",
    )
    option("--out", type=Path, metavar="FILE", help="write Markdown into a file")


def _add_draw(parser: argparse.ArgumentParser) -> None:
    parser.description = "Draw the graph of a small example, with every value and gradient."
    parser.set_defaults(run=_draw)
    parser.add_argument("example", choices=list(EXAMPLES), help="what to draw")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("graph.svg"),
        help=".svg, .png, .pdf or .dot (default: %(default)s)",
    )
    parser.add_argument(
        "--gradients", action=argparse.BooleanOptionalAction, default=True, help="show gradients"
    )


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers like 3,5") from None


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of sizes like 16,8") from None


def _joined(argv: Sequence[str]) -> list[str]:
    """`--w -0.1,0.2` as `--w=-0.1,0.2`: argparse would take the list for an option."""
    joined: list[str] = []
    for argument in argv:
        if re.match(r"-[\d.]", argument) and joined and re.match(r"--[^=]+$", joined[-1]):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _complain(message: str) -> None:
    print(f"autograd-lite: {' '.join(message.split())}", file=sys.stderr)
