"""Names of NumPy and PyTorch that are not here: the error says what to write."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.suggestions import HOMES, IN_PLACE, METHODS, PACKAGE, missing_from_tensor

NAMES = {
    "t": ag.Tensor([[0.5, 0.25], [0.75, 0.125]]),
    "np": np,
    "ag": ag,
    "other": np.ones((2, 2)),
    "condition": np.array([[True, False], [False, True]]),
    "mask": np.array([[True, False], [False, True]]),
    "value": 1.0,
    "shape": (2, 2),
    "axis": 0,
    "axes": (1, 0),
    "exponent": 2,
    "indices": np.array([[0, 1], [1, 0]]),
    "k": 1,
    "n": 2,
    "dtype": np.float32,
}


@pytest.mark.parametrize("name", sorted(missing_from_tensor() | METHODS))
def test_a_missing_attribute_raises_with_what_to_write(name):
    t = NAMES["t"]
    assert not hasattr(t, name)
    assert not hasattr(ag.Tensor, name)
    assert name not in dir(t)
    with pytest.raises(AttributeError, match=rf"attribute '{name}'; (write|it cannot)"):
        getattr(t, name)


MORE = {
    "quantile": (0.5,),
    "roll": (1,),
    "cross_entropy": ([0, 1],),
    "moveaxis": (0, 1),
    "inner": (np.eye(2),),
    "arctan2": (1.0,),
    "matvec": (np.ones(2),),
    "solve": (np.ones(2),),
}


@pytest.mark.parametrize("name", sorted(missing_from_tensor().keys() - METHODS - set(IN_PLACE)))
def test_a_call_has_dots_where_it_needs_more(name):
    with pytest.raises(AttributeError) as caught:
        getattr(NAMES["t"], name)
    write = re.search(r"write (.*)", str(caught.value))[1]
    function, _, operands = write.removesuffix(")").partition("(")
    assert (name in MORE) <= (operands == "t, …")
    with np.errstate(all="ignore"):
        if name in MORE:
            eval(function, dict(NAMES))(NAMES["t"], *MORE[name])
        try:
            eval(function, dict(NAMES))(NAMES["t"])
        except Exception as error:
            lacks = re.search("missing|takes from|positional argument", str(error))
            assert operands == "t, …" or not lacks


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(METHODS))
def test_what_is_suggested_runs(name):
    write = METHODS[name].partition(", since")[0].partition(", which")[0]
    if "scipy" in write:
        pytest.importorskip("scipy")
        return
    if "=" in write and "==" not in write and ">=" not in write and "<=" not in write:
        exec(write, dict(NAMES))
    else:
        eval(write, dict(NAMES))


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "det", "median", "absolute", "sort"])
def test_a_function_of_numpy_is_suggested_under_its_path(name):
    with pytest.raises(AttributeError) as caught:
        getattr(NAMES["t"], name)
    write = re.search(r"write (.*)", str(caught.value))[1].replace(", …", "")
    assert isinstance(eval(write, dict(NAMES)), ag.Tensor)


def test_the_largest_of_each_row():
    x = np.array([[1.0, 3.0, 2.0], [6.0, 4.0, 5.0]])
    found = eval(METHODS["topk"], {"np": np, "t": ag.Tensor(x), "k": 2})
    np.testing.assert_array_equal(found.data, [[3, 2], [6, 5]])


def test_activations_are_functions_of_the_package():
    for name in ("relu", "sigmoid", "softmax", "gelu", "softplus"):
        with pytest.raises(AttributeError, match=rf"write ag\.{name}\(t\)"):
            getattr(NAMES["t"], name)


def test_in_place_methods_say_that_a_tensor_cannot_change():
    for name in IN_PLACE:
        with pytest.raises(AttributeError, match="cannot be changed in place"):
            getattr(NAMES["t"], name)


def test_an_unknown_name_raises_as_python_does():
    with pytest.raises(AttributeError, match=r"^'Tensor' object has no attribute 'colour'$"):
        NAMES["t"].colour  # noqa: B018
    with pytest.raises(AttributeError, match=r"^module 'autograd_lite' has no attribute 'colour'$"):
        ag.colour  # noqa: B018
    for probe in ("__array_interface__", "__array_struct__", "__cuda_array_interface__", "_mgr"):
        assert not hasattr(NAMES["t"], probe)


def test_inside_a_transform_the_error_is_the_same():
    with pytest.raises(AttributeError, match=r"write np\.exp\(t\)"):
        ag.grad(lambda x: x.exp())(1.0)
    with pytest.raises(AttributeError, match=r"write np\.exp\(t\)"):
        ag.trace(lambda x: x.exp(), 1.0)


@pytest.mark.parametrize("name", ["log1p", "abs", "where", "stack", "inv", "fftshift"])
def test_a_function_of_numpy_is_suggested_for_the_package(name):
    with pytest.raises(AttributeError) as caught:
        getattr(ag, name)
    path, _, last = re.search(r"write (.*)", str(caught.value))[1].rpartition(".")
    assert callable(getattr(HOMES[path], last))


def test_other_names_of_the_package():
    for name, write in PACKAGE.items():
        if name in ("data", "models", "testing", "viz"):
            continue  # attributes once they have been imported
        with pytest.raises(AttributeError, match=re.escape(f"'{name}'; write {write}")):
            getattr(ag, name)
    with pytest.raises(TypeError, match=r"is a module; write ag\.Tensor\(data\)"):
        ag.tensor([1.0])
    with pytest.raises(ImportError, match="zeros"):
        exec("from autograd_lite import zeros")


def test_a_folder_that_is_not_imported_says_so():
    program = "import autograd_lite as ag\ntry: ag.viz\nexcept AttributeError as e: print(e)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "write import autograd_lite.viz" in found.stdout, found.stderr
    program = "from autograd_lite import models\nprint(models.MLPClassifier)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "MLPClassifier" in found.stdout, found.stderr
