"""Where the numbers that an elementwise operation gets are taken from, if not from everywhere."""

from __future__ import annotations

from typing import Any


def positive(low: float, high: float) -> dict[str, Any]:
    return {"low": low, "high": high, "signed": False}


INSIDE = {"low": 0.1, "high": 0.9}

DOMAINS: dict[str, tuple[dict[str, Any], ...]] = {
    **dict.fromkeys(("log", "log2", "log10", "sqrt"), (positive(0.25, 3),)),
    **dict.fromkeys(("log1p", "arcsin", "arccos", "arctanh"), (INSIDE,)),
    "arccosh": (positive(1.25, 3),),
    "tan": ({"low": 0.1, "high": 1.2},),
    "power": (positive(0.25, 2), {}),
    **dict.fromkeys(("xlogy", "xdivy", "xlog1py"), ({}, positive(0.25, 3))),
    **dict.fromkeys(("entr", "rel_entr", "nonnegative"), (positive(0.25, 3),)),
    **dict.fromkeys(("erfinv", "logit", "ndtri"), (positive(0.1, 0.9),)),
    "erfcinv": (positive(0.1, 1.9),),
    **dict.fromkeys(("gamma", "gammaln", "digamma", "beta", "betaln"), (positive(0.25, 3),)),
    "float_power": (positive(0.25, 2), {}),
}
"""One entry an operand, the last for those that follow."""
