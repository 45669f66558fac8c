"""Copies and pickles: operations and compiled functions are known by their names."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.op import OPS

LOAD = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"


def in_a_fresh_process(pickled):
    return subprocess.run([sys.executable, "-c", LOAD], input=pickled, capture_output=True)


@pytest.fixture
def mine():
    op = ag.operation("mine", lambda x: x + 1, lambda g, out, x: g)
    yield op
    del OPS["mine"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", OPS)
def test_a_pickle_gives_the_same_operation(name, protocol):
    op = OPS[name]
    assert pickle.loads(pickle.dumps(op, protocol)) is op


def test_copies_are_the_operation_itself(mine):
    for op in ag.relu, mine:
        assert copy.copy(op) is copy.deepcopy(op) is copy.deepcopy([op])[0] is op


def test_a_partial_of_an_operation_is_pickled():
    leaky = pickle.loads(pickle.dumps(partial(ag.leaky_relu, negative_slope=0.5)))
    assert leaky(-2.0) == -1.0


def test_a_fresh_process_finds_what_the_package_defines():
    run = in_a_fresh_process(pickle.dumps(ag.relu))
    assert (run.returncode, run.stdout.strip()) == (0, b"<operation relu>")


def test_a_fresh_process_names_what_it_does_not_know(mine):
    run = in_a_fresh_process(pickle.dumps(mine))
    assert b"UnpicklingError" in run.stderr
    assert b"operation 'mine' is not defined" in run.stderr


def test_what_was_replaced_is_copied_but_not_pickled(mine):
    ag.operation("mine", lambda x: x + 2, lambda g, out, x: g)
    assert copy.deepcopy(mine) is mine
    with pytest.raises(pickle.PicklingError, match="mine: cannot be pickled"):
        pickle.dumps(mine)


def cubes(x):
    return np.sum(x**3)


@ag.compile
def gradient(x):
    return ag.grad(cubes)(x)


def test_a_compiled_function_is_pickled_by_its_name():
    assert pickle.loads(pickle.dumps(gradient)) is gradient
    assert copy.deepcopy([gradient])[0] is gradient


@pytest.mark.parametrize("options", [{}, {"rows": 3}, {"rows": "auto", "workers": 2}])
def test_a_compiled_function_without_a_name_of_its_own(options):
    compiled = ag.compile(cubes, **options)
    compiled(np.ones(7))
    other = pickle.loads(pickle.dumps(compiled))
    assert other is not compiled
    assert other(np.ones(7)) == 7
    assert other.readable(np.ones(7)) == compiled.readable()


def test_a_compiled_lambda_is_not_pickled():
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(ag.compile(lambda x: x))
