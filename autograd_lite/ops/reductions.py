"""Sums, products, means and extremes over axes, and cumulative ones."""

import copyreg
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.core.tensor import Value, apply
from autograd_lite.op import OPS, Op, operation
from autograd_lite.ops.activations import softmax
from autograd_lite.ops.composition import along, composed, in_place, is_tensor
from autograd_lite.ops.shapes import astype
from autograd_lite.tensor import lifted


def axes_of(axis: Any, ndim: Any) -> Any:
    """The axes of a reduction, as a tuple of non-negative numbers."""
    if axis is None:
        return tuple(range(ndim))
    # NumPy accepts axis 0 of a 0-d array, which has no axes.
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)) if ndim)


def spread(g: Any, shape: Any, axis: Any, keepdims: Any) -> Any:
    """A gradient of a reduced array, broadcast to the shape before the reduction."""
    if not keepdims and axis is not None and np.ndim(g):
        g = np.expand_dims(g, axes_of(axis, len(shape)))
    return np.broadcast_to(g, shape)


def count(shape: Any, axis: Any) -> Any:
    """The number of elements that a reduction combines."""
    return math.prod(shape[k] for k in axes_of(axis, len(shape)))


SIMPLE = {"axis", "keepdims", "ddof"}
MORE = ("dtype", "initial", "where", "correction")


@dataclass(eq=False, slots=True, kw_only=True)
class Reduction(Op):
    """A reduction, or a cumulative one, with NumPy's where=, initial=, dtype= and correction=.

    They are composed of other operations.

    Attributes:
        neutral: ``dtype -> number`` in place of the elements that `where` leaves out.
        joined: combines the result with the initial value.
        masked: ``(a, mask, **attributes) -> result`` for an operation without a neutral number.
    """

    neutral: Any = None
    joined: Any = None
    masked: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and len(args) == 1 and isinstance(args[0], Value):
            return apply(self, args)
        if len(args) < 3 and (not kwargs or kwargs.keys() <= SIMPLE):
            return Op.__call__(self, *args, **kwargs)
        named = dict(zip(self.signature.parameters, args, strict=False))
        known = self.signature.unsupported
        if len(args) > len(self.signature.parameters) or named.keys() & kwargs.keys():
            return Op.__call__(self, *args, **kwargs)
        named |= kwargs
        more = {key: named.pop(key) for key in MORE if key in known and key in named}
        more = {key: x for key, x in more.items() if x is not None and x is not np._NoValue}
        if not more or "a" not in named:
            return Op.__call__(self, **named)
        return self._composed(lifted(named.pop("a")), named, **more)

    def _composed(self, a, axes, dtype=None, initial=None, where=True, correction=None):
        if correction is not None:
            if axes.get("ddof"):
                raise ValueError(f"{self.name}: pass ddof= or correction=, not both")
            axes["ddof"] = correction
        if dtype is not None:
            if self.masked and np.dtype(dtype).kind != "f":
                raise TypeError(f"{self.name}: dtype= must be floating, not {np.dtype(dtype)}")
            a = astype(a, dtype=dtype)
        if where is not True:
            mask = self._mask(a, where, initial)
            if self.masked:
                return self.masked(a, mask, **axes)
            a = np.where(mask, a, self.neutral(a.dtype))
        if initial is None:
            return Op.__call__(self, a, **axes)
        if np.ndim(initial):
            raise ValueError(f"{self.name}: initial= must be a number, not an array")
        if count(a.shape, axes.get("axis")):
            total = Op.__call__(self, a, **axes)
        else:
            total = OPS["sum"](a, **axes) + self.neutral(a.dtype)
        return self.joined(total, astype(initial, dtype=total.dtype))

    def _mask(self, a, where, initial):
        """The elements to reduce, as booleans in the shape of the array."""
        mask = lifted(where)
        if mask.dtype != bool:
            raise TypeError(f"{self.name}: where= must be boolean, not {mask.dtype}")
        if initial is None and self.joined in (np.maximum, np.minimum):
            raise ValueError(
                f"{self.name}: with where=, pass initial= as well, the result where no element is "
                "selected"
            )
        try:
            return np.broadcast_to(mask, a.shape)
        except ValueError:
            raise ValueError(
                f"{self.name}: where= of shape {mask.shape} cannot be broadcast to the shape of "
                f"the array, {a.shape}"
            ) from None


copyreg.pickle(Reduction, copyreg.dispatch_table[Op])


def number(mask: Any, axis: Any, keepdims: Any, dtype: Any) -> Any:
    """The number of selected elements along the axes, as a floating number."""
    counted = np.count_nonzero(mask, axis=axis, keepdims=keepdims)
    return astype(counted, dtype if dtype.kind == "f" else np.float64)


