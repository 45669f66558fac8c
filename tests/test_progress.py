"""The progress of a training: what is shown, how fast it is, and how long it will take."""

import builtins
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.models import LogisticRegression, MLPClassifier
from autograd_lite.models import progress as module
from autograd_lite.models.progress import Progress, progress

X = np.array([[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0], [2.0, 1.0]])
y = np.array([1, 0, 1, 0, 1])


def test_the_progress_bar(capsys):
    pytest.importorskip("tqdm")
    LogisticRegression(max_iter=7, tol=0, verbose=True).fit(X, y)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "logistic regression" in shown.err
    assert "7/7" in shown.err
    assert "loss 0." in shown.err
    assert "accuracy " in shown.err


def test_plain_lines_where_there_is_no_progress_bar(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    MLPClassifier(max_iter=20, tol=0, verbose=True, random_state=0).fit(X, y)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("multilayer perceptron: step 1 of 20, loss ")
    assert lines[-1].startswith("multilayer perceptron: step 20 of 20, loss ")
    assert len(lines) == 11
    shown = r".*, loss \d\.\d{4}, accuracy [01]\.\d{4}, [\d,]+ rows/s, \d:\d\d:\d\d left"
    assert all(re.fullmatch(shown, line) for line in lines)


def test_the_accuracy_shown_is_that_of_the_weights_at_that_step(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    calm = LogisticRegression(
        solver="gd", max_iter=10, tol=0, learning_rate_init=0.05, standardize=True
    )
    calm.verbose = True
    calm.fit(X, y)
    shown = map(float, re.findall(r"accuracy ([\d.]+)", capsys.readouterr().err))
    calm.verbose = False
    # The first line is of the start weights, all zero, where every z is 0: the first class.
    scores = [np.mean(y == 0)]
    for steps in range(1, 10):
        calm.max_iter = steps
        scores.append(calm.fit(X, y).score(X, y))
    np.testing.assert_allclose([*shown], scores, atol=5e-5)


def test_a_bar_that_warns_when_it_is_imported_stays_silent(capsys, monkeypatch, tmp_path):
    bar = """
import warnings
warnings.warn("IProgress not found")

class tqdm:
    def __init__(self, **options): pass
    def set_postfix_str(self, text, refresh): print(text)
    def update(self): pass
    def close(self): pass
"""
    (tmp_path / "tqdm").mkdir()
    (tmp_path / "tqdm" / "__init__.py").write_text("")
    (tmp_path / "tqdm" / "auto.py").write_text(bar)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tqdm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    LogisticRegression(max_iter=1, tol=0, verbose=True).fit(X, y)
    shown = capsys.readouterr().out
    assert re.fullmatch(r"loss 0.6931, accuracy 0.4000, [\d,]+ rows/s\n", shown)
    for name in ("tqdm.auto", "tqdm"):
        monkeypatch.delitem(sys.modules, name)


def test_silence_is_the_default(capsys, monkeypatch):
    real = builtins.__import__

    def without_tqdm(name, *args, **kwargs):
        assert not name.startswith("tqdm"), "a silent training asked for the progress bar"
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_tqdm)
    LogisticRegression(max_iter=3, tol=0).fit(X, y)
    assert capsys.readouterr() == ("", "")


# What it shows, with a clock of our own.


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


class Bar:
    """A bar that keeps what it was told."""

    def __init__(self, bars, file, initial=0, **options):
        bars.append(self)
        self.n, self.open, self.options = initial, True, options

    def update(self, count=1):
        self.n += count

    def set_postfix_str(self, text, refresh):
        self.text = text

    def close(self):
        self.open = False


@pytest.fixture
def bars(monkeypatch):
    """The bars that are made, the one of the steps first."""
    made = []
    monkeypatch.setattr(module, "_tqdm", lambda: lambda **options: Bar(made, **options))
    return made


def test_the_rate_and_the_time_left(clock, capsys, monkeypatch):
    monkeypatch.setattr(module, "_tqdm", lambda: None)
    with progress("descent", 400, True, rows=1000, done=100) as shown:
        for _ in range(300):
            clock.seconds += 2.0
            shown.rows(600)
            shown.rows(400)
            shown.step(0.25, None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "descent: step 120 of 400, loss 0.2500, 500 rows/s, 0:09:20 left"
    assert lines[-1] == "descent: step 400 of 400, loss 0.2500, 500 rows/s, 0:00:00 left"
    assert len(lines) == 8


def test_without_rows_there_is_no_rate(clock, bars):
    with progress("descent", 3, True, lambda weights: f"at {weights}") as shown:
        shown.step(0.5, 7)
    [steps] = bars
    assert (steps.n, steps.text, steps.open) == (1, "loss 0.5000, at 7", False)


def test_a_long_pass_has_a_bar_of_its_rows(clock, bars):
    shown = Progress("descent", 5, rows=100, done=2)
    for _ in range(4):  # a quick pass
        clock.seconds += 0.2
        shown.rows(25)
    [steps] = bars
    assert (steps.n, steps.options["total"]) == (2, 5)
    for seconds, count in ((0.9, 25), (0.9, 25), (0.9, 40)):
        clock.seconds += seconds
        shown.rows(count)
    _, rows = bars
    assert (rows.n, rows.options["total"], rows.open) == (90, 100, True)
    clock.seconds += 0.9
    shown.rows(10)
    assert not rows.open
    shown.rows(10)  # the next pass has one of its own
    clock.seconds += 1.1
    shown.rows(20)
    assert (len(bars), bars[2].n) == (3, 30)
    shown.close()
    assert not any(bar.open for bar in bars)


@given(st.lists(st.integers(1, 400), max_size=60))
def test_the_bar_of_rows_is_never_beyond_them(counts):
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LONG", -1.0)
        patch.setattr(module, "_tqdm", lambda: lambda **options: Bar(made, **options))
        with progress("descent", 5, True, rows=1000) as shown:
            for count in counts:
                shown.rows(count)
                assert all(bar.n < 1000 for bar in made[1:])
                assert sum(bar.open for bar in made) <= 2
    assert not any(bar.open for bar in made)


@pytest.mark.parametrize("solver", ["gd", "sgd", "adam", "lbfgs", "newton-cg"])
def test_every_solver_counts_its_rows(solver, monkeypatch):
    counted = []
    monkeypatch.setattr(Progress, "rows", lambda self, count: counted.append(count))
    options = {"solver": solver, "batch_size": 2, "max_iter": 3, "tol": 0, "verbose": True}
    LogisticRegression(random_state=0, alpha=1.0, **options).fit(X, y)
    if solver in ("sgd", "adam"):
        assert counted == [5, *[2, 2, 1] * 3, 5]  # before the first epoch, and after the last
    else:
        assert {*counted} == {5}
        assert len(counted) >= 4
