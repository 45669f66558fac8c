"""The printed formulas of a derivation, read back, give the engine's gradient."""

from __future__ import annotations

import re

import numpy as np
import pytest
from derived_forms import balanced
from formulas import AmbiguousError, Reader
from hypothesis import Phase, given, settings
from losses import LOSSES
from test_derive_models import models

import autograd_lite as ag

pytest.importorskip("sympy")


def read_back(derivation):
    """Every formula of a derivation that is plain mathematics, read and compared."""
    writer = derivation._writer
    chain = derivation._chain
    shown = [n for n in chain.graph.nodes if chain.named(n)]
    values = {writer.names[n.position]: n.array for n in shown}
    values |= {writer.gradients[n.position]: chain.values[n] for n in shown if n in chain.values}
    derivation.notes()
    arrays = writer.symbols.arrays
    values |= {key.split()[0]: array for key, array in arrays.items()}
    units = [key.split()[0] for key in arrays if " " in key]
    apart = [name for name in writer.symbols.notes if name not in arrays and name != "e"]
    apart += [name for name in units if units.count(name) > 1]  # of several lengths
    reader = Reader(values, writer.activation)
    for step in derivation.steps:
        for form in (step.product, step.form):
            text = form.text()
            if re.search(r"where|onehot|var\(|None", text) or any(name in text for name in apart):
                continue
            expected = np.asarray(step.value)
            try:
                found = reader(text, expected.shape)
            except ValueError as error:
                raise AmbiguousError(text) from error
            if found.size == expected.size:
                found = found.reshape(expected.shape)
            found = np.broadcast_to(found, expected.shape)
            scale = np.abs(expected).max(initial=0)
            np.testing.assert_allclose(
                found, expected, rtol=1e-6, atol=1e-7 * scale + 1e-12, err_msg=text
            )


# A derivation takes too long to be shrunk.
@settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(models(least=2))
def test_the_text_of_a_model_is_its_gradient(loss):
    derivation = ag.derive(loss)
    read_back(derivation)
    for step in derivation.steps:
        balanced(step.form)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_text_of_a_loss_is_its_gradient(name):
    derivation = ag.derive(LOSSES[name]())
    read_back(derivation)
    for step in derivation.steps:
        balanced(step.form)
        balanced(step.product)


@pytest.mark.parametrize(
    "text", ["2 3 x", "x/y z", "x^y z w", "xᵀ/(x) y", "q(x)", "x + ", "(x", "x ⊙", "√"]
)
def test_what_is_ambiguous_is_not_read(text):
    with pytest.raises((AmbiguousError, IndexError)):
        Reader({"x": np.ones(2), "z": np.ones(2)})(text)
