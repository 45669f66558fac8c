"""PyTorch's own samples of its operators: value, gradient and second derivative are the same here.

Run as a program it prints what was refused or differs, and why; operators may be given by name.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
import warnings
from collections import Counter
from importlib.util import find_spec

import numpy as np
import pytest
from torch_samples import AFTER, BEFORE, CONVENTIONS, REFUSED, TABLE

import autograd_lite as ag

if find_spec("torch") is None:
    pytest.skip("no PyTorch to compare with", allow_module_level=True)

# Warnings of torch's old operators, and of both where samples leave a domain.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@functools.cache
def operators():
    """PyTorch, and its operators by name and variant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch = pytest.importorskip("torch")
        module = "torch.testing._internal.common_methods_invocations"
        found = pytest.importorskip(module, exc_type=ImportError).op_db
    torch.set_num_threads(1)
    return torch, {".".join(filter(None, (o.name, o.variant_test_name))): o for o in found}


def replaced(tree, change):
    """The same structure with every leaf changed."""
    if type(tree) in (list, tuple):
        return type(tree)(replaced(part, change) for part in tree)
    if type(tree) is dict:
        return {key: replaced(part, change) for key, part in tree.items()}
    return change(tree)


def parts(out):
    """The results of an operator, one after the other."""
    return [p for part in out for p in parts(part)] if isinstance(out, (list, tuple)) else [out]


class Sample:
    """One call of an operator, as torch makes it and as it is made here."""

    def __init__(self, name, sample):
        self.torch, known = operators()
        self.name, self.operator = name, known[name]
        self.call = (sample.input, list(sample.args), dict(sample.kwargs))
        self.arrays = []
        replaced(self.call, self._note)

    def _note(self, leaf):
        if isinstance(leaf, self.torch.Tensor) and leaf.requires_grad:
            self.arrays.append(leaf.detach().numpy(force=True))

    def _called(self, function, leaves, change):
        """The results with these tensors where a gradient is required, and all else changed."""
        given = iter(leaves)

        def leaf(x):
            requires_grad = isinstance(x, self.torch.Tensor) and x.requires_grad
            return next(given) if requires_grad else change(x)

        first, args, options = replaced(self.call, leaf)
        out = function(BEFORE.get(self.name, lambda x: x)(first), *args, **options)
        return parts(AFTER.get(self.name, lambda x: x)(out))

    def theirs(self, order):
        """The results, the gradients of their weighted sum, and its Hessian times v."""
        torch = self.torch
        leaves = [torch.tensor(x, requires_grad=True) for x in self.arrays]

        def arrays(tensors):
            return [torch.as_tensor(x).numpy(force=True) for x in tensors]

        def total(tensors):
            required = [x for x in tensors if getattr(x, "requires_grad", False)]
            return sum((x * torch.tensor(weights(x))).sum() for x in required)

        out = self._called(self.operator.op, leaves, lambda x: x)
        found = [arrays(out)]
        for _ in range(order if leaves else 0):
            if not isinstance(y := total(out), torch.Tensor):
                break
            out = torch.autograd.grad(y, leaves, create_graph=True, materialize_grads=True)
            found.append(arrays(out))
        return found

    def ours(self, order):
        """The same here, up to so many derivatives."""
        torch, function = self.torch, TABLE[self.name]

        def plain(x):
            if isinstance(x, torch.dtype):
                return np.dtype(str(x).removeprefix("torch."))
            if isinstance(x, torch.Tensor):
                return x.numpy() if self.arrays else ag.constant(x.numpy())
            return tuple(x) if isinstance(x, torch.Size) else x

        def total(*leaves):
            out = self._called(function, leaves, plain)
            return sum(np.sum(x * weights(x)) for x in out if getattr(x, "requires_grad", False))

        out = self._called(function, [ag.Tensor(x) for x in self.arrays], plain)
        found = [[x.numpy() if isinstance(x, ag.Tensor) else np.asarray(x) for x in out]]
        places = tuple(range(len(self.arrays)))
        if order > 0:
            found.append(ag.grad(total, places)(*self.arrays))
        if order > 1:
            v = tuple(map(weights, self.arrays))
            found.append(ag.hvp(total, places)(*self.arrays, v))
        return found


def weights(x):
    """Of a result in the sum that is differentiated, and what second derivatives go along."""
    dtype = str(x.dtype).removeprefix("torch.")
    return np.random.default_rng(0).normal(size=tuple(x.shape)).astype(dtype)


