"""What `fit` and `predict` accept: arrays and DataFrames of numbers, targets and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite.arrays import numbers_only
from autograd_lite.models.errors import DataConversionWarning, warn

Array = npt.NDArray[Any]
Names = tuple[str, ...]


def column_names(X: Any) -> Names | None:
    """The names of the columns of a DataFrame; None for other data, and if no name is text.

    Raises TypeError if only some of the names are text.
    """
    if not _is_frame(X):
        return None
    names = list(X.columns)
    texts = [isinstance(name, str) for name in names]
    if any(texts) and not all(texts):
        raise TypeError(
            "X: some names of columns are text and some are not, so they cannot be told apart; "
            "use X.columns = X.columns.astype(str)"
        )
    return tuple(map(str, names)) if names and all(texts) else None


def check_names(names: Names | None, fitted: Sequence[str] | None, model: str) -> None:
    """Compare the columns of X with those of `fit`, as scikit-learn does and in its words.

    Raises ValueError for other names and for another order; warns if only one side has names.
    """
    if names is None and fitted is None:
        return
    if names is None or fitted is None:
        which = ("does not have valid", "with") if names is None else ("has", "without")
        warn(
            f"X {which[0]} feature names, but {model} was fitted {which[1]} feature names",
            UserWarning,
        )
        return
    if list(names) == list(fitted):
        return
    text = ["The feature names should match those that were passed during fit."]
    unseen = [name for name in names if name not in set(fitted)]
    missing = [name for name in fitted if name not in set(names)]
    if unseen:
        text += ["Feature names unseen at fit time:", *_listed(unseen)]
    if missing:
        text += ["Feature names seen at fit time, yet now missing:", *_listed(missing)]
    if not unseen and not missing:
        text += ["Feature names must be in the same order as they were in fit."]
    raise ValueError("\n".join(text) + "\n")


def _listed(names: Sequence[str]) -> list[str]:
    few = [f"- {name}" for name in sorted(names)[:5]]
    return few + ["- ..."] * (len(names) > 5)


def examples(X: Any) -> Array:
    """X as rows of finite floating-point numbers.

    float32 stays float32; every other real dtype becomes float64.

    Raises TypeError for sparse and masked data and for columns that do not hold numbers, and
    ValueError for complex numbers, other than two dimensions, no rows or columns, and numbers that
    are missing or not finite.
    """
    array = _frame(X) if _is_frame(X) else _array(X)
    if array.ndim != 2:
        raise ValueError(
            "X must have two dimensions, rows and columns; its shape is "
            f"{array.shape}. Reshape your data with X.reshape(-1, 1) for a single column or "
            "X.reshape(1, -1) for a single row"
        )
    for count, what in zip(array.shape, ("sample(s)", "feature(s)"), strict=True):
        if not count:
            raise ValueError(
                f"X is empty: it has 0 {what} (shape={array.shape}) while a minimum of 1 is "
                "required."
            )
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float64)
    # The sum is not finite if an element is not; then look at each.
    with np.errstate(all="ignore"):
        suspect = not np.isfinite(np.add.reduce(array, axis=None))
    if suspect and not (finite := np.isfinite(array)).all():
        row, k = np.argwhere(~finite)[0]
        names = column_names(X)
        value = "NaN" if np.isnan(array[row, k]) else str(array[row, k])
        column = f"column {k}" if names is None else f"column {names[k]!r}"
        raise ValueError(f"X must be finite; row {row}, {column} is {value}")
    return array


def _array(X: Any) -> Array:
    numbers_only(X, "X")
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TypeError(
            f"X is a sparse {type(X).__name__}; sparse matrices are not supported; use "
            "X.toarray() if it fits into memory"
        )
    for name, cure in (("collect", "collect()"), ("to_pandas", "to_pandas()")):
        if hasattr(type(X), name):
            raise TypeError(
                f"X is a {type(X).__name__}, which is not a DataFrame of pandas or polars; "
                f"use X.{cure}"
            )
    if isinstance(X, Mapping):
        raise TypeError("X is a mapping; use a DataFrame or an array")
    array = np.asarray(X)
    if array.dtype.kind == "c":
        raise ValueError("Complex data not supported: X must hold real numbers")
    if array.dtype.kind == "O":
        if any(isinstance(value, (str, bytes)) for value in array.flat):
            raise TypeError("X must hold real numbers, but some of its elements are text")
        return array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"X must hold real numbers, not {array.dtype}")
    return array


def _is_frame(X: Any) -> bool:
    # Of the class: a DataFrame of pandas has its columns as attributes, too.
    return all(hasattr(type(X), name) for name in ("columns", "dtypes", "shape"))


def _frame(X: Any) -> Array:
    """The numbers of a DataFrame of pandas or polars; NaN where one is missing."""
    polars = hasattr(type(X), "schema")
    columns = [X[:, k] if polars else X.iloc[:, k] for k in range(X.shape[1])]
    bad = [
        f"{name!r} ({column.dtype})"
        for name, column in zip(X.columns, columns, strict=True)
        if not _holds_numbers(column)
    ]
    if bad:
        what = "column " if len(bad) == 1 else "columns "
        raise TypeError(
            f"X must hold numbers, but not {what}{', '.join(bad)}; encode them as numbers, "
            "for example one column for each category, or leave them out"
        )
    if len({str(column.dtype) for column in columns}) == 1 and columns[0].dtype == np.float64:
        whole: Array = X.to_numpy()
        return whole
    return (
        np.column_stack([_column(column) for column in columns]) if columns else np.empty(X.shape)
    )


def _holds_numbers(column: Any) -> bool:
    dtype = column.dtype
    if hasattr(dtype, "is_numeric"):  # polars
        return bool(dtype.is_numeric() or str(dtype) == "Boolean")
    if dtype == np.dtype(object):
        return all(isinstance(x, (Number, Decimal)) for x in column[~column.isna()])
    return getattr(dtype, "kind", "O") in "biuf" or str(dtype).startswith("decimal")


def _column(column: Any) -> Array:
    """The numbers of a Series of pandas or polars, as float32 if that is what it holds."""
    single = str(column.dtype).lower() in ("float32", "float[pyarrow]")
    array: Array
    if hasattr(type(column), "cast"):  # polars
        array = (column if single else column.cast(float)).to_numpy()
    else:
        dtype = np.float32 if single else np.float64
        array = column.to_numpy(dtype=dtype, na_value=np.nan)
    return array


def flattened(y: Any) -> Any:
    """Targets, also by blocks, of which a single column is flattened, with a warning."""
    if y.ndim == 2 and y.shape[1] == 1:
        warn(
            "A column-vector y was passed when a 1d array was expected; use np.ravel(y)",
            DataConversionWarning,
        )
        return y[:, 0]
    return y


def target(y: Any, rows: int) -> Array:
    """The targets as an array (rows,), without missing values; a single column is flattened.

    Warns DataConversionWarning about a column. Raises ValueError if y is None, does not have one
    target for each row, or a target is missing.
    """
    if y is None:
        raise ValueError(
            "y cannot be None: this model requires y to be passed, but the target y is None"
        )
    numbers_only(y, "y")
    array = np.asarray(y)
    if array.dtype.kind == "U" and isinstance(y, (list, tuple)):
        array = np.array(y, dtype=object) if any(not isinstance(k, str) for k in y) else array
    array = np.asarray(flattened(array))
    if array.ndim != 1:
        raise ValueError(
            f"y must have one dimension, a target for each row; its shape is {array.shape}"
        )
    if len(array) != rows:
        raise ValueError(f"X has {rows} rows, y has {len(array)} targets")
    missing = _missing(array)
    if missing.any():
        raise ValueError(f"Input y contains NaN: the target of row {missing.argmax()} is missing")
    if array.dtype.kind == "c":
        raise ValueError("Complex data not supported: y must hold labels or real numbers")
    if array.dtype.kind == "f" and np.isinf(array).any():
        row = np.isinf(array).argmax()
        raise ValueError(
            "Input y contains infinity or a value too large for "
            f"dtype('{array.dtype}'). It is in row {row}"
        )
    return array


def _missing(array: Array) -> Array:
    if array.dtype.kind == "O":
        return np.array([_is_missing(x) for x in array.tolist()], dtype=bool)
    return np.asarray(array != array)


def _is_missing(x: Any) -> bool:
    try:
        return x is None or bool(x != x)
    except TypeError:  # pandas.NA is neither true nor false
        return True


def numbers(y: Array) -> Array:
    """The targets of a regression as floating-point numbers."""
    return _as_floats(y, "y")


def _as_floats(array: Array, what: str) -> Array:
    """Numbers as floats; text, also of digits, is refused."""
    if array.dtype.kind == "f":
        return array
    texts = array.dtype.kind == "O" and any(isinstance(x, (str, bytes)) for x in array.flat)
    if texts or array.dtype.kind not in "biuO":
        raise ValueError(f"{what} must hold numbers, not {'text' if texts else array.dtype}")
    try:
        floats = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{what} must hold numbers: {error}") from None
    if not np.isfinite(floats).all():
        raise ValueError(f"{what} must be finite: it contains infinity or NaN")
    return floats


def row_weights(weights: Any, rows: int) -> Array | None:
    """The weight of each row, (rows,); None if there are none.

    Raises ValueError unless they are finite, not negative, and one for each row, and if all are 0.
    """
    if weights is None:
        return None
    numbers_only(weights, "sample_weight")
    array = np.asarray(weights)
    array = _as_floats(array, "sample_weight").astype(np.float64)
    if array.ndim == 0:
        array = np.full(rows, array)
    if array.shape != (rows,):
        raise ValueError(
            f"Sample weights must be 1D array or scalar: sample_weight has shape {array.shape}, "
            f"and X has {rows} rows"
        )
    if not np.isfinite(array).all() or (array < 0).any():
        raise ValueError("sample_weight must be finite and not negative")
    if not array.any():
        raise ValueError("sample_weight is zero for every row")
    return array


def normalized(weights: Array | None, reduction: str) -> Array | None:
    """The weights with a mean of 1 for the mean of the costs; None if all of them are 1."""
    if weights is None:
        return None
    if reduction == "mean":
        weights = weights / weights.max()
        weights = weights / weights.mean()
    return None if (weights == 1).all() else weights


def standard(X: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """The mean and the standard deviation of each column; of a constant column its value and 1.

    Raises ValueError if the square of a standard deviation overflows or vanishes.
    """
    mean = np.average(X, axis=0, weights=weights).astype(X.dtype)
    constant = np.ptp(X, axis=0) == 0
    mean[constant] = X[0, constant]
    size = np.abs(X - mean).max(axis=0)
    size[constant] = 1
    with np.errstate(all="ignore"):
        squares = np.average(((X - mean) / size) ** 2, axis=0, weights=weights)
        scale = (size * np.sqrt(squares)).astype(X.dtype)
    return mean, column_scale(scale, constant)


def column_scale(scale: Array, constant: Array) -> Array:
    """The standard deviations of columns, with 1 for those that are constant.

    Raises ValueError if the square of another one overflows or vanishes.
    """
    with np.errstate(all="ignore"):
        bad = ~np.isfinite(scale**2) | (scale**2 < np.finfo(scale.dtype).tiny)
    scale = np.where(constant, 1, scale).astype(scale.dtype)
    if (bad & ~constant).any():
        k = int(np.argmax(bad & ~constant))
        raise ValueError(
            f"the numbers of column {k} differ by {scale[k]:.3g}, whose square {scale.dtype} "
            "cannot hold; use another unit"
        )
    return scale


def scaled(X: Array, mean: Array | None, scale: Array | None) -> Array:
    """The columns less their mean, over their standard deviation, if these are given."""
    return X if mean is None or scale is None else (X - mean) / scale
