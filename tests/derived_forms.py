"""Checks of derived formulas, in every way to compute and to write them."""

from __future__ import annotations

import re
import warnings
import xml.etree.ElementTree as ET

import numpy as np

import autograd_lite as ag
from autograd_lite.derivation import CannotCheckWarning
from autograd_lite.ops.special import special
from autograd_lite.sweep import gradients


def agree(loss, lacking=False, **options):
    """The derivation of a loss, its closed forms compared with the sweep.

    Both evaluate() and the NumPy source are run; `lacking` allows operations that NumPy lacks.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", CannotCheckWarning)
        derivation = ag.derive(loss, **options)
        of = gradients(loss).of
        for x, form in derivation.closed_form.items():
            expected = of.get(x, np.zeros(x.shape))
            found = [form.evaluate()]
            try:
                found.append(
                    eval(form.numpy(), {"np": np, "special": special, **derivation.values})
                )
            except ValueError as error:
                if not lacking or "not a single NumPy expression" not in str(error):
                    raise
            for got in map(np.asarray, found):
                assert got.shape == x.shape
                atol = 1e-9 * (1 + np.abs(expected).max(initial=0))
                np.testing.assert_allclose(got, expected, rtol=1e-6, atol=atol)
            balanced(form)
    assert lacking or "not written" not in derivation.checked
    return derivation


def balanced(form):
    """Groups of LaTeX close in the order in which they open, and MathML is well-formed."""
    latex = form.latex()
    stack = []
    for token in re.findall(r"\\left|\\right|(?<!\\)[{}]|\\[{}]", latex):
        if token in ("{", "\\left"):
            stack.append(token)
        elif token in ("}", "\\right"):
            assert stack, latex
            assert (stack.pop(), token) in (("{", "}"), ("\\left", "\\right")), latex
    assert not stack, latex
    assert "^{}" not in latex
    assert re.search(r"\^\{[^{}]*\}\^", latex) is None, latex
    for element in ET.fromstring(form.mathml()).iter():
        count = {"mfrac": 2, "msup": 2, "msub": 2}.get(element.tag)
        assert count is None or len(element) == count, form.mathml()
        assert element.tag in ("mi", "mn", "mo", "mtext") or not (element.text or "").strip()
