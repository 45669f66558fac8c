"""The renderers: dot, pygraphviz, and what is said where neither is there."""

import os
import subprocess
import sys

import pytest
from pages import needs_graphviz

from autograd_lite.models.examples import student
from autograd_lite.viz import draw, rendering


@pytest.fixture
def no_dot(monkeypatch, tmp_path):
    """A machine without the dot executable."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def no_graphviz(no_dot, monkeypatch):
    """A machine without any Graphviz."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


def test_pygraphviz_draws_where_dot_is_missing(no_dot):
    pytest.importorskip("pygraphviz")
    assert "1.1032" in draw(student()).svg()


def test_without_graphviz_one_line_names_the_fix(no_graphviz, tmp_path):
    path = tmp_path / "graph.svg"
    path.write_text("kept")
    with pytest.raises(RuntimeError, match=r"pip install 'autograd_lite\[dot\]'") as error:
        draw(student()).save(path)
    assert "\n" not in str(error.value)
    assert path.read_text() == "kept"
    assert draw(student()).save(tmp_path / "graph.dot").read_text().startswith("digraph")


def test_a_notebook_shows_the_picture_or_how_to_get_it(no_graphviz, monkeypatch):
    shown = draw(student())._repr_mimebundle_()
    assert "pip install" in shown["text/plain"]
    assert "image/svg+xml" not in shown
    monkeypatch.setattr(rendering, "_by_library", lambda source, format: b"<svg/>")
    assert draw(student())._repr_mimebundle_()["image/svg+xml"] == "<svg/>"


def test_a_picture_fits_in_a_notebook(monkeypatch):
    wide = b'<svg width="1000pt" height="200pt"\n viewBox="0 0 1000 200"><svg width="1pt"/></svg>'
    monkeypatch.setattr("autograd_lite.viz.drawing.render", lambda source, format: wide)
    drawing = draw(student())
    shown = drawing._repr_mimebundle_()["image/svg+xml"]
    assert drawing.svg() == wide.decode()
    style = ' style="max-width: max(100%, 600pt); height: auto"'
    assert shown == wide.decode().replace('200pt"', f'200pt"{style}', 1)


def test_a_dot_that_fails_leaves_the_work_to_pygraphviz(monkeypatch):
    def fails(source, format):
        raise RuntimeError("Format:\n not recognized")

    monkeypatch.setattr(rendering, "_by_executable", fails)
    monkeypatch.setattr(rendering, "_by_library", lambda source, format: b"<svg/>")
    assert draw(student()).svg() == "<svg/>"
    monkeypatch.setattr(rendering, "_by_library", lambda source, format: None)
    with pytest.raises(RuntimeError, match=r"could not draw .* as svg: Format: not recognized"):
        draw(student()).svg()


@pytest.mark.parametrize("library", [False, True])
def test_what_graphviz_complains_about_is_reported(library, monkeypatch):
    needs_graphviz()
    if library:
        pytest.importorskip("pygraphviz")
        monkeypatch.setattr(rendering, "_by_executable", lambda source, format: None)
    with pytest.raises(RuntimeError, match=r"draw this graph as svg: .*syntax error") as error:
        rendering.render("digraph {", "svg")
    assert "\n" not in str(error.value)


@pytest.fixture
def library(no_dot, monkeypatch, tmp_path):
    """A pygraphviz that does as its code says, and is all that there is to draw with."""

    def write(code):
        body = (
            f"class AGraph:\n def __init__(self, string): pass\n def draw(self, **_):\n  {code}\n"
        )
        (tmp_path / "pygraphviz.py").write_text(f"import os\n{body}")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(rendering, "find_spec", lambda name: name)

    return write


def test_what_the_libraries_of_graphviz_write_stays_off_standard_error(library, capfd):
    library("os.write(2, b'Fontconfig warning'); return b'<svg/>'")
    assert draw(student()).svg() == "<svg/>"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os.write(2, b'Error: no room'); raise ValueError('layout')", "Error: no room ?layout"),
        ("raise ValueError('layout')", "layout"),
        ("os._exit(9)", "exit code 9"),
    ],
)
def test_libraries_that_fail_are_reported_and_end_nothing_else(library, capfd, code, message):
    library(code)
    with pytest.raises(RuntimeError, match=rf"as svg: .*{message}$"):
        draw(student()).svg()
    assert capfd.readouterr() == ("", "")


def test_a_command_that_draws_writes_nothing_to_standard_error(no_dot, tmp_path):
    pytest.importorskip("pygraphviz")
    command = [sys.executable, "-m", "autograd_lite", "draw", "student", "--out", "graph.svg"]
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
