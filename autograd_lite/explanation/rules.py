"""The rules of operations in words, as the documentation of the operations has them."""

from __future__ import annotations

import re
from typing import Any

from autograd_lite.explanation.equations import Equations
from autograd_lite.text import printable

__all__ = ["forward_rule", "gradient_rule"]

LONGEST = 120
"""Rules of this length are shown, beside the first."""


def forward_rule(node: Any) -> str:
    """What an operation computes, in general: sigmoid: 1 / (1 + exp(−x))."""
    settings = [
        f"{key}={value!r}"
        for key, value in node.attributes.items()
        if isinstance(value, (bool, int, float, str, tuple))
        and len(repr(value)) <= 24
        and key != "reduction"
    ]
    formula = _reduced(node.op.notation.formula, node)
    return _ruled(node.op, ", ".join(filter(None, (formula, *settings))))


def gradient_rule(equations: Equations, node: Any) -> str:
    """The gradient rules of the operations that use a node: sigmoid: g σ(x) (1 − σ(x))."""
    rules: dict[str, None] = {}
    for consumer, k in equations.edges(node):
        outer = equations.is_outer(consumer, k)
        if consumer in equations.passed:
            [(consumer, k)] = equations.snapshot.graph.consumers[consumer]
        stable = consumer.stable_form is not None
        if stable and equations.snapshot.array("local", (consumer, k)) is None:
            rules[f"{consumer.op.name}: in a stable form"] = None
        elif rule := consumer.op.notation.gradient_of(k, consumer.op.arity):
            rule = _reduced(rule, consumer)
            rules[f"{consumer.op.name}: {rule}{', an outer product' * outer}"] = None
    shown = [next(iter(rules), "")]
    for rule in list(rules)[1:]:
        if sum(map(len, shown)) + len(rule) > LONGEST:
            shown.append("…")
            break
        shown.append(rule)
    return printable("; ".join(shown))


def _reduced(rule: str, node: Any) -> str:
    """The rule of a loss, which may be a mean or a sum, for what it is at this node."""
    reduction = node.attributes.get("reduction", "mean")
    of = "" if reduction == "none" else rf", its {reduction}\1"
    rule = re.sub(r", its mean or sum( over the rows)?", of, rule)
    return rule.replace("; over m for the mean", " / m" if reduction == "mean" else "")


def _ruled(op: Any, rule: str) -> str:
    """The name of an operation, without the module of a user's operation, and a rule."""
    return printable(": ".join(filter(None, (op.name.rpartition(".")[2], rule))), 100)
