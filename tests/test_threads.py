"""Threads and tasks: separate graphs never meet, and a shared leaf loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.context import current
from autograd_lite.models import LogisticRegression, MLPClassifier, objective

THREADS, ROUNDS = 4, 60


@pytest.fixture(autouse=True)
def _threads_change_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def together(*works):
    """Run functions at once, each in its own thread, and raise what any of them raises."""
    errors, start = [], threading.Barrier(len(works))

    def run(work):
        try:
            start.wait()
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def loss(w, x):
    return np.mean(np.tanh(x @ w) ** 2) + np.sum(np.exp(-w * w))


def test_separate_graphs_never_disturb_each_other():
    results = {}

    def work(k):
        random = np.random.default_rng(k)
        x, start = random.normal(size=(5, 3)), random.normal(size=3)
        found = []
        for _ in range(ROUNDS):
            w = ag.Tensor(start, name=f"w{k}")
            with ag.scope(f"thread {k}"):
                y = loss(w, x)
            y.backward()
            assert {node.scope for node in ag.Graph.of(y).nodes if node.op} == {(f"thread {k}",)}
            found.append((y.item(), w.grad.tolist(), ag.hvp(lambda w: loss(w, x))(start, start)))
        results[k] = x, start, found

    together(*(lambda k=k: work(k) for k in range(THREADS)))
    for x, start, found in results.values():
        value, gradient = ag.value_and_grad(loss)(start, x)
        product = ag.hvp(lambda w, x=x: loss(w, x))(start, start)
        for y, g, h in found:
            assert y == value
            np.testing.assert_array_equal(g, gradient)
            np.testing.assert_array_equal(h, product)


def test_a_shared_leaf_accumulates_without_loss():
    w = ag.Tensor(np.arange(3.0))

    def work():
        for _ in range(ROUNDS):
            np.sum(w * w).backward()

    together(*[work] * THREADS)
    np.testing.assert_array_equal(w.grad, THREADS * ROUNDS * 2 * np.arange(3.0))


def test_one_graph_may_be_swept_by_several_threads():
    w = ag.Tensor(np.arange(3.0))
    y = np.sum(np.exp(w) * 2)

    def work():
        for _ in range(ROUNDS):
            y.backward(1.0)

    together(*[work] * THREADS)
    np.testing.assert_allclose(w.grad, THREADS * ROUNDS * 2 * np.exp(w.data), rtol=1e-12)


def test_no_grad_holds_for_one_thread():
    inside, outside = threading.Event(), threading.Event()
    w, seen = ag.Tensor(2.0), []

    def quiet():
        with ag.no_grad():
            inside.set()
            outside.wait()
            seen.append((w * w).requires_grad)

    def recording():
        inside.wait()
        seen.append((w * w).requires_grad)
        outside.set()

    together(quiet, recording)
    assert seen == [True, False]
    assert current().recording


def test_no_grad_and_scope_hold_for_one_task():
    w, seen = ag.Tensor(2.0), {}

    async def quiet():
        with ag.no_grad(), ag.scope("quiet"):
            for _ in range(3):
                await asyncio.sleep(0)
            y = w * w
            seen["quiet"] = y.requires_grad, y.scope

    async def recording():
        for _ in range(2):
            await asyncio.sleep(0)
        y = w * w
        seen["recording"] = y.requires_grad, y.scope

    async def both():
        await asyncio.gather(quiet(), recording())

    asyncio.run(both())
    assert seen == {"quiet": (False, ("quiet",)), "recording": (True, ())}


def test_a_transform_in_one_thread_leaves_the_others_free():
    inside, outside = threading.Event(), threading.Event()
    w = ag.Tensor(2.0)

    def transformed():
        def f(x):
            inside.set()
            outside.wait()
            return x * x

        assert ag.grad(f)(3.0) == 6

    def free():
        inside.wait()
        try:
            assert (w * w).item() == 4
        finally:
            outside.set()

    together(transformed, free)


def test_an_error_leaves_the_context_as_it_was():
    before = current()
    for broken in (ag.grad(lambda x: x + "text"), lambda x: ag.trace(lambda x: float(x), x)):
        with pytest.raises(TypeError, match=r"dtype <U4 is not supported|lose its gradient"):
            broken(1.0)
    assert current() is before


FORKS = """
import os, threading, warnings
import numpy as np
import autograd_lite as ag

warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, which is the point
w = ag.Tensor(np.zeros(1_000_000))
y, stop = np.sum(w), threading.Event()

def sweep():
    while not stop.is_set():
        y.backward()

threads = [threading.Thread(target=sweep) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(20):
    child = os.fork()
    if not child:
        x = ag.Tensor(3.0)
        (x * x).backward()
        os._exit(int(x.grad != 6))
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
print("done")
"""


COMPILES = """
import os, threading, warnings
import numpy as np
import autograd_lite as ag

warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, which is the point
inside, outside = threading.Event(), threading.Event()

@ag.compile
def double(x, wait):
    if wait:
        inside.set()
        outside.wait()
    return 2 * x

double(np.ones(2), False)
thread = threading.Thread(target=double, args=(np.ones(2), True))
thread.start()
inside.wait()
child = os.fork()
if not child:
    os._exit(int(double(np.ones(3), False).sum() != 6))
assert os.waitpid(child, 0)[1] == 0
outside.set()
thread.join()
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("program", [FORKS, COMPILES], ids=["sweeps", "compiles"])
def test_a_child_of_fork_works_whatever_the_threads_of_its_parent_held(program):
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.communicate(timeout=60)[0] == "done\n"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a child that hangs as well
        process.wait()


def test_threads_that_use_a_leaf_first_after_an_update_agree():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(200):
            w, found = ag.Tensor(np.ones(3)), []
            w.data += 1
            threads = [
                threading.Thread(target=lambda w=w, found=found: found.append((w * w).numpy()))
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(found) == 4
            np.testing.assert_array_equal(found, np.full((4, 3), 4.0))
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("solver", ["gd", "adam", "lbfgs"])
def test_fits_share_a_program_and_nothing_else(solver):
    results = {}

    def work(model, k):
        random = np.random.default_rng(k)
        X, y = random.normal(size=(30, 3)), np.arange(30) % 2
        trained = model(solver=solver, alpha=k / 10, max_iter=20, tol=0, random_state=k)
        trained.set_params(learning_rate_init=0.01).fit(X, y)
        results.setdefault((model, k), []).append(trained.loss_curve_)

    works = [(model, k) for model in (LogisticRegression, MLPClassifier) for k in range(1, 4)]
    # At once, where the programs are still to be compiled, and one after the other.
    objective._program.cache_clear()
    together(*(lambda given=given: work(*given) for given in works))
    for given in works:
        work(*given)
    for at_once, alone in results.values():
        assert at_once == alone
