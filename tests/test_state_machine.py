"""No sequence of building, naming, changing in place, sweeping and freeing changes a gradient.

A machine does at random what programs do to Tensors and to every array that was given to them or
handed out by them, beside a naive engine that copies everything and shares nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import autograd_lite as ag
from autograd_lite.sweep import gradients

SIZE = 3

# Each operation: on Tensors or arrays, and the naive gradients of its operands.
OPERATIONS = {
    "mean of two": (lambda a, b: (a + b) / 2, lambda g, a, b: (g / 2, g / 2)),
    "difference": (lambda a, b: (a - b) / 2, lambda g, a, b: (g / 2, -g / 2)),
    "product": (
        lambda a, b: np.tanh(a * b),
        lambda g, a, b: (
            g * (1 - np.tanh(a * b) ** 2) * b,
            g * (1 - np.tanh(a * b) ** 2) * a,
        ),
    ),
    "choice": (
        lambda a, b: np.where(a > b, a, b / 2),
        lambda g, a, b: (np.where(a > b, g, 0), np.where(a > b, 0, g / 2)),
    ),
    "relu": (lambda a, b: ag.relu(a) + b * 0, lambda g, a, b: (g * (a > 0), 0 * g)),
    "reversed": (lambda a, b: a[::-1] + b * 0, lambda g, a, b: (g[::-1], 0 * g)),
    "spread": (lambda a, b: b * 0 + np.mean(a), lambda g, a, b: (np.full(SIZE, g.mean()), 0 * g)),
}


@dataclass(eq=False)
class Naive:
    """What an entry should be: its value, how it was made, and, of a leaf, its gradient."""

    value: np.ndarray
    requires_grad: bool
    made: tuple = ()
    grad: np.ndarray | None = None
    version: int = 0

    def backward(self, g):
        if not self.made:
            if self.requires_grad:
                self.grad = g.copy() if self.grad is None else self.grad + g
            return
        inputs, values, rule = self.made
        for x, part in zip(inputs, rule(g, *values), strict=True):
            if x.requires_grad:
                x.backward(part)


@dataclass(eq=False)
class Entry:
    tensor: ag.Tensor
    naive: Naive
    views: list = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.entries = []
        self.random = np.random.default_rng(0)
        self.handed_out = []

    def numbers(self):
        return self.random.uniform(-2, 2, SIZE)

    def leaf(self, k):
        leaves = [entry for entry in self.entries if not entry.naive.made]
        return leaves[k % len(leaves)]

    def entry(self, k):
        # Counted from the end, so that graphs grow deep.
        return self.entries[-1 - k % len(self.entries)]

    @rule(requires_grad=st.booleans())
    def build_leaf(self, requires_grad):
        given = self.numbers()
        naive = Naive(given.copy(), requires_grad)
        self.entries.append(Entry(ag.Tensor(given, requires_grad=requires_grad), naive))
        given[:] = 99
        self.handed_out.append(given)

    @precondition(lambda self: self.entries)
    @rule(name=st.sampled_from(sorted(OPERATIONS)), i=st.integers(0, 5), j=st.integers(0, 5))
    def apply(self, name, i, j):
        function, naive_rule = OPERATIONS[name]
        a, b = self.entry(i), self.entry(j)
        values = a.naive.value.copy(), b.naive.value.copy()
        naive = Naive(
            function(*values),
            a.naive.requires_grad or b.naive.requires_grad,
            ((a.naive, b.naive), values, naive_rule),
        )
        self.entries.append(Entry(function(a.tensor, b.tensor), naive))

    @precondition(lambda self: self.entries)
    @rule(i=st.integers(0, 5), left=st.booleans())
    def apply_to_a_plain_array_that_changes_afterwards(self, i, left):
        function, naive_rule = OPERATIONS["product"]
        a, given = self.entry(i), self.numbers()
        other = Naive(given.copy(), False)
        values = a.naive.value.copy(), given.copy()
        made = (a.naive, other), values, naive_rule
        result = np.tanh(given * a.tensor) if left else np.tanh(a.tensor * given)
        self.entries.append(Entry(result, Naive(function(*values), a.naive.requires_grad, made)))
        given[:] = 99

    @precondition(lambda self: self.entries)
    @rule(i=st.integers(0, 9), name=st.sampled_from(["a", "ŷ", None]))
    def give_a_name(self, i, name):
        assert self.entry(i).tensor.named(name).name == name

    @precondition(lambda self: self.entries)
    @rule(k=st.integers(0, 9), how=st.sampled_from(["item", "subtract", "fill", "sort"]))
    def change_a_leaf_in_place(self, k, how):
        entry = self.leaf(k)
        w, value = entry.tensor, entry.naive.value
        if how == "item":
            w.data[0] = value[0] = 0.5
        elif how == "subtract":
            step = self.numbers() / 10
            w.data -= step
            value -= step
        elif how == "fill":
            w.data.fill(0.25)
            value.fill(0.25)
        else:
            w.data.sort()
            value.sort()

    @precondition(lambda self: self.entries)
    @rule(k=st.integers(0, 9))
    def set_the_data_of_a_leaf(self, k):
        entry, given = self.leaf(k), self.numbers()
        entry.tensor.data = given
        entry.naive.value = given.copy()
        entry.naive.version += 1
        given[:] = 99

    @precondition(lambda self: self.entries)
    @rule(k=st.integers(0, 9))
    def take_a_view(self, k):
        entry = self.leaf(k)
        view = entry.tensor.data[1:]
        entry.views.append((view, entry.naive.version))

    @precondition(lambda self: any(entry.views for entry in self.entries))
    @rule(k=st.integers(0, 9))
    def change_a_view_that_was_taken_earlier(self, k):
        viewed = [entry for entry in self.entries if entry.views]
        entry = viewed[k % len(viewed)]
        view, version = entry.views[k % len(entry.views)]
        view[:] = -0.75
        if version == entry.naive.version:
            entry.naive.value[1:] = -0.75

    @precondition(lambda self: self.entries)
    @rule(i=st.integers(0, 9))
    def results_hand_out_what_cannot_be_changed(self, i):
        entry = self.entry(i)
        array = entry.tensor.numpy()
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 99
        if entry.naive.made:
            with pytest.raises(ValueError, match="read-only"):
                entry.tensor.data[0] = 99
        copied = np.array(entry.tensor.detach().data)
        copied[:] = 99
        entry.tensor.detach().data[:] = 99

    @precondition(lambda self: any(entry.naive.requires_grad for entry in self.entries))
    @rule(i=st.integers(0, 9), thread=st.booleans())
    def backward(self, i, thread):
        required = [entry for entry in self.entries if entry.naive.requires_grad]
        entry, g = required[-1 - i % len(required)], self.numbers()
        entry.naive.backward(g.copy())
        if thread:
            worker = threading.Thread(target=entry.tensor.backward, args=(g,))
            worker.start()
            worker.join()
        else:
            entry.tensor.backward(g)
        g[:] = 99

    @precondition(lambda self: any(entry.naive.requires_grad for entry in self.entries))
    @rule(i=st.integers(0, 9))
    def look_at_all_gradients_and_change_them(self, i):
        required = [entry for entry in self.entries if entry.naive.requires_grad]
        found = gradients(required[-1 - i % len(required)].tensor)
        assert found.of

    @precondition(lambda self: self.entries)
    @rule(k=st.integers(0, 9), how=st.sampled_from(["scale", "forget", "keep and change"]))
    def touch_a_gradient(self, k, how):
        entry = self.leaf(k)
        if how == "forget":
            entry.tensor.zero_grad()
            entry.naive.grad = None
        elif entry.tensor.grad is not None:
            entry.tensor.grad *= 0.5
            entry.naive.grad *= 0.5

    @precondition(lambda self: self.entries)
    @rule(i=st.integers(0, 9))
    def compute_without_recording(self, i):
        with ag.no_grad():
            assert not (self.entry(i).tensor * 2).requires_grad

    @precondition(lambda self: len(self.entries) > 1)
    @rule(i=st.integers(0, 9))
    def free(self, i):
        kept = self.entry(i)
        if kept.naive.made:
            self.entries.remove(kept)

    @invariant()
    def all_is_as_it_should_be(self):
        for entry in self.entries:
            np.testing.assert_array_equal(entry.tensor.array, entry.naive.value)
            assert entry.tensor.requires_grad == entry.naive.requires_grad
            if not entry.naive.made:
                grad, expected = entry.tensor.grad, entry.naive.grad
                assert (grad is None) == (expected is None)
                if grad is not None:
                    np.testing.assert_allclose(grad, expected, rtol=1e-9, atol=1e-12)


class TestMachine(Machine.TestCase):
    settings = settings(max_examples=120, stateful_step_count=40)
