"""Checks of answers to exercises, and Hypothesis strategies for your own operations and models.

`check_answer` and `check_step` compare gradients that were derived by hand with those of the
engine, and name the mistake. The strategies need Hypothesis, which is loaded when one is used.

Example:
    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> from autograd_lite import testing
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, deadline=None, derandomize=True, database=None)
    ... @given(testing.programs())
    ... def test_programs(program):
    ...     ag.check_gradients(program, *program.arrays)
    >>> test_programs()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd_lite.testing.answers import Diagnosis, check_answer, check_step

if TYPE_CHECKING:
    from autograd_lite.testing.strategies import (
        NAMES,
        STEPS,
        Program,
        arrays,
        programs,
        shapes,
        together,
    )
else:

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return getattr(import_module("autograd_lite.testing.strategies"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "NAMES",
    "STEPS",
    "Diagnosis",
    "Program",
    "arrays",
    "check_answer",
    "check_step",
    "programs",
    "shapes",
    "together",
]