def mean_of(a: Any, mask: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """The mean of the selected elements; NaN where there is none."""
    with np.errstate(invalid="ignore"):
        total = np.sum(np.where(mask, a, 0), axis=axis, keepdims=keepdims)
        return total / number(mask, axis, keepdims, a.dtype)


def least(dtype: Any) -> Any:
    """The least number of a dtype: −∞, or the least integer."""
    return -np.inf if dtype.kind == "f" else dtype.kind != "b" and int(np.iinfo(dtype).min)


def greatest(dtype: Any) -> Any:
    """The greatest number of a dtype: ∞, or the greatest integer."""
    return np.inf if dtype.kind == "f" else dtype.kind == "b" or int(np.iinfo(dtype).max)


operation(
    "sum",
    lambda a, axis=None, keepdims=False: np.add.reduce(a, axis=axis, keepdims=keepdims),
    lambda g, out, a, axis=None, keepdims=False: spread(g, a.shape, axis, keepdims),
    reads="",
    kind=Reduction,
    neutral=lambda dtype: 0,
    joined=np.add,
    numpy=(np.sum,),
    symbol="Σ",
    formula="Σ a",
    gradient="g, broadcast to the shape of a",
    rows="sum",
)


operation(
    "mean",
    lambda a, axis=None, keepdims=False: np.mean(a, axis=axis, keepdims=keepdims),
    lambda g, out, a, axis=None, keepdims=False: spread(
        g / float(count(a.shape, axis)), a.shape, axis, keepdims
    ),
    reads="",
    kind=Reduction,
    masked=mean_of,
    numpy=(np.mean,),
    symbol="mean",
    averages=True,
    formula="Σ a / n",
    gradient="g / n, broadcast to the shape of a",
    rows="along",
)


def _extreme(g, out, a, axis=None, keepdims=False):
    attained = np.equal(a, spread(out, a.shape, axis, keepdims))
    among = astype(np.count_nonzero(attained, axis=axis, keepdims=True), a.dtype)
    if not keepdims and axis is not None:
        g = np.reshape(g, among.shape)
    # NaN equals nothing: g / 0 is NaN or infinite, and so is 0 times it.
    return attained * (g / among)


def along_axes(function: Any) -> Any:
    """The forward of a reduction."""
    return lambda a, axis=None, keepdims=False: function(a, axis=axis, keepdims=keepdims)


def ties(extreme: Any) -> Any:
    """Returns where an extreme is attained more than once along the axis."""

    def tied(a, axis=None, keepdims=False):
        reached = np.equal(a, extreme(a, axis=axis, keepdims=True))
        return reached & (np.sum(reached, axis=axis, keepdims=True) > 1)

    return tied


for _name in ("max", "min"):
    operation(
        _name,
        along_axes(getattr(np, _name)),
        _extreme,
        kind=Reduction,
        neutral=least if _name == "max" else greatest,
        joined=np.maximum if _name == "max" else np.minimum,
        chooses=True,
        rows="along",
        numpy=(getattr(np, _name), getattr(np, "a" + _name)),
        symbol=_name,
        formula=f"{_name} a",
        gradient="g, shared equally among the elements that attain the extreme",
        kinks=ties(getattr(np, _name)),
    )


@composed(np.ptp)
def _ptp(a, axis=None, keepdims=False):
    """The largest element minus the smallest."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def _logsumexp(a, axis=None, keepdims=False):
    peak = np.max(a, axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(in_place(np.exp, a - peak), axis=axis, keepdims=True)) + peak
    return total if keepdims else np.squeeze(total, axis=axis)[()]


def _softmax_rule(g, out, a, axis=None, keepdims=False):
    # exp(a − out) loses the digits of a that out has no place for.
    return spread(g, a.shape, axis, keepdims) * softmax(a, axis=axis)


operation(
    "logsumexp",
    _logsumexp,
    _softmax_rule,
    reads="a",
    symbol="log Σ exp",
    formula="log Σ exp a",
    gradient="g softmax(a)",
    rows="along",
)


def _is_exact(total):
    """Whether sums of exponentials have overflowed nowhere, and lost nothing to underflow."""
    return np.all((total >= 1) & (total < np.inf))


def _logsumexp_of_exp(a, e, total, axis=None, keepdims=False):
    return np.log(total) if _is_exact(total) else _logsumexp(a, axis, keepdims)


def _of_exp_rule(g, out, a, e, total, axis=None, keepdims=False):
    if not is_tensor(total) and _is_exact(total):
        return spread(g / total, a.shape, axis, keepdims) * e
    return _softmax_rule(g, out, a, axis, keepdims)


operation(
    "logsumexp_of_exp",
    _logsumexp_of_exp,
    _of_exp_rule,
    None,
    None,
    symbol="log Σ exp",
    formula="log Σ exp a, where e = exp a and its sum are known",
    gradient="g e / Σ e, none, none",
    notes="The stable form of `log(sum(exp(a)))`. Where the sum is below 1 or infinite, it is "
    "computed from a alone.",
    rows="along",
)


def _line(a, axis):
    """The array and the axis of a cumulative operation."""
    return (np.reshape(a, (-1,)), 0) if axis is None or not a.ndim else (a, axis)


def _shifted(a, first, axis):
    """Each element's predecessor along the axis; that of the first element is `first`."""
    edge = np.ones_like if first else np.zeros_like
    start = edge(a[along(axis, a.ndim, slice(0, 1))])
    return np.concatenate([start, a[along(axis, a.ndim, slice(0, -1))]], axis=axis)


def _from_the_end(g, c, axis):
    """t_i = g_i + c_{i+1} t_{i+1}, by the recurrence on the reversed arrays."""
    steps = np.flip(np.roll(c, -1, axis=axis), axis=axis)
    return np.flip(recurrence(np.flip(g, axis=axis), steps, axis=axis), axis=axis)


def _recurrence(a, c, axis=0):
    kind = np.result_type(a, c)
    total, factor = (np.moveaxis(x, axis, 0).astype(kind) for x in (a, c))
    step = 1
    while step < len(total):
        total[step:] = total[step:] + factor[step:] * total[:-step]
        factor[step:] = factor[step:] * factor[:-step]
        step *= 2
    return np.moveaxis(total, 0, axis)


recurrence: Op = operation(
    "recurrence",
    _recurrence,
    lambda g, out, a, c, axis=0: _from_the_end(g, c, axis),
    lambda g, out, a, c, axis=0: _from_the_end(g, c, axis) * _shifted(out, 0, axis),
    reads=("c", "out c"),
    formula="sᵢ = aᵢ + cᵢ sᵢ₋₁ along an axis, s₀ = a₀",
    gradient="tᵢ = gᵢ + cᵢ₊₁ tᵢ₊₁, tᵢ sᵢ₋₁",
    notes="It computes the gradient of a cumulative product, without a division.",
)


def _cumsum_rule(g, out, a, axis=None):
    g, line = _line(g, axis)
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis=line), axis=line), axis=line), a.shape)


