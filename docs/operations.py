"""The page of operations, made from their table: formulas, gradients and notes."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite import ops
from autograd_lite.op import NUMPY, OPS, REFUSED, SCIPY, Op

INTRODUCTION = """\
# Operations

`python docs/make.py` makes this page from the table of operations, `autograd_lite.op.OPS`. In the
column *gradient*, `g` is the gradient of the result, and there is one gradient per operand, in the
same order. If an operand was broadcast, its gradient is summed to the shape of the operand.

A function of NumPy or of `scipy.special` that is not on this page raises `TypeError` when it is
called with a Tensor; a Tensor is never silently converted to an array. The functions of
`scipy.special` need SciPy: `pip install 'autograd_lite[special]'`.
[transforms.md](transforms.md#custom-gradients) shows how to define your own operation.
"""

CONSTANTS = """\
## Constants

The derivative of these operations is zero wherever it exists, so they pass no gradient on. Their
result is recorded as a Tensor.
"""

COMPOSED = """\
## Composed of other operations

These functions record the operations that they call.
"""

PLAIN = """\
## Plain results

These functions return properties of arrays, such as shapes and dtypes, as plain Python objects: {}.
"""

REFUSALS = """\
## Not supported

These functions raise `TypeError` with the reason.
"""


def page() -> str:
    """The page as Markdown."""
    own = [op for op in OPS.values() if not op.foreign]
    parts = [INTRODUCTION]
    for name in ops.__all__:
        module = getattr(ops, name)
        here = [op for op in own if op.differentiable and _module(op) == module.__name__]
        if here:
            rows = (
                (
                    _name(op),
                    _written(op),
                    op.notation.formula,
                    op.notation.gradient,
                    op.notation.notes,
                )
                for op in here
            )
            head = ("operation", "function", "formula", "gradient", "notes")
            parts.append(f"## {_title(module)}\n\n{_table(head, rows)}")
    constants = sorted((op for op in own if not op.differentiable), key=lambda op: op.name)
    rows = ((_name(op), _written(op), op.notation.formula) for op in constants)
    parts.append(CONSTANTS + "\n" + _table(("operation", "function", "formula"), rows))

    composed = {f: a for f, a in NUMPY.items() if not isinstance(a, Op)}
    of_scipy = {name: a for name, a in SCIPY.items() if not isinstance(a, Op)}
    plain = sorted(_paths(f) for f in composed if _is_plain(f, composed[f]))
    made = [(_paths(f), _first_line(a)) for f, a in composed.items() if not _is_plain(f, a)]
    made += [(f"`scipy.special.{name}`", _first_line(a)) for name, a in of_scipy.items()]
    parts.append(COMPOSED + "\n" + _table(("function", "description"), sorted(made)))
    parts.append(PLAIN.format(", ".join(plain)))

    by_reason: dict[str, list[str]] = {}
    for function, reason in REFUSED.items():
        by_reason.setdefault(reason, []).append(_paths(function))
    reasons = sorted((", ".join(sorted(names)), reason) for reason, names in by_reason.items())
    parts.append(REFUSALS + "\n" + _table(("function", "reason"), reasons))
    parts.append(f"Made with NumPy {numpy_version()}.\n")
    return "\n".join(parts)


def numpy_version() -> str:
    """The version of NumPy, which determines the functions and their aliases."""
    return ".".join(np.__version__.split(".")[:2])


def _module(op: Op) -> str | None:
    """Where an operation is defined: the module of its rules, for its forward may be NumPy's."""
    rule = next(rule for rule in op.rules if rule is not None)
    return inspect.unwrap(getattr(rule, "func", rule)).__module__


def _title(module: Any) -> str:
    return str(module.__doc__).splitlines()[0].rstrip(".")


def _name(op: Op) -> str:
    return f"`{op.name}`"


def _written(op: Op) -> str:
    """The functions that apply an operation: NumPy's and those of this package."""
    paths = [_paths(function) for function, answer in NUMPY.items() if answer is op]
    paths += [f"`scipy.special.{name}`" for name, answer in SCIPY.items() if answer is op]
    if getattr(ag, op.name, None) is op:
        paths.append(f"`ag.{op.name}`")
    if not paths:  # NumPy's function of that name may be made of more than this
        same = (getattr(home, op.name, None) for _, home in _homes())
        paths += [_paths(function) for function in same if function in NUMPY]
    return ", ".join(paths) or "—"


def _homes() -> Iterator[tuple[str, Any]]:
    yield "np", np
    for name in ("linalg", "fft"):
        yield f"np.{name}", getattr(np, name)


def _paths(function: Any) -> str:
    """All names of a function."""
    found = [
        f"`{prefix}.{name}`"
        for prefix, home in _homes()
        for name in sorted(dir(home))
        if not name.startswith("_") and getattr(home, name) is function
    ]
    return ", ".join(found) or f"`{function.__module__}.{function.__name__}`"


def _is_plain(function: Any, answer: Any) -> bool:
    """Whether NumPy's function itself is called, on the arrays."""
    return inspect.unwrap(answer) is inspect.unwrap(function)


def _first_line(answer: Any) -> str:
    text = inspect.unwrap(answer).__doc__
    return str(text).strip().splitlines()[0].rstrip(".") if text else "—"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*") if "`" not in text else text


if __name__ == "__main__":
    sys.stdout.write(page())
