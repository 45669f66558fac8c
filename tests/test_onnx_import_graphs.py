"""Random graphs of the operations that stable forms are made of: no result gets less accurate."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx")
mpmath = pytest.importorskip("mpmath")

from onnx import helper  # noqa: E402
from onnx_models import built, imported  # noqa: E402

import autograd_lite as ag  # noqa: E402

LITERALS = {"one": 1.0, "half": 0.5, "two": 2.0, "root": 2**0.5}
SHAPE = (2, 3)


FUNCTIONS = {
    "Exp": np.exp,
    "Log": np.log,
    "Neg": np.negative,
    "Abs": np.abs,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Tanh": np.tanh,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Softmax": lambda x: (
        np.exp(x - x.max(1, keepdims=True))
        / np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)
    ),
    "ReduceSum": lambda x: np.sum(x, axis=1, keepdims=True),
    "ReduceL1": lambda x: np.sum(np.abs(x), axis=1, keepdims=True),
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Max": np.maximum,
}


def each(function):
    """A function of one mpmath number for arrays; NaN where it is not defined or is too large."""

    def number(*operands):
        try:
            value = function(*operands)
        except (ZeroDivisionError, ValueError):
            return mpmath.nan
        return value if isinstance(value, mpmath.mpf) else mpmath.nan

    return np.frompyfunc(number, function.__code__.co_argcount, 1)


def exp(x):
    return mpmath.exp(x) if abs(x) < 1e5 else mpmath.nan


def power(x, n):
    return exp(n * mpmath.log(x)) if x > 0 else x**n if n == int(n) and abs(n) < 99 else mpmath.nan


EXACT = FUNCTIONS | {
    "Exp": each(exp),
    "Log": each(lambda x: mpmath.log(x)),
    "Sqrt": each(lambda x: mpmath.sqrt(x)),
    "Reciprocal": each(lambda x: 1 / x),
    "Tanh": each(lambda x: mpmath.tanh(x) if abs(x) < 1e5 else mpmath.sign(x)),
    "Sigmoid": each(lambda x: 1 / (1 + exp(-x))),
    "Softmax": lambda x: each(exp)(x) / each(exp)(x).sum(1, keepdims=True),
    "Div": each(lambda x, y: x / y),
    "Pow": each(power),
}
BINARY = {"Add", "Sub", "Mul", "Div", "Pow", "Max"}
CHAINS = (
    "s = Sigmoid a; d = Sub 1 s; Log d",
    "s = Sigmoid a; Log s",
    "s = Sigmoid a; Mul b s",
    "e = Exp a; f = Add e 1; Log f",
    "e = Exp a; f = Exp b; s = Add e f; Log s",
    "f = Add 1 a; Log f",
    "e = Exp a; Sub e 1",
    "e = Exp a; f = Add 1 e; Div 1 f",
    "e = Exp a; f = Exp b; s = ReduceSum f; Div e s",
    "e = Exp a; s = ReduceSum e; Log s",
    "e = Softmax a; f = Softmax b; g = Abs f; s = ReduceSum g; Div e s",
    "e = Softmax a; Log e",
    "f = Mul a b; s = ReduceSum f; Sqrt s",
    "f = Pow a 1; s = ReduceSum f; Sqrt s",
)
"""Stable forms taken apart, and what resembles them when a and b are two arrays or 1 is 2."""


@st.composite
def graphs(draw):
    """Nodes, and the number of axes of the literals."""
    names, nodes = ["x", "w"], []

    def add(kind, inputs):
        attributes = {"axis": 1} if kind == "Softmax" else {}
        extra = ["axes"] if kind.startswith("Reduce") else []
        names.append(f"v{len(nodes)}")
        nodes.append(helper.make_node(kind, [*inputs, *extra], [names[-1]], **attributes))
        return names[-1]

    for _ in range(draw(st.integers(1, 3))):
        one = draw(st.sampled_from(["one", "one", "one", "half", "two"]))
        a, b = (draw(st.sampled_from(names[-3:])) for _ in "ab")
        own = {"a": a, "b": b, "1": one}
        for line in draw(st.sampled_from(CHAINS)).split("; "):
            out, _, call = line.rpartition(" = ")
            kind, *inputs = call.split()
            if kind in ("Add", "Mul") and draw(st.booleans()):
                inputs.reverse()
            own[out] = add(kind, [own[name] for name in inputs])
        kind = draw(st.sampled_from(sorted(FUNCTIONS)))
        count = 2 if kind in BINARY else 1
        add(kind, [draw(st.sampled_from(names[-3:])) for _ in range(count)])
    return nodes, draw(st.integers(0, 2))


def computed(nodes, values, functions):
    for node in nodes:
        operands = [values[name] for name in node.input if name != "axes"]
        values[node.output[0]] = functions[node.op_type](*operands)
    return values


@given(graph=graphs(), seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.3, 3.0, 40.0]))
@settings(max_examples=int(os.environ.get("PROGRAMS", "150")))
def test_no_result_is_less_accurate(graph, seed, scale, tmp_path_factory):
    nodes, ndim = graph
    random = np.random.default_rng(seed)
    given = {name: random.normal(size=SHAPE) * scale for name in "xw"}
    literals = {name: np.full((1,) * ndim, value) for name, value in LITERALS.items()}
    outputs = {node.output[0]: given["x"] for node in nodes}
    arrays = literals | {"axes": np.array([1])}
    model = imported(built(nodes, given, outputs, arrays, 18), tmp_path_factory.mktemp("graph"))
    with np.errstate(all="ignore"):
        plain = computed(nodes, given | literals, FUNCTIONS)
        wide = {name: np.frompyfunc(mpmath.mpf, 1, 1)(x) for name, x in given.items()}
        wide |= {name: np.frompyfunc(mpmath.mpf, 1, 1)(x) for name, x in literals.items()}
        with mpmath.workdps(500):
            exact = computed(nodes, wide, EXACT)
        results = [model(**given), model(**{name: ag.constant(x) for name, x in given.items()})]
        largest = 1.0
        for name in outputs:
            right, naive = np.asarray(exact[name], float), plain[name]
            known = np.isfinite(right)
            largest = max(largest, np.abs(right[known]).max(initial=0))
            error = np.abs(naive - right)
            # Where the naive form overflows, another may be as inexact as its operands.
            allowed = np.where(np.isfinite(error), 4 * error + 4e-15 * largest, 1e-6 * largest)
            for result in results:
                x = np.asarray(result[name] if len(outputs) > 1 else result)
                fine = (np.abs(x - right) <= allowed) | ~np.isfinite(x) & ~np.isfinite(naive)
                assert fine[known].all(), (name, x, naive, right)
