"""What was measured, in Markdown: a function for each part."""

from __future__ import annotations

from benchmarks import (
    baseline,
    compiling,
    demo,
    estimators,
    imports,
    memory,
    scalars,
    slow,
    steps,
    tables,
)
from benchmarks.gradbench import measure as gradbench
from benchmarks.large import report_cluster, report_streaming
from benchmarks.markdown import (
    PROBLEM,
    Plan,
    by_peer,
    digits,
    goals,
    label,
    microseconds,
    progress,
    table,
)
from benchmarks.rounds import Goal, median, ratio
from benchmarks.steps import SHAPES


def report_steps(plan: Plan) -> str:
    sections = []
    for dtype in plan.dtypes:
        seconds, products, found = {}, {}, {}
        for shape in plan.shapes:
            progress(f"steps, {dtype}: {PROBLEM} = {label(shape)}")
            line = steps.measure(shape, plan.peers, dtype, **plan.options)
            own = steps.measure_products(shape, plan.peers, dtype, **plan.options)
            seconds[label(shape)], products[label(shape)] = line, own
            found[label(shape)] = steps.goals(shape, line, own)
        sections.append(f"""## One step of training, {dtype}

MLP with one hidden ReLU layer: loss, gradients and update. All peers agree on the losses of the
first three steps. autograd_lite and `column` update by `p.data -= α * p.grad`, `replaced` by
`p.data = p.data - α * p.grad`; in a `column` the output weights are (hidden, 1). Microseconds:

{microseconds(PROBLEM, seconds)}

The four matrix products of such a step alone, microseconds:

{microseconds(PROBLEM, products)}

The goals; at 1,024 rows a framework may be faster by the ratio of the products:

{goals(PROBLEM, found)}""")
    return "\n\n".join(sections)


def report_baseline(plan: Plan) -> str:
    revision = str(plan.baseline)
    sections = [f"## Beside revision {revision}"]
    with baseline.checkout(revision) as folder:
        for dtype in plan.dtypes:
            seconds = {}
            for shape in plan.shapes:
                progress(f"baseline, {dtype}: {PROBLEM} = {label(shape)}")
                line = baseline.measure(shape, revision, folder, dtype, **plan.options)
                seconds[label(shape)] = line
            found = {key: baseline.goals(revision, line) for key, line in seconds.items()}
            sections.append(f"""One step of training, {dtype}, microseconds:

{microseconds(PROBLEM, seconds)}

{goals(PROBLEM, found)}""")
    return "\n\n".join(sections)


def report_compile(plan: Plan) -> str:
    progress("compile")
    shape = SHAPES[2]
    seconds = compiling.measure(shape, rounds=plan.rounds, skip=plan.note)
    body = [[peer, f"{1e3 * median(times):,.0f}"] for peer, times in seconds.items()]
    found = [
        Goal(peer, 1e3 * median(seconds[peer]), 1e3 * limit)
        for peer, limit in compiling.GOALS.items()
        if peer in seconds
    ]
    return f"""## Compile time

The first call of a step ({PROBLEM} = {label(shape)}) in a new process, after the
library's import, with nothing kept from earlier ones but where it says so; one that takes longer
than a second is measured once.

{table(["", "ms"], body)}

Wanted, without importing SymPy:

{goals("", {label(shape): found}, "ms")}"""


def report_demo(plan: Plan) -> str:
    progress("demo")
    seconds = demo.measure(**plan.options)
    text = f"""## micrograd's demo

A step on 100 moons, MLP 2-16-16-1, hinge loss with L2, on scalar nodes as micrograd does it
(without Python's garbage collector, which is kinder) and on whole arrays. Microseconds:

{microseconds("", {"demo": seconds})}"""
    for goal in demo.goals(seconds):
        text += f"""

The compiled step is {1 / goal.measured:,.0f} times as fast as micrograd; \
{1 / goal.limit:,.0f} are wanted: {goal.verdict}."""
    return text


def report_scalars(plan: Plan) -> str:
    body, found = [], {}
    for example in scalars.GOALS:
        progress(f"scalars: {example}")
        costs = scalars.measure(example, **plan.options)
        found[example] = scalars.goals(example, costs)
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

{table(head, body)}

Wanted with the collector off:

{goals("", found)}"""


def report_imports(plan: Plan) -> str:
    progress("imports")
    numpy, engine = imports.measure(2 * plan.rounds)
    return f"""## Import

NumPy takes {1e3 * numpy:.0f} ms; autograd_lite adds {1e3 * engine:.1f} ms
(wanted: at most {1e3 * imports.AIM:.0f})."""


def report_memory(plan: Plan) -> str:
    peaks, found = {}, {}
    for shape in plan.shapes:
        if memory.data(shape) >= memory.SMALLEST:
            progress(f"memory: {PROBLEM} = {label(shape)}")
            peaks[label(shape)] = memory.measure(shape, skip=plan.note)
            found[label(shape)] = memory.goals(shape, peaks[label(shape)])
    peers = list(dict.fromkeys(peer for line in peaks.values() for peer in line))
    body = [
        [
            key,
            *(
                f"{line[peer] / 2**20:.1f} ({line[peer] / line['hand']:.2f})"
                if peer in line
                else "–"
                for peer in peers
            ),
        ]
        for key, line in peaks.items()
    ]
    return f"""## Peak memory

What steps of training take at their peak beyond data and weights, MiB and times `hand`, float64;
problems under a MiB are too small to tell:

{table([PROBLEM, *peers], body)}

