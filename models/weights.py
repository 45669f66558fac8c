"""Saving and loading trained models as plain arrays in NumPy's npz format."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from dataclasses import fields
from typing import IO, Any

import numpy as np

from autograd_lite.files import atomic
from autograd_lite.models.estimator import Estimator
from autograd_lite.models.linear_regression import LinearRegression
from autograd_lite.models.logistic_regression import LogisticRegression
from autograd_lite.models.mlp import MLPClassifier, MLPRegressor

_MODELS: dict[str, type[Estimator]] = {
    model.__name__: model
    for model in (LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor)
}

# NumPy and zipfile raise these for damaged archives.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)


def save(model: Estimator, path: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write a fitted model to `path` as npz, completely or not at all, or to an open file.

    The file holds the model's name, the settings that JSON can hold, its
    classes, the names of its columns and its target if known, the means and standard deviations of
    standardized columns, and each parameter under its name. `load` and
    `numpy.load(path, allow_pickle=False)` read it.

    Raises NotFittedError before `fit`, TypeError if `model` is not a model or its labels are
    not numbers, Booleans or text, and OSError as `open` does.
    """
    if not isinstance(model, Estimator):
        raise TypeError(f"save: the first argument must be a fitted model, not {model!r}")
    model._check_fitted("save")
    classes = getattr(model, "classes_", None)
    model._last()
    if classes is not None and classes.dtype.kind not in "biufU":
        given, classes = classes, np.array(classes.tolist())
        if classes.dtype.kind not in "biufU":
            raise TypeError(f"save: labels of dtype {given.dtype} cannot be saved; use text")
    settings = {name: value for name, value in model.get_params().items() if _is_plain(value)}
    arrays: dict[str, Any] = {
        "model": type(model).__name__,
        "settings": json.dumps(settings, default=_plain),
        "n_features": model.n_features_in_,
        **model.parameters_,
    }
    if classes is not None:
        arrays["classes"] = classes
    if hasattr(model, "feature_names_in_"):
        arrays["columns"] = np.array(model.feature_names_in_, dtype=str)
    if hasattr(model, "target_name_"):
        arrays["target"] = model.target_name_
    if hasattr(model, "run_id_"):
        arrays["run"] = model.run_id_
    if model.mean_ is not None:
        arrays |= {"mean": model.mean_, "scale": model.scale_}
    if isinstance(path, (str, os.PathLike)):
        with atomic(path, "wb") as file:
            np.savez(file, **arrays)
    else:
        np.savez(path, **arrays)


def load(path: str | os.PathLike[str]) -> Estimator:
    """Read a model that `save` wrote, ready to predict.

    Nothing in the file is executed, and no object is unpickled.

    Raises ValueError if the file does not hold a model, and OSError as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> from autograd_lite.models import LogisticRegression, load, save
        >>> model = LogisticRegression(alpha=0.1).fit([[1.0], [2.0]], ["no", "yes"])
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.npz"
        >>> save(model, path)
        >>> load(path).predict([[0.0], [5.0]]).tolist() == model.predict([[0.0], [5.0]]).tolist()
        True
    """
    try:
        with open(path, "rb") as file:
            return _restored(_arrays(file))
    except (*_BROKEN, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} does not hold a model's weights: {_reason(error)}") from None


def _arrays(file: Any) -> dict[str, Any]:
    # NumPy would read a file that is not a zip as a pickle, and its error would be about pickles.
    if not zipfile.is_zipfile(file):
        raise ValueError("it is not an npz file")
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _restored(arrays: dict[str, Any]) -> Estimator:
    name = str(arrays.pop("model"))
    if name not in _MODELS:
        raise ValueError(f"there is no model {name!r}")
    settings = json.loads(str(arrays.pop("settings")))
    known = {field.name for field in fields(_MODELS[name])}
    if not isinstance(settings, dict) or not settings.keys() <= known:
        raise ValueError("its settings do not match the model")
    model = _MODELS[name](**settings)

    columns, outputs = int(arrays.pop("n_features")), 1
    learned: dict[str, Any] = {"n_features_in_": columns}
    if model.kind == "classifier":
        classes = learned["classes_"] = arrays.pop("classes")
        if classes.ndim != 1 or len(classes) < 2 or classes.dtype.kind not in "biufU":
            raise ValueError("it does not name its classes")
        outputs = 1 if len(classes) == 2 else len(classes)
    names, target = arrays.pop("columns", None), arrays.pop("target", None)
    run = arrays.pop("run", None)
    if names is not None and (names.shape != (columns,) or names.dtype.kind != "U"):
        raise ValueError(f"it does not name {columns} columns")
    shapes = model.shapes(columns, outputs)
    if arrays.keys() & {"mean", "scale"}:
        shapes |= {"mean": (columns,), "scale": (columns,)}
    for key, shape in shapes.items():
        array = arrays[key]
        if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{key} is not an array of finite numbers of shape {shape}")
    if arrays.keys() != shapes.keys():
        raise ValueError(f"unknown arrays: {', '.join(sorted(arrays.keys() - shapes.keys()))}")
    learned |= {"mean_": arrays.pop("mean", None), "scale_": arrays.pop("scale", None)}
    if names is not None:
        learned["feature_names_in_"] = names.astype(object)
    if target is not None:
        learned["target_name_"] = str(target)
    if run is not None:
        learned["run_id_"] = str(run)
    model._set_fitted(arrays, learned)
    return model


def _is_plain(value: Any) -> bool:
    """Whether JSON can hold a setting; predictions need none that it cannot hold."""
    values = value if isinstance(value, (list, tuple, np.ndarray)) else [value]
    return all(x is None or isinstance(x, (bool, int, float, str, np.integer)) for x in values)


def _plain(value: Any) -> Any:
    """NumPy's numbers and sequences as JSON types."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else list(value)


def _reason(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)
