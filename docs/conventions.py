"""Make the tables of docs/conventions.md: `python docs/conventions.py`.

The programs of `convention_cases` run in every library, each in a process of its own. With the name
of a library, its results are printed as JSON: of all cases, or of every n-th if a number n follows.
It needs the extras `special` and `oracle`, and then `pip install pytensor`: on Python 3.11 that
requires an older Numba than the extra `native`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from convention_cases import CASES, SECTIONS, Case  # noqa: E402
from convention_libraries import LIBRARIES, Names, version_of  # noqa: E402

__all__ = ["PAGE", "expected", "point_of", "program_of", "results", "rows", "written"]

PAGE = ROOT / "docs" / "conventions.md"

MISSING, REFUSED = "—", "refused"


def results(package: str, every: int = 1) -> list[list[str]]:
    """The first and the second derivatives of every case in one library, or of every n-th."""
    names, derivatives = LIBRARIES[package][1]()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [_of(case, package, names, derivatives) for case in CASES[::every]]


def _of(case: Case, package: str, names: Names, derivatives: Any) -> list[str]:
    program = program_of(case, package, names)
    if program is None:
        return [MISSING, MISSING]
    at = [np.array(x, float) for x in case.at]
    try:
        first, second = derivatives(program, at)
    except Exception as error:
        if "--errors" in sys.argv:
            print(package, case.program, repr(error)[:300], file=sys.stderr)
        return [REFUSED, REFUSED]
    return [written(first), MISSING if second is None else written(second)]


def program_of(case: Case, package: str, names: Names) -> Callable[..., Any] | None:
    """The program of a case as a function, or None if the library lacks one of its names."""
    code = compile(case.others.get(package, case.program), case.program, "eval")
    if not set(code.co_names) - names.keys() <= {"x", "y", "z"}:
        return None
    return lambda *xs: eval(code, {**names, **dict(zip("xyz", xs, strict=False))})


def written(numbers: np.ndarray) -> str:
    """Numbers with four digits; one for all if they are equal, and 0 for what is rounding."""
    finite = np.abs(numbers[np.isfinite(numbers)])
    rounding = 1e-12 * np.max(finite, initial=0)
    texts = [_number(0.0 if abs(v) <= rounding else v) for v in np.ravel(numbers)]
    if len(set(texts)) == 1 and (len(texts) > 2 or numbers.ndim == 2):
        return texts[0]
    if numbers.ndim == 2:
        n = len(numbers)
        lines = [", ".join(texts[k * n : (k + 1) * n]) for k in range(n)]
        return "; ".join(lines)
    return ", ".join(texts)


def _number(value: float) -> str:
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value + 0.0:.4g}".replace("-", "−")


def measured() -> dict[str, list[list[str]]]:
    """The results of all libraries, each in a process of its own."""
    found = {}
    for package in LIBRARIES:
        command = [sys.executable, __file__, package, *sys.argv[1:]]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found[package] = json.loads(done.stdout)
    return found


def rows(found: dict[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    """The rows of each section. Second derivatives have one where a library differs."""
    tables: dict[str, list[list[str]]] = {section: [] for section in SECTIONS}
    for k, case in enumerate(CASES):
        for order in (0, 1):
            cells = [found[package][k][order] for package in LIBRARIES]
            known = {cell for cell in cells if cell not in (MISSING, REFUSED)}
            if order and not (case.second and len(known) > 1):
                continue
            title = f"`{case.program}`" + (", second derivative" if order else "")
            why = "" if order else case.why
            tables[case.section].append([title, point_of(case), *cells, why])
    return tables


def point_of(case: Case) -> str:
    """The point of a case, as on the page."""
    texts = [_value(x) for x in case.at]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _value(x: Any) -> str:
    if isinstance(x, list):
        return f"[{', '.join(map(_value, x))}]"
    return f"{x:g}".replace("-", "−").replace("inf", "∞").replace("nan", "NaN")


def table(lines: list[list[str]]) -> str:
    """One table of the page."""
    titles = ["program", "at", *(title for title, _ in LIBRARIES.values()), "why"]
    bold = [[*line[:2], f"**{line[2]}**", *line[3:]] for line in lines]
    texts = [[cell.replace("|", "\\|") for cell in line] for line in (titles, *bold)]
    head, *body = (f"| {' | '.join(line)} |" for line in texts)
    return "\n".join([head, "|" + "---|" * len(titles), *body]) + "\n"


def expected(package: str) -> dict[tuple[str, str], str]:
    """What the page has in the column of a library, by program and point."""
    column = 2 + list(LIBRARIES).index(package)
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == len(LIBRARIES) + 3 and cells[0].startswith("`"):
            found[cells[0], cells[1]] = cells[column].strip("*")
    return found


def versions() -> str:
    """The versions with which the tables were made."""
    peers = [f"{title} {version_of(p)}" for p, (title, _) in LIBRARIES.items() if p != "here"]
    return f"{', '.join(peers[:-1])} and {peers[-1]}"


def main() -> None:
    """Write the tables between their markers, or print the results of one library."""
    packages = [name for name in sys.argv[1:] if name in LIBRARIES]
    if packages:
        every = [int(text) for text in sys.argv[1:] if text.isdigit()]
        print(json.dumps(results(packages[0], *every), ensure_ascii=False))
        return
    text = PAGE.read_text(encoding="utf-8")
    for section, lines in rows(measured()).items():
        text = _filled(text, section, "\n" + table(lines) + "\n")
    PAGE.write_text(_filled(text, "versions", versions()), encoding="utf-8")


def _filled(text: str, name: str, content: str) -> str:
    pattern = rf"(?s)(<!-- {name} -->).*?(<!-- end -->)"
    if not re.search(pattern, text):
        raise ValueError(f"{PAGE.name} has no place for {name}")
    return re.sub(pattern, lambda found: found[1] + content + found[2], text)


if __name__ == "__main__":
    main()
