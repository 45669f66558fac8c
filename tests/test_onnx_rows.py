"""Models that take any number of rows."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_runs import BY_ONNXRUNTIME, difference, exported, leaves, run

import autograd_lite as ag

pytestmark = pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")

W = np.random.default_rng(5).normal(size=(3, 4))


def cross_entropy(x, y, w):
    return ag.cross_entropy(np.tanh(x @ w), y)


def squared(x, y, w):
    h = np.concatenate([x, np.ones((len(x), 1))], axis=1)[:, 1:]
    return np.sum((h @ w[:, 0] - y) ** 2) / (2 * x.shape[0])


def normalized(x, y, w):
    x = (x - np.mean(x, axis=0)) / (1e-3 + np.std(x, axis=0))
    return np.mean(np.logaddexp(0, -(x @ w))), np.var(x[:, 0], ddof=0.5), ag.logsumexp(x)


def weighted(x, y, w):
    return ag.binary_cross_entropy_with_logits((x @ w)[:, 0], np.minimum(y, 1)) * y.size


PROGRAMS = {
    "probabilities": lambda x, y, w: {"p": ag.softmax(x @ w), "z": x @ w},
    "cross entropy": ag.value_and_grad(cross_entropy, argnums=2),
    "squared error": ag.value_and_grad(squared, argnums=(0, 2)),
    "normalized": normalized,
    "gradient of normalized": ag.grad(lambda x, y, w: sum(normalized(x, y, w)), argnums=(0, 2)),
    "weighted": ag.value_and_grad(weighted, argnums=2),
    "transposed": ag.grad(lambda x, y, w: np.sum(np.tanh(x @ w[:, 0]) * (w[:, 1] @ x.T) * y), 2),
    "hessian": lambda x, y, w: ag.hessian(lambda w: squared(x, y, w))(w),
    "flattened": lambda x, y, w: (np.ravel(x), np.reshape(x, (len(x), 3, 1)), x.reshape(3, -1)),
    "differences": lambda x, y, w: np.cumsum(np.concatenate([x[:1], np.diff(x, axis=0)])),
    "gradient of differences": ag.grad(lambda x, y, w: np.sum(np.diff(x, axis=0) ** 2)),
    "reversed": lambda x, y, w: (x[::-1, 1], np.flip(x), np.roll(x, 1, axis=1)),
    "pairs": lambda x, y, w: np.sum((x[:, None] - x[None]) ** 2, axis=-1),
    "extremes": ag.grad(lambda x, y, w: np.sum(np.max(x, axis=0) - np.min(x @ w))),
    "sorted": ag.value_and_grad(lambda x, y, w: np.sum(np.sort(x, axis=0) ** 2 * x)),
    "places": lambda x, y, w: (np.argmax(x, axis=0), np.argmin(x, axis=1)),
    "counted": lambda x, y, w: (np.sum(x > 0, axis=0), np.sum(y), np.all(x > -9), len(x) * w),
    "chosen": ag.grad(lambda x, y, w: np.sum(np.where(x > 0, x**2, 0) * x[:, [2, 0, 0]])),
    "labels": ag.grad(lambda x, y, w: np.sum(np.take_along_axis(x @ w, y[:, None], axis=1))),
    "einsum": ag.grad(lambda x, y, w: np.mean(np.einsum("ij,jk,ik->i", x, w, x @ w))),
    "covariance": lambda x, y, w: (
        x.T @ (x - np.mean(x, axis=0)) / (len(x) - 1),
        x.T @ x / len(x) ** 2,
    ),
    "stacked": lambda x, y, w: np.stack([x, 2 * x], axis=1) + np.tile(x, (1, 2)).reshape(-1, 2, 3),
    "zeros": lambda x, y, w: (
        np.zeros_like(x),
        np.full_like(x[:, 0], 3),
        np.ones(len(x)) * x[0, 0],
    ),
    "joined": lambda x, y, w: np.concatenate([x, np.ones((6, 3)), x])[1:] @ w,
    "product with the hessian": lambda x, y, w: ag.hvp(
        lambda w: np.mean(np.max(ag.relu(x @ w), axis=1) ** 2)
    )(w, w + 1),
    "norms": ag.grad(lambda x, y, w: np.sum(np.linalg.norm(x, axis=1)) + np.linalg.norm(x)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


def data(n, dtype=np.float64):
    random = np.random.default_rng(n)
    return random.normal(size=(n, 3)).astype(dtype), random.integers(0, 4, n), W.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", PROGRAMS)
def test_any_number_of_rows(folder, name, dtype):
    model = exported(folder, PROGRAMS[name], data(6, dtype), rows=("x", "y"))
    sizes = {
        x.name: [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim]
        for x in model.graph.input
    }
    assert sizes == {"x": ["rows", 3], "y": ["rows"], "w": [3, 4]}
    # The reference evaluator gathers at most 64 rows.
    for n in (2, 3, 6, 40, 1, 1500 if BY_ONNXRUNTIME else 7):
        if n == 1 and name in {"normalized", "gradient of normalized", "covariance"}:
            continue  # a variance of one row has no degrees of freedom
        args = data(n, dtype)
        with np.errstate(all="ignore"):
            expected = leaves(PROGRAMS[name](*args))
        error = difference(run(model, args), expected)
        assert error <= (1e-11 if dtype is np.float64 else 1e-2) * max(1, np.abs(expected[0]).max())


WAYS = "cannot be exported: it depends on the number of rows in a way that ONNX cannot say"

REFUSALS = {
    "x[:4] @ w": rf"getitem \(<string>, line 1\) {WAYS}",
    "x * np.arange(len(x))[:, None]": rf"np.multiply \(<string>, line 1\) {WAYS}",
    "x[np.arange(len(x)), 0]": rf"getitem \(<string>, line 1\) {WAYS}",
    "np.sum(x) if len(x) > 500 else np.sum(x * x)": rf"np.multiply \(<string>, line 1\) {WAYS}",
    "np.tril(x @ x.T)": rf"np.where of tril \(<string>, line 1\) {WAYS}",
    "np.cumprod(x, axis=0)": r"np.cumprod \(<string>, line 1\) cannot be exported: 1009 products",
    "np.reshape(x, (2, -1))": "f takes 6 rows, but not 5: reshape: ",
    "x + np.ones((6, 1))": "f takes 6 rows, but not 2: add: ",
}


@pytest.mark.parametrize("text", REFUSALS)
def test_a_program_that_depends_on_the_number_of_rows_is_refused(folder, text):
    def f(x, y, w):
        return eval(text, {"np": np, "x": x, "w": w})

    with pytest.raises(ValueError, match=f"^export_onnx: {REFUSALS[text]}"):
        ag.export_onnx(f, data(6), folder / "refused.onnx", rows=("x", "y"))
    assert not (folder / "refused.onnx").exists()


def test_wrong_rows_are_refused(folder):
    def f(x, y, w):
        return x @ w

    cases = {
        "z": "rows names 'z'; the arguments are x, y, w",
        ("x", "w"): r"x of shape \(6, 3\) and w of shape \(3, 4\) have different numbers of rows",
    }
    for rows, message in cases.items():
        with pytest.raises(ValueError, match=message):
            ag.export_onnx(f, data(6), folder / "refused.onnx", rows=rows)
    with pytest.raises(ValueError, match="x has no rows: it is a number"):
        ag.export_onnx(lambda x: x * x, (np.array(2.0),), folder / "refused.onnx", rows="x")
    with pytest.raises(ValueError, match="x has no rows; give an example of some"):
        ag.export_onnx(lambda x: x * x, (np.ones((0, 2)),), folder / "refused.onnx", rows="x")
