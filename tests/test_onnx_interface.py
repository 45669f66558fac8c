"""Names, metadata and errors of exported models, and the file that is written."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_runs import exported, run

import autograd_lite as ag


@dataclass
class Layer:
    weights: Any
    bias: Any


@dataclass
class Network:
    layers: tuple[Layer, ...]
    scale: float = 2.0


def inputs(model):
    return [x.name for x in model.graph.input]


def outputs(model):
    return [x.name for x in model.graph.output]


def values(model):
    return {name for node in model.graph.node for name in node.output}


def test_names_of_containers(tmp_path):
    layers = (Layer(np.ones((2, 3)), np.zeros(3)), Layer(np.ones((3, 1)), np.zeros(1)))

    def predict(params, x, *, negative=False):
        for layer in params["net"].layers:
            x = np.tanh(x @ layer.weights + layer.bias)
        return {"p": ag.sigmoid(x), "z": [x, x * params["net"].scale]}

    args = {"net": Network(layers)}, np.ones((5, 2))
    model = exported(tmp_path, predict, args)
    assert inputs(model) == ["weights", "bias", "weights_1", "bias_1", "x"]
    assert outputs(model) == ["p", "z0", "z1"]
    assert model.graph.name == "predict"
    assert model.producer_name == "autograd_lite"
    assert [(x.domain, x.version) for x in model.opset_import] == [("", 18)]


def test_names_of_tensors(tmp_path):
    A = ag.constant(np.ones((4, 2)), name="A")
    y = np.array([1.0, 0.0, 1.0, 0.0])

    def loss(A, w):
        ŷ = ag.sigmoid((A @ w).named("z")).named("ŷ")
        return ag.binary_cross_entropy(ŷ, ag.constant(y, name="labels")).named("L")

    w = ag.Tensor([0.1, -0.2], name="w⁽¹⁾")
    model = exported(tmp_path, loss, [A, w])
    assert inputs(model) == ["A", "w⁽¹⁾"]
    assert outputs(model) == ["L"]
    assert {"z"} <= values(model)
    assert "labels" in [x.name for x in model.graph.initializer]
    assert abs(run(model, [A.numpy(), w.numpy()])[0] - loss(A, w).numpy()) < 1e-15
    lines = [node.doc_string for node in model.graph.node]
    assert all(line.startswith("test_onnx_interface.py, line ") for line in lines)


def test_every_name_is_given_once(tmp_path):
    def f(x, cast):
        y = np.add(x, 1.0).named("x")
        return {"x": x, "cast": y, "output": y, "y": np.add(y, cast).named("add")}

    model = exported(tmp_path, f, [np.ones(2), np.ones(2)])
    assert inputs(model) == ["x", "cast"]
    assert outputs(model) == ["x_1", "cast_1", "output", "y"]
    every = [*inputs(model), *(name for node in model.graph.node for name in node.output)]
    every += [x.name for x in model.graph.initializer]
    assert len({*every}) == len(every)
    np.testing.assert_array_equal(
        run(model, [[2.0, 3.0], [1.0, 1.0]]), [[2, 3], [3, 4], [3, 4], [4, 5]]
    )


def test_results_that_are_inputs_or_constants(tmp_path):
    model = exported(
        tmp_path, lambda x: (x, x, np.ones(3) + 0 * x[0], ag.constant([7.0])), [np.ones(1)]
    )
    found = run(model, [[5.0]])
    assert [part.tolist() for part in found] == [[5], [5], [1, 1, 1], [7]]


def test_numbers_among_the_arguments_are_constants(tmp_path):
    def f(x, power, reduction):
        return np.sum(x**power) if reduction == "sum" else np.mean(x)

    model = exported(tmp_path, f, [np.array([1.0, 3.0]), 2, "sum"])
    assert inputs(model) == ["x"]
    assert run(model, [[1.0, 3.0]])[0] == 10


def test_metadata_is_kept(tmp_path):
    texts = {"classes": "benign\nmaligne", "columns": "a\tb"}
    model = exported(tmp_path, np.tanh, [np.ones(2)], metadata=texts)
    assert {x.key: x.value for x in model.metadata_props} == texts
    with pytest.raises(TypeError, match="metadata are texts by name, not 'n': 3"):
        ag.export_onnx(np.tanh, (np.ones(2),), tmp_path / "no.onnx", metadata={"n": 3})


def test_the_same_program_gives_the_same_bytes(tmp_path):
    def f(x):
        return ag.gelu(x) + ag.logsumexp(x)

    made = [exported(tmp_path, f, [np.ones((3, 2))], rows="x").SerializeToString() for _ in "ab"]
    assert made[0] == made[1]


def test_constants_in_any_layout_are_written_as_they_are(tmp_path):
    weights = np.arange(6.0).reshape(2, 3)
    layouts = [weights.T, np.asfortranarray(weights), weights[::-1, ::2], weights.astype(">f8")]
    for w in layouts:
        x = np.eye(len(w))

        def f(x, w=w):
            return x @ w

        (found,) = run(exported(tmp_path, lambda x, f=f: f(x), [x]), [x])
        np.testing.assert_array_equal(found, w)


def test_constants_of_one_number_keep_their_names(tmp_path):
    bias = ag.constant(np.zeros(40), name="bias")

    def f(x):
        return {"y": x + bias, "b": bias, "z": np.ones((50, 40)) * x}

    model = exported(tmp_path, f, [np.ones(40)])
    sizes = {x.name: tuple(x.dims) for x in model.graph.initializer}
    assert sizes["bias"] == (40,)
    assert (50, 40) not in sizes.values()
    found = run(model, [np.full(40, 3.0)])
    for part, expected in zip(
        found, [np.full(40, 3.0), np.zeros(40), np.full((50, 40), 3.0)], strict=True
    ):
        np.testing.assert_array_equal(part, expected)


def unchanged(path, error, message, f, *args, **options):
    path.write_bytes(b"old")
    with pytest.raises(error, match=message):
        ag.export_onnx(f, args, path, **options)
    assert path.read_bytes() == b"old"
    assert [x.name for x in path.parent.iterdir()] == [path.name]


def test_errors_leave_the_old_file(tmp_path):
    path, x = tmp_path / "model.onnx", np.eye(3)
    unchanged(path, ValueError, r"^export_onnx: inv \(.*line \d+\) ", np.linalg.inv, x)
    unchanged(path, TypeError, "^bool", lambda x: x if x[0, 0] > 0 else -x, x)
    unchanged(path, ValueError, "^export_onnx: the results must be arrays", lambda x: 3.0, x)
    unchanged(path, ValueError, "^export_onnx: the results must be arrays", lambda x: None, x)
    unchanged(path, TypeError, "^export_onnx: takes a function, not int", 3, x)
    unchanged(path, TypeError, "^export_onnx: y is a set", lambda x, y: x, x, {1})
    unchanged(path, TypeError, "missing a required argument: 'y'", lambda x, y: x, x)
    with pytest.raises(TypeError, match=r"^export_onnx: args is a tuple of arguments, not ndarray"):
        ag.export_onnx(np.tanh, x, path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        ag.export_onnx(np.tanh, (x,), tmp_path / "no" / "model.onnx")


def test_own_operations(tmp_path):
    @ag.custom_gradient(lambda g, out, x: g * 3 * x**2)
    def cubed(x):
        return x * x * x

    @ag.custom_gradient(lambda g, out, x: g)
    def loud(x):
        return np.array([float(v) for v in x])

    x = np.array([1.0, 2.0])
    model = exported(tmp_path, ag.grad(lambda x: np.sum(cubed(x))), [x])
    np.testing.assert_array_equal(run(model, [x])[0], [3, 12])
    unchanged(tmp_path / "model.onnx", ValueError, r"^export_onnx: \S*loud \(test_onnx", loud, x)


def test_compiled_functions(tmp_path):
    f = ag.compile(lambda x: np.sum(np.tanh(x)))
    assert run(exported(tmp_path, f, [np.ones(3)]), [np.ones(3)])[0] == f(np.ones(3))


def test_onnx_is_loaded_when_it_is_used():
    code = (
        "import sys, autograd_lite as ag; assert callable(ag.export_onnx); "
        "print({'onnx', 'autograd_lite.exchange'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


def test_the_error_without_the_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'^export_onnx: needs .*"autograd_lite\[exchange\]"'):
        ag.export_onnx(np.tanh, (np.ones(2),), tmp_path / "model.onnx")
    assert onnx.__name__ == "onnx"
