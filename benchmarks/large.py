"""The parts of the report on rows that are larger than memory, or on several machines."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks import streaming
from benchmarks.markdown import Plan, digits, goals, progress, table
from benchmarks.rounds import median


def report_streaming(plan: Plan) -> str:
    body, found, peaks = [], {}, dict[str, list[int]]()
    for gib in plan.gib:
        for kind in streaming.KINDS:
            if kind == "parquet" and not find_spec("pyarrow"):
                plan.note("parquet: skipped, pyarrow is not installed")
                continue
            with streaming.written(kind, gib) as path:
                for model in streaming.MODELS:
                    progress(f"streaming: {gib:g} GiB, {kind}, {model}")
                    passes = streaming.measure(path, model, threads=plan.threads)
                    key = f"{kind}, {model}"
                    peaks.setdefault(key, []).append(passes.peak)
                    found[f"{gib:g} GiB, {key}"] = streaming.goals(passes)
                    times = (median(line) for line in passes[:3])
                    body.append([f"{gib:g} GiB, {key}", *(digits(1e3 * x) for x in times)])
    found |= {key: [streaming.growth(line)] for key, line in peaks.items() if len(line) > 1}
    head = ["", "streamed", "reading", "computing"]
    return f"""## Streaming

A pass over a file of rows of {streaming.FEATURES} columns and a target, which computes the loss and
its gradient of logistic regression, or of a perceptron of {streaming.UNITS} units, with the file in
the page cache; reading alone; and computing alone, of arrays that hold all rows. Milliseconds,
medians of {streaming.ROUNDS} rounds:

{table(head, body)}

The goals; the peak is that of the private memory while a pass streams, beyond that before it:

{goals("", found, "")}"""
