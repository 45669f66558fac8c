"""Zeros of structure: what a choice did not take contributes 0, and nothing else is silenced.

Programs are drawn of a singular function, elementwise steps after it, a choice that takes some of
the elements, and moves between them. At what is not taken the operands sit on the singularity.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operands import DIFFERENTIABLE, cases

import autograd_lite as ag
from autograd_lite.core.tensor import Outline
from autograd_lite.op import OPS
from autograd_lite.sweep import gradients

SINGULAR = {
    "√x": (np.sqrt, 0.0),
    "∛x": (np.cbrt, 0.0),
    "log x": (np.log, 0.0),
    "log2 x": (np.log2, 0.0),
    "log1p(x − 1)": (lambda x: np.log1p(x - 1), 0.0),
    "1 / x": (lambda x: 1 / x, 0.0),
    "reciprocal x": (np.reciprocal, 0.0),
    "x ** 0.3": (lambda x: x**0.3, 0.0),
    "x ** −2": (lambda x: x**-2.0, 0.0),
    "arcsin x / 4": (lambda x: np.arcsin(x / 4), 4.0),
    "arccosh(1 + x)": (lambda x: np.arccosh(1 + x), 0.0),
    "arctanh(x / 4)": (lambda x: np.arctanh(x / 4), 4.0),
    "exp(1 / x)": (lambda x: np.exp(1 / x), 0.0),
    "log |x|": (lambda x: np.log(np.abs(x)), 0.0),
    "a missing number": (lambda x: x * 2, np.nan),
    "tanh of a missing number": (lambda x: np.tanh(x), np.nan),
    "sin of an infinite number": (lambda x: np.sin(x), np.inf),
}
"""A function, and where its derivative is not finite."""

STEPS = {
    "nothing": lambda t: t,
    "−t": lambda t: -t,
    "2 t + 1": lambda t: 2 * t + 1,
    "t²": lambda t: t**2,
    "tanh t": np.tanh,
    "sin t": np.sin,
    "exp(−t²)": lambda t: np.exp(-t * t),
    "σ(t)": ag.sigmoid,
    "t · t": lambda t: t * t,
    "t / 3 − t": lambda t: t / 3 - t,
    "softplus t": ag.softplus,
}

CHOICES = {
    "where": lambda t, taken: np.where(taken, t, 7.0),
    "where, the other way": lambda t, taken: np.where(~taken, 7.0, t),
    "an index": lambda t, taken: t[taken],
    "numbers of rows": lambda t, taken: np.ravel(t)[np.flatnonzero(taken)],
    "take": lambda t, taken: np.take(t, np.flatnonzero(taken)),
    "a mask of 0 and 1": lambda t, taken: np.where(taken, t, 0.0),
    "compress": lambda t, taken: np.compress(np.ravel(taken), np.ravel(t)),
    "select": lambda t, taken: np.select([taken], [t], 5.0),
}

MOVES = {
    "nothing": lambda t, taken: (t, taken),
    "transpose": lambda t, taken: (t.T, taken.T),
    "reshape": lambda t, taken: (np.reshape(t, (-1,)), taken.reshape(-1)),
    "flip": lambda t, taken: (np.flip(t), np.flip(taken)),
    "new axis": lambda t, taken: (t[None], taken[None]),
    "broadcast": lambda t, taken: (t[None] + np.ones((2, 1, 1)), np.stack([taken, taken])),
    "stack": lambda t, taken: (np.stack([t, t]), np.stack([taken, taken])),
    "concatenate": lambda t, taken: (np.concatenate([t, t]), np.concatenate([taken, taken])),
    "roll": lambda t, taken: (np.roll(t, 1, 0), np.roll(taken, 1, 0)),
}

names = {
    key: st.sampled_from(sorted(table))
    for key, table in (
        ("singular", SINGULAR),
        ("before", STEPS),
        ("choice", CHOICES),
        ("move", MOVES),
        ("after", STEPS),
    )
}


@st.composite
def programs(draw):
    """A program, arguments on and off the singularity, and those off it alone."""
    singular, place = SINGULAR[draw(names["singular"])]
    step, after = STEPS[draw(names["before"])], STEPS[draw(names["after"])]
    move, choice = MOVES[draw(names["move"])], CHOICES[draw(names["choice"])]
    random = np.random.default_rng(draw(st.integers(0, 999)))
    taken = random.random((2, 3)) < 0.5
    taken[0, 0], taken[1, 2] = True, False
    x = random.uniform(0.5, 1.5, (2, 3))

    def program(x):
        return np.sum(after(choice(*move(step(singular(x)), taken))))

    return program, np.where(taken, x, place), np.where(taken, x, 1.0), taken


@given(programs())
def test_what_is_not_taken_contributes_nothing(drawn):
    program, x, safe, taken = drawn
    with np.errstate(all="ignore"):
        found = ag.grad(program)(x)
        expected = np.where(taken, ag.grad(program)(safe), 0)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        v = np.linspace(0.5, 1.5, x.size).reshape(x.shape)
        found = ag.hvp(program)(x, v)
        expected = np.where(taken, ag.hvp(program)(safe, v), 0)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.slow
@given(programs())
def test_and_nothing_where_it_is_compiled(drawn):
    program, x, safe, taken = drawn
    with np.errstate(all="ignore"):
        found = ag.compile(lambda x: ag.grad(program)(x))(x)
        np.testing.assert_allclose(found, np.where(taken, ag.grad(program)(safe), 0), rtol=1e-9)


FACTORS = {
    "a difference": lambda x: x[0] - ag.stop_gradient(x[0]),
    "a product": lambda x: x[0] * (x[1] - 2.0),
    "a sine": lambda x: np.sin(x[1] - 2.0),
    "a sign": lambda x: np.sign(x[1] - 2.0),
    "a floor": lambda x: np.floor(x[1] - 2.0),
    "a maximum": lambda x: np.maximum(x[1] - 2.0, -1.0),
}


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", ["√x", "x ** 0.3", "∛x"])
def test_a_number_that_happens_to_be_zero_silences_nothing(name, factor):
    singular, place = SINGULAR[name]
    x = np.array([place, 2.0])
    with np.errstate(all="ignore"):
        gradient = ag.grad(lambda x: FACTORS[factor](x) * singular(x[0]))(x)
        compiled = ag.compile(lambda x: ag.grad(lambda x: FACTORS[factor](x) * singular(x[0]))(x))
    assert not np.isfinite(gradient[0])
    assert not np.isfinite(compiled(x)[0])


def test_two_consumers_of_which_one_takes_it():
    x = np.array([0.0, 4.0])
    taken = np.array([False, True])

    def program(x):
        root = np.sqrt(x)
        return np.sum(np.where(taken, root, 0)) + np.sum(root * 2)

    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ag.grad(program)(x), [np.inf, 0.75])


def test_backward_pictures_and_anomalies_see_the_same_zeros():
    x = ag.Tensor([0.0, 4.0], name="x")
    with np.errstate(all="ignore"):
        loss = np.sum(np.where(x.data > 0, np.log(x), 0))
    np.testing.assert_array_equal(gradients(loss).of[x], [0, 0.25])
    loss.backward()
    np.testing.assert_array_equal(x.grad, [0, 0.25])
    x.zero_grad()
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match="log made"):
        np.log(x)
    with ag.detect_anomaly():
        y = np.where(np.array([False, True]), np.sqrt(x), 0)
        np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [0, 0.25])


def test_a_constant_that_doubles_sixty_times():
    x, c = ag.Tensor([0.0, 4.0]), ag.constant([0.0, 1.0])
    for _ in range(60):
        c = c + c
    with np.errstate(all="ignore"):
        gradient = ag.grad(lambda x: np.sum(c * np.sqrt(x)))(x.numpy())
    np.testing.assert_allclose(gradient, [0, 2.0**58])


@pytest.mark.parametrize("reduced", [np.max, np.min, np.ptp, np.nanmax])
@pytest.mark.parametrize("shape", [(3, 3), (3, 4), (3, 1)])
def test_an_extreme_of_rows_of_which_some_are_taken(shape, reduced):
    x = np.random.default_rng(0).normal(size=shape)
    rows = np.array([0, 2])
    taken = np.array([True, False, True])
    for choice in (lambda t: t[rows], lambda t: np.where(taken, t, 0)):
        f = lambda x, choice=choice: np.sum(choice(reduced(x, axis=1)))  # noqa: E731
        plain = ag.grad(f)(x)
        assert not plain[1].any()
        np.testing.assert_array_equal(ag.compile(lambda x, f=f: ag.grad(f)(x))(x), plain)
        np.testing.assert_array_equal(ag.grad(lambda y, f=f: np.sum(ag.grad(f)(y) * y))(x), plain)
        with ag.detect_anomaly():
            np.testing.assert_array_equal(ag.grad(f)(x), plain)
        both = ag.grad(lambda x, z, f=f: f(x) + np.sum(np.sqrt(z)), (0, 1))
        np.testing.assert_array_equal(both(x, np.zeros(2))[0], plain)


def test_a_constant_0_of_no_grad_silences_in_a_program_as_well():
    def f(x):
        with ag.no_grad():
            nothing = x * 0
        return np.sum(nothing * np.log(x))

    x = np.array([0.0, 1.0])
    for transform in ag.grad, ag.hessian:
        with np.errstate(all="ignore"):
            assert not np.any(transform(f)(x))
            assert not np.any(ag.compile(transform(f))(x))


CHOOSING = [name for name in DIFFERENTIABLE if type(OPS[name].traits.chooses) is tuple]


@pytest.mark.parametrize("name", CHOOSING)
@settings(max_examples=4)
@given(st.data())
def test_a_choice_is_known_from_what_the_rule_reads(name, data):
    """Of large arrays nothing else is saved."""
    case = data.draw(cases(OPS[name]))
    arrays = [np.asarray(case.forward(*case.operands)), *map(np.asarray, case.operands)]
    for choose, numbers in zip(case.op.traits.chooses, case.op.reads, strict=True):
        saved = [x if k in numbers else Outline(x) for k, x in enumerate(arrays)]
        if choose is not None:
            mask = choose(*saved, **case.attributes)
            np.broadcast_to(mask, arrays[0].shape)
            assert mask.dtype == bool
