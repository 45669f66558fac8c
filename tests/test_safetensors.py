"""Weights as safetensors: what is written is read, here and by PyTorch, and nothing else is."""

import json
import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_lite.exchange.tensors import Tensors, written
from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    from_state_dict,
    load,
    save,
)

pytest.importorskip("safetensors")

X = np.array([[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0], [2.0, 1.0]])
FEW = {"max_iter": 5, "tol": 0}
MODELS = {
    "binary": (LogisticRegression(standardize=True, **FEW), ["yes", "no", "yes", "no", "yes"]),
    "classes": (LogisticRegression(intercept="separate", **FEW), [5, 7, 9, 7, 5]),
    "mlp": (MLPClassifier((3, 2), random_state=0, standardize=True, **FEW), [1.0, 2, 3, 2, 1]),
    "pair": (MLPClassifier(4, activation="tanh", random_state=0, **FEW), X[:, 0] > 2),
    "linear": (LinearRegression(**FEW), X[:, 0]),
    "number": (MLPRegressor(activation="logistic", random_state=0, **FEW), X[:, 1]),
}  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("weights") / "w.safetensors"


def assert_same(back, model):
    assert type(back) is type(model)
    assert back.parameters_.keys() == model.parameters_.keys()
    for name in model.parameters_:
        np.testing.assert_array_equal(back.parameters_[name], model.parameters_[name])
        assert back.parameters_[name].dtype == model.parameters_[name].dtype
    for name in ("classes_", "mean_", "scale_", "feature_names_in_", "target_name_", "run_id_"):
        np.testing.assert_array_equal(getattr(back, name, None), getattr(model, name, None))
    if model.kind == "classifier":
        assert back.classes_.dtype.kind == model.classes_.dtype.kind
    if model.mean_ is not None:
        assert back.mean_.dtype == model.mean_.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_there_and_back(path, name, dtype):
    model, y = MODELS[name]
    model.fit(X.astype(dtype), y)
    model.feature_names_in_ = np.array(["größe", "p\0q"], dtype=object)
    model.target_name_, model.run_id_, model.table_ = "passed", "2026-11-28", '{"ü": "\\ud83d"}'
    save(model, path)
    back = load(path)
    assert_same(back, model)
    assert back.table_ == model.table_
    for setting, value in model.get_params().items():
        assert np.array_equal(getattr(back, setting), value)
    before = path.read_bytes()
    save(back, path)
    assert path.read_bytes() == before
    save(back, path.with_suffix(".npz"))
    assert_same(load(path.with_suffix(".npz")), model)


@pytest.mark.parametrize("name", MODELS)
def test_torch_reads_the_file_as_it_is(path, name):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    model, y = MODELS[name]
    save(model.fit(X, y), path)
    g = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "logistic": torch.nn.Sigmoid}
    parts = []
    for key, array in model.state_dict().items():
        if key.endswith("weight"):
            parts += [g[model.activation]()] if parts else []
            parts.append(torch.nn.Linear(*array.shape[::-1], dtype=torch.float64))
    net = torch.nn.Sequential(*parts)
    net.load_state_dict(load_file(path), strict=True)
    inputs = X if model.mean_ is None else (X - model.mean_) / model.scale_
    with torch.no_grad():
        z = net(torch.from_numpy(inputs)).numpy().squeeze(-1 if parts[-1].out_features == 1 else ())
    ours = model.decision_function(X) if model.kind == "classifier" else model.predict(X)
    np.testing.assert_allclose(ours, z, rtol=1e-12, atol=1e-13)


