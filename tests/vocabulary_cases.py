"""Calls of NumPy's functions, and the arrays they are tried on."""

import inspect
import itertools
import re

import numpy as np
import pytest


def values(*shape, low=-2.0, high=2.0):
    """Distinct numbers, no two closer than what a numerical derivative steps over."""
    n = int(np.prod(shape, dtype=int))
    order = np.argsort(np.sin(np.arange(n) * 12.9898 + 1) * 43758.5453 % 1.0, kind="stable")
    return (low + (high - low) * (order + 0.37) / max(n, 1)).reshape(shape)


V, M, C = values(5), values(3, 4), values(2, 3, 4)
P = values(6, low=0.3, high=2.0)
HOLES = np.array([[1.0, np.nan, 3.0, -2.0], [0.5, 2.5, np.nan, np.nan]])
UP = np.array([0.0, 1.0, 1.7, 3.0, 3.4])

TABLE = [
    # Arguments a, b and c, and calls of them. A choice {x|y} stands for two calls.
    ([values()], "np.atleast_{1|2|3}d(a)"),
    ([values(2)], "np.gradient(a)"),
    ([values(3)], "np.atleast_{1|2|3}d(a)"),
    ([values(4)], "np.hsplit(a, 2)"),
    ([values(2, 2)], "np.atleast_{1|2|3}d(a)"),
    ([values(2, 4, 2)], "np.{vsplit|hsplit|dsplit}(a, 2)"),
    ([values(7, low=-0.9, high=0.9)], "np.{arcsin|arccos|arctanh}(a)"),
    (
        [values(7, low=-1.3, high=1.2)],
        """
        np.{exp|exp2|expm1|sinh|cosh|tanh|arcsinh}(a)
        np.{sin|cos|tan|arctan|cbrt|fabs|conj}(a)
        """,
    ),
    (
        [np.array(1.5)],
        """
        np.{cumsum|cumprod|nancumsum|nancumprod}(a, axis=-1)
        np.{cumulative_sum|cumulative_prod}(a, include_initial=True)
        """,
    ),
    ([np.array([0.0, 0.3, 0.49, 0.51, -1.2, 2.0, 1e-9])], "np.sinc(a)"),
    ([np.array([[0.0, 3.5, -3.0, 6.0, 0.2]])], "np.unwrap(a)"),
    (
        [P],
        """
        np.{reciprocal|log|log2|log10|log1p|sqrt}(a)
        np.geomspace(1.0, a, 3)
        """,
    ),
    ([P + 1], "np.arccosh(a)"),
    (
        [V],
        """
        np.copysign(a, np.array([1.0, -1.0, -1.0, 1.0, 1.0]))
        np.ldexp(a, np.array([1, -2, 0, 3, 1]))
        np.{modf|frexp}(a)[0]
        np.divmod(a, 0.7)[1]
        np.{real|copy|cov|vander}(a)
        np.piecewise(a, [a < -1, a > 1], [lambda x: -x, 3.0, lambda x: x * x])
        np.split(a, [3, 1, 9])
        np.resize(a, (4, 2))
        np.take(a, [5, -7], mode='{wrap|clip}')
        np.diag(a, {-1|0|2})
        np.bincount([0, 2, 2, 1, 0], a, 5)
        np.linspace(0.0, a, 3, endpoint=False, retstep=True)
        np.logspace(0.0, a, 3, base=2.0)
        """,
    ),
    (
        [M],
        """
        np.{square|deg2rad|rad2deg|radians|degrees|positive}(a)
        np.{var|std|nanvar|nanstd}(a, axis=1, ddof={1|2})
        np.{cumsum|cumprod|nancumsum|nancumprod}(a, axis={None|0|1})
        np.cumulative_sum(a, axis=1, include_initial=True)
        np.cumulative_prod(a, axis=0, include_initial=True)
        np.{add.reduce(a)|multiply.accumulate(a, axis=1)}
        np.nanpercentile(a, [20.0, 70.0], axis=0)
        np.{cov|corrcoef}(a)
        np.clip(a, {-0.7, 1.1|None, 0.5|min=0.1})
        np.nan_to_num(a)
        np.full_like(a, a[1])
        np.{ravel|flipud|fliplr}(a)
        np.roll(a, 5)
        np.roll(a, (1, -2), axis=(0, 1))
        np.triu(a, {-1|0|2})
        np.tile(a, {2|(2, 1, 3)|(1, 2)})
        np.repeat(a, 2)
        np.delete(a, [0, -1], axis=1)
        np.delete(a, slice(1, 4))
        np.insert(a, [1, 1, 3], 7.0, axis=1)
        np.partition(a, 2, axis=1)[:, 2]
        np.sort(a, axis=0, stable=True)
        np.lib.stride_tricks.sliding_window_view(a, {2, 1|(2, 3)|(2, 2), (1, 1)|0, 0})
        a.mT
        a.compress([False, True, True], 0)
        np.cov(a, fweights=[1, 3, 2, 1], {ddof=0|aweights=[0.5, 1.0, 2.0, 0.1]|bias=True})
        np.take(a, {[[0, 2], [2, -1]], axis=1|[0, 11, 3]|1, axis=0})
        np.take_along_axis(a, np.array({[[0, 0, 3]]), axis=1|[0, 9]), axis=None})
        np.compress([False, True, True], a, axis=0)
        np.extract(M > 0, a)
        np.diag(a, {-1|0|2})
        np.diagflat(a, 1)
        a[[0, 1, 1], :, None]
        a[M > 0]
        np.ediff1d(a, to_end=[1.0, 2.0], to_begin=0.0)
        np.gradient(a, {edge_order=1|edge_order=2|0.5, 2.0})
        np.pad(a, ((1, 2), (2, 0)), '{edge|reflect|symmetric|wrap|linear_ramp}')
        np.pad(a, ((1, 2), (2, 0)), '{maximum|mean|median|minimum}')
        np.pad(a, 1, constant_values=((1, 2), (3, 4)))
        np.pad(a, (0, 2), 'linear_ramp', end_values=3.0)
        """,
    ),
    ([M * (np.abs(M) > 0.8)], "np.{cumprod|prod}(a, axis={0|1})"),
    (
        [C],
        """
        np.{sum|mean|prod|max|min|var|std|ptp|median}(a{|, axis=-2, keepdims=True|, axis=(0, 2)})
        np.{average|nansum|nanprod}(a{|, axis=-2, keepdims=True|, axis=(0, 2)})
        np.quantile(a, [0.1, 0.35, 0.9], axis=1, method='{linear|lower|higher|nearest|midpoint}')
        np.quantile(a, [0.1, 0.35, 0.9], axis=1, method='{hazen|weibull|interpolated_inverted_cdf}')
        np.quantile(a, [0.1, 0.35, 0.9], axis=1, method='{median_unbiased|normal_unbiased}')
        np.quantile(a, [[0.2, 0.4], [0.6, 0.8]])
        np.percentile(a, 30.0, axis=(0, 2), keepdims=True)
        np.ravel(a, 'F')
        np.reshape(a, (6, 4), order='F')
        np.moveaxis(a, (0, 1), (-1, 0))
        np.rollaxis(a, {2, 1|0, 3})
        np.matrix_transpose(a)
        np.array_split(a, 3, axis=1)
        np.split(a, [1, 3], axis=-1)
        np.unstack(a, axis=1)
        np.flip(a, {None|0|(0, 2)})
        np.rot90(a, {-1|0|1|2|3}, axes=(2, 0))
        np.roll(a, 1, axis=(0, 2))
        np.fft.{fftshift(a)|ifftshift(a, 1)}
        np.tril(a, {-1|0|2})
        np.repeat(a, [2, 0, 1], axis=-2)
        np.sort(a, axis={None|0|-1})
        np.diagonal(a, {-1|0|2}, 2, 0)
        np.trapezoid(a, dx=0.5, axis=0)
        np.pad(a, 2, 'mean', stat_length=(2, 3))
        """,
    ),
    ([C.transpose(1, 0, 2)], "np.diff(a, 2, axis=0)"),
    ([values(3), values(3)], "np.{vstack|hstack|dstack|column_stack}([a, b, a])"),
    ([values(2, 3), values(2, 3)], "np.{vstack|hstack|dstack|column_stack}([a, b, a])"),
    ([values(3), values(3, high=5.0)], "np.linspace(a, b, 4, axis=1)"),
    ([values(5), values(3, high=3.0)], "np.{convolve|correlate}(a, b, mode='{full|same|valid}')"),
    ([values(2), values(4, high=3.0)], "np.{convolve|correlate}(a, b, mode='{full|same|valid}')"),
    ([values(7, high=5.0), V], "np.interp(a, UP, b, left=-3.0, right=2.0)"),
    ([P, values(6)], "np.{power|float_power}(a, b)"),
    ([V, values(2)], "np.{block([a, b, 3.0])|insert(a, 1, b)}"),
    ([V, values(3)], "np.{meshgrid(a, b, indexing='ij', sparse=True)|polyval(a, b)}"),
    (
        [V, values(5, high=3.0)],
        """
        np.choose(np.array([0, 1, 1, 0, 1]), [a, b])
        np.choose([0, 3, -1, 0, 1], [a, b], mode='wrap')
        """,
    ),
    ([V, values(3), values(2)], "np.meshgrid(a, b, c)"),
    ([M, values(4, low=-1.9, high=2.1)], "np.{arctan2|hypot|logaddexp|logaddexp2}(a, b)"),
    ([M, values(4, low=-1.9, high=2.1)], "np.{fmax|fmin|maximum|minimum}(a, b)"),
    ([M, np.array([0.7, -0.9, 1.3, 0.8])], "np.{remainder|fmod}(a, b)"),
    ([M, np.abs(M.T.reshape(3, 4)) + 1], "np.average(a, weights=b, returned=True)"),
    ([M, np.cumsum(np.abs(M) + 0.1, axis=1)], "np.trapezoid(a, b)"),
    ([M, values(3, 4, low=-1.0)], "np.cov(a, b, rowvar=False, bias=True)"),
    ([M, values(4, low=0.5)], "np.cov(a, aweights=b, ddof={None|0})"),
    ([M, V], "np.{multiply|logaddexp}.outer(a, b)"),
    (
        [M, values(4)],
        """
        np.where(a > 0.1, a * b, b)
        np.select([a > 1, a > 0], [a * a, a + b], -b)
        np.broadcast_arrays(a, b)
        np.block([[a, np.ones((3, 2))], [b, b[:2]]])
        """,
    ),
    ([M, values(3)], "np.insert(a, -1, b, axis=1)"),
    ([M, values(1, 4)], "np.append(a, b, axis=0)"),
    ([M, values(2, 4)], "np.insert(a, [0, 2], b, axis=0)"),
    ([M, values(3, 2)], "np.diff(a, prepend=0.5, append=b)"),
    ([M, V], "np.append(a, b)"),
    ([M, UP[:4]], "np.gradient(a, b, axis=1, edge_order={1|2})"),
    ([M, values(4, low=-1.0, high=-0.1), values(4, low=0.3, high=1.0)], "np.clip(a, b, c)"),
    ([C, values(3, low=0.5)], "np.average(a, axis=1, weights=b)"),
    ([C, values(4, 2, low=1.0)], "np.average(a, axis=(2, 0), weights=b)"),
    ([C, UP[:3]], "np.trapezoid(a, b, axis=1)"),
    ([np.array([[-1.0, 0.5], [2.0, 9.0]]), UP, V], "np.interp(a, b, c)"),
]  # fmt: skip


def choices(line):
    """Every call that a line of the table stands for."""
    parts = re.split(r"\{(.*?)\}", line)
    yield from map("".join, itertools.product(*(part.split("|") for part in parts)))


def exists(call):
    """Whether this NumPy has the function and the keyword."""
    if "min=" in call and "min" not in inspect.signature(np.clip).parameters:
        return False
    return all(hasattr(np, name) for name in re.findall(r"\bnp\.(\w+)", call))


def function(call, arguments):
    return eval(f"lambda {', '.join('abc'[: len(arguments)])}: {call}", globals())


CASES = [
    pytest.param((function(call, arguments), arguments), id=call)
    for arguments, lines in TABLE
    for line in filter(None, map(str.strip, lines.splitlines()))
    for call in choices(line)
    if exists(call)
]
