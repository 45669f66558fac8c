"""A peer in its own process, so that neither threads, memory nor imports are shared.

The parent builds a `Worker`; the child builds its subject from `module:function` and answers one
line of JSON per question: the name of a method of the subject and its arguments. A function that
returns a step makes a `Subject`.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BATCH = 0.01  # seconds: long enough that a garbage collection is spread over many steps


class WorkerError(RuntimeError):
    """A worker died or failed; the message says which and how."""


class NotInstalledError(WorkerError):
    """The worker's peer is not installed."""


@dataclass
class Subject:
    """What a worker measures: a step that returns its loss, and the nodes of its graph."""

    step: Callable[[], float]
    nodes: Callable[[], int] = lambda: 0

    def losses(self, count: int) -> list[float]:
        return [float(self.step()) for _ in range(count)]

    def first(self) -> float:
        """The time of one step, for a subject that has made none."""
        started = perf_counter()
        self.step()
        return perf_counter() - started

    def seconds(self, budget: float) -> float:
        """The least time of a step, over batches of steps that fill the budget."""
        gc.collect()
        started = perf_counter()
        self.step()
        steps = max(1, round(BATCH / (perf_counter() - started)))
        best = float("inf")
        while perf_counter() - started < budget or best == float("inf"):
            before = perf_counter()
            for _ in range(steps):
                self.step()
            best = min(best, (perf_counter() - before) / steps)
        return best

    def size(self) -> int:
        return self.nodes()

    def imported(self, module: str) -> bool:
        return module in sys.modules


def environment(threads: int) -> dict[str, str]:
    """The environment that holds every numerical library to so many threads."""
    libraries = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")
    limits = {f"{library}_NUM_THREADS": str(threads) for library in libraries}
    eigen = "true" if threads > 1 else "false"
    limits |= {"NPROC": str(threads), "POLARS_MAX_THREADS": str(threads)}
    limits["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={eigen}"
    # Whether glibc gives memory back to the system after each step, and pays for it again in the
    # next, depends on small things: hand-written NumPy has lost up to 40 % by it. Nobody does here.
    limits |= dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(2**30))
    # Any seed will do, but the same in all processes: sets then have the same order.
    variables = {**os.environ, **limits, "PYTHONHASHSEED": "0", "JAX_PLATFORMS": "cpu"}
    # Whatever this process was told of bytecode, an installed package has been compiled.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return variables


class Worker:
    """A process that holds one subject and answers questions about it, as a context manager.

    What it imports lies in the folder that it starts in, `home`.

    Example:
        >>> with Worker("hand", "benchmarks.steps:hand", 1, 2, 2) as worker:
        ...     losses = worker.ask("losses", 2)
        >>> losses[1] < losses[0]
        True
    """

    def __init__(
        self,
        name: str,
        target: str,
        *arguments: Any,
        threads: int = 1,
        variables: Mapping[str, str] | None = None,
        home: Path = ROOT,
    ) -> None:
        self.name = name
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", target, json.dumps(arguments)],
            cwd=home,
            env={**environment(threads), **(variables or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, method: str, *arguments: Any) -> Any:
        """The subject's answer.

        Raises: WorkerError when the worker fails or has died, with the reason that it left.
        """
        assert self._process.stdin is not None
        with suppress(OSError):  # what a dead worker left says more than the broken pipe
            print(json.dumps([method, arguments]), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._complaints.seek(0)
            last = self._complaints.read().strip().rpartition("\n")[2]
            raise WorkerError(f"{self.name}: the worker died with exit code {code}: {last or '-'}")
        answer = json.loads(line)
        if "missing" in answer:
            raise NotInstalledError(f"{self.name}: skipped, {answer['missing']} is not installed")
        if "error" in answer:
            raise WorkerError(f"{self.name}: {answer['error']}")
        return answer["value"]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._complaints.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def resolve(target: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, function = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def serve(target: str, arguments: str) -> None:
    """Build the subject and answer questions on standard input until it ends."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not come between the answers

    subject: Any = None

    def build() -> None:
        nonlocal subject
        made = resolve(target)(*json.loads(arguments))
        subject = Subject(made) if callable(made) else made

    def answer(ask: Callable[[], Any]) -> None:
        try:
            reply = {"value": ask()}
        except ModuleNotFoundError as error:
            reply = {"missing": error.name}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"}
        print(json.dumps(reply), file=channel, flush=True)

    answer(build)
    for line in sys.stdin if subject else ():
        method, values = json.loads(line)
        answer(lambda method=method, values=values: getattr(subject, method)(*values))


if __name__ == "__main__":
    # The module that peers import, so that there is one Subject class and not a second in __main__.
    import_module("benchmarks.worker").serve(*sys.argv[1:])