{goals(PROBLEM, found)}"""


def report_slow(plan: Plan) -> str:
    columns = ["nodes", *(f"{n:,}" for n in slow.NODES)]
    derived, passes, traced = [], [], []
    for program in slow.PROGRAMS:
        progress(f"slow: {program}")
        rows = [program], [program], [program]
        for n in slow.NODES:
            found = slow.measure("Derivation", program, n, skip=plan.note)
            rows[0].append(digits(1e6 * found[0] / found[1]) if found else "–")
            asked = ("seconds", "tracing", "nodes")
            found = slow.measure("Compilation", program, n, asked, skip=plan.note)
            rows[1].append(digits(1e6 * found[0] / found[2]) if found else "–")
            rows[2].append(digits(1e6 * found[1] / found[2]) if found else "–")
        for body, row in zip((derived, passes, traced), rows, strict=True):
            body.append(row)
    return f"""## Long programs

What a derivation takes, with its text, in a new process each; microseconds per node of the graph
(wanted at {slow.NODES[-1]:,} nodes: at most {1e6 * slow.GOAL:.0f}):

{table(columns, derived)}

What the passes of the compiler take for the loss and its gradients, without tracing; microseconds
per node of the traced program (wanted: at most {1e6 * slow.COMPILE_GOAL:.0f}):

{table(columns, passes)}

What tracing takes:

{table(columns, traced)}

{_indexed(plan)}"""


def _indexed(plan: Plan) -> str:
    body = []
    for peer in ("autograd_lite", "torch"):
        answers = [
            slow.measure("Indexing", peer, n, ["seconds"], skip=plan.note) for n in slow.INDEXED
        ]
        if all(answers):
            (short,), (long,) = answers
            body.append([peer, digits(1e3 * short), digits(1e3 * long), f"{long / short:.1f}"])
    lengths = [f"{n:,} elements" for n in slow.INDEXED]
    return f"""The gradient of Σ W[k] @ W[k] for W of shape (n, 10, 10), milliseconds (wanted: a
ratio of at most {slow.RATIO_GOAL:.0f}):

{table(["", *lengths, "ratio"], body)}"""


def report_gradbench(plan: Plan) -> str:
    found = {}
    for problem in gradbench.PROBLEMS:
        progress(f"gradbench: {problem}")
        found[problem] = gradbench.measure(problem, **plan.options)
    aims = {problem: gradbench.goals(times) for problem, times in found.items()}
    return f"""## GradBench

Functions and their gradients, as the users of each library write them. Microseconds of a function:

{by_peer("", found, lambda times: digits(1e6 * median(times.primal)))}

Microseconds of its gradient:

{by_peer("", found, lambda times: digits(1e6 * median(times.gradient)))}

Ratios of the two:

{by_peer("", found, lambda times: digits(ratio(times.gradient, times.primal)))}

The gradients side by side. The faster compiled one is faster than torch and jax.jit in \
{gradbench.won(found)} problems (wanted: {gradbench.WANTED}).

{goals("", aims)}"""


def report_estimators(plan: Plan) -> str:
    options = {"threads": plan.threads, "skip": plan.note}
    times, aims = {}, {}
    for name, problem in estimators.LOGISTIC.items():
        progress(f"estimators: logistic regression, {name}")
        for what, found in estimators.logistic(problem, **options).items():
            times[f"{name}, {what}"] = found
            aims[name] = aims.get(name, []) + estimators.logistic_goals(found, what)
    races = {}
    for name, problem in estimators.PERCEPTRON.items():
        progress(f"estimators: perceptron, {name}")
        if race := estimators.perceptron(problem, **options):
            races[name] = race
            aims[f"perceptron, {name}"] = estimators.perceptron_goals(race)
    progress("estimators: defaults")
    aims |= estimators.default_goals(estimators.defaults())
    accuracies = {name: race.accuracy for name, race in races.items()}
    return f"""## Estimators

Logistic regression by L-BFGS, C = 1, on standardized columns: until the loss is that where
scikit-learn ends by itself, and until no element of the gradient of the mean loss exceeds \
{estimators.STEEP:g}. Milliseconds of a fit, and those of the first:

{by_peer("", times, str)}

A perceptron of {estimators.UNITS} units by Adam, batches of {estimators.BATCH} rows, until the \
loss is scikit-learn's, from the same weights; {estimators.SEEDS} seeds. Milliseconds of a fit, and
those of the first:

{by_peer("", {name: race.times for name, race in races.items()}, str)}

Their accuracies on a fifth of the rows, held out:

{by_peer("", accuracies, lambda accuracy: f"{accuracy:.4f}")}

The goals; the last lines are the share of wrong predictions on rows of the breast cancer data held
out, with default options and raw columns:

{goals("", aims)}"""


def report_tables(plan: Plan) -> str:
    found = {}
    for name in tables.TABLES:
        progress(f"tables: {name}")
        found[name] = tables.measure(name, **plan.options)
    ratios = {
        name: {peer: ratio(times, line[tables.OURS]) for peer, times in line.items()}
        for name, line in found.items()
    }
    aims = {name: tables.goals(line) for name, line in found.items()}
    return f"""## Tables

Reading {tables.ROWS:,} rows: 30 columns of numbers as CSV and as Parquet; and a mixed table of four
columns of numbers, and of text, truth values and integers with gaps. Milliseconds:

{by_peer("", found, lambda times: digits(1e3 * median(times)))}

Ratios to {tables.OURS}:

{by_peer("", ratios, digits)}

{goals("", aims)}"""


PARTS = {
    "steps": report_steps,
    "compile": report_compile,
    "demo": report_demo,
    "scalars": report_scalars,
    "imports": report_imports,
    "memory": report_memory,
    "slow": report_slow,
    "gradbench": report_gradbench,
    "estimators": report_estimators,
    "tables": report_tables,
    "streaming": report_streaming,
    "cluster": report_cluster,
}
