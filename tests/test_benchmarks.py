"""The benchmarks run, agree and report; no test looks at a time."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks import (
    baseline,
    compiling,
    demo,
    imports,
    memory,
    products,
    rounds,
    scalars,
    steps,
)
from benchmarks.rounds import DisagreementError, Goal, ratio
from benchmarks.worker import ROOT, NotInstalledError, Subject, Worker, WorkerError

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


def counting() -> Subject:
    """A peer that counts its steps."""
    made = 0

    def step() -> float:
        nonlocal made
        made += 1
        return float(made)

    return Subject(step)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_peers_agree_and_are_measured(dtype):
    peers = ("hand", "out=", "autograd_lite", "compiled", "constant-X")
    seconds = steps.measure(TINY, peers, dtype, rounds=2, budget=0)
    assert tuple(seconds) == peers
    assert all(len(times) == 2 and min(times) > 0 for times in seconds.values())


@pytest.mark.parametrize("shape", [TINY, (7, 3, 4)])
@pytest.mark.parametrize(
    "peer",
    [
        steps.out,
        steps.autograd_lite,
        steps.replaced,
        steps.hand_column,
        steps.column,
        steps.column_replaced,
        steps.compiled,
        steps.compiled_on_constants,
        steps.compiled_in_one_pass,
    ],
)
def test_losses_are_those_by_hand(peer, shape):
    step, by_hand = peer(*shape), steps.hand(*shape)
    for _ in range(5):
        assert step() == pytest.approx(by_hand(), rel=1e-12)


@pytest.mark.parametrize("peer", [steps.compiled_by_numba, steps.compiled_by_numba_for_two_workers])
def test_losses_by_native_code_are_those_by_hand(peer):
    pytest.importorskip("numba")
    pytest.importorskip("scipy")
    test_losses_are_those_by_hand(peer, (7, 3, 4))


@pytest.mark.parametrize("peer", ["hand", "compiled-numba", *steps.FRAMEWORKS])
def test_every_peer_computes_in_float32_when_asked_to(peer):
    if peer == "torch.compile":
        pytest.skip("it takes minutes, and is torch's step")
    notes: list[str] = []
    options = {"rounds": 1, "budget": 0, "skip": notes.append}
    seconds = steps.measure((7, 3, 4), ("out=", peer), "float32", **options)
    if notes:
        pytest.skip(notes[0])
    assert list(seconds) == ["out=", peer]


def test_a_loss_that_differs_names_the_peer():
    rounds.agree({"hand": [0.5, 0.4], "b": [0.5, 0.4 + 1e-12]})
    rounds.agree({"hand": [0.5, 0.25], "close": [0.5, 0.25 * (1 + 2**-23)]}, "float32")
    with pytest.raises(DisagreementError, match=r"b \[0.5, 0.6\] differ from hand's \[0.5, 0.4"):
        rounds.agree({"hand": [0.5, 0.4], "b": [0.5, 0.6]})


def test_a_loss_in_a_wider_type_names_the_peer():
    with pytest.raises(DisagreementError, match=r"^wide: 0.500000000001 is no float32$"):
        rounds.agree({"hand": [0.5], "wide": [0.5 + 1e-12]}, "float32")


times = st.floats(1e-6, 1e3)


@given(st.lists(st.tuples(times, times), min_size=1, max_size=9))
def test_a_ratio_is_the_median_of_the_rounds_ratios(pairs):
    one, other = zip(*pairs, strict=True)
    assert ratio(one, other) == median([a / b for a, b in pairs])
    assert ratio(one, one) == 1
    assert ratio([3 * b for b in other], other) == pytest.approx(3)


def test_a_round_in_which_all_are_slow_does_not_move_a_ratio():
    assert ratio([1.0, 90.0, 1.1], [2.0, 180.0, 2.2]) == 0.5


@given(times, times)
def test_a_goal_is_met_up_to_its_limit(measured, limit):
    verdict = Goal("a ÷ b", measured, limit).verdict
    assert (verdict == "met") == (measured / limit <= 1)
    if verdict != "met":
        missed = float(verdict.removeprefix("missed by ").removesuffix(" %"))
        assert missed == pytest.approx(100 * (measured / limit - 1), abs=0.051)


def test_goals_of_given_numbers():
    seconds = {
        "hand": [3.0, 3.0],
        "out=": [2.0, 2.0],
        "autograd_lite": [6.0, 6.0],
        "replaced": [9.0, 9.0],
        "hand-column": [4.0, 4.0],
        "column-replaced": [8.0, 10.0],
        "compiled": [1.0, 1.2],
        "torch": [4.0, 4.0],
        "jax.jit": [1.0, 1.2],
    }
    assert steps.fastest(seconds) == "jax.jit"
    assert steps.fastest({"hand": [1.0]}) == ""
    assert steps.goals(TINY, seconds, {}) == [
        Goal("autograd_lite ÷ hand", 2.0, 2.2),
        Goal("replaced ÷ hand", 3.0, 2.2),
        Goal("column-replaced ÷ hand-column", 2.25, 2.2),
        Goal("compiled ÷ out=", pytest.approx(0.55), 0.8),
        Goal("compiled ÷ jax.jit", 1.0, 0.4),
    ]
    wide = (1024, 784, 256)
    own = {"numpy": [3.0, 3.3], "torch": [9.0, 9.0], "jax": [2.0, 2.2]}
    assert steps.goals(wide, seconds, own)[-1] == Goal("compiled ÷ jax.jit", 1.0, 1.5)
    assert steps.goals(wide, seconds, {"numpy": [3.0]})[-1].what == "compiled ÷ out="
    seconds["autograd"] = [0.5, 0.5]
    assert steps.goals(wide, seconds, own)[-1] == Goal("compiled ÷ autograd", 2.2, 1.0)
    seconds |= {"compiled-numba": [0.75, 0.75], "numba-two-workers": [0.5, 0.5]}
    assert steps.goals(wide, seconds, own)[-3:] == [
        Goal("compiled-numba ÷ autograd", 1.5, 1.03),
        Goal("compiled-numba ÷ compiled", 0.6875, 1.03),
        Goal("numba-two-workers ÷ compiled-numba", pytest.approx(2 / 3), 0.65),
    ]


def test_peers_take_turns_and_every_round_is_kept():
    target = (f"{HERE}:counting",)
    seconds = rounds.interleave({"a": target, "b": target}, rounds=3, budget=0)
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}


def test_a_peer_that_is_not_installed_is_skipped_with_a_line(monkeypatch):
    monkeypatch.setitem(steps.PEERS, "absent", f"{HERE}:missing")
    notes = []
    options = {"rounds": 1, "budget": 0, "skip": notes.append}
    assert list(steps.measure(TINY, ("hand", "absent"), **options)) == ["hand"]
    assert notes == ["absent: skipped, a_library_that_nobody_has is not installed"]


def test_a_library_that_is_not_installed_is_recognised():
    with pytest.raises(NotInstalledError, match="a_library_that_nobody_has"):
        Worker("x", f"{HERE}:missing")


def test_a_worker_that_fails_gives_the_reason_in_one_line():
    with pytest.raises(WorkerError, match=r"^x: ValueError: no such luck$"):
        Worker("x", f"{HERE}:failing")


def test_a_dead_worker_gives_the_reason_at_each_request():
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
        made = {library: scalars.build(library, "demo") for library in scalars.LIBRARIES}
        rounds.agree({library: subject.losses(2) for library, subject in made.items()})


def test_scalars_are_measured_with_and_without_the_collector(monkeypatch):
    monkeypatch.setattr(scalars, "LIBRARIES", ("autograd_lite",))
    costs = scalars.measure("readme", rounds=1, budget=0)
    assert list(costs) == [("autograd_lite", True), ("autograd_lite", False)]
    assert all(cost.seconds > 0 and cost.nodes > 20 for cost in costs.values())


def test_goals_of_scalars_are_a_node_with_the_collector_off():
    costs = {
        ("micrograd", True): scalars.Cost(1.0, 10),
        ("micrograd", False): scalars.Cost(1.0, 10),
        ("autograd_lite", True): scalars.Cost(9.0, 20),
        ("autograd_lite", False): scalars.Cost(4.0, 20),
    }
    for example, verdict in (("readme", "met"), ("demo", "missed by 33.3 %")):
        (goal,) = scalars.goals(example, costs)
        assert (goal.measured, goal.verdict) == (2.0, verdict)
    del costs["micrograd", False]
    assert scalars.goals("demo", costs) == []


def test_the_demo_on_arrays_is_the_demo_on_scalars():
    eager, fast = Subject(demo.eager()), Subject(demo.compiled())
    nodes = scalars.build("autograd_lite", "demo")
    rounds.agree({name: s.losses(3) for name, s in zip("abc", (nodes, eager, fast), strict=True)})


def test_goals_of_the_demo_and_of_memory():
    (goal,) = demo.goals({"compiled": [0.5, 0.5], "micrograd": [1000.0, 1000.0]})
    assert (goal.measured, goal.verdict) == (0.0005, "met")
    assert demo.goals({"compiled": [0.5]}) == []
    peaks = {"hand": 100, "autograd_lite": 99, "compiled": 105, 'compiled, rows="auto"': 20}
    assert [goal.verdict for goal in memory.goals((1024, 784, 256), peaks)] == ["met", "met"]
    verdicts = [goal.verdict for goal in memory.goals(steps.SHAPES[-1], peaks)]
    assert verdicts == ["met", "missed by 100.0 %", "met"]


@pytest.mark.parametrize("framework", ["torch", "jax.jit"])
def test_the_products_are_the_same_by_each_library(framework):
    library = steps.FRAMEWORKS[framework]
    if not find_spec(library):
        pytest.skip(f"{library} is not installed")
    seconds = steps.measure_products((7, 3, 4), ("hand", framework), "float32", rounds=1, budget=0)
    assert list(seconds) == ["numpy", library]


def test_the_products_are_those_of_the_step():
    X, _, W1, _, w2, _ = steps.problem(7, 3, 4)
    a = X @ W1.T
    expected = (a.T @ (a @ w2))[0] + (a.T @ X)[0, 0]
    assert products.numpy(7, 3, 4)() == pytest.approx(expected, rel=1e-12)


def test_imports_are_measured():
    assert all(seconds > 0 for seconds in imports.measure(1))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process can be reset on Linux")
def test_memory_is_measured_beyond_data_and_weights():
    whole, blocks = "hand", 'compiled, rows="auto"'
    peers = {peer: memory.MEMORY_PEERS[peer] for peer in (whole, blocks)}
    peaks = memory.measure((50_000, 30, 16), peers)
    layer = 50_000 * 16 * 8
    assert layer < peaks[whole] < 6 * layer
    assert peaks[blocks] < layer


def test_report_is_markdown_with_a_row_a_problem(tmp_path, capsys):
    path = tmp_path / "report.md"
    options = ["--parts", "steps", "--rows", "1", "--rounds", "1", "--dtypes", "float64,float32"]
    peers = ["--peers", "out=,autograd_lite,compiled"]
    assert command.main([*options, *peers, "--out", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert text == capsys.readouterr().out
    assert text.startswith("# Benchmarks\n\n")
    for section, dtype in zip(text.split("\n## ")[1:], ("float64", "float32"), strict=True):
        assert section.startswith(f"One step of training, {dtype}\n")
        tables = [part.splitlines() for part in section.split("\n\n") if part.startswith("|")]
        steps_table, products_table, goals_table = tables
        assert (
            steps_table[0] == "| rows, features, hidden | hand | out= | autograd_lite | compiled |"
        )
        assert products_table[0] == "| rows, features, hidden | numpy |"
        assert goals_table[0] == "| rows, features, hidden | ratio | measured | at most |  |"
        assert [line.split(" | ")[1] for line in goals_table[2:]] == [
            "autograd_lite ÷ hand",
            "compiled ÷ out=",
        ]
        for lines in tables:
            assert len({line.count("|") for line in lines}) == 1
            assert all(line.startswith("| 1, 2, 2 | ") for line in lines[2:])


def home() -> Subject:
    """Made where the engine comes from: it tells the number of that folder."""
    import autograd_lite

    return Subject(lambda: float(os.stat(os.path.dirname(autograd_lite.__file__)).st_ino))


@pytest.fixture
def history(tmp_path, monkeypatch):
    """A repository of one commit that holds this engine."""

    def git(*command: str) -> None:
        given = ["-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *given, *command], cwd=tmp_path, check=True, capture_output=True)

    if not shutil.which("git"):
        pytest.skip("no git to look at revisions with")
    for part in ("autograd_lite", "models", "viz", "benchmarks"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("*.pyc"))
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    monkeypatch.setattr(baseline, "ROOT", tmp_path)


def test_a_worker_imports_the_revision_that_it_is_given(history):
    with baseline.checkout("HEAD") as folder:
        shutil.copytree(ROOT / "tests", folder / "tests")
        assert (folder / "benchmarks" / "worker.py").exists()
        for place in (ROOT, folder):
            with Worker("x", f"{HERE}:home", home=place) as worker:
                [found] = worker.ask("losses", 1)
            assert found == (place / "autograd_lite").stat().st_ino
    assert not folder.exists()


def test_a_revision_is_reported_beside_this_one(history, capsys):
    options = ["--rows", "1", "--rounds", "1", "--dtypes", "float64", "--parts", "memory"]
    assert command.main(["--baseline", "HEAD", *options]) == 0
    text = capsys.readouterr().out
    columns = "autograd_lite | autograd_lite, HEAD | compiled | compiled, HEAD"
    assert f"| rows, features, hidden | {columns} |" in text
    for peer in baseline.COMPARED:
        assert f"| 1, 2, 2 | {peer} ÷ {peer}, HEAD | " in text
    assert text.count("\n## ") == 1


def test_a_revision_that_git_does_not_know_is_reported(history, capsys):
    assert command.main(["--baseline", "nowhere"]) == 1
    assert "--baseline nowhere: fatal: not a valid object name: nowhere" in capsys.readouterr().out


def test_the_other_parts_are_reported(monkeypatch, capsys):
    monkeypatch.setattr(compiling, "measure", lambda *_, **__: {"compiled": [0.04, 0.02, 0.03]})
    found = {"micrograd": [1.0, 3.0], "compiled": [0.001, 0.001]}
    monkeypatch.setattr(demo, "measure", lambda **_: found)
    costs = {
        (library, on): scalars.Cost(seconds, 4)
        for library, seconds in (("micrograd", 2.0), ("autograd_lite", 3.0))
        for on in (True, False)
    }
    monkeypatch.setattr(scalars, "measure", lambda *_, **__: costs)
    peaks = {"hand": 2**20, "compiled": 2**21}
    monkeypatch.setattr(memory, "measure", lambda *_, **__: peaks)
    assert command.main(["--parts", "compile,demo,scalars,memory", "--rows", "1,6"]) == 0
    text = capsys.readouterr().out
    assert "| 569, 30, 16 | compiled | 30 | 50 | met |" in text
    assert "| compiled | 30 |" in text
    assert "The compiled step is 1,500 times as fast as micrograd; 1,000 are wanted: met." in text
    assert "| readme, autograd_lite | on | 4 | 3,000,000 | 750,000 | 1.50 | 1.50 |" in text
    assert "| readme | autograd_lite ÷ micrograd, a node | 1.5 | 2 | met |" in text
    assert "| demo | autograd_lite ÷ micrograd, a node | 1.5 | 1.5 | met |" in text
    assert "| 100,000, 30, 16 | 1.0 (1.00) | 2.0 (2.00) |" in text
    assert "| 100,000, 30, 16 | compiled ÷ hand | 2 | 1.1 | missed by 81.8 % |" in text


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--rows", "1,7"], "--rows: unknown 7; known: 1, 2"),
        (["--peers", "numpyy"], "--peers: unknown numpyy; known: hand, out="),
        (["--parts", "step"], "--parts: unknown step; known: steps"),
        (["--dtypes", "float16"], "--dtypes: unknown float16; known: float64, float32"),
        (["--rounds", "0"], "--rounds and --threads must be at least 1"),
    ],
)
def test_unknown_options_are_refused(options, complaint, capsys):
    with pytest.raises(SystemExit) as left:
        command.main(options)
    assert left.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_part_that_fails_is_reported_and_so_is_the_rest(monkeypatch, capsys):
    monkeypatch.setitem(steps.PEERS, "hand", f"{HERE}:failing")
    monkeypatch.setattr(imports, "measure", lambda rounds: (0.1, 0.02))
    options = ["--parts", "steps,imports", "--rows", "1", "--peers", "hand"]
    assert command.main(options) == 1
    shown = capsys.readouterr()
    complaint = "steps: failed: hand: ValueError: no such luck"
    assert shown.err.splitlines()[-2:] == [complaint, "imports"]
    assert "autograd_lite adds 20.0 ms" in shown.out
    assert shown.out.endswith(f"\n\n- {complaint}\n")
