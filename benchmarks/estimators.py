"""The models beside scikit-learn's, and those of its extension by Intel: fits on the same data.

Each library fits in a process of its own. A fit ends where the goal is reached and not by a
criterion of the library: first the loosest tolerance (or the fewest epochs) that reaches it is
looked for, and then fits with it are measured, in rounds in which the libraries take turns.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.rounds import Goal, median, ratio
from benchmarks.worker import Worker, WorkerError

Array = npt.NDArray[Any]

OURS, THEIRS, FASTEST = LIBRARIES = "autograd_lite", "scikit-learn", "scikit-learn-intelex"
# Where the columns are correlated, the curvature of the loss differs from direction to direction.
LOGISTIC: dict[str, tuple[Any, ...]] = {
    "breast cancer": ("breast_cancer",),
    "5,000 × 30": ("drawn", 5_000, 30),
    "100,000 × 30": ("drawn", 100_000, 30),
    "5,000 × 30, correlated": ("drawn", 5_000, 30, True),
    "100,000 × 30, correlated": ("drawn", 100_000, 30, True),
}
PERCEPTRON: dict[str, tuple[Any, ...]] = {
    "100,000 × 30": ("drawn", 100_000, 30),
    "digits 0–9": ("digits",),
}
STEEP = 1e-6  # the largest element of the gradient of the mean loss that is wanted
GOALS = {THEIRS: 1.0, FASTEST: 1.2}  # of their times, for logistic regression
PERCEPTRON_GOAL = 0.5
ERRORS = {"LogisticRegression": 0.06, "MLPClassifier": 0.08}  # with the defaults, on raw columns
UNITS, BATCH, RATE, PENALTY = 16, 200, 0.001, 1e-4
SEEDS, MOST = 5, 1000  # starts of a perceptron, and epochs of it
TOLERANCES = tuple(1e-2 / 2**k for k in range(40))


class Fit(NamedTuple):
    """What a fit took, and what it reached: on the rows it had, and on those it had not."""

    seconds: float
    loss: float
    slope: float = np.nan
    accuracy: float = np.nan


# The data.


def breast_cancer() -> tuple[Array, Array]:
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return X, y


def digits() -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X, y


def drawn(rows: int, columns: int, correlated: bool = False) -> tuple[Array, Array]:
    """Two classes; their log-odds bend, so that a line does not tell all."""
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, columns))
    if correlated:
        X = X @ (np.eye(columns) + random.normal(size=(columns, columns)) / np.sqrt(columns))
    a, b = random.normal(size=(2, columns)) / np.sqrt(columns)
    logits = X @ a + 2 * np.abs(X @ b) - 1.5
    return X, (random.random(rows) < 1 / (1 + np.exp(-logits))).astype(int)


def standardized(problem: Sequence[Any]) -> tuple[Array, Array]:
    """Columns of mean 0 and standard deviation 1, and the classes."""
    X, y = globals()[problem[0]](*problem[1:])
    scale = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(scale > 0, scale, 1), y


def split(X: Array, y: Array, seed: int) -> tuple[Array, Array, Array, Array]:
    """The rows to train on, and a fifth that is held out."""
    order = np.random.default_rng(seed).permutation(len(X))
    some, rest = order[: len(X) // 5], order[len(X) // 5 :]
    return X[rest], y[rest], X[some], y[some]


# What the workers hold.


def threads() -> int:
    """How many threads a library may use; its worker was started with them."""
    return int(os.environ.get("OMP_NUM_THREADS", 1))


def timed(model: Any, X: Array, y: Array) -> float:
    """Seconds of a fit, which may end before the library finds that it converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = perf_counter()
        model.fit(X, y)
        return perf_counter() - started


class Logistic:
    """Fits of logistic regression by L-BFGS with the penalty of scikit-learn's C = 1."""

    def __init__(self, library: str, *problem: Any) -> None:
        self.X, self.y = standardized(problem)
        self.model, options = _logistic_regression(library)
        self.options = {"max_iter": 10_000, **options}
        if library == OURS:
            self.options["alpha"] = 1 / len(self.y)

    def fit(self, tol: float) -> Fit:
        """A fit, and the loss and the slope of the function that all minimize."""
        model, X, y = self.model(tol=tol, **self.options), self.X, self.y
        seconds, α = timed(model, X, y), 1 / len(y)
        w, b = np.ravel(model.coef_), np.ravel(model.intercept_)[0]
        z = X @ w + b
        error = 1 / (1 + np.exp(-z)) - y
        loss = np.mean(np.logaddexp(0, z) - y * z) + α / 2 * (w @ w)
        slope = max(abs(error.mean()), np.abs(X.T @ error / len(y) + α * w).max())
        return Fit(seconds, float(loss), float(slope))


