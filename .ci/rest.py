"""A pytest plugin for several runs: each leaves out the tests that an earlier one has run.

The file $RAN has the tests that were run, one in a line.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

RAN = Path(os.environ["RAN"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ran = set(RAN.read_text(encoding="utf-8").splitlines()) if RAN.exists() else set()
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in ran])
    items[:] = [item for item in items if item.nodeid not in ran]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.outcome != "skipped":
        with RAN.open("a", encoding="utf-8") as file:
            file.write(f"{report.nodeid}\n")
