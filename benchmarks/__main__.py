"""`python -m benchmarks`: measure on this machine and report in Markdown."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograd_lite.files import atomic
from benchmarks import imports, memory, scalars, steps
from benchmarks.worker import WorkerError

PARTS = ("steps", "scalars", "imports", "memory")
PACKAGES = ("numpy", "torch", "jax", "mygrad", "autograd", "micrograd")
Note = Callable[[str], None]


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *body))


def digits(x: float) -> str:
    """Three significant digits, thousands separated."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def machine(threads: int) -> str:
    name = platform.processor() or platform.machine()
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line for line in lines if line.startswith("model name")).partition(": ")[2]
    packages = []
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            packages.append(f"{package} {version(package)}")
    each = "one thread" if threads == 1 else f"{threads} threads"
    python = f"Python {platform.python_version()}"
    return f"{name}, {platform.system()}; {python}, {', '.join(packages)}; {each} each, float64."


def report_steps(
    rows: Sequence[int], peers: Sequence[str], rounds: int, threads: int, note: Note
) -> str:
    times = {}
    for row in rows:
        shape = steps.SHAPES[row - 1]
        progress(f"steps: rows, features, hidden = {shape}")
        times[row] = steps.measure(shape, peers, rounds=rounds, threads=threads, skip=note)
    columns = [peer for peer in peers if any(peer in best for best in times.values())]
    micros, ratios = [], []
    for row, best in times.items():
        count, features, hidden = steps.SHAPES[row - 1]
        label = f"{count:,}, {features}, {hidden}"
        found = [best.get(peer) for peer in columns]
        micros.append([label, *(digits(1e6 * s) if s else "–" for s in found)])
        ratios.append([label, *(f"{s / best['hand']:.2f}" if s else "–" for s in found)])
        ratios[-1].append(f"{steps.AIMS[row - 1]:.2f}")
    return f"""## One step of training

MLP with one hidden ReLU layer: loss, gradients and update. All peers agree on the losses of the
first three steps. Microseconds:

{table(["rows, features, hidden", *columns], micros)}

Times `hand`, and what the engine aims at:

{table(["rows, features, hidden", *columns, "aim"], ratios)}"""


def report_scalars(rounds: int, note: Note) -> str:
    body = []
    for example in scalars.EXAMPLES:
        progress(f"scalars: {example}")
        costs = scalars.measure(example, rounds=rounds, skip=note)
        for (library, collect), cost in costs.items():
            line = [f"{example}, {library}", "on" if collect else "off", f"{cost.nodes:,}"]
            line += [digits(1e6 * cost.seconds), digits(1e6 * cost.per_node)]
            if peer := costs.get(("micrograd", collect)):
                line += [f"{cost.per_node / peer.per_node:.2f}"]
                line += [f"{cost.seconds / peer.seconds:.2f}"]
            else:
                line += ["–", "–"]
            body.append(line)
    head = ["", "collector", "nodes", "µs", "µs a node", "a node ÷ micrograd", "all ÷ micrograd"]
    return f"""## Graphs of scalars

micrograd's README expression and a step of its demo, with Python's garbage collector on and off.
The engine aims at {scalars.AIM} times micrograd's time a node.

{table(head, body)}"""


def report_imports(rounds: int) -> str:
    progress("imports")
    numpy, engine = imports.measure(2 * rounds)
    return f"""## Import

NumPy takes {1e3 * numpy:.0f} ms; autograd_lite adds {1e3 * engine:.1f} ms
(aim: at most {1e3 * imports.AIM:.0f})."""


def report_memory(row: int, note: Note) -> str:
    shape = count, features, hidden = steps.SHAPES[row - 1]
    progress(f"memory: rows, features, hidden = {shape}")
    peaks = memory.measure(shape, skip=note)
    body = [
        [peer, f"{peak / 2**20:.1f}", f"{peak / peaks['hand']:.2f}"] for peer, peak in peaks.items()
    ]
    return f"""## Peak memory

What three steps of training add to the process with {count:,} rows, {features} features and
{hidden} hidden units, beside data and weights ({memory.data(shape) / 2**20:.1f} MiB).

{table(["", "MiB", "÷ hand"], body)}"""


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    def listed(text: str) -> list[str]:
        return [word.strip() for word in text.split(",")]

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    numbers = ",".join(str(i + 1) for i in range(len(steps.SHAPES)))
    parser.add_argument("--parts", type=listed, default=PARTS, help=",".join(PARTS))
    parser.add_argument("--rows", type=listed, default=numbers.split(","), help=numbers)
    parser.add_argument("--peers", type=listed, default=list(steps.PEERS), help="a,b,…")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="for each worker (default 1)")
    parser.add_argument("--out", type=Path, help="write the report to this Markdown file")
    chosen = parser.parse_args(argv)
    for option, known in (
        ("parts", PARTS),
        ("rows", numbers.split(",")),
        ("peers", steps.PEERS),
    ):
        if unknown := [word for word in getattr(chosen, option) if word not in known]:
            parser.error(f"--{option}: unknown {', '.join(unknown)}; known: {', '.join(known)}")
    if min(chosen.rounds, chosen.threads) < 1:
        parser.error("--rounds and --threads must be at least 1")
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

    report = {
        "steps": lambda: report_steps(
            chosen.rows, chosen.peers, chosen.rounds, chosen.threads, note
        ),
        "scalars": lambda: report_scalars(chosen.rounds, note),
        "imports": lambda: report_imports(chosen.rounds),
        "memory": lambda: report_memory(chosen.rows[-1], note),
    }
    sections, failed = ["# Benchmarks", machine(chosen.threads)], False
    for part in PARTS:
        if part in chosen.parts:
            try:
                sections.append(report[part]())
            except (WorkerError, steps.Disagreement) as error:
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
