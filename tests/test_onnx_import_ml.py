"""The operations of ai.onnx.ml: linear models and scaling, and the labels of classifiers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx import helper
from onnx_models import built, evaluated, imported, ran

import autograd_lite as ag

X = np.array([[0.5, -1.0], [2.0, 0.25], [-1.0, -4.0], [0.0, 0.0]], np.float32)
TWO = {
    "coefficients": [0.3, -0.2, -0.3, 0.2],
    "intercepts": [0.1, -0.1],
    "classlabels_ints": [7, 9],
}
ONE = {"coefficients": [0.3, -0.2], "intercepts": [0.1], "classlabels_ints": [7, 9]}


def ml(kind, outputs, inputs=("x",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), domain="ai.onnx.ml", **attributes)


CASES = {
    "scores": ml("LinearClassifier", ["l", "y"], **TWO),
    "logistic": ml("LinearClassifier", ["l", "y"], **TWO, post_transform="LOGISTIC"),
    "softmax": ml("LinearClassifier", ["l", "y"], **TWO, post_transform="SOFTMAX"),
    "logistic of one score": ml("LinearClassifier", ["l", "y"], **ONE, post_transform="LOGISTIC"),
    "regression": ml("LinearRegressor", ["y"], coefficients=[0.5, 2.0], intercepts=[3.0]),
    "two targets": ml(
        "LinearRegressor", ["y"], coefficients=[1.0, 2, 3, 4], intercepts=[5.0, 6], targets=2
    ),
    "scaler": ml("Scaler", ["y"], offset=[0.5, -1.0], scale=[2.0, 3.0]),
    "scaler for all": ml("Scaler", ["y"], offset=[0.5], scale=[2.0]),
    "L1": ml("Normalizer", ["y"], norm="L1"),
    "L2": ml("Normalizer", ["y"], norm="L2"),
    "binarizer": ml("Binarizer", ["y"], threshold=0.25),
    "imputer": ml(
        "Imputer", ["y"], imputed_value_floats=[7.0, 8.0], replaced_value_float=float("nan")
    ),
    "imputer of zeros": ml("Imputer", ["y"], imputed_value_floats=[7.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_is_that_of_onnx(name, tmp_path):
    model = built([CASES[name]], {"x": X}, {"y": X}, (), 17)
    expected = evaluated(model, {"x": X})[0]
    read = imported(model, tmp_path)
    np.testing.assert_allclose(read(X), expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(read(ag.constant(X)).numpy(), read(X))
    np.testing.assert_allclose(ag.compile(read)(X), expected, rtol=1e-6, atol=1e-7)


def test_a_missing_number_has_no_derivative(tmp_path):
    model = built([CASES["imputer"]], {"x": X}, {"y": X}, (), 17)
    read = imported(model, tmp_path)
    x = np.array([[np.nan, 2.0], [3.0, np.nan]], np.float32)
    np.testing.assert_array_equal(read(x), [[7, 2], [3, 8]])
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(read(x)))(x), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(ran(model, {"x": x})[0], read(x))


@pytest.mark.parametrize("name", CASES)
def test_onnxruntime_agrees(name, tmp_path):
    model = built([CASES[name]], {"x": X}, {"y": X}, (), 17)
    (expected,) = ran(model, {"x": X})
    np.testing.assert_allclose(imported(model, tmp_path)(X), expected, rtol=1e-6, atol=1e-7)


REFUSED = {
    "only post_transform NONE": ml(
        "LinearRegressor", ["y"], coefficients=[1.0, 2], post_transform="LOGISTIC"
    ),
    "runtimes disagree": ml("Normalizer", ["y"], norm="MAX"),
    "post_transform SOFTMAX_ZERO": ml(
        "LinearClassifier", ["l", "y"], **TWO, post_transform="SOFTMAX_ZERO"
    ),
    "no intercepts": ml(
        "LinearClassifier", ["l", "y"], coefficients=[1.0, 2, 3, 4], classlabels_ints=[0, 1]
    ),
    "3 coefficients for 2 scores": ml(
        "LinearClassifier", ["l", "y"], coefficients=[1.0, 2, 3], intercepts=[0.0, 1]
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_runtimes_compute_differently_is_refused(message, tmp_path):
    with pytest.raises(ValueError, match=message):
        imported(built([REFUSED[message]], {"x": X}, {"y": X}, (), 17), tmp_path)


def test_a_single_score_without_a_transform_is_refused_when_it_is_called(tmp_path):
    model = imported(
        built([ml("LinearClassifier", ["l", "y"], **ONE)], {"x": X}, {"y": X}, (), 17), tmp_path
    )
    with pytest.raises(ValueError, match="of a single score only LOGISTIC"):
        model(X)


def test_the_derivative_at_a_row_of_zeros(tmp_path):
    """A normaliser leaves it as it is."""
    model = imported(built([CASES["L1"]], {"x": X}, {"y": X}, (), 17), tmp_path)
    gradient = ag.grad(lambda x: np.sum(model(x)))(np.zeros((1, 2)))
    assert np.isfinite(gradient).all()


# Labels


def classifier(outputs, labels=("a", "b"), **options):
    """σ, and the parts that make labels of it."""
    texts = helper.make_tensor_value_info("label", 8, [None])
    nodes = [
        helper.make_node("Sigmoid", ["x"], ["p"]),
        helper.make_node("ArgMax", ["p"], ["places"], axis=1, keepdims=0),
        ml("ArrayFeatureExtractor", ["label"], ["classes", "places"]),
    ]
    declared = {"p": X, "label": texts, "places": np.array([0])}
    arrays = {"classes": np.array(labels, object)}
    chosen = {name: declared[name] for name in outputs}
    return built(nodes, {"x": X}, chosen, arrays, 17, **options)


def test_labels_are_left_out_and_the_classes_kept(tmp_path):
    model = imported(classifier(["label", "p"]), tmp_path)
    assert list(model.outputs) == ["p"]
    assert model.labels == ("label",)
    assert model.classes.tolist() == ["a", "b"]
    np.testing.assert_allclose(model(X), 1 / (1 + np.exp(-X)), rtol=1e-6)


def test_a_model_of_labels_only_gives_what_they_are_chosen_by(tmp_path):
    for output, classes in (("label", ["a", "b"]), ("places", None)):
        model = imported(classifier([output]), tmp_path)
        assert list(model.outputs) == ["p"]
        assert model.labels == (output,)
        assert classes == (None if model.classes is None else model.classes.tolist())
        assert model(X).shape == X.shape


def test_columns_that_are_chosen_are_no_labels(tmp_path):
    node = ml("ArrayFeatureExtractor", ["y"], ["x", "columns"])
    arrays = {"columns": np.array([1, 1, 0])}
    model = imported(built([node], {"x": X}, {"y": X}, arrays, 17), tmp_path)
    np.testing.assert_array_equal(model(X), X[:, [1, 1, 0]])
    assert model.labels == ()


def test_a_model_of_this_package_comes_back_with_its_classes(tmp_path):
    from autograd_lite.models import MLPClassifier, save

    labels = np.array(["no", "maybe", "yes"])[[0, 1, 2, 0, 1, 2]]
    x = np.arange(18.0).reshape(6, 3) % 5
    fitted = MLPClassifier((4,), tol=10.0, random_state=0).fit(x, labels)
    path = tmp_path / "model.onnx"
    save(fitted, path)
    model = ag.import_onnx(path)
    assert model.classes.tolist() == fitted.classes_.tolist()
    np.testing.assert_allclose(model(x)["probabilities"], fitted.predict_proba(x), rtol=1e-12)


def test_texts_called_classes_that_are_no_list_are_only_texts(tmp_path):
    for text in ("7", "a, b", ""):
        model = built([CASES["L1"]], {"x": X}, {"y": X}, (), 17)
        helper.set_model_props(model, {"classes": text})
        read = imported(model, tmp_path)
        assert read.classes is None
        assert read.metadata == {"classes": text}
