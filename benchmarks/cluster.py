"""Dask on this machine: a cluster of two processes of one thread each, beside one of a single one.

A step is a call of the compiled loss of a perceptron and of its gradient, on chunks that the
workers keep. What it takes beside the arithmetic is the time of a step on as many chunks of two
rows each.

Fits are compared with dask-ml's on two workers, each library with a cluster and the same rows of
its own. Those of dask-ml end by themselves: `LogisticRegression` by its L-BFGS (its default, ADMM,
takes more than ten times as long), and `Incremental`, around scikit-learn's perceptron, after one
epoch. Then the loosest tolerance (or the fewest epochs) with which ours reach their loss is looked
for, and fits with it are measured, in rounds in which the libraries take turns.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.estimators import TOLERANCES, timed
from benchmarks.rounds import Goal, agree, median, ratio
from benchmarks.streaming import FEATURES, UNITS, compiled, start
from benchmarks.worker import Worker, WorkerError

Array = npt.NDArray[Any]

OURS, THEIRS = LIBRARIES = "autograd_lite", "dask-ml"
ROWS, CHUNKS = 4_000_000, 32
FIT_ROWS = 1_000_000
FITS = {"Logistic": 32, "Perceptron": 128}  # the chunks; a step of Adam draws a sixteenth of them
ROUNDS, FIT_ROUNDS = 5, 3
RATE, MOST = 0.1, 40  # of Adam in large batches, and the most epochs
TURNS = 20  # steps on small chunks
SPEED_GOAL, OVERHEAD_GOAL, FIT_GOAL = 1 / 1.7, 0.025, 1.0


# What the workers of the benchmarks hold.


class Cluster:
    """A cluster with rows on it, which are drawn there.

    Args:
        folder: for what Dask writes.
        workers: the number of processes.
        rows, chunks: how many there are.
    """

    def __init__(self, folder: str, workers: int, rows: int, chunks: int) -> None:
        import distributed

        self.cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=folder,
            silence_logs=50,
        )
        self.client = distributed.Client(self.cluster)
        self.X, self.y = self.client.persist(drawn(rows, -(-rows // chunks)))
        distributed.wait([self.X, self.y])

    def close(self) -> None:
        """End the processes."""
        self.client.close()
        self.cluster.close()


def drawn(rows: int, chunk: int) -> list[Any]:
    """Columns and a target of 0 or 1, whose log-odds bend, in chunks of Dask."""
    from dask import array as da

    random = da.random.default_rng(0)
    X = random.standard_normal((rows, FEATURES), chunks=(chunk, FEATURES))
    z = X[:, 0] - X[:, 1] + abs(X[:, 2]) - 0.8
    y = random.random(rows, chunks=chunk) < 1 / (1 + da.exp(-z))
    return [X, y.astype(int)]


class Steps(Cluster):
    """Steps of gradient descent."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.function = compiled("perceptron")

    def losses(self, count: int) -> list[float]:
        """The losses of the first steps."""
        θ, losses = start("perceptron"), []
        for _ in range(count):
            loss, gradients = self.function(θ, self.X, self.y)
            θ = [x - 0.1 * g for x, g in zip(θ, gradients, strict=True)]
            losses.append(float(loss))
        return losses

    def seconds(self) -> float:
        """The time of a step."""
        θ, started = start("perceptron"), perf_counter()
        self.function(θ, self.X, self.y)
        return perf_counter() - started

    def overhead(self) -> float:
        """The median time of a step on as many chunks of two rows."""
        rows = self.client.persist(drawn(2 * self.X.numblocks[0], 2))
        θ, times = start("perceptron"), []
        for _ in range(1 + TURNS):
            started = perf_counter()
            self.function(θ, *rows)
            times.append(perf_counter() - started)
        return median(times[1:])


class Fit(NamedTuple):
    """The time of a fit, and the mean loss that it reached, with the penalty if there is one."""

    seconds: float
    loss: float


class Logistic(Cluster):
    """Fits of logistic regression with the penalty of C = 1; dask-ml's is on the intercept, too."""

    def __init__(self, library: str, *given: Any) -> None:
        if library == OURS:
            from autograd_lite.models import LogisticRegression

            self.model: Any = LogisticRegression
        else:
            from dask_ml.linear_model import LogisticRegression

            self.model = LogisticRegression
        super().__init__(*given)
        self.library, self.loss = library, compiled("logistic")

    def fit(self, tol: float) -> Fit:
        """A fit; a tolerance of 0 is that of dask-ml."""
        options = {"alpha": 1 / len(self.y), "tol": tol} if self.library == OURS else {}
        model = self.model(solver="lbfgs", **options)
        seconds = timed(model, self.X, self.y)
        w, b = np.ravel(model.coef_), np.ravel(model.intercept_)[0]
        mean = float(self.loss([w, np.asarray(b)], self.X, self.y)[0])
        return Fit(seconds, mean + float(w @ w) / (2 * len(self.y)))

    def least(self, loss: float) -> float:
        """The loosest tolerance with which a fit reaches the loss, but for rounding."""
        fits = (tol for tol in TOLERANCES if self.fit(tol).loss <= loss * (1 + 1e-9))
        return next(fits, TOLERANCES[-1])