def test_a_file_of_torch_is_read(path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    save_file(net.state_dict(), path, {"format": "pt"})
    with pytest.raises(
        ValueError, match=r"tensors alone; for those of PyTorch use .*from_state_di"
    ):
        load(path)
    with torch.no_grad():
        expected = net(torch.tensor(X, dtype=torch.float32)).numpy()[:, 0]
    found = from_state_dict(path, activation="tanh").predict(X.astype(np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    save_file({name: array.bfloat16() for name, array in net.state_dict().items()}, path)
    with pytest.raises(
        ValueError, match=r"w.safetensors: '0\.weight' is BF16, which NumPy does not"
    ):
        from_state_dict(path, activation="tanh")


DTYPES = ("?", "i1", "u1", "<i2", ">i4", "<u8", "<f2", "<f4", ">f4", "<f8", ">f8", "<c8", ">c8")
VIEWS = (
    lambda a: a,
    lambda a: a.T,
    np.asfortranarray,
    lambda a: a[..., ::2],
    lambda a: a[::-1],
    lambda a: np.broadcast_to(a, (2, *a.shape)),
)


@given(st.data(), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
def test_any_array_is_what_is_read(path, data, shape):
    views = VIEWS if shape else VIEWS[:1]
    array = data.draw(hnp.arrays(data.draw(st.sampled_from(DTYPES)), shape, fill=st.nothing()))
    array = data.draw(st.sampled_from(views))(array)
    path.write_bytes(written({"a": array, "é ": np.zeros(())}, {"of": "é"}))
    tensors = Tensors(path)
    np.testing.assert_array_equal(tensors["a"], array)
    assert tensors["a"].dtype == array.dtype.newbyteorder("=")
    assert (tensors["é "].shape, len(tensors), tensors.metadata) == ((), 2, {"of": "é"})


@pytest.mark.parametrize("dtype", ["U1", "S1", "c16", "M8[D]", "O", "g"])
def test_arrays_that_the_format_does_not_have_are_refused(dtype):
    array = np.zeros(1, dtype)
    with pytest.raises(TypeError, match=f"cannot hold 'a' of dtype {re.escape(str(array.dtype))}"):
        written({"a": array})


def content(header, data=b"", length=None):
    """A file with this header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


W, B = np.arange(2.0)[None], np.zeros(1)
ABOUT = {"model": "LogisticRegression", "settings": "{}", "n_features": 2, "classes": [0, 1]}


def made(tensors=None, **changes):
    """A file as `save` writes it, with some of its members changed or, where None, left out."""
    about = {name: value for name, value in (ABOUT | changes).items() if value is not None}
    tensors = {"0.weight": W, "0.bias": B} if tensors is None else tensors
    return written(tensors, {"autograd_lite": json.dumps(about)})


def refusal(path, content):
    """The reason why a file is refused; None if it is not."""
    path.write_bytes(content)
    try:
        load(path)
    except ValueError as error:
        message = str(error)
    else:
        return None
    start = f"{path} does not hold a model's weights: "
    assert message.startswith(start)
    assert "\n" not in message
    return message.removeprefix(start)


def entry(dtype, shape, start, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


TWICE = (
    b'{"0.bias":' + json.dumps(entry("F64", [2], 0, 16)).encode()
    + b',"0.bias":' + json.dumps(entry("F64", [1], 0, 8)).encode() + b"}"
)  # fmt: skip
MIXED = {"a": entry("F64", [1], 0, 8)}
REFUSED = [
    (content({}, length=2**63), "not a file of safetensors"),
    (content({}, length=10**8), "not a file of safetensors"),
    (content(MIXED, bytes(7)), "not a file of safetensors"),
    (content(MIXED, bytes(9)), "not a file of safetensors"),
    (content({"a": entry("F64", [10**12], 0, 8)}, bytes(8)), "not a file of safetensors"),
    (content({"a": entry("F64", [2**62, 2**62], 0, 0)}), "not a file of safetensors"),
    (content({"a": entry("Q4", [1], 0, 8)}, bytes(8)), "not a file of safetensors"),
    (content(MIXED | {"b": entry("F64", [1], 0, 8)}, bytes(8)), "invalid offset for tensor"),
    (content(TWICE, bytes(8)), "two arrays '0.bias'"),
    (content(MIXED, bytes(8)), "tensors alone"),
    (written({"0.weight": W}, {"autograd_lite": "{"}), "metadata 'autograd_lite' is not JSON"),
    (written({"0.weight": W}, {"autograd_lite": "[" * 10**5}), "metadata .* is not JSON"),
    (written({"0.weight": W}, {"autograd_lite": "[]"}), "metadata 'autograd_lite' is not JSON"),
    (made({"0.weight": W}), "no '0.bias'"),
    (made({"0.bias": B}), "no '0.weight'"),
    (made({"0.weight": W, "0.bias": B, "mean": B}), "'mean', which the model does not have"),
    (made({"0.weight": W.T, "0.bias": B}), r"'0.weight' must be .* shape \(1, 1\); it is"),
    (made({"0.weight": W[0], "0.bias": B}), r"'0.weight' must be .* it is float64 of shape \(2,\)"),
    (made({"0.weight": W.astype(int), "0.bias": B}), "'0.weight' must be .* it is int64"),
    (made({"0.weight": W, "0.bias": np.zeros(2)}), r"'0.bias' must be .* of shape \(1,\)"),
    (made({"0.weight": W * np.nan, "0.bias": B}), "'w' has numbers that are not finite"),
    (made(model=None), "no 'model'"),
    (made(model="Forest"), "'model' is 'Forest'"),
    (made(model=["LogisticRegression"]), "'model' must be text"),
    (made(model="x" * 300), "'model' has 1200 bytes; at most 1024"),
    (made(settings='{"colour": 1}'), "'settings' .* no setting 'colour'"),
    (made(settings={}), "'settings' must be text"),
    (made(classes=None), "no 'classes'"),
    (made(classes=[1, 0]), "'classes' must be two or more .* sorted"),
    (made(classes=[0, 1, 2]), r"'0.weight' must be .* of shape \(3, 2\)"),
    (made(classes=[[0], [1, 2]]), "'classes' is not an array"),
    (made(classes=[0, None]), "'classes' must be numbers"),
    (made(classes=[0, 10**30]), "'classes' must be numbers"),
    (made(n_features=3), r"'w' must be float32 or float64 of shape \(4,\)"),
    (made(n_features=True), "'n_features' must be an integer"),
    (made(columns=["a"]), r"'columns' must be text of shape \(2,\)"),
    (made(mean=[0.0, 0.0]), "no 'scale'"),
    (made(mean=[0, 0], scale=[1, 0]), "'scale' has numbers that are not positive"),
    (made(mean=[0, 0], scale=[1, float("nan")]), "'scale' has numbers that are not finite"),
    (made(mean=["a", "b"], scale=[1, 1]), "'mean' must be float32"),
    (made(mean=[0, 0, 0], scale=[1, 1]), r"'mean' must be .* of shape \(2,\)"),
    (made(w=[1, 2, 3]), "'w' twice"),
    (made(colour="red"), "does not have: 'colour'"),
    (made(run="r" * 257), "'run' has 1028 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_other_files_are_refused_by_name(path, content, message):
    assert re.search(message, refusal(path, content) or "nothing")


def test_the_good_file_is_good(path):
    assert refusal(path, made(mean=[0, 0], scale=[1, 2], columns=["a", "b"])) is None
    del (model := load(path)).feature_names_in_
    assert model.decision_function([[5.0, 8.0]]).tolist() == [4.0]
    assert model.standardize


@given(st.data())
def test_damaged_bytes_are_refused_or_do_not_matter(path, data):
    good = made(mean=[0, 0], scale=[1, 2])
    damaged, size = bytearray(good), int.from_bytes(good[:8], "little")
    for place in data.draw(st.lists(st.integers(0, 8 + size - 1), min_size=1, max_size=3)):
        damaged[place] = data.draw(st.integers(0, 255) | st.sampled_from(b'"{}[],:0123'))
    if refusal(path, bytes(damaged)) is not None:
        return
    back = load(path)
    assert np.isfinite(back.predict_proba(np.ones((1, back.n_features_in_)))).all()
    np.testing.assert_array_equal(back.parameters_["w"][1:], W[0])


def test_what_is_cut_off_is_refused(path):
    good = made()
    assert all(refusal(path, good[:k]) is not None for k in range(len(good)))


def test_without_the_package_the_error_names_the_extra(path, monkeypatch):
    save(MODELS["linear"][0].fit(X, X[:, 0]), path)
    before = path.read_bytes()
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for call in (
        lambda: load(path),
        lambda: from_state_dict(path),
        lambda: save(MODELS["linear"][0], path),
    ):
        with pytest.raises(ImportError, match=r"pip install \"autograd_lite\[exchange\]\""):
            call()
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_is_not_begun(path):
    model = MODELS["binary"][0].fit(X, MODELS["binary"][1])
    path.write_bytes(b"before")
    for dtype in (np.longdouble, np.uint64):
        model.classes_ = np.array([0, 2**63 + 1], dtype=dtype)
        with pytest.raises(TypeError, match=r"'classes' of dtype .* cannot be saved"):
            save(model, path)
    assert path.read_bytes() == b"before"
    with pytest.raises(FileNotFoundError):
        load(path.with_name("none.safetensors"))


def test_predict_takes_them(run, tmp_path):
    table = tmp_path / "students.csv"
    table.write_text("studied,slept,passed\n" + "3,5,yes\n1,4,no\n4,8,yes\n0.5,,no\n" * 3)
    options = ("--target", "passed", "--max-iter", 5, "--tol", 0, "--quiet", "--standardize")
    assert run("train", "--data", table, *options, "--out", tmp_path / "trained")[0] == 0
    weights = tmp_path / "trained" / "mlp.npz"
    save(load(weights), tmp_path / "mlp.safetensors")
    first = run("predict", "--weights", weights, "--data", table)
    assert first[0] == 0
    assert run("predict", "--weights", tmp_path / "mlp.safetensors", "--data", table) == first
