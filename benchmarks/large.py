"""The parts of the report on rows that are larger than memory, or on several machines."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks import cluster, streaming
from benchmarks.markdown import Plan, by_peer, digits, goals, progress, table
from benchmarks.rounds import median
from benchmarks.worker import NotInstalledError


def report_streaming(plan: Plan) -> str:
    body, found, peaks = [], {}, dict[str, list[int]]()
    rounds = min(plan.rounds, streaming.ROUNDS)
    for gib in plan.gib:
        for kind in streaming.KINDS:
            if kind == "parquet" and not find_spec("pyarrow"):
                plan.note("parquet: skipped, pyarrow is not installed")
                continue
            with streaming.written(kind, gib) as path:
                for model in streaming.MODELS:
                    progress(f"streaming: {gib:g} GiB, {kind}, {model}")
                    passes = streaming.measure(path, model, rounds=rounds, threads=plan.threads)
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
medians of {rounds} rounds:

{table(head, body)}

The goals; the peak is that of the private memory while a pass streams, beyond that before it:

{goals("", found, "")}"""


def report_cluster(plan: Plan) -> str:
    if not find_spec("distributed"):
        raise NotInstalledError("cluster: skipped, distributed is not installed")
    rounds = min(plan.rounds, cluster.ROUNDS)
    progress("cluster: steps")
    speed = cluster.speed(cluster.ROWS, rounds=rounds)
    aims = {"steps": cluster.speed_goals(speed)}
    times = {}
    rounds = min(plan.rounds, cluster.FIT_ROUNDS)
    for what in cluster.FITS:
        progress(f"cluster: fits, {what}")
        if found := cluster.fits(what, cluster.FIT_ROWS, rounds=rounds, skip=plan.note):
            times[what] = found
            aims[what] = cluster.fit_goals(found)
    one, two = median(speed.one), median(speed.two)
    return f"""## Clusters

A cluster of Dask on this machine, its workers processes of one thread. A step of a perceptron of
{cluster.UNITS} units, loss and gradient, on {cluster.ROWS:,} rows of {cluster.FEATURES} columns in
{cluster.CHUNKS} chunks takes {digits(1e3 * one)} ms with one worker and \
{digits(1e3 * two)} ms with two.

Fits of {cluster.FIT_ROWS:,} rows with two workers, until the loss is that where dask-ml's end: of
logistic regression by L-BFGS, and of the perceptron by Adam. Milliseconds:

{by_peer("", times, lambda line: digits(1e3 * median(line)))}

{goals("", aims, "")}"""
