"""Calls of NumPy's composed functions and the arrays they are tried on."""

import inspect

import numpy as np
import pytest


def values(*shape, low=-2.0, high=2.0):
    """Distinct numbers, no two closer than what a numerical derivative steps over."""
    n = int(np.prod(shape, dtype=int))
    order = np.argsort(np.sin(np.arange(n) * 12.9898 + 1) * 43758.5453 % 1.0, kind="stable")
    return (low + (high - low) * (order + 0.37) / max(n, 1)).reshape(shape)


def numerical(f, args, k, h=1e-6):
    """Central differences of a function to a number, by its k-th argument."""
    result = np.zeros(args[k].shape)
    for index in np.ndindex(args[k].shape):
        ends = []
        for sign in (1, -1):
            moved = args[k].copy()
            moved[index] += sign * h
            ends.append(f(*args[:k], moved, *args[k + 1 :]))
        result[index] = (ends[0] - ends[1]) / (2 * h)
    return result


V, M, C = values(5), values(3, 4), values(2, 3, 4)
P = values(6, low=0.3, high=2.0)
HOLES = np.array([[1.0, np.nan, 3.0, -2.0], [0.5, 2.5, np.nan, np.nan]])
UP = np.array([0.0, 1.0, 1.7, 3.0, 3.4])
WIDE = np.array([[0.0, 3.5, -3.0, 6.0, 0.2]])


def _case(name, f, *args):
    return pytest.param((f, args), id=name)


def _numpy(names):
    return [getattr(np, name) for name in names.split()]


