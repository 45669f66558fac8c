"""Programs saved with the names of PyTorch, JAX and CuPy."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import operator
import re
import sys
from typing import NamedTuple

import loops
import numpy as np
import pytest
from hypothesis import given, settings
from operands import VOCABULARY, cases

import autograd_lite as ag
from autograd_lite.compiler import namespaces
from autograd_lite.op import OPS
from autograd_lite.testing import programs
from autograd_lite.trees import flatten, tree_map

NAMESPACES = ("torch", "jax.numpy", "cupy")
SLOW_IN_JAX = ("torch", "cupy", pytest.param("jax.numpy", marks=pytest.mark.slow))


@contextlib.contextmanager
def available(namespace):
    """What makes arrays of a library; NumPy stands in for CuPy, which needs a GPU."""
    if namespace == "cupy":
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "cupy", np)
            with contextlib.suppress(ImportError):
                scipy = importlib.import_module("scipy")
                patch.setitem(sys.modules, "cupyx", scipy)
                patch.setitem(sys.modules, "cupyx.scipy", scipy)
            yield np.asarray
        return
    library = pytest.importorskip(namespace.split(".")[0])
    if namespace == "torch":
        yield lambda x: library.tensor(np.asarray(x))
        return
    with library.enable_x64(True):
        yield importlib.import_module(namespace).asarray


def written(function, arguments, namespace):
    """The module for a call, and what it defines."""
    compiled = ag.compile(function)
    with np.errstate(all="ignore"):
        expected = compiled(*arguments)
    text = compiled._latest("").readable(namespace)
    space = {}
    exec(compile(text, namespace, "exec"), space)
    return expected, space[re.findall(r"^def (\w+)", text, re.MULTILINE)[-1]], text


def compare(calls, namespace, close=1e-9):
    """Run programs for several calls with another library; returns which of them are refused."""
    refused, programs, given, expected, texts = [], [], [], [], []
    with available(namespace) as made:
        for name, function, arguments in calls:
            try:
                value, run, text = written(function, arguments, namespace)
            except ValueError as error:
                assert "has no equal of" in str(error)  # noqa: PT017
                refused.append(name)
                continue
            programs.append(run)
            given.append(tuple(tree_map(made, x) for x in arguments))
            expected.append(value)
            texts.append(text)

        def together(given):
            return [run(*arguments) for run, arguments in zip(programs, given, strict=True)]

        if namespace == "jax.numpy" and "argwhere" not in "".join(texts):
            together = importlib.import_module("jax").jit(together)
        with np.errstate(all="ignore"):
            results = together(given)
    for found, value, text in zip(results, expected, texts, strict=True):
        same(found, value, close, text)
    return refused


def same(found, expected, close, text):
    leaves, paths, _ = flatten(found)
    others, other_paths, _ = flatten(expected)
    assert paths == other_paths
    for x, y in zip(leaves, others, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype), text
        rounding = close if y.dtype != np.float32 else 1e-4
        scale = np.max(np.abs(y[np.isfinite(y)]), initial=1)
        np.testing.assert_allclose(x, y, rounding, rounding * scale, err_msg=text)


WRITTEN = """
absolute add add_along_axis add_at add_each_at all any arccos arccosh arcsin arcsinh arctan arctan2
arctanh argmax argmin argsort astype binary_cross_entropy binary_cross_entropy_with_logits
broadcast_to ceil cholesky concatenate copysign cos cosh cross_entropy cumprod cumsum divide
einsum elu equal erf exp exp2 expand_dims expm1 flip floor floor_divide fmax fmin gelu getitem
greater greater_equal hypot inv isfinite isinf isnan leaky_relu less less_equal log log10 log1p log2
log_abs_det log_softmax logaddexp logical_and logical_not logical_or logsumexp matmul max maximum
mean min median minimum multiply nanmedian nanquantile negative norm not_equal outer power prod
quantile recurrence reciprocal relu remainder reshape roll sigmoid sign silu sin sinc sinh softmax
softplus solve sqrt square squared_error squeeze stack std subtract sum swapaxes take_along_axis tan
tanh tile trace transpose tril triu trunc var where
"""
"""Operations whose values and gradients every library computes; others may be refused by name."""


def example(name, number):
    """One of the operands drawn for an operation, of float32 or float64."""
    found = []

    @settings(max_examples=number + 2)
    @given(cases(OPS[name]))
    def run(case):
        found.append(case)

    run()
    dtype = np.float32 if VOCABULARY.index(name) % 2 else np.float64
    return found[min(number, len(found) - 1)].astype(dtype)


def value_and_gradient_of(case):
    """The result of an operation, and the gradient of a loss computed from it."""
    floats = [*case.floats()] * case.op.differentiable

    def function(*operands):
        def loss(*given):
            full = list(operands)
            for k, x in zip(floats, given, strict=True):
                full[k] = x
            found = case(*full)
            parts = found if isinstance(found, tuple) else (found,)
            return sum(np.sum(np.tanh(part / 4)) for part in parts)

        argnums = tuple(range(len(floats)))
        given = [operands[k] for k in floats]
        return case(*operands), ag.grad(loss, argnums)(*given) if floats else ()

    return function


PARTS = [VOCABULARY[k::16] for k in range(16)]


@pytest.mark.parametrize("namespace", SLOW_IN_JAX)
@pytest.mark.parametrize("part", range(16))
def test_each_operation_and_its_gradient(part, namespace):
    drawn = {name: example(name, 1) for name in PARTS[part]}
    calls = [(name, value_and_gradient_of(case), case.operands) for name, case in drawn.items()]
    assert not set(compare(calls, namespace, 1e-7)) & set(WRITTEN.split())


NAN = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5])
ELEMENTWISE = [name for name in VOCABULARY if OPS[name].traits.elementwise]


@pytest.mark.parametrize("namespace", SLOW_IN_JAX)
def test_not_a_number_and_infinity(namespace):
    calls = []
    for name in ELEMENTWISE:
        op = OPS[name]
        pairs = [x.ravel() for x in np.meshgrid(*[NAN] * (op.arity or 2))]
        with np.errstate(all="ignore"), contextlib.suppress(TypeError, ValueError):
            op(*pairs) if op.arity else op(pairs)
            calls.append((name, lambda *x, op=op: op(*x) if op.arity else op(x), pairs))
    calls = [(name, unbound(function), pairs) for name, function, pairs in calls]
    assert len(calls) > 80
    assert not set(compare(calls, namespace)) & set(WRITTEN.split())


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_several_levels_of_a_quantile_are_constants_of_the_program(namespace):
    x = np.random.default_rng(2).normal(size=(4, 3))
    calls = [
        (f.__name__, ag.value_and_grad(lambda x, f=f: np.sum(f(x, [0.2, 0.7], axis=0) ** 2)), (x,))
        for f in (np.quantile, np.nanquantile, np.percentile)
    ]
    calls = [(name, unbound(function), given) for name, function, given in calls]
    assert not compare(calls, namespace)


def unbound(function):
    """The function without its keyword, which `compile` takes for an argument."""
    return lambda *operands: function(*operands)


@pytest.mark.parametrize("namespace", NAMESPACES)
@settings(max_examples=8)
@given(program=programs(max_size=12))
def test_random_programs_and_their_gradients(namespace, program):
    argnums = tuple(range(len(program.arrays)))
    both = ag.value_and_grad(program, argnums)
    assert not compare([("program", both, program.arrays)], namespace)


@pytest.mark.parametrize("namespace", NAMESPACES)
@settings(max_examples=6)
@given(loops.looped())
def test_random_loops(namespace, drawn):
    function, arguments = drawn
    assert not compare([("loop", function, arguments)], namespace, 1e-7)


CUPY = """
abs absolute add all allclose amax amin angle any append apply_along_axis apply_over_axes arange
arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort argwhere
around array array2string array_equal array_equiv array_repr array_split array_str asanyarray
asarray asarray_chkfinite ascontiguousarray asfortranarray astype atleast_1d atleast_2d
atleast_3d average bartlett bincount bitwise_and bitwise_count bitwise_not bitwise_or
bitwise_xor blackman broadcast_arrays broadcast_shapes broadcast_to cbrt ceil choose clip
column_stack compress concatenate conj conjugate convolve copy copysign copyto corrcoef
correlate cos cosh count_nonzero cov cross cumprod cumsum cumulative_prod cumulative_sum deg2rad
degrees delete diag diag_indices diag_indices_from diagflat diagonal diff digitize divide divmod
dot dsplit dstack ediff1d einsum empty empty_like equal exp exp2 expand_dims expm1 extract eye
fabs fill_diagonal fix flatnonzero flip fliplr flipud float_power floor floor_divide fmax fmin
fmod format_float_positional format_float_scientific frexp from_dlpack frombuffer fromfile
fromfunction fromiter fromstring full full_like gcd genfromtxt get_printoptions gradient greater
greater_equal hamming hanning heaviside histogram histogram2d histogramdd hsplit hstack hypot i0
identity imag indices inner interp intersect1d invert isclose iscomplex iscomplexobj isdtype
isfinite isfortran isin isinf isnan isneginf isposinf isreal isrealobj issubdtype iterable ix_
kaiser kron lcm ldexp left_shift less less_equal lexsort linspace load loadtxt log log10 log1p
log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logspace mask_indices
matmul matrix_transpose max maximum may_share_memory mean median meshgrid min min_scalar_type
minimum mintypecode mod modf moveaxis multiply nan_to_num nanargmax nanargmin nancumprod
nancumsum nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar negative nextafter
nonzero not_equal ones ones_like outer packbits pad partition percentile piecewise place poly
polyadd polyfit polymul polysub polyval positive power printoptions prod promote_types ptp put
put_along_axis putmask quantile rad2deg radians ravel ravel_multi_index real real_if_close
reciprocal remainder repeat require reshape resize right_shift rint roll rollaxis roots rot90
round row_stack save savetxt savez savez_compressed searchsorted select set_printoptions
setdiff1d setxor1d shape shares_memory sign signbit sin sinc sinh size sort sort_complex split
sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile
trace transpose trapezoid tri tril tril_indices tril_indices_from trim_zeros triu triu_indices
triu_indices_from true_divide trunc typename union1d unique unique_all unique_counts
unique_inverse unique_values unpackbits unravel_index unwrap vander var vdot vsplit vstack where
zeros zeros_like linalg.cholesky linalg.cond linalg.det linalg.eig linalg.eigh linalg.eigvals
linalg.eigvalsh linalg.inv linalg.lstsq linalg.matrix_power linalg.matrix_rank linalg.norm
linalg.pinv linalg.qr linalg.slogdet linalg.solve linalg.svd linalg.tensorinv linalg.tensorsolve
"""
"""The functions of NumPy that CuPy 14 has, by the imports of its main module."""


def test_every_name_of_cupy_is_one_that_it_has():
    library = namespaces.LIBRARIES["cupy"]
    names = {name for name in library.names.values() if not name.startswith("special.")}
    assert names <= set(CUPY.split())
    text = "".join(library.helpers.values())
    assert set(re.findall(r"cp\.([a-z_]+)", text)) <= {*CUPY.split(), "result_type"}


@pytest.mark.parametrize("namespace", ["torch", "jax.numpy"])
def test_every_name_is_one_that_the_library_has(namespace):
    library = namespaces.LIBRARIES[namespace]
    pytest.importorskip(namespace.split(".")[0])
    module = importlib.import_module(namespace)
    assert library.alias in library.headers
    for name in library.names.values():
        home = module
        if name.startswith("special.") and namespace != "torch":
            home = importlib.import_module("jax.scipy")
        assert callable(operator.attrgetter(name)(home)), name


class Layers(NamedTuple):
    weights: dict
    bias: np.ndarray


def training_step(layers, X, labels, rate=0.1):
    """A step with classes as labels, and a table of embeddings."""

    def loss(layers):
        logits = np.tanh(X @ layers.weights["first"]) @ layers.weights["second"] + layers.bias
        return ag.cross_entropy(logits, labels) + np.mean(layers.weights["first"][labels] ** 2)

    value, gradient = ag.value_and_grad(loss)(layers)
    moved = {k: w - rate * gradient.weights[k] for k, w in layers.weights.items()}
    return value, Layers(moved, layers.bias - rate * gradient.bias)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("namespace", SLOW_IN_JAX)
def test_a_training_step(namespace, dtype):
    draw = np.random.default_rng(0).normal
    weights = {"first": draw(size=(5, 4)), "second": draw(size=(4, 3))}
    layers = tree_map(lambda x: x.astype(dtype), Layers(weights, draw(size=3)))
    X, labels = draw(size=(7, 5)).astype(dtype), np.array([0, 1, 2, 2, 1, 0, 1])
    with available(namespace) as made:
        expected, run, text = written(training_step, (layers, X, labels), namespace)
        found = run(tree_map(made, layers), made(X), made(labels))
        value, (moved, bias) = expected
        # The module knows no named tuple, so it returns a tuple.
        same(found, (value, (moved, bias)), 1e-9, text)
        # What is no class raises an error, or gives NaN.
        if namespace != "cupy":
            with contextlib.suppress(IndexError, RuntimeError):
                wrong = made(np.array([0, 1, 7, 2, 1, 0, 1]))
                assert np.isnan(np.asarray(run(tree_map(made, layers), made(X), wrong)[0]))


DTYPES = [np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_]
MIXED = (
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: x / (y + 3),
    lambda x, y: np.where(x > y, x, y),
    lambda x, y: np.maximum(x, y) * 0.5,
    lambda x, y: np.concatenate([x, y]),
    lambda x, y: np.sum(x) + y,
    lambda x, y: np.exp(x) - (y > 1),
    lambda x, y: np.cumsum(x) @ y,
    lambda x, y: x[::-1] ** 2 + y[::-2][0],
    lambda x, y: np.hypot(x, 2) + np.arctan2(y, 0.5),
    lambda x, y: np.prod(x) + np.max(y + 0.5),
    lambda x, y: x[y.astype(np.int64) % 3],
    lambda x, y: np.einsum("i,i->", x, y),
    lambda x, y: np.stack([x, y])[:, ::-1].T,
)


@pytest.mark.parametrize("namespace", SLOW_IN_JAX)
def test_dtypes_are_those_of_numpy(namespace):
    calls = []
    for k, function in enumerate(MIXED):
        for j in range(4):
            one, two = DTYPES[(k + j) % 6], DTYPES[(k + 2 * j + 1) % 6]
            operands = np.array([1, 0, 2]).astype(one), np.array([2, 1, 1]).astype(two)
            with contextlib.suppress(TypeError, ValueError), np.errstate(all="ignore"):
                ag.compile(function)(*operands)  # not every pair is accepted
                calls.append((k, function, operands))
    refused = compare(calls, namespace)
    assert len(refused) <= len(calls) / 5


def test_a_wrong_name_is_seen(monkeypatch):
    pytest.importorskip("torch")
    names = namespaces.TORCH.names | {"maximum": "fmax", "expm1": "exp"}
    wrong = dataclasses.replace(namespaces.TORCH, names=names)
    monkeypatch.setitem(namespaces.LIBRARIES, "torch", wrong)
    for function in (lambda x: np.expm1(x), lambda x: np.maximum(x, 0.0)):
        with pytest.raises(AssertionError):
            compare([("wrong", function, (NAN,))], "torch")


def test_what_a_library_lacks_is_refused_before_a_file_is_written(tmp_path):
    compiled = ag.compile(lambda x: np.cbrt(x))
    compiled(np.ones(3))
    path = tmp_path / "step.py"
    path.write_text("old")
    with pytest.raises(ValueError, match="save: PyTorch has no equal of cbrt"):
        compiled.save(path, namespace="torch")
    compiled = ag.compile(lambda x: x + 1)
    compiled(np.ones(3, np.uint64))
    with pytest.raises(ValueError, match="save: PyTorch has no equal of the dtype uint64"):
        compiled.save(path, namespace="torch")
    with pytest.raises(ValueError, match="tinygrad"):
        compiled.save(path, namespace="tinygrad")
    with pytest.raises(ValueError, match="namespace 'torch' goes with backend=\"numpy\""):
        compiled.save(path, backend="numba", namespace="torch")
    assert path.read_text() == "old"


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_saved_module_runs_alone(namespace, tmp_path):
    C = np.random.default_rng(1).normal(size=(9, 9))  # larger than what is written as numbers
    compiled = ag.compile(ag.value_and_grad(lambda x: np.sum(np.tanh(C @ x))))
    expected = compiled(np.ones(9))
    with available(namespace) as made:
        compiled.save(tmp_path / "step.py", namespace=namespace)
        text = (tmp_path / "step.py").read_text()
        assert "autograd_lite" not in text.replace("Compiled by autograd_lite", "")
        space = {}
        exec(text, space)
        same(space["function"](made(np.ones(9))), expected, 1e-12, text)


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_any_number_of_rows(namespace):
    def loss(w, X, y):
        return np.mean(np.square(np.tanh(X @ w) - y))

    compiled = ag.compile(ag.value_and_grad(loss), rows="auto")
    draw = np.random.default_rng(2).normal
    w = draw(size=3)
    compiled(w, draw(size=(40, 3)), draw(size=40))
    text = compiled._latest("").readable(namespace)
    with available(namespace) as made:
        space = {}
        exec(text, space)
        for n in (2, 11):
            X, y = draw(size=(n, 3)), draw(size=n)
            same(space["loss"](made(w), made(X), made(y)), compiled(w, X, y), 1e-9, text)


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_any_number_of_rows_with_classes_as_labels(namespace):
    def loss(w, X, labels):
        return ag.cross_entropy(X @ w, labels)

    compiled = ag.compile(ag.value_and_grad(loss), rows="auto")
    rng = np.random.default_rng(2)
    w = rng.normal(size=(3, 4))
    compiled(w, rng.normal(size=(40, 3)), rng.integers(0, 4, 40))
    text = compiled._latest("").readable(namespace)
    with available(namespace) as made:
        space = {}
        exec(text, space)
        for n in (2, 11):
            X, labels = rng.normal(size=(n, 3)), rng.integers(0, 4, n)
            found = space["loss"](made(w), made(X), made(labels))
            same(found, compiled(w, X, labels), 1e-9, text)


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_matrix_with_nan_gives_nan_and_the_others_numbers(namespace):
    a = np.array([[[2.0, 1.0], [1.0, 3.0]], [[np.nan, 1.0], [1.0, 3.0]]])
    b = np.array([[1.0], [2.0]])

    def function(a, b):
        inverse, log = np.linalg.inv(a), np.linalg.slogdet(a)[1]
        return inverse, log, np.linalg.solve(a, b), np.linalg.cholesky(a), np.linalg.det(a)

    assert not compare([("linear algebra", function, (a, b))], namespace)


@pytest.mark.parametrize("namespace", ["torch", "cupy"])
def test_a_probit_regression(namespace):
    special = pytest.importorskip("scipy.special")

    def loss(w, X, signs):
        return -np.sum(special.log_ndtr(signs * (X @ w)))

    random = np.random.default_rng(0)
    X = random.normal(size=(6, 2))
    signs = np.sign(X[:, 0])
    calls = [(k, ag.value_and_grad(loss), (k * np.ones(2), X, signs)) for k in (1, 50)]
    assert not compare(calls, namespace)
