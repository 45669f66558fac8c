"""The examples of docs/interop.md print what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "interop.md").read_text(encoding="utf-8")


def test_the_examples_of_the_page(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    jax = pytest.importorskip("jax")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == PAGE.count("```python") == 5
    space = {"__name__": "page"}
    with jax.enable_x64(False):  # whatever other tests have set
        for code, shown in blocks:
            exec(compile(code, "docs/interop.md", "exec"), space)
            assert capsys.readouterr().out.strip() == shown.strip()
