"""Saving and loading trained models: as npz of NumPy, and as safetensors."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from typing import IO, Any

import numpy as np

from autograd_lite.exchange.tensors import Tensors, is_safetensors, written
from autograd_lite.files import atomic
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.estimator import Array, Estimator
from autograd_lite.models.layers import parameters_of
from autograd_lite.models.linear_regression import LinearRegression
from autograd_lite.models.logistic_regression import LogisticRegression
from autograd_lite.models.mlp import MLPClassifier, MLPRegressor
from autograd_lite.models.npz import Members, Npz
from autograd_lite.models.onnx_model import write
from autograd_lite.models.settings import check_settings
from autograd_lite.models.state_dict import different

_MODELS: dict[str, type[Estimator]] = {
    model.__name__: model
    for model in (LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor)
}

_TEXTS = {"target": "target_name_", "run": "run_id_", "table": "table_"}
"""The members that are texts, which are set after `fit`, and their attributes."""

_MOST = {"model": 1 << 10, "settings": 1 << 20, "target": 1 << 20, "run": 1 << 10, "table": 1 << 24}
"""The most bytes of a text, 4 for each character."""

_KEY = "autograd_lite"
"""The name of the text of a safetensors file that holds all but the weights."""


def save(model: Estimator, path: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write a fitted model to `path`, completely or not at all, or to an open file.

    A path that ends in .safetensors becomes a file of safetensors (which needs the extra
    `exchange`), any other, and an open file, one of npz. Both hold the model's name, the settings
    that JSON can hold, its classes, the names of its columns and its target if known, the means and
    standard deviations of standardized columns, and the weights; and what `autograd-lite train`
    adds, the id of the run and how the columns of a table become features. npz has each parameter
    under its name, and `numpy.load(path, allow_pickle=False)` reads it; safetensors has the arrays
    of `model.state_dict()`, which PyTorch takes, and all else as JSON in its metadata.

    Raises NotFittedError before `fit`, TypeError if `model` is not a model or its labels are
    not numbers, Booleans or text, ValueError if a setting is not valid, labels are equal as numbers
    or text, or a text is too long for the file, ImportError if safetensors is not installed, and
    OSError as `open` does.
    """
    if not isinstance(model, Estimator):
        raise TypeError(f"save: the first argument must be a fitted model, not {model!r}")
    model._check_fitted("save")
    check_settings(model)
    model._last()
    about = _about(model)
    if not isinstance(path, (str, os.PathLike)):
        np.savez(path, **(about | model.parameters_))
        return
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".onnx":
        write(model, about, path)
    elif suffix == ".safetensors":
        content = written(model.state_dict(), {_KEY: _as_json(about)})
        with atomic(path, "wb") as file:
            file.write(content)
    else:
        with atomic(path, "wb") as file:
            np.savez(file, **(about | model.parameters_))


def _about(model: Estimator) -> dict[str, Any]:
    """All that a file holds of a model beside its parameters."""
    settings = {name: value for name, value in model.get_params().items() if _is_plain(value)}
    about: dict[str, Any] = {
        "model": type(model).__name__,
        "settings": json.dumps(settings, default=_plain),
        "n_features": model.n_features_in_,
    }
    about |= {
        name: str(getattr(model, attribute))
        for name, attribute in _TEXTS.items()
        if hasattr(model, attribute)
    }
    for name in about.keys() & _MOST.keys():
        if (size := np.array(about[name]).nbytes) > _MOST[name]:
            raise ValueError(
                f"save: {name!r} has {size} bytes, more than the {_MOST[name]} it may have"
            )
    if isinstance(model, Classifier):
        about["classes"] = _labels(model.classes_)
    if hasattr(model, "feature_names_in_"):
        about["columns"] = np.array(model.feature_names_in_, dtype=str)
    if model.mean_ is not None:
        about |= {"mean": model.mean_, "scale": model.scale_}
    return about


def _as_json(about: Mapping[str, Any]) -> str:
    """What `_about` gives as JSON, the same bytes for the same model."""
    values = {name: np.asarray(value) for name, value in about.items()}
    text = json.dumps({name: value.tolist() for name, value in values.items()}, default=float)
    for name, value in json.loads(text).items():
        found = np.array(value)  # of float64 for integers beyond int64 beside smaller ones
        rounded = found.dtype.kind == "f" and values[name].dtype.kind in "iu"
        if rounded or not np.array_equal(found, values[name]):
            raise TypeError(f"save: {name!r} of dtype {values[name].dtype} cannot be saved")
    return text


def load(path: str | os.PathLike[str]) -> Estimator:
    """Read a model that `save` wrote, as npz or as safetensors, ready to predict.

    Nothing in the file is executed, and no object is unpickled. A member is read after its dtype
    and shape were compared with those of the model and its size with that of the file: what a file
    declares takes no memory.

    Raises ValueError if the file does not hold a model, ImportError if it is one of safetensors,
    and the package is not installed, and OSError as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> from autograd_lite.models import LogisticRegression, load, save
        >>> model = LogisticRegression(alpha=0.1).fit([[1.0], [2.0]], ["no", "yes"])
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.npz"
        >>> save(model, path)
        >>> load(path).predict([[0.0], [5.0]]).tolist() == model.predict([[0.0], [5.0]]).tolist()
        True
    """
    with open(path, "rb") as file:
        try:
            if is_safetensors(file.read(9)):
                return _restored(_members(Tensors(path)))
            return _restored(Npz(file))
        except (ValueError, MemoryError) as error:
            onnx = str(path).lower().endswith(".onnx")
            reason = "autograd_lite.import_onnx reads models of ONNX" if onnx else error
            raise ValueError(f"{path} does not hold a model's weights: {reason}") from None