operation(
    "cumsum",
    lambda a, axis=None: np.cumsum(a, axis=axis),
    _cumsum_rule,
    reads="",
    kind=Reduction,
    numpy=(np.cumsum,),
    formula="a₀ + … + aᵢ",
    gradient="the cumulative sum of g from its end",
    rows="along",
)


def _cumprod_rule(g, out, a, axis=None):
    if not a.size:
        return np.zeros_like(a)
    a_line, line = _line(a, axis)
    return np.reshape(_shifted(out, 1, line) * _from_the_end(g, a_line, line), a.shape)


operation(
    "cumprod",
    lambda a, axis=None: np.cumprod(a, axis=axis),
    _cumprod_rule,
    kind=Reduction,
    numpy=(np.cumprod,),
    formula="a₀ ⋯ aᵢ",
    gradient="the products of all other elements, summed over the results; exact also at zeros",
    rows="along",
)


def merged(a: Any, axis: Any) -> Any:
    """The array with the axes of a reduction merged into the last, and the inverse function."""
    axes = axes_of(axis, a.ndim)
    order = tuple(k for k in range(a.ndim) if k not in axes) + axes
    moved = np.transpose(a, order)
    flat = np.reshape(moved, moved.shape[: a.ndim - len(axes)] + (count(a.shape, axis),))
    back = tuple(int(k) for k in np.argsort(order))
    return flat, lambda x: np.transpose(np.reshape(x, moved.shape), back)


def _others(a, axis):
    """For each element the product of all others, without a division."""
    flat, back = merged(a, axis)
    before = _shifted(np.cumprod(flat, axis=-1), 1, -1)
    after = np.flip(_shifted(np.cumprod(np.flip(flat, axis=-1), axis=-1), 1, -1), axis=-1)
    return back(before * after)


operation(
    "prod",
    lambda a, axis=None, keepdims=False: np.prod(a, axis=axis, keepdims=keepdims),
    lambda g, out, a, axis=None, keepdims=False: (
        spread(g, a.shape, axis, keepdims) * _others(a, axis) if a.size else np.zeros_like(a)
    ),
    reads="a",
    kind=Reduction,
    neutral=lambda dtype: 1,
    joined=np.multiply,
    numpy=(np.prod,),
    symbol="Π",
    formula="Π a",
    gradient="g times the product of the others; exact also at zeros",
    rows="along",
)


def _cumulative(running, edge):
    def answer(x, axis=None, dtype=None, include_initial=False):
        """The cumulative sum or product."""
        x = lifted(x) if dtype is None else astype(x, dtype=dtype)
        if axis is None:
            if x.ndim > 1:
                raise ValueError(
                    "cumulative_sum, cumulative_prod: need axis= for more than one axis"
                )
            axis = 0
        result = running(x, axis=axis)
        if not include_initial:
            return result
        shape = list(result.shape)
        shape[axis] = 1
        return np.concatenate([edge(shape, x.dtype), result], axis=axis)

    answer.__doc__ = f"`{running.__name__}`, with the initial value first if include_initial."
    return answer


if hasattr(np, "cumulative_sum"):
    composed(np.cumulative_sum)(_cumulative(np.cumsum, np.zeros))
    composed(np.cumulative_prod)(_cumulative(np.cumprod, np.ones))
