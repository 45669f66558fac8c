"""Who computes blocks of rows: the same bits from any executor, errors, Ctrl-C, forks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import executors
from autograd_lite.compiler.executors import Sums, Threads, added, in_turn, row_blocks

RANDOM = np.random.default_rng(5)
X, Y = RANDOM.normal(size=(1000, 4)), RANDOM.normal(size=1000)
W = RANDOM.normal(size=(3, 4))


def parts(count, seed):
    """Sums whose total depends on the order of the additions."""
    random = np.random.default_rng(seed)
    arrays = random.normal(size=(count, 3)) * 10.0 ** random.integers(-8, 8, (count, 1))
    return [[x.copy(), np.float32(x[0])] for x in arrays]


def bits(sums):
    return [np.asarray(x).tobytes() for x in sums]


def pairwise(values):
    """The sum as a balanced tree over the next power of two."""
    if len(values) == 1:
        return values[0]
    half = 1 << ((len(values) - 1).bit_length() - 1)
    return pairwise(values[:half]) + pairwise(values[half:])


@given(st.integers(1, 70), st.integers(0, 9))
def test_sums_are_added_in_pairs(count, seed):
    found = in_turn(lambda sums: sums, parts(count, seed))
    expected = pairwise([sums[0] for sums in parts(count, seed)])
    assert found[0].tobytes() == expected.tobytes()


@given(st.integers(1, 3000))
def test_as_few_sums_wait_as_their_number_has_digits(count):
    total, most = Sums(added), 0
    for number in range(count):
        total.add(number, [1])
        most = max(most, len(total.nodes))
    assert most <= count.bit_length()
    assert total.result() == [count]


@given(st.integers(1, 40), st.randoms(use_true_random=False), st.integers(0, 9))
def test_sums_have_the_same_bits_whatever_is_added_first(count, random, seed):
    """Also where others have added neighbouring blocks."""
    known = [x[0] for x in parts(count, seed)]
    expected = pairwise(known)
    groups: dict[int, list[int]] = {}
    for number in range(count):
        groups.setdefault(random.randrange(4), []).append(number)
    total = Sums(lambda a, b: a + b)
    for group in groups.values():
        some = Sums(lambda a, b: a + b)
        random.shuffle(group)
        for number in group:
            some.add(number, known[number])
        for (level, number), x in some.nodes.items():
            total.add(number, x, level)
    assert total.result().tobytes() == expected.tobytes()


@given(st.integers(2, 10**6), st.integers(1, 10**5))
def test_blocks_of_rows_are_about_equal_and_have_two_rows(length, size):
    blocks = row_blocks(length, size)
    if len(blocks) > 1000:
        blocks = [*blocks[:500], *blocks[-500:]]
    lengths = {j - i for i, j in blocks}
    assert max(lengths) <= max(size, 3)
    assert min(lengths) >= max(2, max(lengths) - 1)


def step(W, X, y):
    def loss(W):
        return np.mean((np.tanh(X @ W.T) @ np.ones(3) - y) ** 2)

    value, gradient = ag.value_and_grad(loss)(W)
    return value, W - 0.1 * gradient, np.sum(np.abs(y)), np.tanh(X @ W.T)


@settings(max_examples=15)
@given(st.integers(2, 400), st.integers(2, 5), st.sampled_from([np.float64, np.float32]))
def test_any_number_of_workers_gives_the_same_bits(rows, workers, dtype):
    args = [array.astype(dtype) for array in (W, X, Y)]
    alone = ag.compile(step, rows=rows)(*args)
    together = ag.compile(step, rows=rows, workers=workers)(*args)
    assert bits(alone) == bits(together)
    for found, expected in zip(alone, step(*args), strict=True):
        rtol = 1e-11 if dtype is np.float64 else 1e-4
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol / 10)


def test_sums_added_one_after_the_other_fail_the_test(monkeypatch):
    """The test above sees the order of additions."""

    def add(self, number, sums):
        self.nodes = {(0, 0): added(*self.nodes.values(), sums) if self.nodes else sums}

    args = W, X, Y
    in_pairs = ag.compile(step, rows=7)(*args)
    monkeypatch.setattr(Sums, "add", add)
    assert bits(ag.compile(step, rows=7)(*args)) != bits(in_pairs)


class BlockError(Exception):
    pass


@settings(max_examples=30)
@given(st.integers(1, 5), st.sets(st.integers(0, 30), min_size=1))
def test_the_error_of_the_first_block_that_fails_reaches_the_caller(workers, wrong):
    taken = []

    def partial(block):
        taken.append(block)
        if block in wrong:
            raise BlockError(block)
        return [np.ones(2)]

    before = threading.active_count()
    execute = Threads(workers) if workers > 1 else in_turn
    with pytest.raises(BlockError) as caught:
        execute(partial, range(31))
    assert caught.value.args == (min(wrong),)
    assert threading.active_count() == before
    assert len(taken) <= min(wrong) + workers + 1 + len(wrong)


def test_an_error_of_an_operation_reaches_the_caller():
    labels = np.arange(1000) % 3
    f = ag.compile(lambda X, y: ag.cross_entropy(X[:, :3], y), rows=20, workers=3)
    f(X, labels)
    labels[500] = 7
    with pytest.raises(ValueError, match="the label 7 is not a class index"):
        f(X, labels)


def test_threads_see_the_settings_of_the_caller():
    f = ag.compile(lambda x: np.sum(1 / x), rows=10, workers=3)
    with np.errstate(all="raise"):
        assert f(np.zeros(100)) == np.inf
    seen = []

    def partial(block):
        seen.append(np.geterr()["divide"])
        return [1.0]

    with np.errstate(divide="raise"):
        Threads(3)(partial, range(9))
    assert set(seen) == {"raise"}


def test_several_calls_at_once_do_not_disturb_each_other():
    f = ag.compile(step, rows=50, workers=2)
    expected = [bits(f(W * k, X, Y)) for k in range(4)]
    found = [None] * 4

    def work(k):
        for _ in range(20):
            found[k] = bits(f(W * k, X, Y))
            assert found[k] == expected[k]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_blas_has_one_thread_while_workers_run():
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def count():
        return {
            x["num_threads"] for x in threadpoolctl.threadpool_info() if x["user_api"] == "blas"
        }

    executors.controller.cache_clear()  # other tests may have loaded another BLAS since
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        before, seen = count(), []

        def partial(block):
            seen.append(count())
            if block == 5:
                Threads(2)(lambda _: [count() and 1], range(2))
                seen.append(count())
            return [1]

        Threads(2)(partial, range(9))
        assert all(found <= {1} for found in seen)
        assert count() == before


def test_workers_without_threadpoolctl_warn(monkeypatch):
    monkeypatch.setattr(executors, "controller", lambda: None)
    with pytest.warns(RuntimeWarning, match=r"autograd_lite\[native\]"):
        found = ag.compile(step, rows=100, workers=2)(W, X, Y)
    assert bits(found) == bits(ag.compile(step, rows=100)(W, X, Y))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0, "rows": 5}, "workers is a positive number"),
        ({"workers": 1.5, "rows": 5}, "workers is a positive number"),
        ({"workers": 2}, "several workers need blocks of rows"),
    ],
)
def test_workers_are_a_number_and_need_rows(options, message):
    with pytest.raises(ValueError, match=message):
        ag.compile(step, **options)


INTERRUPTED = """
import sys, threading, time
from autograd_lite.compiler.executors import Threads

def partial(block):
    if block == 3:
        print("running", flush=True)
    time.sleep(0.02)
    return [1]

try:
    Threads(3)(partial, range(10**6))
except KeyboardInterrupt:
    print("interrupted", threading.active_count(), flush=True)
"""


def test_ctrl_c_stops_the_threads():
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert process.communicate(timeout=60)[0] == "interrupted 1\n"
        assert time.monotonic() - started < 30
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()


FORKED = """
import os, threading, warnings
import numpy as np
import autograd_lite as ag

warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, which is the point
f = ag.compile(lambda x: np.sum(np.tanh(x) * x, axis=0), rows=500, workers=3)
x = np.ones((20_000, 3))
expected, stop = f(x), threading.Event()

def work():
    while not stop.is_set():
        f(x)

thread = threading.Thread(target=work)
thread.start()
for _ in range(10):
    child = os.fork()
    if not child:
        os._exit(int((f(x) != expected).any()))
    assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_of_fork_runs_threads_of_its_own():
    found = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=False
    )
    assert found.stdout == "done\n", found.stderr
