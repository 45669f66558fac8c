"""Streaming: the value and the gradient of a loss, of rows in a file, read block by block.

A table of float64 rows, 30 columns and a target, is written to a `.npy` or a Parquet file, which is
in the page cache when it is read. A pass over it reads and computes at the same time; the goal
compares it with the longer of the two alone, in the same process and the same rounds:

- *reading*: each block of rows is read into a new array. For `.npy`, `readinto`; for Parquet,
  `iter_batches` of pyarrow, through small buffers, whose record batches are not copied to arrays.
- *computing*: the compiled function, called with arrays in memory that hold all rows.

The peak of the private memory is that of another process, which only streams.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.rounds import Goal, ratio
from benchmarks.worker import Worker, WorkerError

Array = npt.NDArray[Any]

GIB = 1.0, 4.0
FEATURES, UNITS = 30, 16
KINDS = "npy", "parquet"
MODELS = "logistic", "perceptron"
ROUNDS = 3  # a pass takes seconds
TIME_GOAL, MEMORY_GOAL, GROWTH_GOAL = 1.15, 2**29, 1.05
EXACT = 1e-12  # relative difference from the arrays in memory
PERIOD = 0.002  # seconds between two looks at the memory


# The data.


def drawn(random: np.random.Generator, rows: int) -> Array:
    """Rows of columns and a target of 0 or 1, whose log-odds bend."""
    block = random.standard_normal((rows, FEATURES + 1))
    z = block[:, 0] - block[:, 1] + np.abs(block[:, 2]) - 0.8
    block[:, -1] = random.random(rows) < 1 / (1 + np.exp(-z))
    return block


@contextmanager
def written(kind: str, gib: float, step: int = 1 << 20) -> Iterator[Path]:
    """A file of so many GiB of rows, before Parquet encodes them, in groups of `step` rows.

    These are what pyarrow and pandas write, if they are not told otherwise.
    """
    random = np.random.default_rng(0)
    rows = round(gib * 2**30 / (8 * (FEATURES + 1)))
    blocks = (drawn(random, min(step, rows - start)) for start in range(0, rows, step))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.{kind}"
        (_write_npy if kind == "npy" else _write_parquet)(path, rows, blocks)
        yield path


def _write_npy(path: Path, rows: int, blocks: Iterator[Array]) -> None:
    with path.open("wb") as file:
        head = {"descr": "<f8", "fortran_order": False, "shape": (rows, FEATURES + 1)}
        np.lib.format.write_array_header_1_0(file, head)
        for block in blocks:
            file.write(block.data)


def _write_parquet(path: Path, rows: int, blocks: Iterator[Array]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names = [*(f"x{k}" for k in range(FEATURES)), "y"]
    schema = pa.schema([(name, pa.float64()) for name in names])
    with parquet.ParquetWriter(path, schema) as writer:
        for block in blocks:
            writer.write_table(pa.table([*np.ascontiguousarray(block.T)], schema=schema))


# The functions.


def logistic(θ: Sequence[Any], X: Any, y: Any) -> Any:
    """The mean loss of a logistic regression."""
    w, b = θ
    z = X @ w + b
    return np.mean(np.logaddexp(0, z) - y * z)


def perceptron(θ: Sequence[Any], X: Any, y: Any) -> Any:
    """The mean loss of a perceptron with a layer of ReLU."""
    W, c, w, b = θ
    z = np.maximum(X @ W.T + c, 0) @ w + b
    return np.mean(np.logaddexp(0, z) - y * z)


def start(model: str) -> list[Array]:
    """Weights drawn at random, the same in each process."""
    shapes: dict[str, list[tuple[int, ...]]] = {
        "logistic": [(FEATURES,), ()],
        "perceptron": [(UNITS, FEATURES), (UNITS,), (UNITS,), ()],
    }
    random = np.random.default_rng(1)
    return [np.asarray(random.standard_normal(shape) / 5) for shape in shapes[model]]


def compiled(model: str) -> Any:
    """The value and the gradient of a model's loss."""
    import autograd_lite as ag

    loss = globals()[model]
    return ag.compile(lambda θ, X, y: ag.value_and_grad(lambda θ: loss(θ, X, y))(θ), rows="auto")


# What the workers hold.


