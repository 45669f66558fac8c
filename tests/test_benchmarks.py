"""The benchmarks run, agree and report; no test looks at a time."""

import os
import sys
from importlib.util import find_spec

import pytest

from benchmarks import __main__ as command
from benchmarks import imports, memory, scalars, steps
from benchmarks.worker import NotInstalled, Subject, Worker, WorkerError

HERE = "tests.test_benchmarks"
TINY = (1, 2, 2)


def missing(*shape: int) -> Subject:
    import a_library_that_nobody_has  # type: ignore[import-not-found]

    return a_library_that_nobody_has.step


def failing(*shape: int) -> Subject:
    raise ValueError("no such luck\nin two lines")


def dying() -> Subject:
    def step() -> float:
        print("out of something", file=sys.stderr, flush=True)
        os._exit(3)

    return Subject(step)


def chatty() -> Subject:
    def step() -> float:
        print("a library says hello")
        return 0.5

    return Subject(step)


def test_peers_agree_and_are_measured():
    peers = ("hand", "out=", "autograd_lite")
    best = steps.measure(TINY, peers, rounds=2, budget=0)
    assert tuple(best) == peers
    assert all(seconds > 0 for seconds in best.values())


@pytest.mark.parametrize("shape", [TINY, (7, 3, 4)])
@pytest.mark.parametrize("peer", [steps.out, steps.autograd_lite])
def test_losses_are_those_by_hand(peer, shape):
    step, by_hand = peer(*shape), steps.hand(*shape)
    for _ in range(5):
        assert step() == pytest.approx(by_hand(), rel=1e-12)


def test_a_loss_that_differs_names_the_peer():
    steps.agree({"hand": [0.5, 0.4], "slip": [0.5, 0.4 + 1e-12]})
    with pytest.raises(
        steps.Disagreement, match=r"slip \[0.5, 0.6\] differ from hand's \[0.5, 0.4"
    ):
        steps.agree({"hand": [0.5, 0.4], "slip": [0.5, 0.6]})


def test_a_peer_that_is_not_installed_is_skipped_with_a_line(monkeypatch):
    monkeypatch.setitem(steps.PEERS, "absent", f"{HERE}:missing")
    notes = []
    best = steps.measure(TINY, ("hand", "absent"), rounds=1, budget=0, skip=notes.append)
    assert list(best) == ["hand"]
    assert notes == ["absent: skipped, a_library_that_nobody_has is not installed"]


def test_a_library_that_is_not_installed_is_told_apart():
    with pytest.raises(NotInstalled, match="a_library_that_nobody_has"):
        Worker("x", f"{HERE}:missing")


def test_a_worker_that_fails_says_why_in_one_line():
    with pytest.raises(WorkerError, match=r"^x: ValueError: no such luck$"):
        Worker("x", f"{HERE}:failing")


def test_a_worker_that_dies_says_how_each_time_it_is_asked():
    with Worker("x", f"{HERE}:dying") as worker:
        for _ in range(2):
            with pytest.raises(WorkerError, match=r"^x: .* exit code 3: out of something$"):
                worker.ask("losses", 1)


def test_what_a_library_prints_does_not_disturb_the_answers():
    with Worker("x", f"{HERE}:chatty") as worker:
        assert worker.ask("losses", 2) == [0.5, 0.5]


def test_scalar_examples_run_and_agree():
    subject = scalars.build("autograd_lite", "readme")
    assert subject.losses(1) == [pytest.approx(24.70408163265306, rel=1e-14)]
    assert subject.size() > 20
    if find_spec("micrograd"):
        demo = {library: scalars.build(library, "demo") for library in scalars.LIBRARIES}
        steps.agree({library: subject.losses(2) for library, subject in demo.items()})


def test_import_and_memory_are_measured():
    assert all(seconds > 0 for seconds in imports.measure(1))
    peaks = memory.measure((20_000, 30, 16), ("hand",))
    assert peaks["hand"] > 20_000 * 16 * 8  # at least the hidden layer


def test_report_is_markdown_with_a_row_a_problem(tmp_path, capsys):
    path = tmp_path / "report.md"
    options = ["--parts", "steps", "--rows", "1", "--peers", "out=,autograd_lite", "--rounds", "1"]
    assert command.main([*options, "--out", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert text == capsys.readouterr().out
    assert text.startswith("# Benchmarks\n\n")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    columns = "| rows, features, hidden | hand | out= | autograd_lite |"
    assert lines[0] == columns
    assert lines[3] == f"{columns} aim |"
    assert [len(line.split("|")) for line in lines] == [6, 6, 6, 7, 7, 7]
    assert lines[2].startswith("| 1, 2, 2 | ")
    assert lines[5].startswith("| 1, 2, 2 | 1.00 | ")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--rows", "1,7"], "--rows: unknown 7; known: 1, 2"),
        (["--peers", "numpyy"], "--peers: unknown numpyy; known: hand, out="),
        (["--parts", "step"], "--parts: unknown step; known: steps"),
        (["--rounds", "0"], "--rounds and --threads must be at least 1"),
    ],
)
def test_unknown_options_are_refused(options, complaint, capsys):
    with pytest.raises(SystemExit) as left:
        command.main(options)
    assert left.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_part_that_fails_is_told_and_the_rest_is_reported(monkeypatch, capsys):
    monkeypatch.setitem(steps.PEERS, "hand", f"{HERE}:failing")
    monkeypatch.setattr(imports, "measure", lambda rounds: (0.1, 0.02))
    options = ["--parts", "steps,imports", "--rows", "1", "--peers", "hand"]
    assert command.main(options) == 1
    said = capsys.readouterr()
    complaint = "steps: failed: hand: ValueError: no such luck"
    assert said.err.splitlines()[-2:] == [complaint, "imports"]
    assert "autograd_lite adds 20.0 ms" in said.out
    assert said.out.endswith(f"\n\n- {complaint}\n")
