"""What the command line says beside its results."""

from __future__ import annotations

import sys


def complain(message: str) -> None:
    """One line on standard error."""
    print(f"autograd-lite: {' '.join(message.split())}", file=sys.stderr)
