"""The long programs of the benchmarks have the size wanted, and what they take is measured."""

from __future__ import annotations

import pytest

from benchmarks import slow


@pytest.mark.parametrize("program", slow.PROGRAMS)
def test_a_long_program_has_about_the_nodes_wanted(program):
    for wanted in (100, 1_000):
        assert wanted / 3 < slow.Derivation(program, wanted).nodes() < 3 * wanted


def test_what_a_long_program_takes_is_measured():
    pytest.importorskip("sympy")
    notes: list[str] = []
    for what, questions in (
        ("Derivation", ("seconds", "nodes")),
        ("Compilation", ("seconds", "tracing", "nodes")),
    ):
        found = slow.measure(what, "logistic map", 60, questions, skip=notes.append)
        assert not notes
        assert min(found) > 0
        assert found[-1] > 20


def test_indexing_is_measured():
    notes: list[str] = []
    (found,) = slow.measure("Indexing", "autograd_lite", 5, ["seconds"], skip=notes.append)
    assert found > 0
    assert not notes
