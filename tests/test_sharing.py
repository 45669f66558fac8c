"""An array is shared with the record or with the outside, never with both.

A leaf hands out its own array, and a record keeps it without a copy when nothing else still has it,
which the engine reads off the number of references to it.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import tensor


def in_a_name(w):
    data = w.data
    yield data


def in_a_list(w):
    held = [w.data]
    yield held[0]


def in_a_closure(w):
    data = w.data
    yield (lambda: data)()


def in_an_instance(w):
    class Holder:
        pass

    holder = Holder()
    holder.data = w.data
    yield holder.data


def in_a_view(w):
    view = w.data[::2]
    yield view


def in_a_view_of_a_view(w):
    view = w.data[1:].reshape(-1, 1).T
    yield view


def in_a_buffer(w):
    buffer = memoryview(w.data)
    yield np.asarray(buffer)


def in_an_iterator(w):
    rows = iter([w.data])
    yield next(rows)


def as_an_argument(w):
    def held(data):
        yield data

    return held(w.data)


HOLDERS = [
    in_a_name,
    in_a_list,
    in_a_closure,
    in_an_instance,
    in_a_view,
    in_a_view_of_a_view,
    in_a_buffer,
    in_an_iterator,
    as_an_argument,
]


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_write_through_what_is_held_reaches_no_record(holder, dtype):
    w = ag.Tensor(np.arange(1, 5, dtype=dtype))
    for held in holder(w):
        loss = np.sum(w * w)
        held[...] = 100
        assert 100 in w.data
        loss.backward()
        np.testing.assert_array_equal(w.grad, [2, 4, 6, 8])


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_write_through_what_was_held_before_reaches_no_record(holder):
    w = ag.Tensor(np.arange(1.0, 5))
    for held in holder(w):
        held[...] = held + 0
    del held
    loss = np.sum(w * w)
    w.data[:] = 100
    loss.backward()
    np.testing.assert_array_equal(w.grad, [2, 4, 6, 8])


def test_a_write_while_the_record_is_made_reaches_no_record():
    w = ag.Tensor(np.ones(3))
    made = []

    def recorded(data):
        made.append(np.sum(w * w))
        data[:] = 100

    recorded(w.data)
    w.data += made.append(np.sum(w * w)) or 1
    np.testing.assert_array_equal(w.data, [101, 101, 101])
    made[0].backward()
    np.testing.assert_array_equal(w.grad, [2, 2, 2])
    w.zero_grad()
    made[1].backward()
    np.testing.assert_array_equal(w.grad, [200, 200, 200])


@pytest.mark.skipif(not hasattr(sys, "getrefcount"), reason="references are not counted here")
def test_what_nothing_else_holds_is_not_copied():
    w = ag.Tensor(np.ones(3))
    for _ in range(3):
        w.data -= 0.1
        loss = np.sum(w * w)
        assert loss.inputs[0].operands[0] is w.array
        del loss


def test_the_count_is_the_same_in_code_that_ran_often():
    # Interpreters rewrite and compile what runs often, and may then count otherwise.
    w = ag.Tensor(np.ones(3))
    for _ in range(5000):
        held = w.data
        assert tensor.is_shared(w)
        del held
        if hasattr(sys, "getrefcount"):
            assert not tensor.is_shared(w)


def test_every_array_is_held_where_references_are_not_counted(monkeypatch):
    w = ag.Tensor(np.ones(3))
    assert w.data is w.data
    monkeypatch.delattr(sys, "getrefcount", raising=False)
    assert tensor.is_shared(w)
