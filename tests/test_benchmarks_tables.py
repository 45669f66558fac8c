"""The benchmarks of the reader of tables read the same tables; no test looks at a time."""

import pytest

from benchmarks import __main__ as command
from benchmarks import tables
from benchmarks.rounds import Goal
from benchmarks.tables import OURS, PEERS, THEIRS


@pytest.fixture(autouse=True, scope="module")
def libraries():
    for name in ("pyarrow", "pandas", "polars"):
        pytest.importorskip(name)


@pytest.mark.parametrize("name", tables.TABLES)
def test_all_readers_find_the_same_sum(name):
    notes: list[str] = []
    seconds = tables.measure(name, rows=50, rounds=2, skip=notes.append)
    readers = [peer for peer in PEERS if peer != "without pyarrow" or name.endswith(".csv")]
    assert list(seconds) == readers
    assert all(len(times) == 2 and min(times) > 0 for times in seconds.values())
    assert notes == ["without pyarrow: skipped, pyarrow is not installed"] * name.endswith(
        "parquet"
    )


def test_the_mixed_table_has_text_truth_values_and_gaps():
    from autograd_lite.data import read_table

    with tables.written("mixed.csv", 500) as path:
        columns = read_table(path).columns
    assert [column.kind for column in columns] == ["number"] * 4 + ["text", "boolean", "number"]
    assert [column.name for column in columns if column.missing.any()] == ["income"]


def test_the_goal_is_beside_pandas():
    assert tables.goals({OURS: [3.0, 3.0], THEIRS: [2.0, 1.0]}) == [
        Goal(f"{OURS} ÷ {THEIRS}", 2.25, 1.5)
    ]
    assert tables.goals({OURS: [1.0]}) == []


def test_the_command_reports_it(capsys, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 40)
    measured = tables.measure
    monkeypatch.setattr(
        tables, "measure", lambda name, **options: measured(name, rows=40, **options)
    )
    assert command.main(["--parts", "tables", "--rounds", "1"]) == 0
    report = capsys.readouterr().out
    assert "Reading 40 rows" in report
    assert all(f"| {name} |" in report for name in tables.TABLES)
