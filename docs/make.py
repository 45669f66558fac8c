"""Make the pages that come from running the project: `python docs/make.py [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import hostile  # noqa: E402
import operations  # noqa: E402

from autograd_lite.files import atomic  # noqa: E402

PAGES = {"hostile.md": hostile.page, "operations.md": operations.page}
"""Each page that is made, and what makes its text."""


def stale() -> list[str]:
    """The pages whose text is no longer what would be made."""
    return [name for name, make in PAGES.items() if _read(HERE / name) != make()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or with --check only say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, say what is stale")
    check = parser.parse_args(arguments).check
    names = stale()
    for name in names:
        if check:
            print(f"docs/{name} is stale; run python docs/make.py")
            continue
        with atomic(HERE / name, "w") as file:
            file.write(PAGES[name]())
        print(f"docs/{name}")
    return 1 if check and names else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
