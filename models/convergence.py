"""What a training says when it ended otherwise than expected."""

from __future__ import annotations

import numpy as np

from autograd_lite.models.monitor import Array, Monitor

__all__ = ["complaint", "unlike_scales"]

_UNLIKE = 30.0  # the ratio of scales from which plain descent is hopelessly slow


def unlike_scales(X: Array | None, *, small: bool = False) -> str:
    """The scales of the columns, if they are very unlike each other or the intercept's; else "".

    Or only if one is very `small`.
    """
    if X is None:
        return ""
    with np.errstate(all="ignore"):
        scales = np.sqrt(np.mean(np.square(X, dtype=np.float64), axis=0))
    low, high = min(scales[scales > 0].min(initial=1), 1), max(scales.max(), 1)
    if (1 if small else high) <= _UNLIKE * low:
        return ""
    return f"the scales of the columns are very unlike, from {low:.2g} to {high:.2g}"


def complaint(
    monitor: Monitor, solver: str, rate: float | None, X: Array | None, kept: float
) -> str | None:
    """A sentence about a training that failed or did not converge; None if all is well."""
    best, steady = monitor.best, solver == "gd"
    arrived = monitor.converged and np.isfinite(monitor.losses).all()
    if arrived and steady and (cause := unlike_scales(X, small=True)):
        return f"no element of the gradient exceeds tol, but {cause}; use standardize=True"
    if rate is not None and not (arrived and steady) and (rising := _rising(monitor, steady)):
        cause = unlike_scales(X) if steady else ""
        cure = f"{cause}; use standardize=True" if cause else f"try {rate / 10:g}"
        return (
            f"the learning rate {rate:g} is too large: the loss {rising}; the best weights, of "
            f"loss {kept:.4g}, are kept; {cure}"
        )
    if arrived:
        return None
    if not monitor.tol:
        return None
    count = len(monitor.losses)
    steps = f"{solver} took {count} step{'s' * (count != 1)} and did not converge"
    if best is None:
        return f"{steps}: the loss became {monitor.last}"
    if not np.isfinite(best.slope):
        reason = f"the loss was still falling, by more than tol = {monitor.tol:g}"
    else:
        reason = (
            f"the largest element of the gradient is {best.slope:.2g}, and tol is {monitor.tol:g}"
        )
    advice = ["increase max_iter" if monitor.full else "increase tol: the loss falls no further"]
    if solver == "gd" and (cause := unlike_scales(X)):
        advice = [f"{cause}: use standardize=True", *advice]
    return f"{steps}: {reason}; {'; or '.join(advice)}"


def _rising(monitor: Monitor, steady: bool) -> str:
    """What a loss did that did not fall; "" if it fell.

    That of a `steady` solver, which should fall with every step, may not rise at all; others
    overshoot, or report noisy batches, and only have to end below the start.
    """
    losses = [*monitor.losses, monitor.last]
    if monitor.start is not None:
        losses.insert(0, monitor.start)
    start, last, highest, best = losses[0], losses[-1], max(losses), min(losses)
    if not np.isfinite(losses).all():
        return f"became {next(loss for loss in losses if not np.isfinite(loss))}"
    rounding = (1e-6 if steady else 0.01) * abs(start)
    if highest > start + rounding and (steady or last > start + rounding):
        return f"rose from {start:.4g} to {highest:.4g}"
    if steady and last - best > 0.01 * (start - best) + rounding:
        return f"was rising at the end, to {last:.4g}"
    return ""
