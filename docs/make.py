"""Make the generated pages: `python docs/make.py [--check | --pictures]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import compiled  # noqa: E402
import engine  # noqa: E402
import gallery  # noqa: E402
import hostile  # noqa: E402
import operations  # noqa: E402
import outputs  # noqa: E402

from autograd_lite.files import atomic  # noqa: E402

PAGES = {
    "docs/compile.md": compiled.page,
    "docs/engine.md": engine.page,
    "docs/gallery.md": gallery.page,
    "docs/hostile.md": hostile.page,
    "docs/operations.md": operations.page,
    **{name: partial(outputs.page, name) for name in outputs.PAGES},
}
"""Each generated page, and the function that returns its text."""


def stale() -> list[str]:
    """The pages that are out of date."""
    return [name for name, make in PAGES.items() if _read(ROOT / name) != make()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or with --check only report which are out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; report stale pages")
    parser.add_argument(
        "--pictures", action="store_true", help="also draw the pictures and run the notebooks"
    )
    given = parser.parse_args(arguments)
    check = given.check
    names = stale()
    for name in names:
        if check:
            print(f"{name} is stale; run python docs/make.py")
            continue
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        with atomic(ROOT / name, "w") as file:
            file.write(PAGES[name]())
        print(name)
    if given.pictures and not check:
        gallery.write(ROOT / "docs")
    return 1 if check and names else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
