"""Files of ONNX models: how arrays are stored, data in other files, what is refused."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx")

from onnx import helper  # noqa: E402
from onnx_models import built, imported  # noqa: E402

import autograd_lite as ag  # noqa: E402

X = np.array([[0.5, -1.0], [2.0, 0.25], [1.0, 4.0]])
W = np.array([[1.0, 2.0], [-3.0, 0.5]])
GEMM = helper.make_node("Gemm", ["x", "w"], ["y"], name="layer", transB=1)
ADD = helper.make_node("Add", ["x", "w"], ["y"])
T = onnx.TensorProto


def layer(**options):
    return built([GEMM], {"x": X}, {"y": X}, {"w": W}, **options)


def saved(model, folder, name="model.onnx"):
    path = folder / name
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


# How arrays are stored


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (T.FLOAT, np.float32),
        (T.DOUBLE, np.float64),
        (T.FLOAT16, np.float32),
        (T.BFLOAT16, np.float32),
        (T.INT64, np.int64),
        (T.INT32, np.int32),
        (T.UINT8, np.uint8),
        (T.INT8, np.int8),
        (T.BOOL, bool),
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_an_initializer_of_each_type(kind, dtype, raw, tmp_path):
    numbers = [[1, 0], [1, 1]]
    tensor = helper.make_tensor("w", kind, (2, 2), np.ravel(numbers).tolist())
    if raw:
        plain = onnx.numpy_helper.to_array(tensor)
        tensor = helper.make_tensor("w", kind, (2, 2), plain.tobytes(), raw=True)
    node = helper.make_node("Cast", ["w"], ["y"], to=kind)
    graph = helper.make_graph(
        [node], "g", [], [helper.make_tensor_value_info("y", kind, (2, 2))], [tensor]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    found = imported(model, tmp_path)()
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.array(numbers, dtype))


def test_bytes_are_little_endian_on_every_machine(tmp_path):
    model = layer()
    tensor = model.graph.initializer[0]
    assert tensor.raw_data == W.astype("<f8").tobytes()
    assert not np.array_equal(W.astype(">f8").tobytes(), tensor.raw_data)
    np.testing.assert_array_equal(imported(model, tmp_path).parameters["w"], W)


def test_parameters_cannot_be_changed_in_place(tmp_path):
    model = imported(layer(), tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        model.parameters["w"][0, 0] = 9
    before = model(X)
    changed = {"w": model.parameters["w"] * 2}
    np.testing.assert_array_equal(model(X, parameters=changed), before * 2)
    np.testing.assert_array_equal(model(X), before)


# Data in other files


def beside(folder, location="weights.bin", offset=0, length=None, size=None):
    """A model whose initializer lies in another file."""
    model = layer()
    tensor = model.graph.initializer[0]
    data = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = T.EXTERNAL
    entries = {"location": location, "offset": str(offset)}
    entries |= {} if length is None else {"length": str(length)}
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    place = folder / "model" / location
    if (location[:1] or "/") not in "/.":
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((b"\0" * offset + data)[:size])
    (folder / "model").mkdir(exist_ok=True)
    return saved(model, folder / "model")


@pytest.mark.parametrize(
    "options",
    [{}, {"length": 32}, {"offset": 16, "length": 32}, {"location": "deep/er/w.bin"}],
    ids=str,
)
def test_data_in_another_file_are_read(options, tmp_path):
    model = ag.import_onnx(beside(tmp_path, **options))
    np.testing.assert_array_equal(model(X), X @ W.T)


def test_what_onnx_saves_with_external_data_is_read(tmp_path):
    onnx.save(layer(), tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0)
    assert len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(ag.import_onnx(tmp_path / "m.onnx")(X), X @ W.T)
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copy(tmp_path / "m.onnx", moved)
    with pytest.raises(FileNotFoundError, match=r"the data of 'w' are in .* not beside m\.onnx"):
        ag.import_onnx(moved / "m.onnx")


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "", ".", "a/../../s.bin"])
def test_a_path_that_leaves_the_folder_is_refused(location, tmp_path):
    (tmp_path / "secret.bin").write_bytes(W.tobytes())
    (tmp_path / "s.bin").write_bytes(W.tobytes())
    with pytest.raises(ValueError, match=r"not in the folder of model\.onnx"):
        ag.import_onnx(beside(tmp_path, location=location))


def test_a_link_that_leaves_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.bin").write_bytes(W.tobytes())
    path = beside(tmp_path)
    (path.parent / "weights.bin").unlink()
    (path.parent / "weights.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(ValueError, match="not in the folder"):
        ag.import_onnx(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 32, "size": 20}, "end after 20 of 32 bytes"),
        ({"size": 24}, "too small for the declared shape"),
        ({"length": 24}, "too small for the declared shape"),
        ({"length": -1}, "end after 0 of -1 bytes"),
        ({"offset": 64, "size": 10}, "not a valid model"),
    ],
    ids=str,
)
def test_data_of_another_size_are_refused(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        ag.import_onnx(beside(tmp_path, **options))


# Files that are refused


@given(data=st.data())
def test_a_file_that_is_cut_off_or_changed_gives_one_error_or_a_model(data, tmp_path_factory):
    """Whatever the bytes: a ValueError, or what they say."""
    whole = layer().SerializeToString()
    end = data.draw(st.integers(0, len(whole)))
    place, byte = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 255))
    changed = (
        whole[:end] if end < len(whole) else whole[:place] + bytes([byte]) + whole[place + 1 :]
    )
    path = saved(changed, tmp_path_factory.mktemp("bytes"))
    try:
        ag.import_onnx(path)
    except (ValueError, FileNotFoundError) as error:
        assert str(error).startswith("import_onnx: ")  # noqa: PT017


@pytest.mark.parametrize("content", [b"", b"text\n", b"PK\x03\x04", bytes(100)])
def test_another_file_is_refused(content, tmp_path):
    with pytest.raises(ValueError, match=r"model\.onnx is not an ONNX file"):
        ag.import_onnx(saved(content, tmp_path))


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        ag.import_onnx(tmp_path / "none.onnx")


def test_every_operation_that_is_not_supported_is_named(tmp_path):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[1, 1]),
        helper.make_node("Attention", ["c"], ["y"], domain="com.example", name="of the house"),
    ]
    image = np.zeros((1, 1, 2, 2))
    versions = [("", 20), ("com.example", 1)]
    model = built(nodes, {"x": image}, {"y": image}, {"w": image}, versions=versions)
    message = "Conv 'first', MaxPool → 'c', com.example.Attention 'of the house'$"
    with pytest.raises(ValueError, match=message):
        imported(model, tmp_path)


def test_branches_and_loops_are_refused_by_name(tmp_path):
    branch = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["z"])],
        "branch",
        [],
        [helper.make_tensor_value_info("z", T.DOUBLE, None)],
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch, name="if")
    model = built([node], {"x": X, "c": np.array(True)}, {"y": X})
    with pytest.raises(ValueError, match="not supported: If 'if'"):
        imported(model, tmp_path)


def test_functions_of_a_file_are_written_out(tmp_path):
    function = helper.make_function(
        "local", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 20)],
    )  # fmt: skip
    nodes = [helper.make_node("Double", ["x"], ["y"], domain="local")]
    versions = [("", 20), ("local", 1)]
    model = built(nodes, {"x": X}, {"y": X}, versions=versions, functions=[function])
    np.testing.assert_array_equal(imported(model, tmp_path)(X), 2 * X)


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ([("", 6)], "opset 6, and the oldest that is read is 7"),
        ([("", 9999)], "opset 9999 of ONNX, and the installed onnx .* upgrade onnx"),
        ([("", 20), ("ai.onnx.ml", 99)], "opset 99 of ai.onnx.ml"),
        ([("", 20), ("", 21)], "opset 20 and 21 of ONNX"),
    ],
)
def test_versions_that_are_not_known(versions, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        imported(layer(versions=versions), tmp_path)


def test_a_version_that_stands_twice_is_read(tmp_path):
    model = layer(versions=[("", 20), ("ai.onnx", 20), ("", 20)])
    np.testing.assert_array_equal(imported(model, tmp_path)(X), X @ W.T)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (helper.make_node("Gemm", ["x"], ["y"]), "not a valid model"),
        (helper.make_node("Gemm", ["x", "nowhere"], ["y"]), "not a valid model.*nowhere"),
        (helper.make_node("Gemm", ["x", "w"], ["y"], colour=1), "not a valid model.*colour"),
        (helper.make_node("Nonsense", ["x"], ["y"]), "Nonsense"),
        (helper.make_node("Cast", ["x"], ["y"], to=T.STRING), "only casts to numbers"),
        (helper.make_node("Reshape", ["x", "shape"], ["y"]), None),
        (helper.make_node("CumSum", ["x", "axis"], ["y"], exclusive=1), "exclusive=1"),
    ],
    ids=lambda x: x.op_type if hasattr(x, "op_type") else "",
)
def test_a_node_that_is_not_valid_or_not_supported(node, message, tmp_path):
    arrays = {"w": W, "axis": np.array(0), "shape": np.array([2, 3])}
    model = built([node], {"x": X}, {"y": X}, arrays)
    if message is None:
        assert imported(model, tmp_path)(X).shape == (2, 3)
        return
    with pytest.raises(ValueError, match=message):
        imported(model, tmp_path)


def test_a_second_output_that_is_not_computed_is_refused(tmp_path):
    nodes = [
        helper.make_node("Dropout", ["x"], ["a", "mask"], name="drop"),
        helper.make_node("Cast", ["mask"], ["b"], to=T.DOUBLE),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    with pytest.raises(ValueError, match="Dropout 'drop': only its first output"):
        imported(built(nodes, {"x": X}, {"y": X}), tmp_path)
    imported(built(nodes[:1], {"x": X}, {"a": X}), tmp_path)


def test_a_shape_from_values_works_on_arrays_and_is_refused_on_tensors(tmp_path):
    node = helper.make_node("Reshape", ["x", "shape"], ["y"], name="form")
    model = imported(built([node], {"x": X, "shape": np.array([2, 3])}, {"y": X}), tmp_path)
    assert model(X, np.array([3, 2])).shape == (3, 2)
    assert model(ag.constant(X), np.array([1, 6])).shape == (1, 6)
    with pytest.raises(ValueError, match="Reshape 'form': its shape must not depend"):
        ag.compile(model)(X, np.array([3, 2]))


# Calls


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (
            helper.make_node("MatMul", ["x", "w"], ["y"], name="layer"),
            "MatMul 'layer': matmul: .*7",
        ),
        (helper.make_node("Add", ["x", "w"], ["y"]), "Add → 'y': .*broadcast"),
        (helper.make_node("Gather", ["x", "far"], ["y"], name="g"), "Gather 'g': .*out of bounds"),
    ],
    ids=lambda x: x.op_type if hasattr(x, "op_type") else "",
)
@pytest.mark.parametrize("given", [np.asarray, ag.constant])
def test_an_operation_that_fails_is_named_once(node, message, given, tmp_path):
    model = imported(built([node], {"x": X}, {"y": X}, {"w": W, "far": np.array([9])}), tmp_path)
    with pytest.raises(ValueError, match=f"^import_onnx: {message}") as caught:
        model(given(np.ones((5, 7), X.dtype)))
    assert str(caught.value).count("import_onnx") == 1


def test_inputs_by_position_and_name(tmp_path):
    node = helper.make_node("Sub", ["input.1", "onnx::Sub_0"], ["y"])
    model = imported(built([node], {"input.1": X, "onnx::Sub_0": X}, {"y": X}), tmp_path)
    assert list(model.inputs) == ["input.1", "onnx::Sub_0"]
    other = X * 3
    np.testing.assert_array_equal(model(X, other), X - other)
    np.testing.assert_array_equal(model(onnx_Sub_0=other, input_1=X), X - other)
    with pytest.raises(TypeError, match="missing a required argument"):
        model(X)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[0], ValueError, "x: an array of shape (2,) does not fit (?, 2)"),
        (X[:, :1], ValueError, "x: an array of shape (3, 1) does not fit (?, 2)"),
        (X * 1j, TypeError, "x: expected numbers"),
        (np.array([["a", "b"]]), TypeError, "x: expected numbers"),
    ],
    ids=["axes", "length", "complex", "text"],
)
def test_an_input_that_does_not_fit(x, error, message, tmp_path):
    declared = helper.make_tensor_value_info("x", T.DOUBLE, (None, 2))
    model = imported(built([ADD], {"x": declared}, {"y": X}, {"w": W[:1]}), tmp_path)
    with pytest.raises(error, match=re.escape(message)):
        model(x)
    np.testing.assert_array_equal(model([[1, 2]]), W[:1] + [1, 2])


def test_parameters_that_do_not_fit(tmp_path):
    model = imported(layer(), tmp_path)
    with pytest.raises(ValueError, match="no parameter is called 'v'; there are 'w'"):
        model(X, parameters={"v": W})
    with pytest.raises(ValueError, match=re.escape("w: an array of shape (2,)")):
        model(X, parameters={"w": W[0]})


def test_without_onnx_the_error_names_the_extra(tmp_path, monkeypatch):
    path = saved(layer(), tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match=re.escape("autograd_lite[exchange]")):
        ag.import_onnx(path)


def test_several_outputs_are_a_dict_and_a_scalar_is_one(tmp_path):
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
        helper.make_node("Neg", ["x"], ["negated"]),
    ]
    model = imported(built(nodes, {"x": X}, {"total": X.sum(), "negated": X}), tmp_path)
    found = model(X)
    assert list(found) == ["total", "negated"]
    assert isinstance(found["total"], np.float64)
    np.testing.assert_array_equal(found["negated"], -X)
    assert (
        repr(model)
        == "OnnxModel(x (x_0, x_1) → total (), negated (negated_0, negated_1); 0 parameters)"
    )


def test_old_files_list_initializers_among_the_inputs(tmp_path):
    both = {"x": X, "w": W}
    model = imported(built([GEMM], both, {"y": X}, {"w": W}), tmp_path)
    assert list(model.inputs) == ["x"]
    np.testing.assert_array_equal(model(X), X @ W.T)


def test_texts_of_the_writer_are_kept(tmp_path):
    model = layer()
    helper.set_model_props(model, {"columns": "a,b", "unit": "µm"})
    assert imported(model, tmp_path).metadata == {"columns": "a,b", "unit": "µm"}