def _logistic_regression(library: str) -> tuple[Any, dict[str, Any]]:
    """The class of a library, and its options."""
    if library == OURS:
        from autograd_lite.models import LogisticRegression as Ours

        return Ours, {"solver": "lbfgs", "workers": threads()}
    if library == FASTEST:
        from daal4py import daalinit
        from sklearnex.linear_model import LogisticRegression as Fastest

        daalinit(threads())
        return Fastest, {}
    from sklearn.linear_model import LogisticRegression as Theirs

    return Theirs, {}


class Perceptron:
    """Fits of a multilayer perceptron by Adam, all libraries from the same weights."""

    def __init__(self, library: str, *problem: Any) -> None:
        self.library = library
        self.X, self.y, *self.rest = split(*standardized(problem), 0)
        self.classes = len(np.unique(self.y))

    def weights(self, seed: int) -> dict[str, Array]:
        """The weights that scikit-learn draws (Glorot and Bengio 2010), in our shapes."""
        random, outputs = np.random.RandomState(seed), 1 if self.classes == 2 else self.classes
        θ, inputs = [], self.X.shape[1]
        for units in (UNITS, outputs):
            bound = np.sqrt(6 / (inputs + units))
            θ += [random.uniform(-bound, bound, (inputs, units)).T]
            θ += [random.uniform(-bound, bound, units)]
            inputs = units
        W1, b1, W, b = θ
        last = {"w": W[0], "b": b[0]} if outputs == 1 else {"W": W, "b": b}
        return {"W1": W1, "b1": b1, **last}

    def model(self, seed: int, epochs: int) -> Any:
        """The model to fit; with 0 epochs scikit-learn's as it comes."""
        common = {"learning_rate_init": RATE, "batch_size": BATCH, "random_state": seed}
        if self.library == THEIRS:
            from sklearn.neural_network import MLPClassifier as Theirs

            limit = {"max_iter": epochs, "n_iter_no_change": epochs} if epochs else {}
            return Theirs(UNITS, alpha=PENALTY, **common, **limit)
        from autograd_lite.models import MLPClassifier

        # scikit-learn divides the penalty by the rows of a batch.
        common |= {"alpha": PENALTY / BATCH, "init": self.weights(seed), "workers": threads()}
        return MLPClassifier(UNITS, max_iter=epochs, tol=0, **common)

    def fit(self, seed: int, epochs: int) -> Fit:
        """A fit, its loss without the penalty, and its accuracy on the rows held out."""
        model = self.model(seed, epochs)
        seconds = timed(model, self.X, self.y)
        return Fit(seconds, self._loss(model), accuracy=float(model.score(*self.rest)))

    def epochs(self, seed: int, loss: float, most: int) -> int:
        """The least epochs of a fit of ours whose loss is at most that, or the most.

        A fit keeps the weights after the epoch of the smallest mean loss.
        """
        model = self.model(seed, 1)
        model.random_state = np.random.default_rng(seed)
        for epoch in range(1, most):
            model.partial_fit(self.X, self.y)
            if model.loss_curve_[-1] == min(model.loss_curve_) and self._loss(model) <= loss:
                return epoch
        return most

    def _loss(self, model: Any) -> float:
        p = model.predict_proba(self.X)[np.arange(len(self.y)), self.y]
        return float(-np.mean(np.log(np.maximum(p, np.finfo(float).tiny))))


class Defaults:
    """Models as they come, on the raw columns of the breast cancer data."""

    def accuracy(self, model: str, seed: int) -> float:
        """The accuracy on rows held out."""
        from autograd_lite import models

        X, y, *rest = split(*breast_cancer(), seed)
        fitted = getattr(models, model)(random_state=seed)
        timed(fitted, X, y)
        return float(fitted.score(*rest))


# What is measured.


class Times(NamedTuple):
    """Seconds of the first fit in a process, and of the later ones."""

    first: float
    later: list[float]

    def __str__(self) -> str:
        return f"{1e3 * median(self.later):,.3g} ({1e3 * self.first:,.3g})"


def opened(
    stack: ExitStack, what: str, libraries: Sequence[str], problem: Sequence[Any], options: Any
) -> dict[str, Worker]:
    """A worker for each library that is installed."""
    workers = {}
    for library in libraries:
        try:
            target = f"benchmarks.estimators:{what}"
            workers[library] = stack.enter_context(
                Worker(library, target, library, *problem, threads=options["threads"])
            )
        except WorkerError as error:
            if library == OURS:
                raise
            options["skip"](str(error))
    return workers


