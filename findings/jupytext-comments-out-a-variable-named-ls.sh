#!/usr/bin/env bash
# jupytext 1.19.6: a line that begins with a variable named like a shell command (ls, cat, cp, mv,
# rm, cd, echo) and goes on, after a space, with anything but = or a comma counts as that command.
# The Python file of the notebook has it as a comment: `ls -= 0.1 * 5`, a step of gradient descent,
# is not done, and the file runs to a result of its own. In a notebook the line is Python (IPython
# asks whether the name is a variable), and `jupyter nbconvert --to script` keeps it. Seen:
#
#     notebook      0.5
#     nbconvert     0.5   ls -= 0.1 * 5
#     jupytext      1.0   # ls -= 0.1 * 5
#
# No error, no warning; back to a notebook the line is code again, so that --test does not see it.
# A short name for length scales or losses in a notebook that CI runs as a file should be another.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'jupytext==1.19.6' 'nbconvert==7.17.2' 'nbformat==5.10.4' 'nbclient==0.11.0' 'ipykernel==7.4.0'
cat >"$room/seen.py" <<'SEEN'
import contextlib
import io

import jupytext
import nbformat
from nbclient import NotebookClient
from nbconvert import PythonExporter


def line(script):
    return next(line for line in script.splitlines() if "0.1" in line)


def printed(script):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(script, {"__name__": "__main__"})
    return output.getvalue().strip()


if __name__ == "__main__":
    cell = nbformat.v4.new_code_cell("ls = 1.0\nls -= 0.1 * 5\nprint(ls)")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    scripts = {
        "nbconvert": PythonExporter().from_notebook_node(notebook)[0],
        "jupytext": jupytext.writes(notebook, fmt="py:percent"),
    }
    NotebookClient(notebook, kernel_name="python3").execute()
    run = notebook.cells[0].outputs[0].text.strip()
    print(f"notebook      {run}")
    seen = {name: (printed(script), line(script)) for name, script in scripts.items()}
    for name, (number, text) in seen.items():
        print(f"{name:13} {number}   {text}")
    assert run == "0.5"
    assert seen["nbconvert"] == ("0.5", "ls -= 0.1 * 5")
    assert seen["jupytext"] == ("1.0", "# ls -= 0.1 * 5")
    back = jupytext.reads(scripts["jupytext"], fmt="py:percent")
    assert back.cells[0].source == cell.source
SEEN
cd "$room"
"$room/venv/bin/python" -W ignore seen.py