def _members(tensors: Tensors) -> Members:
    """The members that an npz file of the same model has."""
    if _KEY not in tensors.metadata:
        raise ValueError(
            "it has tensors alone; for those of PyTorch use autograd_lite.models.from_state_dict"
        )
    try:
        about = json.loads(tensors.metadata[_KEY])
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise ValueError(f"its metadata {_KEY!r} is not JSON that `save` writes")
    members = {}
    for name, value in about.items():
        try:
            members[name] = np.array(value)
        except (ValueError, OverflowError):
            raise ValueError(f"{name[:40]!r} is not an array") from None
    found = Members(members)
    model = _model(found.text("model", _MOST["model"]), found.text("settings", _MOST["settings"]))
    outputs = len(np.atleast_1d(members.get("classes", ())))
    parameters = parameters_of(model, tensors, outputs if outputs > 2 else 1)
    if both := sorted(members.keys() & parameters.keys()):
        raise ValueError(f"it has {both[0]!r} twice")
    dtype = np.result_type(*parameters.values())
    for name in members.keys() & {"mean", "scale"}:
        if members[name].dtype.kind in "iuf":
            members[name] = members[name].astype(dtype)
    return Members(members | parameters)


def _restored(file: Members) -> Estimator:
    model = _model(file.text("model", _MOST["model"]), file.text("settings", _MOST["settings"]))
    columns, outputs = int(file.array("n_features", "an integer")), 1
    if columns < 1:
        raise ValueError(f"'n_features' must be at least 1; it is {columns}")
    learned: dict[str, Any] = {"n_features_in_": columns}
    needed, optional = {"model", "settings", "n_features"}, {"columns", *_TEXTS}
    if isinstance(model, Classifier):
        needed.add("classes")
        classes = learned["classes_"] = file.array("classes", "numbers, Booleans or text", (-1,))
        if not different(classes):
            raise ValueError("'classes' must be two or more finite labels, sorted and different")
        outputs = 1 if len(classes) == 2 else len(classes)
    shapes = model.shapes(columns, outputs)
    model.standardize = model.standardize or not file.names.isdisjoint(("mean", "scale"))
    if model.standardize:
        shapes |= {"mean": (columns,), "scale": (columns,)}
    file.check(needed | shapes.keys(), optional)
    for name in _TEXTS.keys() & file.names:
        learned[_TEXTS[name]] = file.text(name, _MOST[name])
    if "columns" in file.names:
        names = file.array("columns", "text", (columns,))
        learned["feature_names_in_"] = names.astype(object)
    arrays = {name: file.array(name, "float32 or float64", shapes[name]) for name in shapes}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name!r} has numbers that are not finite")
    learned |= {"mean_": arrays.pop("mean", None), "scale_": arrays.pop("scale", None)}
    if model.standardize and not (learned["scale_"] > 0).all():
        raise ValueError("'scale' has numbers that are not positive")
    model._set_fitted(arrays, learned)
    return model


def _model(name: str, text: str) -> Estimator:
    """The model with its settings, not fitted."""
    if name not in _MODELS:
        raise ValueError(f"'model' is {name!r}; the models are {', '.join(_MODELS)}")
    try:
        settings = json.loads(text)
        known = {field.name for field in fields(_MODELS[name])}
        if not isinstance(settings, dict):
            raise ValueError("they must be names with values")
        if unknown := settings.keys() - known:
            raise ValueError(f"{name} has no setting {min(unknown)!r}")
        model = _MODELS[name](**settings)
        check_settings(model)
        model.shapes(1)
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"'settings' are not valid: {str(error)[:200]}") from None
    return model


def _labels(classes: Array) -> Array:
    """The classes as numbers, Booleans or text."""
    kinds = "biufU"
    labels = classes if classes.dtype.kind in kinds else np.array(classes.tolist())
    if labels.dtype.kind not in kinds:
        raise TypeError(f"save: labels of dtype {classes.dtype} cannot be saved; use text")
    if not different(labels):
        raise ValueError(f"save: the labels as {labels.dtype} are not different; use text")
    return labels


def _is_plain(value: Any) -> bool:
    """Whether JSON can hold a setting; predictions need none that it cannot hold."""
    values = value if isinstance(value, (list, tuple, np.ndarray)) else [value]
    plain = (bool, int, float, str, np.bool_, np.integer, np.floating)
    return all(x is None or isinstance(x, plain) for x in values)


def _plain(value: Any) -> Any:
    """NumPy's numbers and sequences as JSON types."""
    if isinstance(value, np.floating):
        return float(value)
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else list(value)
