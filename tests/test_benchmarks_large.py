"""The benchmarks of streams and of clusters compute the same; no test looks at a time."""

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import cluster, streaming
from benchmarks.rounds import Goal
from benchmarks.worker import WorkerError

SMALL = 2.0**-12  # GiB, of 1057 rows


@pytest.mark.parametrize("kind", streaming.KINDS)
def test_files_hold_the_rows_that_are_drawn(kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    from autograd_lite.data import open_rows

    with streaming.written(kind, SMALL, step=400) as path:
        rows = open_rows(path).read()
    random = np.random.default_rng(0)
    expected = [streaming.drawn(random, n) for n in (400, 400, 257)]
    np.testing.assert_array_equal(rows, np.concatenate(expected))
    assert {*rows[:, -1]} == {0.0, 1.0}


@pytest.mark.parametrize("kind", streaming.KINDS)
@pytest.mark.parametrize("model", streaming.MODELS)
def test_a_stream_is_measured(kind, model):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    with streaming.written(kind, SMALL) as path:
        try:
            passes = streaming.measure(path, model, rounds=2)
        except WorkerError as error:
            pytest.skip(str(error))
    for times in passes[:3]:
        assert len(times) == 2
        assert min(times) > 0
    assert passes.difference < streaming.EXACT
    assert 0 < passes.peak < streaming.MEMORY_GOAL


def test_the_peak_is_that_of_what_is_freed_again():
    try:
        streaming.private()
    except WorkerError as error:
        pytest.skip(str(error))
    with streaming.sampled() as peak:
        size = 1 << 26
        held = np.ones(size, np.uint8)
        while peak() < size // 2:
            pass
        del held
    assert peak() >= size // 2


def test_goals_of_streams():
    passes = streaming.Passes([2.0, 3.0], [1.0, 2.0], [2.0, 1.0], 2**28, 1e-13)
    time, memory, difference = streaming.goals(passes)
    assert (time.measured, memory.measured, difference.measured) == (1.25, 256.0, 1e-13)
    assert [goal.verdict for goal in (time, memory)] == ["missed by 8.7 %", "met"]
    assert streaming.growth([100, 104]).verdict == "met"
    assert streaming.growth([104, 94]).verdict != "met"


@pytest.mark.slow
def test_two_workers_compute_the_losses_of_one():
    pytest.importorskip("distributed")
    found = cluster.speed(400, 4, rounds=2)
    assert len(found.one) == len(found.two) == 2
    assert min(*found.one, *found.two, found.overhead) > 0


@pytest.mark.slow
@pytest.mark.parametrize("what", cluster.FITS)
def test_fits_reach_the_loss_of_those_of_dask_ml(what, monkeypatch):
    pytest.importorskip("dask_ml")
    pytest.importorskip("sklearn")
    monkeypatch.setitem(cluster.FITS, what, 2)
    notes: list[str] = []
    times = cluster.fits(what, 1000, rounds=1, skip=notes.append)
    assert not notes
    assert set(times) == {*cluster.LIBRARIES}


def test_goals_of_clusters():
    speed = cluster.Speed([1.0, 1.0, 1.0], [0.5, 0.6, 0.7], 0.03)
    assert cluster.speed_goals(speed) == [
        Goal("two workers ÷ one", 0.6, 1 / 1.7),
        Goal("overhead of a step, ms", 30.0, 25.0),
    ]
    (goal,) = cluster.fit_goals({cluster.OURS: [1.0], cluster.THEIRS: [2.0]})
    assert (goal.measured, goal.limit) == (0.5, 1.0)


def test_streams_and_clusters_are_reported(monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    pytest.importorskip("distributed")
    passes = streaming.Passes([0.5], [0.1], [0.5], 2**25, 1e-16)
    monkeypatch.setattr(streaming, "measure", lambda *_, **__: passes)
    monkeypatch.setattr(cluster, "speed", lambda *_, **__: cluster.Speed([0.5], [0.25], 0.01))
    times = {cluster.OURS: [1.0], cluster.THEIRS: [2.0]}
    monkeypatch.setattr(cluster, "fits", lambda *_, **__: times)
    assert command.main(["--parts", "streaming,cluster", "--gib", f"{SMALL},{2 * SMALL}"]) == 0
    text = capsys.readouterr().out
    assert "| 0.000244141 GiB, npy, logistic | 500 | 100 | 500 |" in text
    assert "| parquet, perceptron | largest ÷ smallest peak | 1 | 1.05 | met |" in text
    assert "500 ms with one worker and 250 ms with two" in text
    assert "| Logistic | 1,000 | 2,000 |" in text


def test_a_size_that_is_no_number_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["--gib", "1,large"])
    assert "--gib" in capsys.readouterr().err
