"""Data by rows on a cluster of Dask: what is computed of them is computed where they are.

Each thread of a worker holds about as many chunks as any other, and keeps them. In a step it
computes the sums of its chunks, adds those of neighbours, and sends what is left; the rest is added
here. The numbers of the chunks decide what is added to what, so the sums have the same bits for any
number of workers. In a step no rows are sent, and the chunks of a worker that dies are computed
again by another.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.compiler.executors import BLAS, Sums
from autograd_lite.dask_rows import DaskSource, promised

__all__ = ["ClusterSource", "NoWorkersError", "current_client"]

PATIENCE = 8.0  # seconds after which no worker is expected to come back
ATTEMPTS = 20  # times that the workers of a task may die
BAD = "error", "cancelled", "lost"  # states of a future


class NoWorkersError(RuntimeError):
    """The cluster has no worker left, or cannot be reached."""


def current_client() -> Any:
    """The client that the program made last of Dask's distributed, or None."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


class Group(NamedTuple):
    """Chunks that one thread of a worker holds: their numbers, and a future of them."""

    numbers: Sequence[int]
    future: Any
    worker: str


class ClusterSource(DaskSource):
    """The chunks of Dask arrays, held by the workers of a cluster.

    Args:
        arrays: the Dask arrays; the first says what the blocks are.
        client: of the cluster.
        name: what errors call them.

    Raises:
        TypeError, BlockError: as `DaskSource` does.
    """

    remote = True

    def __init__(self, arrays: Sequence[Any], client: Any, name: str = "the Dask array") -> None:
        self.client = client
        super().__init__(arrays, name)
        self._given = self.arrays
        self._groups: list[Group] = []
        self._counted: tuple[int, ...] | None = None
        self._alone: float | None = None

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The number of rows of each chunk; where Dask does not know it, the workers count."""
        if self.are_lengths_known:
            return super().lengths
        return self._load()

    def _measured(self, x: Any) -> Any:
        with self.client.as_current():
            return super()._measured(x)

    def total(
        self,
        function: Callable[[int, Any], Any],
        add: Callable[[Any, Any], Any],
        numbers: Sequence[int] | None = None,
    ) -> Any:
        """The total of what a function returns for blocks, by the workers that hold them.

        Raises:
            NoWorkersError: if no worker is left.
            BlockError: if a chunk is not what its Dask array promises.
        """
        self._load()
        if numbers is None:
            numbers = [k for k, length in enumerate(self.lengths) if length]
        order = {number: k for k, number in enumerate(numbers)}
        total = Sums(add)

        def arguments(group: Group) -> tuple[Any, ...] | None:
            places = [(order[n], n, at) for at, n in enumerate(group.numbers) if n in order]
            return (function, add, places) if places else None

        for nodes in self._run(_summed, arguments):
            for (level, number), result in nodes.items():
                total.add(number, result, level)
        return total.result()

    def _rows(self, k: int, most: int | None) -> tuple[Any, ...]:
        self._load()

        def arguments(group: Group) -> tuple[Any, ...] | None:
            return (group.numbers.index(k), most) if k in group.numbers else None

        block: tuple[Any, ...] = self._run(_taken, arguments)[0]
        return block

    # Loading

    def _load(self) -> tuple[int, ...]:
        """Let the workers compute and keep the chunks, unless they do; returns their lengths."""
        if self._counted is None or not self._groups:
            self._persist()
            self._group()
            found = dict[int, Any]()
            for numbers, chunks in self._run(_described, lambda group: (group.numbers,)):
                found |= zip(numbers, chunks, strict=True)
            forms = [found[k] for k in sorted(found)]
            known = self.are_lengths_known
            lengths = super().lengths if known else tuple(form[0][0][0] for form in forms)
            for k, form in enumerate(forms):
                self._check(k, lengths, form)
            self._counted = lengths
        return self._counted

    def _persist(self) -> None:
        with warnings.catch_warnings():  # arrays in memory are part of the graph
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            self.arrays = tuple(self.client.persist(self._given))

    def _group(self) -> None:
        """Group the chunks that are not in a group, or in one that is lost, where they are now."""
        threads = self._threads()
        kept = [g for g in self._groups if g.worker in threads and g.future.status not in BAD]
        grouped = {number for group in kept for number in group.numbers}
        columns = [_futures(x) for x in self.arrays]
        if any(future.cancelled() for column in columns for future in column):
            self._persist()  # the cluster was started again
            columns = [_futures(x) for x in self.arrays]
        self._wait([future for column in columns for future in column])
        dtypes = [x.dtype for x in self.arrays]
        held = self.client.who_has(columns[0])
        places: dict[str, list[int]] = {}
        for k, future in enumerate(columns[0]):
            if k not in grouped:
                worker = next(iter(held.get(future.key) or ()), "")
                places.setdefault(worker, []).append(k)
        taken = Counter(group.worker for group in kept for _ in group.numbers)
        for worker, numbers in _balanced(places, threads, taken).items():
            parts = min(threads.get(worker, 1), len(numbers))
            for k in range(parts):
                some = numbers[len(numbers) * k // parts : len(numbers) * (k + 1) // parts]
                blocks = [[column[k] for k in some] for column in columns]
                where = {"workers": [worker]} if worker else {}
                future = self.client.submit(Chunks, blocks, dtypes, pure=False, **where)
                kept.append(Group(some, future, worker))
        self._groups = kept

    def _wait(self, futures: Sequence[Any]) -> None:
        """Wait until the workers have computed the chunks."""
        import distributed

        for _ in range(ATTEMPTS):
            while not self._ended(futures):
                self._threads()
            bad = [future for future in futures if future.status != "finished"]
            if not bad:
                return
            if not isinstance(bad[0].exception(timeout=1.0), distributed.KilledWorker):
                bad[0].result(timeout=1.0)
            self.client.retry(bad)
        raise self._given_up()

    # Running

    def _run(
        self, function: Callable[..., Any], arguments: Callable[[Group], tuple[Any, ...] | None]
    ) -> list[Any]:
        """What a function returns for the chunks of each group, and arguments, where they are.

        If a worker dies, it is computed again: the sums have the same bits anywhere.
        """
        for _ in range(ATTEMPTS):
            jobs = [(g, given) for g in self._groups if (given := arguments(g)) is not None]
            results = self._gathered(
                [
                    self.client.submit(
                        function, group.future, *given, pure=False, workers=[group.worker]
                    )
                    for group, given in jobs
                ]
            )
            if results is not None:
                return results
            self._group()
        raise self._given_up()

    def _gathered(self, futures: Sequence[Any]) -> list[Any] | None:
        """The results of tasks, or None if workers died."""
        import distributed

        async def gathered() -> Any:
            return await self.client.gather(futures, asynchronous=True)

        while not self._ended(futures):
            if not {group.worker for group in self._groups} <= self._threads().keys():
                return None
        for future in futures:
            if future.status == "error":
                if isinstance(future.exception(), distributed.KilledWorker):
                    return None
                future.result()
            if future.status != "finished":
                return None
        try:
            return list(self.client.sync(gathered, callback_timeout=PATIENCE))
        except (TimeoutError, distributed.CancelledError):
            return None

    def _ended(self, futures: Sequence[Any]) -> bool:
        """Whether tasks end within a second."""
        from distributed import CancelledError

        # `distributed.wait` asks the default client, which may be another one, or none.
        for future in futures:
            if not future.done():
                try:
                    future.exception(timeout=1.0)
                except TimeoutError:
                    return False
                except CancelledError:
                    pass  # so its status says
        return True

    def _given_up(self) -> NoWorkersError:
        return NoWorkersError(
            f"{self.name}: workers died {ATTEMPTS} times of the same tasks; they may need more "
            "memory, or smaller chunks"
        )

    def _threads(self) -> dict[str, int]:
        """The number of threads of each worker.

        Raises:
            NoWorkersError: if there has been no worker for some time.
        """
        while True:
            found = self.client.nthreads() if self.client.status == "running" else {}
            if found:
                self._alone = None
                return dict(found)
            now = time.monotonic()
            self._alone = self._alone or now
            if now - self._alone >= PATIENCE:
                self._alone, self._groups = None, []
                raise NoWorkersError(
                    f"{self.name}: the cluster {self.client.scheduler.address} has no worker left"
                )
            time.sleep(0.2)


def _balanced(
    places: Mapping[str, Sequence[int]], threads: Mapping[str, int], taken: Mapping[str, int]
) -> dict[str, list[int]]:
    """The numbers of the chunks of each worker, of which some go to workers that have fewer.

    Dask may have had one worker compute most of them, and each step would wait for it.

    Args:
        places: the numbers of the chunks that each worker holds.
        threads: of each worker.
        taken: how many other chunks each worker keeps.
    """
    found = {worker: [*places.get(worker, ())] for worker in {**places, **threads}}

    def load(worker: str, more: int) -> float:
        return (len(found[worker]) + taken.get(worker, 0) + more) / threads[worker]

    while givers := [worker for worker in threads if found[worker]]:
        giver = max(givers, key=lambda worker: load(worker, 0))
        taker = min(threads, key=lambda worker: load(worker, 1))
        if load(giver, 0) <= load(taker, 1):
            break
        found[taker].append(found[giver].pop())
    return {worker: sorted(numbers) for worker, numbers in found.items() if numbers}


def _futures(x: Any) -> list[Any]:
    """The future of each chunk of a persisted array."""
    from dask.core import flatten
    from distributed import futures_of

    by_key = {future.key: future for future in futures_of(x)}
    return [by_key[key] for key in flatten(x.__dask_keys__())]


# What runs on the workers.


class Chunks:
    """The blocks that a thread of a worker holds, in the dtypes promised where these hold them.

    Their memory is that of the chunks, and Dask counts it there.
    """

    def __init__(self, columns: Sequence[Sequence[Any]], dtypes: Sequence[Any]) -> None:
        self.blocks: list[tuple[Any, ...]] = [
            tuple(promised(x, dtype) for x, dtype in zip(block, dtypes, strict=True))
            for block in zip(*columns, strict=True)
        ]


def _described(chunks: Chunks, numbers: Sequence[int]) -> tuple[Any, Any]:
    return numbers, [[(x.shape, x.dtype) for x in block] for block in chunks.blocks]


def _taken(chunks: Chunks, at: int, most: int | None) -> tuple[Any, ...]:
    return tuple(x[:most] for x in chunks.blocks[at])


def _summed(
    chunks: Chunks,
    function: Callable[[int, Any], Any],
    add: Callable[[Any, Any], Any],
    places: Sequence[tuple[int, int, int]],
) -> dict[tuple[int, int], Any]:
    """The results of blocks, those of neighbours added."""
    total = Sums(add)
    with BLAS.limited(), np.errstate(all="ignore"):
        for place, number, at in places:
            total.add(place, function(number, chunks.blocks[at]))
    return total.nodes