def _calls():
    yield "reciprocal", np.reciprocal, P
    yield "square", np.square, M
    for f in _numpy("exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh cbrt fabs conj"):
        yield f.__name__, f, values(7, low=-1.3, high=1.2)
    for f in _numpy("log log2 log10 log1p sqrt"):
        yield f.__name__, f, P
    for f in _numpy("arcsin arccos arctanh"):
        yield f.__name__, f, values(7, low=-0.9, high=0.9)
    yield "arccosh", np.arccosh, P + 1
    for f in _numpy("deg2rad rad2deg radians degrees positive"):
        yield f.__name__, f, M
    for f in _numpy("arctan2 hypot logaddexp logaddexp2 fmax fmin maximum minimum"):
        yield f.__name__, f, M, values(4, low=-1.9, high=2.1)
    for f in _numpy("remainder fmod"):
        yield f.__name__, f, M, np.array([0.7, -0.9, 1.3, 0.8])
    for f in _numpy("power float_power"):
        yield f.__name__, f, P, values(6)
    yield "copysign", lambda a: np.copysign(a, np.array([1.0, -1.0, -1.0, 1.0, 1.0])), V
    yield "ldexp", lambda a: np.ldexp(a, np.array([1, -2, 0, 3, 1])), V
    yield "modf", lambda a: np.modf(a)[0], V
    yield "frexp", lambda a: np.frexp(a)[0], V
    yield "divmod", lambda a: np.divmod(a, 0.7)[1], V
    yield "sinc", np.sinc, np.array([0.0, 0.3, 0.49, 0.51, -1.2, 2.0, 1e-9])
    yield "unwrap", np.unwrap, WIDE
    yield "real", np.real, V
    yield "copy", np.copy, V

    for axis, keepdims in ((None, False), (-2, True), ((0, 2), False)):
        for f in _numpy("sum mean prod max min var std ptp median average nansum nanprod"):
            yield (
                f"{f.__name__} {axis}",
                lambda a, f=f, o={"axis": axis, "keepdims": keepdims}: f(a, **o),
                C,
            )
    for ddof in (1, 2):
        for f in _numpy("var std nanvar nanstd"):
            yield f"{f.__name__} ddof", lambda a, f=f, d=ddof: f(a, axis=1, ddof=d), M
    for axis in (None, 0, 1):
        for f in _numpy("cumsum cumprod nancumsum nancumprod"):
            yield f"{f.__name__} {axis}", lambda a, f=f, k=axis: f(a, axis=k), M
    for f in _numpy("cumsum cumprod nancumsum nancumprod"):
        yield f"{f.__name__} of a number", lambda a, f=f: f(a, axis=-1), np.array(1.5)
    for axis in (0, 1):
        yield "cumprod zeros", lambda a, k=axis: np.cumprod(a, axis=k), M * (np.abs(M) > 0.8)
        yield "prod zeros", lambda a, k=axis: np.prod(a, axis=k), M * (np.abs(M) > 0.8)
    if hasattr(np, "cumulative_sum"):
        yield "cumulative_sum", lambda a: np.cumulative_sum(a, axis=1, include_initial=True), M
        yield "cumulative_prod", lambda a: np.cumulative_prod(a, axis=0, include_initial=True), M
        for f in (np.cumulative_sum, np.cumulative_prod):
            yield (
                f"{f.__name__} of a number",
                lambda a, f=f: f(a, include_initial=True),
                np.array(1.5),
            )
    yield "average weights", lambda a, w: np.average(a, axis=1, weights=w), C, values(3, low=0.5)
    yield (
        "average both",
        lambda a, w: np.average(a, weights=w, returned=True),
        M,
        np.abs(M.T.reshape(3, 4)) + 1,
    )
    yield (
        "average axes",
        lambda a, w: np.average(a, axis=(2, 0), weights=w),
        C,
        values(4, 2, low=1.0),
    )
    methods = [
        "linear",
        "lower",
        "higher",
        "nearest",
        "midpoint",
        "hazen",
        "weibull",
        "median_unbiased",
    ]
    for method in [*methods, "normal_unbiased", "interpolated_inverted_cdf"]:
        yield (
            f"quantile {method}",
            lambda a, m=method: np.quantile(a, [0.1, 0.35, 0.9], axis=1, method=m),
            C,
        )
    yield "percentile", lambda a: np.percentile(a, 30.0, axis=(0, 2), keepdims=True), C
    yield "quantile 2-d", lambda a: np.quantile(a, [[0.2, 0.4], [0.6, 0.8]]), C
    yield "nanpercentile", lambda a: np.nanpercentile(a, [20.0, 70.0], axis=0), M
    yield "cov", np.cov, M
    yield (
        "cov columns",
        lambda a, b: np.cov(a, b, rowvar=False, bias=True),
        M,
        values(3, 4, low=-1.0),
    )
    yield "cov 1-d", np.cov, V
    yield "corrcoef", np.corrcoef, M

    yield "clip", lambda a: np.clip(a, -0.7, 1.1), M
    yield "clip bounds", np.clip, M, values(4, low=-1.0, high=-0.1), values(4, low=0.3, high=1.0)
    yield "clip one", lambda a: np.clip(a, None, 0.5), M
    if "min" in inspect.signature(np.clip).parameters:
        yield "clip names", lambda a: np.clip(a, min=0.1), M
    yield "nan_to_num", np.nan_to_num, M
    yield "where", lambda a, b: np.where(a > 0.1, a * b, b), M, values(4)
    yield "select", lambda a, b: np.select([a > 1, a > 0], [a * a, a + b], -b), M, values(4)
    yield (
        "choose",
        lambda a, b: np.choose(np.array([0, 1, 1, 0, 1]), [a, b]),
        V,
        values(5, high=3.0),
    )
    yield (
        "choose wrap",
        lambda a, b: np.choose([0, 3, -1, 0, 1], [a, b], mode="wrap"),
        V,
        values(5, high=3.0),
    )
    yield (
        "piecewise",
        lambda a: np.piecewise(a, [a < -1, a > 1], [lambda x: -x, 3.0, lambda x: x * x]),
        V,
    )
    yield "full_like", lambda a: np.full_like(a, a[1]), M

    yield "ravel", np.ravel, M
    yield "ravel F", lambda a: np.ravel(a, "F"), C
    yield "reshape F", lambda a: np.reshape(a, (6, 4), order="F"), C
    yield "moveaxis", lambda a: np.moveaxis(a, (0, 1), (-1, 0)), C
    yield "rollaxis", lambda a: np.rollaxis(a, 2, 1), C
    yield "rollaxis end", lambda a: np.rollaxis(a, 0, 3), C
    yield "matrix_transpose", np.matrix_transpose, C
    for n in (1, 2, 3):
        f = getattr(np, f"atleast_{n}d")
        for shape in ((), (3,), (2, 2)):
            yield f"atleast_{n}d", f, values(*shape)
    yield "broadcast_arrays", np.broadcast_arrays, M, values(4)
    yield "meshgrid", np.meshgrid, V, values(3), values(2)
    yield "meshgrid ij", lambda a, b: np.meshgrid(a, b, indexing="ij", sparse=True), V, values(3)
    for f in _numpy("vstack hstack dstack column_stack"):
        for shape in ((3,), (2, 3)):
            yield (
                f.__name__,
                lambda a, b, f=f: f([a, b, a]),
                values(*shape),
                values(*shape),
            )
    yield "block", lambda a, b: np.block([[a, np.ones((3, 2))], [b, b[:2]]]), M, values(4)
    yield "block flat", lambda a, b: np.block([a, b, 3.0]), V, values(2)
    yield "array_split", lambda a: np.array_split(a, 3, axis=1), C
    yield "split", lambda a: np.split(a, [1, 3], axis=-1), C
    yield "split past", lambda a: np.split(a, [3, 1, 9]), V
    for f in _numpy("vsplit hsplit dsplit"):
        yield f.__name__, lambda a, f=f: f(a, 2), values(2, 4, 2)
    yield "hsplit 1-d", lambda a: np.hsplit(a, 2), values(4)
    if hasattr(np, "unstack"):
        yield "unstack", lambda a: np.unstack(a, axis=1), C

    for axis in (None, 0, (0, 2)):
        yield f"flip {axis}", lambda a, k=axis: np.flip(a, k), C
    yield "flipud", np.flipud, M
    yield "fliplr", np.fliplr, M
    for k in range(-1, 4):
        yield f"rot90 {k}", lambda a, k=k: np.rot90(a, k, axes=(2, 0)), C
    yield "roll", lambda a: np.roll(a, 5), M
    yield "roll axes", lambda a: np.roll(a, (1, -2), axis=(0, 1)), M
    yield "roll one shift", lambda a: np.roll(a, 1, axis=(0, 2)), C
    yield "fftshift", np.fft.fftshift, C
    yield "ifftshift", lambda a: np.fft.ifftshift(a, 1), C
    for k in (-1, 0, 2):
        yield f"tril {k}", lambda a, k=k: np.tril(a, k), C
        yield f"triu {k}", lambda a, k=k: np.triu(a, k), M
    for reps in (2, (2, 1, 3), (1, 2)):
        yield f"tile {reps}", lambda a, r=reps: np.tile(a, r), M
    yield "repeat", lambda a: np.repeat(a, 2), M
    yield "repeat axis", lambda a: np.repeat(a, [2, 0, 1], axis=-2), C
    yield "resize", lambda a: np.resize(a, (4, 2)), V
    yield "append", np.append, M, V
    yield "append axis", lambda a, b: np.append(a, b, axis=0), M, values(1, 4)
    yield "delete", lambda a: np.delete(a, [0, -1], axis=1), M
    yield "delete flat", lambda a: np.delete(a, slice(1, 4)), M
    yield "insert", lambda a, b: np.insert(a, 1, b), V, values(2)
    yield "insert rows", lambda a, b: np.insert(a, [0, 2], b, axis=0), M, values(2, 4)
    yield "insert column", lambda a, b: np.insert(a, -1, b, axis=1), M, values(3)
    yield "insert number", lambda a: np.insert(a, [1, 1, 3], 7.0, axis=1), M
    for axis in (None, 0, -1):
        yield f"sort {axis}", lambda a, k=axis: np.sort(a, axis=k), C
    yield "partition", lambda a: np.partition(a, 2, axis=1)[:, 2], M
    yield "take", lambda a: np.take(a, [[0, 2], [2, -1]], axis=1), M
    yield "take flat", lambda a: np.take(a, [0, 11, 3]), M
    yield "take one", lambda a: np.take(a, 1, axis=0), M
    yield "take wrap", lambda a: np.take(a, [5, -7], mode="wrap"), V
    yield "take clip", lambda a: np.take(a, [5, -7], mode="clip"), V
    yield "take_along_axis", lambda a: np.take_along_axis(a, np.array([[0, 0, 3]]), axis=1), M
    yield "take_along_axis flat", lambda a: np.take_along_axis(a, np.array([0, 9]), axis=None), M
    yield "compress", lambda a: np.compress([False, True, True], a, axis=0), M
    yield "extract", lambda a: np.extract(M > 0, a), M
    for k in (-1, 0, 2):
        yield f"diag {k}", lambda a, k=k: np.diag(a, k), M
        yield f"diag of {k}", lambda a, k=k: np.diag(a, k), V
        yield f"diagonal {k}", lambda a, k=k: np.diagonal(a, k, 2, 0), C
    yield "diagflat", lambda a: np.diagflat(a, 1), M
    yield "bincount", lambda a: np.bincount([0, 2, 2, 1, 0], a, 5), V
    yield "index", lambda a: a[[0, 1, 1], :, None], M
    yield "mask", lambda a: a[M > 0], M

    yield "diff", lambda a: np.diff(a, 2, axis=0), C.transpose(1, 0, 2)
    yield "diff around", lambda a, b: np.diff(a, prepend=0.5, append=b), M, values(3, 2)
    yield "ediff1d", lambda a: np.ediff1d(a, to_end=[1.0, 2.0], to_begin=0.0), M
    for order in (1, 2):
        yield f"gradient {order}", lambda a, o=order: np.gradient(a, edge_order=o), M
        yield (
            f"gradient at {order}",
            lambda a, x, o=order: np.gradient(a, x, axis=1, edge_order=o),
            M,
            UP[:4],
        )
    yield "gradient steps", lambda a: np.gradient(a, 0.5, 2.0), M
    yield "gradient two points", np.gradient, values(2)
    yield "trapezoid", lambda a: np.trapezoid(a, dx=0.5, axis=0), C
    yield "trapezoid at", lambda a, x: np.trapezoid(a, x, axis=1), C, UP[:3]
    yield "trapezoid each", lambda a, x: np.trapezoid(a, x), M, np.cumsum(np.abs(M) + 0.1, axis=1)
    yield (
        "interp",
        lambda x, xp, fp: np.interp(x, xp, fp),
        np.array([[-1.0, 0.5], [2.0, 9.0]]),
        UP,
        V,
    )
    yield (
        "interp ends",
        lambda x, f: np.interp(x, UP, f, left=-3.0, right=2.0),
        values(7, high=5.0),
        V,
    )
    for mode in ("full", "same", "valid"):
        for n, m in ((5, 3), (2, 4)):
            for f in _numpy("convolve correlate"):
                yield (
                    f"{f.__name__} {mode} {n} {m}",
                    lambda a, b, f=f, how=mode: f(a, b, mode=how),
                    values(n),
                    values(m, high=3.0),
                )
    yield "linspace", lambda a, b: np.linspace(a, b, 4, axis=1), values(3), values(3, high=5.0)
    yield "linspace open", lambda a: np.linspace(0.0, a, 3, endpoint=False, retstep=True), V
    yield "logspace", lambda a: np.logspace(0.0, a, 3, base=2.0), V
    yield "geomspace", lambda a: np.geomspace(1.0, a, 3), P
    yield "vander", np.vander, V
    yield "polyval", np.polyval, V, values(3)

    for mode in (
        "edge",
        "reflect",
        "symmetric",
        "wrap",
        "linear_ramp",
        "maximum",
        "mean",
        "median",
        "minimum",
    ):
        yield f"pad {mode}", lambda a, m=mode: np.pad(a, ((1, 2), (2, 0)), m), M
    yield "pad constant", lambda a: np.pad(a, 1, constant_values=((1, 2), (3, 4))), M
    yield "pad ends", lambda a: np.pad(a, (0, 2), "linear_ramp", end_values=3.0), M
    yield "pad mean of", lambda a: np.pad(a, 2, "mean", stat_length=(2, 3)), C
    yield "np.add.reduce", lambda a: np.add.reduce(a), M
    yield "np.multiply.accumulate", lambda a: np.multiply.accumulate(a, axis=1), M


CASES = [_case(*call) for call in _calls()]
