"""The solvers: how the weights are changed so that the loss falls.

Each takes the objective, the first weights, the monitor that it reports to, and the model with its
settings. The objective is a function of one flat vector of weights.
"""

from collections.abc import Callable
from typing import Any

from autograd_lite.models.solvers.adam import adam
from autograd_lite.models.solvers.gd import gd
from autograd_lite.models.solvers.lbfgs import lbfgs
from autograd_lite.models.solvers.newton_cg import newton_cg
from autograd_lite.models.solvers.sgd import sgd

__all__ = ["SOLVERS", "chosen"]

SOLVERS: dict[str, Callable[..., Any]] = {
    "gd": gd,
    "sgd": sgd,
    "adam": adam,
    "lbfgs": lbfgs,
    "newton-cg": newton_cg,
}


def chosen(solver: Any, *, exact: bool = False) -> str:
    """The solver by its name; "auto" is L-BFGS for `exact`, and else Adam.

    Raises ValueError for any other name.
    """
    if isinstance(solver, str) and solver == "auto":
        return "lbfgs" if exact else "adam"
    if not isinstance(solver, str) or solver not in SOLVERS:
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)} or auto, not {solver!r}")
    return str(solver)
