"""Comparisons and other answers without a derivative: recorded constants."""

import numpy as np

from autograd_lite.op import operation

for _name, _symbol in {
    "less": "<",
    "less_equal": "≤",
    "greater": ">",
    "greater_equal": "≥",
    "equal": "=",
    "not_equal": "≠",
}.items():
    operation(
        _name, getattr(np, _name), symbol=_symbol, precedence=40, formula=f"a {_symbol} b"
    )

for _name in ("argmax", "argmin"):
    operation(
        _name,
        (lambda function: lambda a, axis=None, keepdims=False: function(
            a, axis=axis, keepdims=keepdims
        ))(getattr(np, _name)),
        numpy=(getattr(np, _name),),
        arity=1,
        formula=f"{_name} a",
    )
