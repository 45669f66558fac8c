"""Each rewrite alone: equal, no less accurate, and no number where the result is undefined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import RULES, Operands, alone, compared
from rule_cases import ALIKE, CASES

from autograd_lite.compiler import factors, rules
from autograd_lite.compiler.passes import with_factors_placed
from autograd_lite.compiler.rewrite import rewrite
from autograd_lite.compiler.rules import STATEMENTS
from autograd_lite.expressions.expr import Builder

SEEDS = st.integers(0, 2**20)


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_a_rule_alone_keeps_the_value(name):
    fired = set()

    @settings(max_examples=30)
    @given(SEEDS)
    def check(seed):
        for k, (case, specs, options) in enumerate(CASES[name]):
            better, wrong = alone(
                RULES.get(name, getattr(rules, name, None)), case, specs, seed, **options
            )
            assert wrong is None, (k, wrong)
            if better is not None:
                fired.add(k)

    check()
    assert len(fired) == len(CASES[name]), fired


@pytest.mark.parametrize("number", range(len(ALIKE)))
def test_similar_expressions_keep_their_value(number):
    name, case, specs, options = ALIKE[number]

    @settings(max_examples=30)
    @given(SEEDS)
    def check(seed):
        assert alone(RULES[name], case, specs, seed, **options)[1] is None

    check()


def pick(k):
    return lambda b, *given: given[k]


X, Y = pick(0), pick(1)


def on(fn, *parts, **keywords):
    """A call on the results of other cases."""

    def case(b, *given):
        args = [part(b, *given) if callable(part) else part for part in parts]
        return b.call(fn, *args, **keywords)

    return case


FAULTS = {
    "0 · x = 0": (lambda b, e: b.call("np.zeros_like", e), on("np.multiply", 0.0, X)),
    "x / x = 1": (lambda b, e: b.call("np.ones_like", e), on("np.divide", X, X)),
    "log(1 + x) for log1p": (
        lambda b, e: b.call("np.log", b.call("np.add", 1.0, *e.args)),
        on("np.log1p", on("np.absolute", X)),
    ),
    "√ of squares for |x|": (
        lambda b, e: b.call("np.sqrt", b.call("np.square", *e.args)),
        on("np.absolute", X),
    ),
    "a half in single precision": (
        lambda b, e: b.call(".astype", b.call(".astype", e, np.dtype("f")), np.dtype("d")),
        on("np.multiply", X, 0.5),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_rule_is_found(name):
    rule, case = FAULTS[name]
    assert any(alone(rule, case, "d:40", seed)[1] for seed in range(6))


def scaled(number, x):
    return lambda b, *given: b.call("np.multiply", number, x(b, *given))


HALF, THIRD, MINUS = scaled(0.5, X), on("np.divide", X, 3.0), on("np.negative", X)

FACTORED = [
    (on("np.multiply", HALF, on("np.divide", Y, 4.0)), "d:3,4 d:3,4"),
    (on("np.add", scaled(2.0, X), scaled(2.0, Y)), "d:3,4 d:4"),
    (on("np.subtract", scaled(-2.0, X), scaled(2.0, Y)), "d:3,4 d:4"),
    (on("np.subtract", MINUS, on("np.negative", Y)), "f:3,4 f:3,4"),
    (on("np.subtract", scaled(3.0, X), scaled(0.1, Y)), "d:3,4 d:3,4"),
    (on("np.divide", THIRD, scaled(7.0, Y)), "d:3,4 d:3,4"),
    (on("np.divide", 0.1, scaled(7.0, X)), "d:3,4"),
    (on("np.add.reduce", scaled(0.3, on("np.multiply", MINUS, Y)), axis=0), "d:3,4 d:3,4"),
    (on("np.add.reduce", scaled(2.0, X), axis=None, initial=1.0), "d:3,4"),
    (scaled(0.7, on("np.matmul", on(".T", THIRD), Y)), "d:3,4 d:3,2"),
    (on("np.subtract", X, scaled(0.1, on("np.add.reduce", THIRD, axis=0))), "d:3,4"),
    (scaled(0.0, on("np.matmul", X, scaled(2.0, Y))), "d:3,4 d:4,2"),
    (on("np.exp", scaled(0.5, on("np.negative", MINUS))), "d:3,4"),
    (on("np.multiply", on("np.broadcast_to", HALF, (3, 4)), Y), "d d:3,4"),
    (scaled(1e-9, scaled(1e9, on("np.multiply", scaled(2.0**20, X), Y))), "f:3,4 f:3,4"),
    (scaled(0.5, on("np.add", HALF, Y)), "f:3,4 d:3,4"),
    (on("[]", on("np.add", HALF, scaled(0.5, Y)), (slice(None), 0)), "d:3,4 d:3,4"),
]

PASSES = {
    "pulled out": factors.pulled_out,
    "placed": lambda roots, b: factors.placed(roots, b, all_factors=True),
    "divisors placed": lambda roots, b: factors.placed(roots, b, all_factors=False),
    "merged": lambda roots, b: rewrite(roots, factors.MERGED, b),
    "all of it": lambda roots, b: with_factors_placed(factors.pulled_out(roots, b), b),
}


@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=40)
@given(st.integers(0, 2**20))
def test_moving_a_factor_loses_no_accuracy(name, seed):
    # Within the range of the factors that may move (see docs/compile.md).
    moderate = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-12, -1e12]
    for k, (case, specs) in enumerate(FACTORED):
        b, operands = Builder(), Operands(seed, moderate)
        written = case(b, *(operands(b, spec) for spec in specs.split()))
        (better,) = PASSES[name]([written], b)
        assert compared(b, written, better, sums=True) is None, (k, better)


def test_a_factor_that_keeps_a_product_in_range_stays_where_it_is():
    b = Builder()
    x = b.argument(np.full(3, 1e-22, np.float32), "x")
    scaled = b.call("np.multiply", 1e4, x)
    square = b.call("np.multiply", scaled, scaled)
    assert factors.pulled_out([square], b) == [square]
    loss = b.argument(np.full(3, 1e-7, np.float16), "loss")
    scaled = b.call("np.multiply", 1024.0, loss)
    back = b.call("np.divide", b.call("np.multiply", scaled, scaled), 1024.0)
    assert factors.pulled_out([back], b) == [back]
