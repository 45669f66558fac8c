"""docs/conventions.md: the tables say what the engine and the other libraries return.

`CONVENTIONS=all pytest tests/test_conventions.py` runs every program in JAX and PyTensor too, which
compile each one; otherwise they run a sample.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import warnings

import convention_cases
import conventions
import numpy as np
import pytest
from convention_libraries import LIBRARIES, version_of

import autograd_lite as ag
from autograd_lite.op import OPS

PAGE = conventions.PAGE.read_text(encoding="utf-8")
TABLES = {package: conventions.expected(package) for package in LIBRARIES}
SAMPLE = {"jax": 24, "pytensor": 16}

# Read before any test defines operations of its own.
OWN = [op for op in OPS.values() if not op.foreign]


def compared(package, found, cases):
    """The cells of a library that differ from the page, and how many were compared."""
    wrong, count = [], 0
    for case, (first, second) in zip(cases, found, strict=True):
        title, point = f"`{case.program}`", conventions.point_of(case)
        if first == "—" and package == "here" and not importlib.util.find_spec("scipy"):
            continue
        cells = [(title, first), (f"{title}, second derivative", second)]
        for name, cell in cells:
            if (name, point) in TABLES[package]:
                count += 1
                expected = TABLES[package][name, point]
                if cell != expected:
                    wrong.append((package, name, point, cell, expected))
    return wrong, count


def test_our_column_is_what_the_engine_returns():
    wrong, count = compared("here", conventions.results("here"), convention_cases.CASES)
    assert wrong == []
    if importlib.util.find_spec("scipy"):
        assert count == len(TABLES["here"])


def test_every_case_has_one_row():
    rows = [(f"`{case.program}`", conventions.point_of(case)) for case in convention_cases.CASES]
    assert len(set(rows)) == len(rows)
    assert set(rows) == {row for row in TABLES["here"] if "second derivative" not in row[0]}
    assert {case.section for case in convention_cases.CASES} == convention_cases.SECTIONS.keys()
    for title in convention_cases.SECTIONS.values():
        assert f"## {title}\n" in PAGE


def test_a_changed_cell_is_found():
    case = convention_cases.CASES[0]
    assert compared("here", [["0", "0"]], [case]) == ([], 1)
    wrong, _ = compared("here", [["1", "0"]], [case])
    assert [found[3:] for found in wrong] == [("1", "0")]


@pytest.mark.parametrize("package", [package for package in LIBRARIES if package != "here"])
def test_the_column_of_another_library_is_what_it_returns(package):
    pytest.importorskip(package)
    title = LIBRARIES[package][0]
    made_with = f"{title} {version_of(package)}"
    if made_with not in PAGE:
        pytest.skip(f"the page was made with another version than {made_with}")
    every = 1 if os.environ.get("CONVENTIONS") == "all" else SAMPLE.get(package, 1)
    # A process of its own: a library sets global state.
    command = [sys.executable, conventions.__file__, package, str(every)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    wrong, count = compared(package, json.loads(done.stdout), convention_cases.CASES[::every])
    assert wrong == []
    assert count >= len(convention_cases.CASES) // every


def recorded():
    """The names of all operations that the cases and their gradients record here."""
    names, made = set(), LIBRARIES["here"][1]()[0]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for case in convention_cases.CASES:
            program = conventions.program_of(case, "here", made)
            if program is None:
                continue
            at = [ag.Tensor(np.array(x, float)) for x in case.at]
            try:
                stack = [program(*at), *ag.grad(program, tuple(range(len(at))))(*at)]
            except np.linalg.LinAlgError:
                continue
            while stack:
                x = stack.pop()
                if isinstance(x, ag.Tensor) and x.op is not None:
                    names.add(x.op.name)
                    stack += x.inputs
    return names


def test_every_operation_with_a_kink_or_a_choice_has_a_row():
    needed = {op.name for op in OWN if op.traits.kinks or op.traits.chooses or op.traits.absorbing}
    assert len(needed) > 40
    assert needed - recorded() == set()


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (np.array([0.5]), "0.5"),
        (np.array([-0.0]), "0"),
        (np.array([0.5, 0.5]), "0.5, 0.5"),
        (np.array([np.nan, np.inf, -np.inf]), "NaN, ∞, −∞"),
        (np.array([1.0, 1e-17]), "1, 0"),
        (np.array([1e-314]), "1e−314"),
        (np.array([[2.0, 0.0], [0.0, 2.0]]), "2, 0; 0, 2"),
        (np.array([[0.0, 0.0], [0.0, 0.0]]), "0"),
    ],
)
def test_cells(numbers, text):
    assert conventions.written(numbers) == text