class Perceptron(Cluster):
    """Fits of a perceptron by Adam."""

    def __init__(self, library: str, *given: Any) -> None:
        self.library = library
        self.make = self._ours if library == OURS else self._theirs()
        super().__init__(*given)
        self.loss = compiled("perceptron")

    def _ours(self, epochs: int) -> Any:
        from autograd_lite.models import MLPClassifier

        return MLPClassifier(UNITS, learning_rate_init=RATE, max_iter=epochs, tol=0, random_state=0)

    def _theirs(self) -> Callable[[int], Any]:
        from dask_ml.wrappers import Incremental
        from sklearn.neural_network import MLPClassifier

        return lambda epochs: Incremental(MLPClassifier(UNITS, random_state=0))

    def fit(self, epochs: int) -> Fit:
        """A fit; scikit-learn's takes one epoch."""
        model = self.make(epochs)
        given = {} if self.library == OURS else {"classes": [0, 1]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            started = perf_counter()
            model.fit(self.X, self.y, **given)
            seconds = perf_counter() - started
        return Fit(seconds, self._loss(model))

    def least(self, loss: float) -> int:
        """The fewest epochs with which a fit reaches the loss."""
        return next((n for n in range(1, MOST) if self.fit(n).loss <= loss), MOST)

    def _loss(self, model: Any) -> float:
        if self.library == OURS:
            θ = [model.parameters_[name] for name in ("W1", "b1", "w", "b")]
        else:
            (W, w), (c, b) = model.estimator_.coefs_, model.estimator_.intercepts_
            θ = [W.T, c, w[:, 0], b[0]]
        return float(self.loss([*map(np.asarray, θ)], self.X, self.y)[0])


# What is measured.


@contextmanager
def on_cluster(name: str, what: str, *given: Any) -> Iterator[Worker]:
    """A worker of the benchmarks with a cluster, which ends with it."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        library, rest = given[:-3], given[-3:]
        target = f"benchmarks.cluster:{what}"
        with Worker(name, target, *library, folder, *rest) as worker:
            try:
                yield worker
            finally:
                with suppress(WorkerError):
                    worker.ask("close")


class Speed(NamedTuple):
    """Seconds of steps with one worker and with two, and beside the arithmetic with two."""

    one: list[float]
    two: list[float]
    overhead: float


def speed(rows: int = ROWS, chunks: int = CHUNKS, *, rounds: int = ROUNDS) -> Speed:
    """Steps on a cluster of one process and on one of two, in turn."""
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(on_cluster(f"{count} workers", "Steps", count, rows, chunks))
            for count in (1, 2)
        )
        agree({worker.name: worker.ask("losses", 3) for worker in (one, two)})
        times = [(one.ask("seconds"), two.ask("seconds")) for _ in range(rounds)]
        return Speed(*map(list, zip(*times, strict=True)), two.ask("overhead"))


def fits(
    what: str,
    rows: int = FIT_ROWS,
    *,
    rounds: int = FIT_ROUNDS,
    skip: Callable[[str], None] = print,
) -> dict[str, list[float]]:
    """Seconds of fits until the loss is that where dask-ml's end."""
    with ExitStack() as stack:
        workers = {}
        for library in LIBRARIES:
            try:
                workers[library] = stack.enter_context(
                    on_cluster(library, what, library, 2, rows, FITS[what])
                )
            except WorkerError as error:
                if library == OURS:
                    raise
                skip(str(error))
                return {}
        wanted = Fit(*workers[THEIRS].ask("fit", 0)).loss
        given = {THEIRS: 0, OURS: workers[OURS].ask("least", wanted)}
        times: dict[str, list[float]] = {library: [] for library in workers}
        for _ in range(rounds):
            for library, worker in workers.items():
                fit = Fit(*worker.ask("fit", given[library]))
                times[library].append(fit.seconds)
                if library == OURS and fit.loss > wanted * (1 + 1e-9):
                    skip(f"{OURS}: the loss {fit.loss} stays above {wanted} of {THEIRS}")
    return times


def speed_goals(found: Speed) -> list[Goal]:
    """Two workers beside one, and milliseconds beside the arithmetic."""
    return [
        Goal("two workers ÷ one", ratio(found.two, found.one), SPEED_GOAL),
        Goal("overhead of a step, ms", 1e3 * found.overhead, 1e3 * OVERHEAD_GOAL),
    ]


def fit_goals(times: Mapping[str, Sequence[float]]) -> list[Goal]:
    """Ours beside dask-ml's."""
    return [Goal(f"{OURS} ÷ {THEIRS}", ratio(times[OURS], times[THEIRS]), FIT_GOAL)]
