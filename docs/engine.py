"""The page that prints the engine whole, with notes: `autograd_lite/core/` in reading order."""

from __future__ import annotations

import ast
from pathlib import Path

CORE = Path(__file__).parent.parent / "autograd_lite" / "core"

INTRODUCTION = """\
# The engine

This page prints the engine whole: the folder `autograd_lite/core/`, which imports nothing else of
the package. It is made from the code by `python docs/make.py`, and a test holds it to the code.

The idea fits in one sentence. A program computes a number from others step by step; if each step is
written down, the chain rule can walk the steps back and tell how fast the result changes with every
number that it was made from. So there are four things to read: what is written down
(`tensor.py`), what a step is (`op.py`), how the walk goes (`sweep.py`), and the little state that
both look at (`state.py`).
"""

NOTES = {
    "tensor.py": """\
## What is written down

A value is two objects. The *Tensor*, which the program holds, has the array. The *node*, which the
record holds, has the operation, the nodes of its inputs, and those arrays that a gradient rule will
read. A node never leads to a Tensor. So an array lives for two reasons only: its Tensor does, or a
rule needs it; Python's reference counting frees the others at once, and with the last result the
whole record.
""",
    "Outline": """\
A rule that reads no more of an operand than its shape (a sum spreads its gradient over the shape of
what was summed) gets an outline in the place of a large array. Whoever reads values from an outline
gets an error, never a wrong number.
""",
    "Node": """\
A node describes a value twice. As it was *written*: operation, inputs, attributes. This is what
pictures and derivations show. As it is *swept*: sources and rules, the edges that a gradient takes.
The two differ where the engine knows an equal form that is computed better, as the logarithm of a
sigmoid. Then the value comes from that form, and its gradient goes there, along one edge.
""",
    "Value": """\
Everything that users see of a Tensor, its operators and its methods, is built on this class outside
of the engine. `kept` is None for a leaf whose array was handed out, and that others may change: a
record takes a snapshot. It is None as well for a value that died and is asked for again.
""",
    "leaf": """\
Weights, data, numbers: a leaf is a node without an operation. NumPy's scalars and Python's numbers
are kept as they are, because NumPy computes with them several times faster than with arrays of one
element.
""",
    "apply": """\
Every operation goes through here: collect arrays and nodes of the operands, compute, write down.
The kind of the result is the most particular kind among the operands; that is how a value inside a
function that is being traced is known as one, and refuses to become a plain number.
""",
    "_equal": """\
An equal form is looked for only where it can be: behind the operations that the entry names.
""",
    "_leave_out": """\
Large arrays that no rule reads are left out. What a picture wants to show of them later is computed
again from what was saved, to the last bit: the arrays of the leaves stay, so an update of a weight,
which replaces its array, changes nothing of the past.
""",
    "ancestors": """\
One traversal serves everybody: the sweep, the graph as data, pictures, derivations, the compiler.
Each node has a number that is larger than the numbers of all it was made from, so sorting gives an
order in which every node comes after its inputs. There is no recursion: a chain of a million steps
is as good as one of ten.
""",
    "op.py": """\
## What a step is

An operation is defined once, in one entry of a table: what it computes, and for each operand a rule
that takes the gradient of the result to the gradient of that operand. A rule is written in NumPy.
Given arrays it computes numbers. Given Tensors it records what it does, so that gradients can be
differentiated again: there is no second set of rules for second derivatives.
""",
    "sweep.py": """\
## How the walk goes

The chain rule, node by node, the newest first. When a node's turn comes, all that was made from it
has been visited, so its gradient is complete. The gradients live in a dict and leave it when they
are used.

Everything else that is ever asked of a sweep is a *view*: a function that gives, for a node, the
step to take there. Sweeping over Tensors instead of arrays, over what was written instead of the
equal forms, with an observer at every rule, with the zeros of branches that were not taken: each of
them is a view, in `autograd_lite/sweep.py` and `autograd_lite/masks.py`.
""",
    "sweep": """\
These lines are reverse-mode automatic differentiation. A rule's part of a gradient is fitted to the
shape and dtype of its input, and added to the parts that came from elsewhere.
""",
    "fitted": """\
`x + b` adds one `b` to many rows of `x`; the gradient by `b` is the sum over the rows. This is the
one place where broadcasting is undone. A shape that broadcasting does not explain is an error.
""",
    "state.py": """\
## What the engine looks at

Recording can be switched off, operations can be grouped in scopes, somebody may look on. That holds
for one thread and one task. The rest of the package hangs onto the engine by four hooks.
""",
}
"""What stands before a file, or before a class or function in it."""


def page() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION]
    for name in ("tensor.py", "op.py", "sweep.py", "state.py"):
        parts += [NOTES[name], f"`autograd_lite/core/{name}`\n"]
        parts += sections((CORE / name).read_text(encoding="utf-8"))
    return "\n".join(parts)


def sections(code: str) -> list[str]:
    """The code in pieces, each with its note before it; together they are the code."""
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
