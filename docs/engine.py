"""The page that prints the engine whole, with notes: `autograd_lite/core/` in reading order."""

from __future__ import annotations

import ast
from pathlib import Path

CORE = Path(__file__).parent.parent / "autograd_lite" / "core"

INTRODUCTION = """\
# The engine

This page shows all code of the engine: the folder `autograd_lite/core/`, which imports nothing else
from the package. `python docs/make.py` makes the page, and a test checks that it is up to date.

Reverse-mode automatic differentiation is a simple idea. A program computes a number in steps. If
each step is recorded, the chain rule can be applied to the steps in reverse order, and gives the
derivative of the result with respect to every number it was computed from. The engine has four
parts: the record (`tensor.py`), an operation (`op.py`), the backward pass (`sweep.py`), and a
little state (`state.py`).
"""

NOTES = {
    "tensor.py": """\
## The record

Each value consists of two objects. The *Tensor* belongs to the program and has the array. The
*node* belongs to the record, and has the operation, the nodes of its inputs, and the arrays that a
gradient rule will read. A node does not refer to a Tensor. An array therefore stays in memory only
while its Tensor exists or a rule needs it. Python's reference counting frees all other arrays at
once, and the whole record with its last result.
""",
    "Outline": """\
Some rules read only the shape of an operand. The rule of a sum, for example, broadcasts the
gradient to that shape. Such a rule gets an outline in place of a large array. Reading values from
an outline raises an error.
""",
    "Node": """\
A node describes a value in two ways. The operation, inputs and attributes are the program as
*written*, which pictures and derivations show. The sources and rules are the edges along which the
gradient flows. They differ where the engine knows an equal expression that is computed more
accurately, for example for the logarithm of a sigmoid. Then the value comes from that expression,
and the gradient flows to it along a single edge.
""",
    "Value": """\
The public `Tensor`, with its operators and methods, is a subclass that is defined outside the
engine. `kept` is None in two cases: for a leaf whose array was handed out and may therefore be
changed, so that the record has to take a snapshot; and for a value that was freed and is requested
again.
""",
    "leaf": """\
Parameters, data and numbers are leaves: nodes without an operation. NumPy scalars and Python
numbers are not converted to arrays, because NumPy computes with them several times faster than with
arrays of one element.
""",
    "apply": """\
Every operation runs through this function: it collects the arrays and nodes of the operands,
computes the result, and records it. The class of the result is the most derived class among the
operands. Inside a function that is being traced, values have a class of their own, so all results
do too, and they refuse conversion to plain numbers.
""",
    "_equal": """\
A stable form is searched only after the operations that the entry lists.
""",
    "_leave_out": """\
Large arrays that no rule reads are not saved. If a picture needs one later, it is computed again
from the saved arrays, with the same bits. The arrays of the leaves are always saved; an update of a
parameter replaces its array and does not change the record.
""",
    "ancestors": """\
The backward pass, graphs, pictures, derivations and the compiler all use this traversal. The
position of a node is larger than the positions of its inputs, so sorting by position gives a
topological order. The traversal does not use recursion, and a chain of a million operations is not
a problem.
""",
    "op.py": """\
## Operations

An operation is one entry in a table: its forward function, and for each operand a rule that
computes the gradient of that operand from the gradient of the result. Rules are written in NumPy.
Called with arrays, a rule computes numbers. Called with Tensors, it records its operations, so that
the gradient can be differentiated again with the same rules.
""",
    "sweep.py": """\
## The backward pass

The sweep applies the chain rule node by node, the newest node first. When it reaches a node, it has
already visited everything computed from that node, so the gradient is complete. A dict holds the
gradients until they are used.

Every variation of the sweep is a *view*: a function that returns the step to take at a node. There
are views that compute with Tensors instead of arrays, that follow the program as written instead of
the stable forms, that report every rule to an observer, and that insert the zeros of branches that
were not selected. They are in `autograd_lite/sweep.py` and `autograd_lite/masks.py`.
""",
    "sweep": """\
This function is reverse-mode automatic differentiation. Each rule returns one contribution to the
gradient of an input. It is converted to the shape and dtype of the input, and added to the other
contributions.
""",
    "fitted": """\
`x + b` adds `b` to every row of `x`, so the gradient with respect to `b` is the sum over the rows.
This is the only place where broadcasting is undone. A shape that broadcasting cannot explain is an
error.
""",
    "state.py": """\
## State

Recording can be switched off, operations can be grouped in scopes, and an observer can be notified
of each operation. This state belongs to one thread and one task. Four hooks connect the engine to
the rest of the package.
""",
}
"""The text before a file, or before a class or function."""


def page() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION]
    for name in ("tensor.py", "op.py", "sweep.py", "state.py"):
        parts += [NOTES[name], f"`autograd_lite/core/{name}`\n"]
        parts += sections((CORE / name).read_text(encoding="utf-8"))
    return "\n".join(parts)


def sections(code: str) -> list[str]:
    """All of the code, with each note before its class or function."""
    lines, pieces, start = code.splitlines(keepends=True), [], 0
    for node in ast.parse(code).body:
        named = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in NOTES
        if named:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            pieces += ["".join(lines[start:first]), NOTES[node.name]]
            start = first
    pieces.append("".join(lines[start:]))
    return [
        piece if piece in NOTES.values() else f"```python\n{piece.strip()}\n```\n"
        for piece in pieces
    ]