class Stream:
    """Passes over a file, block by block."""

    def __init__(self, path: str, model: str) -> None:
        import autograd_lite.data

        self.path, self.model = path, model
        if path.endswith(".parquet"):
            import pyarrow.parquet  # noqa: F401
        self.open = autograd_lite.data.open_rows
        self.function, self.θ = compiled(model), start(model)

    def result(self) -> list[float]:
        """The value and the gradient, flat."""
        rows = self.open(self.path)
        value, gradients = self.function(self.θ, rows[:, :FEATURES], rows[:, FEATURES])
        return [float(value), *(float(x) for g in gradients for x in np.ravel(g))]

    def streamed(self) -> float:
        """The time of a pass that reads and computes."""
        return seconds(self.result)

    def reading(self) -> float:
        """The time of a pass that only reads."""
        read = _read_parquet if self.path.endswith(".parquet") else _read_npy
        rows = max(self.open(self.path).lengths)
        return seconds(lambda: read(self.path, rows))

    def peak(self, passes: int) -> int:
        """The bytes of private memory that a pass takes at its peak, beyond those before it."""
        with sampled() as peak:
            for _ in range(passes):
                self.result()
        return peak()


class Memory(Stream):
    """The rows as arrays in memory."""

    def __init__(self, path: str, model: str) -> None:
        super().__init__(path, model)
        self.rows = self.open(path).read()

    def result(self) -> list[float]:
        value, gradients = self.function(self.θ, self.rows[:, :FEATURES], self.rows[:, FEATURES])
        return [float(value), *(float(x) for g in gradients for x in np.ravel(g))]


def seconds(function: Callable[[], Any]) -> float:
    """The time of a call."""
    gc.collect()
    started = perf_counter()
    function()
    return perf_counter() - started


def _read_npy(path: str, rows: int) -> None:
    with open(path, "rb", buffering=0) as file:
        np.lib.format.read_magic(file)
        (count, *row), _, dtype = np.lib.format.read_array_header_1_0(file)
        for begin in range(0, count, rows):
            block = np.empty((min(rows, count - begin), *row), dtype)
            file.readinto(block)  # type: ignore[arg-type]


def _read_parquet(path: str, rows: int) -> None:
    from pyarrow import parquet

    with parquet.ParquetFile(path, buffer_size=1 << 16) as file:
        for _ in file.iter_batches(rows):
            pass


def private() -> int:
    """The bytes of private memory of this process, on Linux."""
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("RssAnon:")[2].split()[0])
    except (OSError, IndexError):
        raise WorkerError("the private memory of a process is known on Linux only") from None


@contextmanager
def sampled() -> Iterator[Callable[[], int]]:
    """A function that returns how many bytes the private memory had grown by at most."""
    begin = most = private()
    over = threading.Event()

    def sample() -> None:
        nonlocal most
        while not over.wait(PERIOD):
            most = max(most, private())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield lambda: most - begin
    finally:
        over.set()
        thread.join()


# What is measured.


class Passes(NamedTuple):
    """Seconds of passes in each round, the peak in bytes, and the difference from the arrays."""

    streamed: list[float]
    reading: list[float]
    computing: list[float]
    peak: int
    difference: float


def measure(path: Path, model: str, *, rounds: int = ROUNDS, threads: int = 1) -> Passes:
    """Passes over a file, and the same with all of it in memory."""
    given = "benchmarks.streaming:{}", str(path), model
    times = list[list[float]]()
    with ExitStack() as stack:
        stream, memory = (
            stack.enter_context(Worker(name, given[0].format(name), *given[1:], threads=threads))
            for name in ("Stream", "Memory")
        )
        peak = stream.ask("peak", 1)
        difference = apart(stream.ask("result"), memory.ask("result"))
        for _ in range(rounds):
            times.append([stream.ask("streamed"), stream.ask("reading"), memory.ask("streamed")])
    streamed, reading, computing = zip(*times, strict=True)
    return Passes([*streamed], [*reading], [*computing], peak, difference)


def apart(found: Sequence[float], expected: Sequence[float]) -> float:
    """The larger of the relative differences of two values, and of their gradients.

    Example:
        >>> apart([2.0, 3.0, 4.0], [2.0, 3.0, 5.0])
        0.2
    """
    parts = np.s_[:1], np.s_[1:]
    a, b = np.asarray(found), np.asarray(expected)
    return max(float(np.abs(a[k] - b[k]).max() / np.abs(b[k]).max()) for k in parts)


def goals(passes: Passes) -> list[Goal]:
    """The time beside the longer of its parts, the memory, and the difference."""
    longer = [max(pair) for pair in zip(passes.reading, passes.computing, strict=True)]
    return [
        Goal("streamed ÷ the longer of both", ratio(passes.streamed, longer), TIME_GOAL),
        Goal("peak, MiB", passes.peak / 2**20, MEMORY_GOAL / 2**20),
        Goal("relative difference", passes.difference, EXACT),
    ]


def growth(peaks: Sequence[int]) -> Goal:
    """The peaks of files of several sizes beside each other."""
    return Goal("largest ÷ smallest peak", max(peaks) / min(peaks), GROWTH_GOAL)
