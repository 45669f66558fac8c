"""Models of any depth, width, activation, loss and layout: the forms agree with the sweep."""

from __future__ import annotations

import numpy as np
import pytest
from derived_forms import agree
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.sweep import gradients

pytest.importorskip("sympy")

ACTIVATIONS = [ag.relu, np.tanh, ag.sigmoid, ag.softplus, np.sin, ag.leaky_relu, ag.silu]


def _entropy(z, y, reduce):
    ŷ = ag.sigmoid(z).named("ŷ")
    return -reduce(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))


def _written_out(z, y, reduce):
    ŷ = 1 / (1 + np.exp(-z))
    return -reduce(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))


LOSSES = {
    "cross-entropy": _entropy,
    "written out": _written_out,
    "operation": lambda z, y, reduce: ag.binary_cross_entropy(
        ag.sigmoid(z), y, reduction="sum" if reduce is np.sum else "mean"
    ),
    "logits": lambda z, y, reduce: ag.binary_cross_entropy_with_logits(z, y),
    "squares": lambda z, y, reduce: reduce((z - y) ** 2),
}


@st.composite
def models(draw, least=1):
    """A loss with its named parameters, batch as rows or as columns; axes at least that long."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    widths = draw(st.lists(st.integers(least, 3), max_size=3))
    rows, inputs = draw(st.integers(least, 3)), draw(st.integers(least, 3))
    activation = draw(st.sampled_from(ACTIVATIONS))
    columns, names = draw(st.booleans()), draw(st.booleans())
    loss = draw(st.sampled_from(sorted(LOSSES)))
    reduce = draw(st.sampled_from([np.sum, np.mean]))

    def named(x, name):
        return x.named(name) if names else x

    shape = (inputs, rows) if columns else (rows, inputs)
    h, k = ag.constant(random.normal(size=shape), name="X"), inputs
    for layer, width in enumerate([*widths, 1]):
        W = ag.Tensor(random.normal(size=(width, k)), name=f"W{layer}")
        b = ag.Tensor(random.normal(size=(width, 1) if columns else width), name=f"b{layer}")
        a = named(W @ h + b if columns else h @ W.T + b, f"a{layer}")
        h, k = a if layer == len(widths) else named(activation(a), f"h{layer}"), width
    y = ag.constant((random.random(h.shape) < 0.5).astype(float), name="y")
    return LOSSES[loss](h, y, reduce)


@settings(max_examples=40)
@given(models(), st.booleans(), st.booleans())
def test_every_form_agrees_with_the_sweep_and_with_its_own_numpy(loss, expand, lengths):
    derivation = agree(loss, expand=expand, lengths=lengths)
    leaves = [n for n in ag.Graph.of(loss).nodes if n.op is None and n.requires_grad]
    assert list(derivation.closed_form) == leaves


@settings(max_examples=15)
@given(models(), st.integers(0, 2**32 - 1))
def test_a_form_holds_at_other_values(loss, seed):
    derivation = ag.derive(loss)
    random = np.random.default_rng(seed)
    new = {w: random.normal(size=w.shape) for w in derivation.closed_form}
    leaves = {w: ag.Tensor(x) for w, x in new.items()}
    again = replayed(loss, leaves)
    of = gradients(again).of
    for w, form in derivation.closed_form.items():
        expected = of[leaves[w]]
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            form.evaluate(new), expected, rtol=1e-5, atol=1e-5 * scale + 1e-12
        )


def replayed(loss, leaves):
    """The same program from other leaves."""
    made = dict(leaves)
    for node in ag.Graph.of(loss).nodes:
        if node.op is None:
            made.setdefault(node, ag.constant(node.numpy()))
        else:
            inputs = [made[x] for x in node.inputs]
            made[node] = node.op(*inputs, **node.attributes)
    return made[loss]


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.tanh, ag.softplus, np.sin]))
def test_hessians_agree_with_the_engines(seed, activation):
    random = np.random.default_rng(seed)
    A, y = random.normal(size=(4, 3)), random.normal(size=4)

    def f(w):
        return np.sum((activation(A @ w) - y) ** 2)

    w = ag.Tensor(random.normal(size=3), name="w")
    hessian = ag.derive(f(w)).hessian(w)
    np.testing.assert_allclose(hessian.evaluate(), ag.hessian(f)(w.numpy()), rtol=1e-6, atol=1e-8)
