"""Compiled functions and models on Dask arrays, with real workers in processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import NotSeparableError, streams
from autograd_lite.compiler import cluster as clusters
from autograd_lite.compiler.cluster import NoWorkersError, _balanced
from autograd_lite.models import LinearRegression, LogisticRegression, MLPClassifier
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.row_sources import ArraySource, BlockError

dask = pytest.importorskip("dask", reason="needs the extra dask")
da = pytest.importorskip("dask.array", reason="needs the extra dask")
distributed = pytest.importorskip("distributed", reason="needs the extra dask")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(5003, 6)) * [1, 10, 0.1, 1, 5, 2] + [0, 3, 1, 0, 0, -4]
NUMBER = X @ RANDOM.normal(size=6) + RANDOM.normal(size=len(X))
LABEL = np.array(["a", "b", "c"])[np.digitize(NUMBER, np.quantile(NUMBER, [0.3, 0.6]))]
BLOCKS = tuple([400] * 12 + [203])


def cluster(workers, threads=1):
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=threads,
        dashboard_address=":0",
        silence_logs=50,
    )


@pytest.fixture(scope="module")
def client():
    with cluster(2) as found, distributed.Client(found) as client:
        yield client


def chunked(array, lengths=BLOCKS, columns=-1):
    return da.from_array(array, chunks=(lengths, *[columns] * (array.ndim - 1)))


def cut(array, rows=400):
    return RowBlocks(ArraySource(array, rows))


def step(params, X, y):
    def loss(params):
        z = np.tanh(X @ params[0]) @ params[1]
        return np.mean((z - y) ** 2)

    return ag.value_and_grad(loss)(params)


PARAMS = [RANDOM.normal(size=(6, 4)) / 5, RANDOM.normal(size=4)]


def bits(found):
    value, gradients = found
    return [np.asarray(x).tobytes() for x in (value, *gradients)]


def test_the_bits_are_those_of_the_streaming_executor(client):
    compiled = ag.compile(step, rows="auto")
    expected = bits(compiled(PARAMS, cut(X), cut(NUMBER)))
    assert bits(compiled(PARAMS, chunked(X), chunked(NUMBER))) == expected
    # Columns in several chunks, other rows for y, or y in memory.
    assert bits(compiled(PARAMS, chunked(X, columns=2), chunked(NUMBER, (5003,)))) == expected
    assert bits(compiled(PARAMS, chunked(X), NUMBER)) == expected
    assert bits(compiled(PARAMS, chunked(X).persist(), chunked(NUMBER))) == expected


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (3, 1), (1, 3)])
def test_any_number_of_workers_gives_the_same_bits(workers, threads):
    expected = bits(ag.compile(step, rows="auto")(PARAMS, cut(X), cut(NUMBER)))
    with cluster(workers, threads) as found, distributed.Client(found, set_as_default=False) as one:
        compiled = ag.compile(step, rows="auto", client=one)
        assert bits(compiled(PARAMS, chunked(X), chunked(NUMBER))) == expected


def test_every_worker_gets_its_share_of_chunks_that_one_of_them_computed(client):
    first = min(client.nthreads())
    x, y = client.persist([chunked(X), chunked(NUMBER)], workers=[first])
    distributed.wait([x, y])
    assert {*client.who_has(x).values()} == {(first,)}
    compiled = ag.compile(step, rows="auto")
    assert bits(compiled(PARAMS, x, y)) == bits(compiled(PARAMS, cut(X), cut(NUMBER)))
    counts = [len(group.numbers) for group in compiled._kept[-1]._groups]
    assert sorted(counts) == [6, 7]


@given(st.data())
def test_shares_of_chunks_are_about_equal_and_few_chunks_move(data):
    threads = data.draw(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 3), min_size=1))
    place = st.sampled_from(sorted(threads))
    held = data.draw(st.lists(place, min_size=1, max_size=30))
    taken = data.draw(st.dictionaries(place, st.integers(0, 9)))
    places = {w: [k for k, at in enumerate(held) if at == w] for w in held}
    found = _balanced(places, threads, taken)
    assert sorted(k for numbers in found.values() for k in numbers) == [*range(len(held))]
    loads = {w: len(found.get(w, [])) + taken.get(w, 0) for w in threads}
    for giver in found:
        for taker in threads:
            assert loads[giver] / threads[giver] <= (loads[taker] + 1) / threads[taker]
    for worker, numbers in found.items():
        gained, lost = (
            {*numbers} - {*places.get(worker, [])},
            {*places.get(worker, [])} - {*numbers},
        )
        assert not (gained and lost)


@pytest.fixture
def alone(monkeypatch):
    """Without a cluster, although the tests have one."""
    monkeypatch.setattr(streams, "current_client", lambda: None)
    with dask.config.set(scheduler="synchronous"):
        yield


def test_without_a_cluster_dask_computes_the_chunks_one_after_the_other(alone):
    compiled = ag.compile(step, rows="auto")
    source = bits(compiled(PARAMS, cut(X), cut(NUMBER)))
    assert bits(compiled(PARAMS, chunked(X), chunked(NUMBER))) == source


def test_no_client_is_needed_but_the_one_that_is_named(monkeypatch):
    expected = bits(ag.compile(step, rows="auto")(PARAMS, cut(X), cut(NUMBER)))
    with cluster(1) as found, distributed.Client(found, set_as_default=False) as one:
        monkeypatch.setattr(distributed.client, "_get_global_client", lambda: None)
        compiled = ag.compile(step, rows="auto", client=one)
        assert bits(compiled(PARAMS, chunked(X), chunked(NUMBER))) == expected


def test_chunks_are_computed_again_after_a_restart():
    x, y = chunked(X), chunked(NUMBER)
    compiled = ag.compile(step, rows="auto")
    with cluster(1) as found, distributed.Client(found) as client:
        expected = bits(compiled(PARAMS, x, y))
        client.restart()
        assert bits(compiled(PARAMS, x, y)) == expected


def test_chunks_take_the_time_that_they_need(client, monkeypatch):
    monkeypatch.setattr(clusters, "ATTEMPTS", 1)

    def slow(block):
        time.sleep(2.5)
        return block

    x = da.from_array(X[:2], chunks=(1, -1)).map_blocks(slow, dtype=float, meta=np.empty((0, 0)))
    found = ag.compile(lambda X: np.sum(X, axis=0), rows="auto")(x)
    np.testing.assert_allclose(found, X[:2].sum(axis=0))


def test_chunks_of_unknown_lengths(client):
    x, y = chunked(X), chunked(NUMBER)
    mask = X[:, 0] > 0
    compiled = ag.compile(step, rows="auto")
    found = compiled(PARAMS, x[x[:, 0] > 0], y[x[:, 0] > 0])
    for a, b in zip(found[1], step(PARAMS, X[mask], NUMBER[mask])[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_lengths_are_learned_without_a_change_of_the_arrays(client):
    unknown = chunked(X)[chunked(X)[:, 0] > -np.inf]
    found = ag.compile(step, rows="auto")(PARAMS, unknown, chunked(NUMBER, (5003,)))
    np.testing.assert_allclose(found[0], step(PARAMS, X, NUMBER)[0])
    assert np.isnan(unknown.shape[0])


def test_results_with_rows_are_dask_arrays(client):
    compiled = ag.compile(lambda w, X: (np.tanh(X @ w), np.sum(X)), rows="auto")
    rows, total = compiled(PARAMS[0], chunked(X))
    assert rows.chunks == (BLOCKS, (4,))
    np.testing.assert_allclose(rows.compute(), np.tanh(X @ PARAMS[0]), rtol=1e-12)
    np.testing.assert_allclose(total, X.sum())


@pytest.mark.parametrize("columns", [0, 1])
def test_few_rows(client, columns):
    compiled = ag.compile(lambda X: np.sum(X * X, axis=0), rows="auto")
    for rows in (0, 1, 2):
        some = X[:rows]
        lengths = (0, rows, 0) if rows < 2 else (1, 1)
        found = compiled(chunked(some, lengths))
        np.testing.assert_allclose(found, (some**2).sum(axis=0))


def test_no_rows_in_other_chunks(client):
    compiled = ag.compile(lambda X, y: np.sum(X * y[:, None], axis=0), rows="auto")
    found = compiled(chunked(X[:0], (0, 0)), chunked(NUMBER[:0], (0,)))
    np.testing.assert_array_equal(found, np.zeros(6))


def test_what_is_no_sum_over_rows_is_refused_before_anything_is_sent(client):
    def never(block):
        raise AssertionError

    unread = chunked(X).map_blocks(never, dtype=float, meta=np.empty((0, 0)))
    with pytest.raises(NotSeparableError, match="subtract"):
        ag.compile(lambda X: np.sum((X - np.mean(X, axis=0)) ** 2), rows="auto")(unread)


def test_no_chunk_is_changed(client):
    """A function that writes into a chunk would change it for others."""
    x = chunked(X).persist()
    compiled = ag.compile(step, rows="auto", donate="params")
    compiled([p.copy() for p in PARAMS], x, chunked(NUMBER))
    np.testing.assert_array_equal(x.compute(), X)


FAULTS = {
    "another width": (lambda block: block[:, :5], "has the shape"),
    "another dtype": (lambda block: block.astype(complex), "complex128"),
    "text": (lambda block: block.astype(str), "<U32"),
    "fewer rows": (lambda block: block[1:], "has the shape"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("where", ["client", "alone"])
def test_a_chunk_that_is_not_what_dask_promises(request, where, name):
    request.getfixturevalue(where)
    change, text = FAULTS[name]

    def torn(block, block_info):
        return change(block) if block_info[None]["chunk-location"][0] == 3 else block

    wrong = chunked(X).map_blocks(torn, dtype=float, meta=np.empty((0, 0)))
    with pytest.raises(BlockError, match=f"block 3, from row 1200 on, .*{text}"):
        ag.compile(lambda X: np.sum(X, axis=0), rows="auto")(wrong)


@pytest.mark.parametrize("where", ["client", "alone"])
def test_masked_arrays_are_refused(request, where):
    request.getfixturevalue(where)
    masked = da.ma.masked_greater(chunked(X), 1)
    hidden = chunked(X).map_blocks(
        lambda block: np.ma.masked_greater(block, 1), dtype=float, meta=np.empty((0, 0))
    )
    for x in (masked, hidden):
        with pytest.raises(TypeError, match=r"masked array .*filled\(value\)"):
            ag.compile(lambda X: np.sum(X, axis=0), rows="auto")(x)


def test_the_error_of_a_chunk_reaches_the_caller(client):
    def fails(block):
        raise FileNotFoundError("part-3.npy")

    wrong = chunked(X).map_blocks(fails, dtype=float, meta=np.empty((0, 0)))
    with pytest.raises(FileNotFoundError, match=r"part-3\.npy"):
        ag.compile(lambda X: np.sum(X, axis=0), rows="auto")(wrong)


# Models

MODELS = {
    "gd": lambda: LogisticRegression(solver="gd", standardize=True, max_iter=20),
    "lbfgs": lambda: LogisticRegression(solver="lbfgs", class_weight="balanced", max_iter=20),
    "newton-cg": lambda: LinearRegression(solver="newton-cg", alpha=0.1),
    "mlp": lambda: MLPClassifier(solver="lbfgs", max_iter=15, random_state=0),
    "early stopping": lambda: MLPClassifier(
        solver="gd", early_stopping=True, max_iter=10, random_state=0
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore::autograd_lite.models.ConvergenceWarning")
def test_models_have_the_bits_of_the_streaming_executor(client, name):
    y = NUMBER if name == "newton-cg" else LABEL
    near = MODELS[name]().fit(cut(X), cut(y))
    far = MODELS[name]().fit(chunked(X), chunked(y))
    for key, array in near.parameters_.items():
        assert array.tobytes() == far.parameters_[key].tobytes()
    assert far.loss_curve_ == near.loss_curve_
    predicted = far.predict(chunked(X))
    assert isinstance(predicted, da.Array)
    close = np.testing.assert_array_equal
    if y is NUMBER:
        close = np.testing.assert_allclose
    close(predicted.compute(), near.predict(X))
    assert far.score(chunked(X), chunked(y)) == pytest.approx(near.score(X, y))


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.filterwarnings("ignore::autograd_lite.models.ConvergenceWarning")
def test_predictions_of_chunks_without_rows(client, method):
    model = LogisticRegression(max_iter=5, solver="gd").fit(X, LABEL)
    found = getattr(model, method)(chunked(X, (0, 5000, 0, 3)))
    expected = getattr(model, method)(X)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    (np.testing.assert_array_equal if method == "predict" else np.testing.assert_allclose)(
        found.compute(), expected
    )


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.filterwarnings("ignore::autograd_lite.models.ConvergenceWarning")
def test_batches_of_whole_chunks(client, solver):
    model = MLPClassifier(solver=solver, batch_size=400, max_iter=30, random_state=0)
    model.fit(chunked(X), chunked(LABEL))
    again = MLPClassifier(solver=solver, batch_size=400, max_iter=30, random_state=0)
    again.fit(chunked(X).persist(), chunked(LABEL))
    assert model.loss_curve_ == again.loss_curve_
    assert model.score(X, LABEL) > 0.6
    model.partial_fit(chunked(X), chunked(LABEL))


def test_what_is_not_of_dask_or_no_array_is_refused():
    with pytest.raises(TypeError, match="client is a Client of Dask's distributed, not str"):
        ag.compile(step, rows="auto", client="tcp://127.0.0.1:8786")
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = dd.from_pandas(pd.DataFrame(X[:30], columns=[*"abcdef"]), npartitions=2)
    for data in ((frame, LABEL[:30]), (chunked(X[:30], (30,)), frame["a"])):
        for method in (LogisticRegression().fit, LogisticRegression().fit(X, LABEL).score):
            with pytest.raises(TypeError, match=r"\.to_dask_array\(lengths=True\) of a Dask"):
                method(*data)
    with pytest.raises(TypeError, match="of a Dask DataFrame"):
        LogisticRegression().fit(X, LABEL).predict(frame)


def test_a_missing_number_is_named_by_block_and_row(client):
    wrong = X.copy()
    wrong[1234, 2] = np.nan
    with pytest.raises(BlockError, match=r"block 3, row 1234: .*column 2 is NaN"):
        LogisticRegression().fit(chunked(wrong), chunked(LABEL))


# Faults


def fitted(client, iterations=60):
    model = MLPClassifier(solver="gd", max_iter=iterations, tol=0, random_state=1)
    return model.fit(chunked(X), chunked(LABEL))


@pytest.mark.slow
def test_workers_that_are_killed_change_no_bit():
    with cluster(2) as found, distributed.Client(found) as client:
        expected = fitted(client)
        killed, done = [], threading.Event()

        def kill():
            random = np.random.default_rng(5)
            while not done.wait(random.uniform(0.2, 1.0)) and len(killed) < 10:
                with suppress(OSError):  # of a worker that has just ended
                    pids = [*client.run(os.getpid, on_error="ignore").values()]
                    if len(pids) == 2:
                        killed.append(pids[random.integers(2)])
                        os.kill(killed[-1], signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            end = time.monotonic() + 200
            while len(killed) < 10 and time.monotonic() < end:
                model = fitted(client)
                for name, array in expected.parameters_.items():
                    assert model.parameters_[name].tobytes() == array.tobytes()
        finally:
            done.set()
            thread.join()
        assert len(killed) == 10


@pytest.mark.slow
def test_without_workers_the_weights_so_far_are_kept():
    with cluster(1) as found, distributed.Client(found):
        model = MLPClassifier(solver="gd", max_iter=10**6, tol=0, random_state=1)
        gone = []

        def leave():
            gone.append(time.monotonic())
            found.scale(0)

        timer = threading.Timer(1.5, leave)
        timer.start()
        with pytest.raises(NoWorkersError, match="has no worker left"):
            model.fit(chunked(X), chunked(LABEL))
        assert time.monotonic() - gone[0] < 60  # eight seconds, if nothing else runs
        timer.join()
    assert model.interrupted_
    assert model.loss_curve_
    assert model.predict(X).shape == (len(X),)
