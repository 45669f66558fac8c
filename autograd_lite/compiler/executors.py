"""Who computes the parts of a sum: one after the other, or several threads at once.

An executor takes a function and blocks, calls the function with every block, and adds the lists
that it returns. It adds them in pairs by the numbers of the blocks, so the sums have the same bits
whoever computes the parts, and in whatever order they end.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from itertools import pairwise
from operator import length_hint
from threading import Lock, Thread
from typing import Any

__all__ = [
    "BLAS",
    "Executor",
    "Sums",
    "Threads",
    "added",
    "available_workers",
    "executor",
    "in_turn",
    "row_blocks",
]

Executor = Callable[[Callable[[Any], list[Any]], Iterable[Any]], list[Any]]


class Sums:
    """Adds in pairs, by the numbers of the blocks: 0 + 1, 2 + 3, and then (0 + 1) + (2 + 3).

    What is added first does not change any bit of the result.

    Args:
        add: adds two results of blocks; it may overwrite them.

    Attributes:
        nodes: what waits for its neighbour, by the level in the tree and the number there.

    Example:
        >>> total = Sums(lambda left, right: f"({left} {right})")
        >>> for number in (2, 0, 1):
        ...     total.add(number, str(number))
        >>> total.result()
        '((0 1) 2)'
    """

    def __init__(self, add: Callable[[Any, Any], Any]) -> None:
        self.nodes: dict[tuple[int, int], Any] = {}
        self._added = add

    def add(self, number: int, result: Any, level: int = 0) -> None:
        """Add the result of a block, or of 2**level neighbouring blocks."""
        while (level, number ^ 1) in self.nodes:
            other = self.nodes.pop((level, number ^ 1))
            result = self._added(*((other, result) if number & 1 else (result, other)))
            level, number = level + 1, number >> 1
        self.nodes[level, number] = result

    def result(self) -> Any:
        """The result of all blocks."""
        ordered = sorted(self.nodes, key=lambda node: node[1] << node[0])
        rest = [self.nodes[node] for node in ordered]
        total = rest.pop()
        while rest:
            total = self._added(rest.pop(), total)
        return total


def added(first: list[Any], second: list[Any]) -> list[Any]:
    """Add lists of numbers and arrays, into the arrays of the first."""
    for k, x in enumerate(second):
        first[k] += x
    return first


def in_turn(partial: Callable[[Any], list[Any]], blocks: Iterable[Any]) -> list[Any]:
    """The executor that computes one block after the other."""
    total = Sums(added)
    for number, block in enumerate(blocks):
        total.add(number, partial(block))
    return list(total.result())


class Threads:
    """The executor in which threads take the blocks in order; the calling thread is one of them.

    While they run, BLAS is limited to one thread each if threadpoolctl is installed. If a block
    raises an error, no further blocks are taken, and the error of the first such block is raised
    when all threads have ended.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __call__(self, partial: Callable[[Any], list[Any]], blocks: Iterable[Any]) -> list[Any]:
        work = _Work(partial, blocks)
        workers = min(self.workers, length_hint(blocks, self.workers))
        threads = [Thread(target=copy_context().run, args=(work.run,)) for _ in range(workers - 1)]
        with BLAS.limited():
            try:
                for thread in threads:
                    thread.start()
                work.run()
            finally:
                work.stop()
                for thread in threads:
                    if thread.ident is not None:
                        thread.join()
        return work.result()


class _Work:
    """Blocks that several threads compute; their sums are added in the order of the blocks."""

    def __init__(self, partial: Callable[[Any], list[Any]], blocks: Iterable[Any]) -> None:
        self._partial = partial
        self._blocks = enumerate(blocks)
        self._taking, self._adding = Lock(), Lock()
        self._stopped = False
        self._errors: dict[int, BaseException] = {}
        self._total = Sums(added)

    def run(self) -> None:
        """Compute blocks until none is left."""
        number = -1
        try:
            for number, block in iter(self._take, None):
                sums = self._partial(block)
                with self._adding:
                    self._total.add(number, sums)
        except BaseException as error:
            self._errors[number] = error
            self.stop()

    def _take(self) -> tuple[int, Any] | None:
        with self._taking:
            return None if self._stopped else next(self._blocks, None)

    def stop(self) -> None:
        """Let no thread take another block."""
        self._stopped = True

    def result(self) -> list[Any]:
        """The sums over all blocks; if blocks raised errors, the error of the first one."""
        if self._errors:
            try:
                raise self._errors[min(self._errors)]
            finally:
                self._errors.clear()
        return list(self._total.result())


class _Blas:
    """Limits BLAS to one thread as long as anybody wants it limited."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._limits: Any = None

    @contextmanager
    def limited(self) -> Iterator[None]:
        control = controller()
        if control is None:
            yield
            return
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._limits = control.limit(limits=1, user_api="blas")
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._limits.restore_original_limits()

    def after_fork(self) -> None:
        """In a child, the threads of the parent are gone."""
        if self._users:
            self._limits.restore_original_limits()
        self.__init__()  # type: ignore[misc]


BLAS = _Blas()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=BLAS.after_fork)


@cache
def controller() -> Any:
    """What limits the threads of BLAS, or None without threadpoolctl."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


def available_workers() -> int:
    """The number of cores, or 1 where BLAS cannot be limited to one thread for each worker."""
    if controller() is None:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def executor(workers: int) -> Executor:
    """The executor for a number of workers.

    Warns:
        RuntimeWarning: for several workers if threadpoolctl is not installed.
    """
    if workers == 1:
        return in_turn
    if controller() is None:
        warnings.warn(
            f"compile: workers={workers} without threadpoolctl, so each worker may use all "
            'threads of BLAS; install it by pip install "autograd_lite[native]", or set '
            "OPENBLAS_NUM_THREADS=1 or your BLAS library's variable",
            RuntimeWarning,
            stacklevel=3,
        )
    return Threads(workers)


def row_blocks(length: int, size: int) -> list[tuple[int, int]]:
    """The first row of each block and the row after it, for blocks of about equal size.

    No block has a single row if there are two, because NumPy computes with one row differently.

    Example:
        >>> row_blocks(10, 4), row_blocks(3, 1)
        ([(0, 3), (3, 6), (6, 10)], [(0, 3)])
    """
    count = max(1, min(-(-length // size), length // 2))
    bounds = [length * k // count for k in range(count + 1)]
    return list(pairwise(bounds))
