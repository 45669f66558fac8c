"""`autograd-lite plot`: every picture that it offers, and one line when it cannot."""

import sys
from functools import partial

import numpy as np
import pytest

from autograd_lite.commands.pictures import PICTURES

pytest.importorskip("matplotlib")


@pytest.fixture
def run(run):
    """Run the command; returns the exit code, standard output and standard error."""
    return partial(run, "plot")


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture(run, tmp_path, name):
    path = tmp_path / "picture.png"
    code, shown, complaints = run(name, "--out", path)
    assert (code, complaints) == (0, "")
    assert shown == f"written to {path}\n"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert PICTURES[name].caption.endswith(".")


def test_a_folder_that_does_not_exist(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, shown, complaints = run("sigmoid", "--out", "none/sigmoid.svg")
    assert (code, shown) == (2, "")
    assert "there is no folder" in complaints


def test_the_default_is_svg_under_its_name(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("sigmoid")[0] == 0
    assert "<svg" in (tmp_path / "sigmoid.svg").read_text(encoding="utf-8")


def test_help_lists_the_pictures(run):
    code, shown, _ = run("--help")
    assert code == 0
    for name, picture in PICTURES.items():
        assert f"{name} " in shown
        assert picture.title in shown


def test_the_step_on_the_student_is_that_of_the_walkthrough():
    ax = PICTURES["descent"].axes()
    path = np.column_stack(ax.lines[0].get_data())
    np.testing.assert_allclose(path[:2], [[0.1, -0.2], [0.3005, 0.1341]], atol=5e-5)
    # Each step is a multiple of x = (3, 5).
    steps = np.diff(path, axis=0)
    np.testing.assert_allclose(steps[:, 1] / steps[:, 0], 5 / 3, rtol=1e-9)


def test_too_small_right_and_too_large():
    small, right, large = (ax.lines[0].get_ydata() for ax in PICTURES["learning-rates"].axes()[1])
    assert np.all(np.diff(small) < 0)
    assert np.all(np.diff(right) < 0)
    assert right[-1] < small[-1]
    assert right[-1] < large[-1]
    assert np.sum(np.diff(large) > 0) > 5


def test_without_matplotlib_the_fix_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, shown, complaints = run("sigmoid", "--out", tmp_path / "a.svg")
    assert (code, shown) == (2, "")
    assert "pip install 'autograd_lite[plot]'" in complaints
    assert list(tmp_path.iterdir()) == []