CLOSE = {
    "float64": {"rtol": 1e-7, "atol": 1e-9},
    "float32": {"rtol": 1e-3, "atol": 1e-4},
    "int64": {"rtol": 0, "atol": 0},
}
WHAT = ("value", "gradient", "Hessian times v")


def verdict(sample, order, dtype):
    """What came of a sample, and why: same, refused, different, or nothing to compare with."""
    try:
        theirs = sample.theirs(order)
    except Exception as error:
        return "torch refuses", why(error)
    try:
        ours = sample.ours(len(theirs) - 1)
    except (TypeError, ValueError, IndexError) as error:
        return "refused", why(error)
    except Exception as error:
        return "different", why(error)
    for what, mine, other in zip(WHAT, ours, theirs, strict=False):
        if (a := [x.shape for x in mine]) != (b := [x.shape for x in other]):
            return "different", f"the shape of the {what} is {a}, and in torch {b}"
        for x, y in zip(mine, other, strict=True):
            if y.dtype.kind == "f" and x.dtype != y.dtype:
                return "different", f"the dtype of the {what} is {x.dtype}, and in torch {y.dtype}"
            if not np.allclose(x, y, **CLOSE[dtype], equal_nan=True):
                return "different", f"the {what} is {x.ravel()[:4]}…, and in torch {y.ravel()[:4]}…"
    return "same", ""


def why(error):
    """The first line of an error, without the numbers of the sample."""
    line = f"{type(error).__name__}: {error}".partition("\n")[0]
    return re.sub(r"-?\d+(\.\d+)?(e[+-]\d+)?", "#", line)


def verdicts(name):
    """What came of all samples of an operator: how many, for each verdict and reason."""
    torch, known = operators()
    operator, found = known[name], Counter()
    kinds = {"float64": (2 if operator.supports_gradgrad else 1, None), "float32": (1, 10)}
    if torch.float64 not in operator.dtypes:
        kinds = {"int64": (0, None)}
    for dtype, (order, count) in kinds.items():
        differentiable = operator.supports_autograd and order > 0
        samples = operator.sample_inputs("cpu", getattr(torch, dtype), requires_grad=differentiable)
        for sample in itertools.islice(samples, count):
            found[verdict(Sample(name, sample), order * differentiable, dtype)] += 1
    return found


def summary(name):
    """The verdicts alone; a difference that is a convention is called by that name."""
    found = Counter()
    for (kind, _), count in verdicts(name).items():
        convention = kind == "different" and name in CONVENTIONS
        found["convention" if convention else kind] += count
    return found


@pytest.mark.parametrize("name", TABLE)
def test_an_operator_gives_the_same_on_torchs_samples(name):
    _, known = operators()
    assert name in known
    found = summary(name)
    assert not found["different"], verdicts(name)
    assert sum(found.values())
    assert (name in CONVENTIONS) == bool(found["convention"]), "not a convention any more"
    count, pattern, _ = REFUSED.get(name, (0, "", ""))
    assert found["refused"] == count, verdicts(name)
    for kind, reason in verdicts(name) if count else ():
        assert kind != "refused" or re.search(pattern, reason)


def test_few_samples_are_refused():
    assert sum(count for count, _, _ in REFUSED.values()) <= 60
    assert REFUSED.keys() <= TABLE.keys()
    for _, pattern, reason in REFUSED.values():
        assert pattern
        assert reason


def test_a_wrong_derivative_and_a_wrong_value_are_found(monkeypatch):
    operators()
    for wrong in (lambda x: np.sin(x) * 1.01, lambda x: ag.stop_gradient(np.sin(x) - x) + x):
        monkeypatch.setitem(TABLE, "sin", wrong)
        assert summary("sin").keys() == {"different"}


def main(names):
    total = Counter()
    for name in names or TABLE:
        found = verdicts(name)
        kinds = {kind: sum(n for (k, _), n in found.items() if k == kind) for kind, _ in found}
        total.update(kinds)
        print(name, kinds, CONVENTIONS.get(name, ""))
        for (kind, reason), count in found.items():
            if kind != "same":
                print(f"    {count} {kind}: {reason}")
    print(f"{len(names or TABLE)} operators: {dict(total)}")


if __name__ == "__main__":
    main(sys.argv[1:])