def logistic(
    problem: Sequence[Any],
    libraries: Sequence[str] = LIBRARIES,
    *,
    fits: int = 7,
    threads: int = 1,
    skip: Callable[[str], None] = print,
) -> dict[str, dict[str, Times]]:
    """The times until the loss is scikit-learn's, as it comes, and until the gradient is small.

    The loss is the one that all minimize. Without its penalty it need not fall, and where
    scikit-learn ends it may be less than at the optimum.
    """
    options = {"threads": threads, "skip": skip}
    tolerances: dict[str, dict[str, float]] = {"loss": {}, "gradient": {}}
    with ExitStack() as stack:
        workers = opened(stack, "Logistic", libraries, problem, options)
        wanted = np.inf
        if THEIRS in workers:
            wanted = Fit(*workers[THEIRS].ask("fit", 1e-4)).loss
        for library, worker in workers.items():
            for tol in TOLERANCES:
                fit = Fit(*worker.ask("fit", tol))
                # Equal but for rounding.
                if fit.loss <= wanted * (1 + 1e-12):
                    tolerances["loss"].setdefault(library, tol)
                if fit.slope < STEEP:
                    tolerances["gradient"].setdefault(library, tol)
                    break
            else:
                skip(f"{library}: the gradient stays above {STEEP:g}")
        if THEIRS in workers:
            tolerances["loss"][THEIRS] = 1e-4
    return {
        what: _times(
            _in_turn(
                "Logistic", {k: [[tol]] * (1 + fits) for k, tol in found.items()}, problem, options
            )
        )
        for what, found in tolerances.items()
    }


def _in_turn(
    what: str,
    arguments: Mapping[str, Sequence[Sequence[Any]]],
    problem: Sequence[Any],
    options: Any,
) -> dict[str, list[Fit]]:
    """Fits with those arguments, library by library in each round, in new processes."""
    with ExitStack() as stack:
        workers = opened(stack, what, tuple(arguments), problem, options)
        fits: dict[str, list[Fit]] = {library: [] for library in workers}
        for given in zip(*arguments.values(), strict=True):
            for library, each in zip(arguments, given, strict=True):
                fits[library].append(Fit(*workers[library].ask("fit", *each)))
    return fits


def _times(fits: Mapping[str, Sequence[Fit]]) -> dict[str, Times]:
    return {
        library: Times(first.seconds, [fit.seconds for fit in later])
        for library, (first, *later) in fits.items()
    }


class Race(NamedTuple):
    """The times, by library, until the loss of scikit-learn's perceptron, and the accuracies."""

    times: dict[str, Times]
    accuracy: dict[str, float]


def perceptron(
    problem: Sequence[Any],
    *,
    seeds: int = SEEDS,
    epochs: int = 0,
    threads: int = 1,
    skip: Callable[[str], None] = print,
) -> Race | None:
    """A fit for each seed after the first one in each process; None without scikit-learn.

    `epochs` are those of scikit-learn; with 0 it ends as it comes.
    """
    options = {"threads": threads, "skip": skip}
    wanted: dict[str, list[Sequence[Any]]] = {THEIRS: [], OURS: []}
    with ExitStack() as stack:
        workers = opened(stack, "Perceptron", tuple(wanted), problem, options)
        if THEIRS not in workers:
            return None
        for seed in range(seeds):
            loss = Fit(*workers[THEIRS].ask("fit", seed, epochs)).loss
            wanted[THEIRS].append((seed, epochs))
            wanted[OURS].append((seed, workers[OURS].ask("epochs", seed, loss, MOST)))
    for each in wanted.values():
        each.insert(0, each[0])
    fits = _in_turn("Perceptron", wanted, problem, options)
    for seed, (theirs, ours) in enumerate(zip(*(fits[k][1:] for k in wanted), strict=True)):
        if ours.loss > theirs.loss:
            skip(f"{OURS}: the loss stays above {THEIRS}'s with seed {seed}")
    accuracy = {library: median(fit.accuracy for fit in each[1:]) for library, each in fits.items()}
    return Race(_times(fits), accuracy)


def defaults(seeds: int = SEEDS) -> dict[str, float]:
    """The mean accuracy of each model with default options on rows held out."""
    with Worker(OURS, "benchmarks.estimators:Defaults") as worker:
        return {
            model: float(np.mean([worker.ask("accuracy", model, seed) for seed in range(seeds)]))
            for model in ERRORS
        }


# The goals.


def logistic_goals(times: Mapping[str, Times], what: str) -> list[Goal]:
    """Ours beside the others; the extension is not compared where scikit-learn ends."""
    others = (THEIRS,) if what == "loss" else (FASTEST,)
    return [
        Goal(
            f"{OURS} ÷ {other}, {what}",
            ratio(times[OURS].later, times[other].later),
            GOALS[other],
        )
        for other in others
        if other in times
    ]


def perceptron_goals(race: Race) -> list[Goal]:
    """The time, and the share of the rows held out that is predicted rightly."""
    measured = ratio(race.times[OURS].later, race.times[THEIRS].later)
    accuracy = race.accuracy[THEIRS] / race.accuracy[OURS]
    return [
        Goal(f"{OURS} ÷ {THEIRS}", measured, PERCEPTRON_GOAL),
        Goal(f"accuracy of {THEIRS} ÷ {OURS}", accuracy, 1.0),
    ]


def default_goals(accuracies: Mapping[str, float]) -> dict[str, list[Goal]]:
    """The share of the rows held out that is predicted wrongly."""
    return {model: [Goal("errors", 1 - a, ERRORS[model])] for model, a in accuracies.items()}
