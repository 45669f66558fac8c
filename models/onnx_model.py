"""A fitted model as an ONNX model, from the numbers of a table to probabilities."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from autograd_lite.models.estimator import Estimator

__all__ = ["write"]


def write(model: Estimator, about: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write the program of a model to `path`, and of `about`, what `save` says of it, metadata.

    The input X (rows, columns) has the columns of the model; of one that was trained on a table
    those of `_Span`. The outputs of a classifier are the probabilities (rows, classes) and the
    logits, that of a regressor is the prediction (rows,).

    Raises ValueError if the weights say how to read another table than theirs, and what
    `autograd_lite.export_onnx` raises.
    """
    encoder = _encoder(model)
    spans = _spans(encoder) if encoder is not None else []
    weights = model.separated(model.parameters_)
    dtype = np.result_type(*weights.values())

    def network(X: Any) -> dict[str, Any]:
        rows = _encoded(X, spans, dtype)
        if model.mean_ is not None:
            rows = rows - ag.constant(model.mean_, name="mean")
            rows = rows / ag.constant(model.scale_, name="scale")
        z, _ = model.forward(rows, {name: ag.constant(w, name=name) for name, w in weights.items()})
        if model.kind == "regressor":
            return {"prediction": z}
        pair = z.ndim == 1
        p = np.stack([ag.sigmoid(-z), ag.sigmoid(z)], axis=1) if pair else ag.softmax(z)
        return {"probabilities": p, "logits": z}

    texts = {name: str(about[name]) for name in ("model", "target", "run") if name in about}
    lists = {name: about[name].tolist() for name in ("columns", "classes") if name in about}
    if encoder is not None:
        lists["columns"] = [name for span in spans for name in span.names]
        texts["missing"] = encoder.missing
    metadata = texts | {name: json.dumps(values) for name, values in lists.items()}
    columns = sum(len(span.names) for span in spans) or model.n_features_in_
    ag.export_onnx(network, (np.ones((2, columns), dtype),), path, rows="X", metadata=metadata)


def _encoder(model: Estimator) -> Any:
    """How columns of a table become those of the model; None if the weights do not say."""
    from autograd_lite.data.encoder import Encoder

    if not hasattr(model, "table_"):
        return None
    try:
        encoder = Encoder.from_json(json.loads(model.table_)["encoder"])
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"the weights do not say how a table is read: {error}") from None
    if len(encoder.names) != model.n_features_in_:
        raise ValueError("the weights say how to read another table than theirs")
    return encoder


class _Span(NamedTuple):
    """Columns of X that are filled alike: those of numbers, or the categories of a text.

    A number is missing where it is NaN; a category where its columns do not have a single 1, as
    where it is not known. `filling` stands for what is missing, and with `indicator` one more
    column of the model says where.
    """

    names: list[str]
    text: bool
    filling: list[float]
    indicator: bool


def _spans(encoder: Any) -> list[_Span]:
    spans: list[_Span] = []
    for feature in encoder.features:
        width, text = len(feature.means), feature.kind == "text"
        filling = [np.nan] * width if encoder.missing == "drop" else list(feature.means)
        span = _Span(feature.names[:width], text, filling, feature.indicator)
        alike = spans and (spans[-1].text, spans[-1].indicator) == (text, span.indicator)
        if alike and not text and not span.indicator:
            spans[-1].names.extend(span.names)
            spans[-1].filling.extend(span.filling)
        else:
            spans.append(span)
    return spans


def _encoded(X: Any, spans: list[_Span], dtype: Any) -> Any:
    """The columns of the model from those of X."""
    if not spans:
        return X
    parts, start = [], 0
    for span in spans:
        own = X[:, start : start + len(span.names)] if len(spans) > 1 else X
        start += len(span.names)
        missing = np.sum(own, axis=1, keepdims=True) != 1 if span.text else np.isnan(own)
        parts.append(np.where(missing, np.array([span.filling], dtype), own))
        if span.indicator:
            parts.append(np.where(missing, dtype.type(1), dtype.type(0)))
    return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
