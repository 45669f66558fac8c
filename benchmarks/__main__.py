"""`python -m benchmarks`: measure on this machine and report in Markdown.

With `--baseline REVISION` it measures steps of this engine, eager and compiled, beside those of the
revision that git knows by that name, in the same rounds, and nothing else: `--rounds 15 --baseline
HEAD~1` says what the last commit costs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from autograd_lite.files import atomic
from benchmarks.markdown import Plan, machine, progress
from benchmarks.report import PARTS, report_baseline
from benchmarks.rounds import TOLERANCE, DisagreementError
from benchmarks.steps import PEERS, SHAPES
from benchmarks.streaming import GIB
from benchmarks.worker import WorkerError


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    def listed(text: str) -> list[str]:
        return [word.strip() for word in text.split(",")]

    choices = {
        "parts": list(PARTS),
        "rows": [str(i + 1) for i in range(len(SHAPES))],
        "peers": list(PEERS),
        "dtypes": list(TOLERANCE),
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    for option, known in choices.items():
        parser.add_argument(f"--{option}", type=listed, default=known, help=",".join(known))
    parser.add_argument(
        "--gib",
        type=listed,
        default=list(GIB),
        help=f"sizes of the files that are streamed (default {','.join(f'{x:g}' for x in GIB)})",
    )
    parser.add_argument("--rounds", type=int, default=9, help="default 9")
    parser.add_argument("--threads", type=int, default=1, help="for each worker (default 1)")
    parser.add_argument("--baseline", metavar="REVISION", help="compare with this revision only")
    parser.add_argument("--out", type=Path, help="write the report to this Markdown file")
    chosen = parser.parse_args(argv)
    for option, known in choices.items():
        if unknown := [word for word in getattr(chosen, option) if word not in known]:
            parser.error(f"--{option}: unknown {', '.join(unknown)}; known: {', '.join(known)}")
    if min(chosen.rounds, chosen.threads) < 1:
        parser.error("--rounds and --threads must be at least 1")
    try:
        chosen.gib = [float(size) for size in chosen.gib]
    except ValueError:
        parser.error("--gib: sizes are numbers")
    chosen.rows = sorted({int(row) for row in chosen.rows})
    chosen.peers = ["hand", *(peer for peer in chosen.peers if peer != "hand")]
    return chosen


def main(argv: Sequence[str] | None = None) -> int:
    chosen = arguments(argv)
    notes: list[str] = []

    def note(line: str) -> None:
        if line not in notes:
            notes.append(line)
            progress(line)

    plan = Plan(
        *(chosen.rows, chosen.peers, chosen.dtypes, chosen.rounds, chosen.threads),
        note,
        *(chosen.baseline, chosen.gib),
    )
    parts = {part: report for part, report in PARTS.items() if part in chosen.parts}
    if plan.baseline:
        parts = {"baseline": report_baseline}
    sections, failed = ["# Benchmarks", machine(plan.threads)], False
    for part, report in parts.items():
        try:
            sections.append(report(plan))
        except (WorkerError, DisagreementError) as error:
            note(f"{part}: failed: {error}")
            failed = True
    if notes:
        sections.append("\n".join(f"- {line}" for line in notes))
    text = "\n\n".join(sections) + "\n"
    print(text, end="")
    if chosen.out:
        with atomic(chosen.out, "w") as file:
            file.write(text)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
