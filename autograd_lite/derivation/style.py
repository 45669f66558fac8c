"""The style of formulas on a page, with the marks of what became of each symbol."""

from __future__ import annotations

from pathlib import Path

__all__ = ["STYLE"]

STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
"""Each mark has a shape of its own besides its colour."""
