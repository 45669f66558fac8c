"""Every rewrite of a derivation, and whole derivations, exactly: modulo a large prime."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import warnings
from collections import Counter

import numpy as np
import pytest

import autograd_lite as ag

sympy = pytest.importorskip("sympy")

from modular_derive import Dual, Modular, P, UndefinedError, drawn, equal  # noqa: E402

from autograd_lite.derivation import (  # noqa: E402
    CannotCheckWarning,
    chain,
    index,
    lowest,
    readings,
    recognise,
    second,
)
from autograd_lite.derivation.entries import Total, called  # noqa: E402
from autograd_lite.derivation.index import Space  # noqa: E402

RANDOM = np.random.default_rng(0)
x, y, z, s = sympy.symbols("x y z s")
exp, σ = lowest.EXP, lowest.SIGMOID


def T(shape, name):
    return ag.Tensor(RANDOM.uniform(0.2, 1, shape), name=name)


def C(shape, name):
    return ag.constant(RANDOM.normal(size=shape), name=name)


# The tester


def test_arithmetic_modulo_a_prime_knows_what_is_equal():
    for one, other in [
        (x * (y + z), x * y + x * z),
        (1 / (1 + exp(-x)), σ(x)),
        (σ(-x), 1 - σ(x)),
        (exp(x + y), exp(x) * exp(y)),
        (exp(called("log")(x) - y), x / exp(y)),
        (called("log")(exp(x)), x),
        (lowest.TANH(x), 2 * σ(2 * x) - 1),
        (sympy.sqrt(x**2), called("absolute")(x)),
        (sympy.sqrt(x) ** 2, x),
        (sympy.sqrt(x) * sympy.sqrt(y), sympy.sqrt(x * y)),
        (x ** sympy.Rational(2, 3) * x ** sympy.Rational(-5, 6), x ** sympy.Rational(-1, 6)),
        (called("less")(x, y), 1 - called("greater_equal")(x, y)),
        (called("maximum")(x, y), x + (y - x) * called("heaviside")(y - x, z)),
    ]:
        assert equal(one, other), (one, other)


def test_arithmetic_modulo_a_prime_knows_what_differs():
    for one, other in [
        (s * x - s**2 * x, s * (x - x)),  # a common factor taken out with all its powers
        (x * y + 10**-9 * x, x * y),
        (x - y, y - x),
        (sympy.sqrt(x**2), x),
        (called("log")(x**2), 2 * called("log")(x)),
        (exp(x * y), exp(x) ** y),
        (σ(x), σ(-x)),
        (1 / (1 + exp(x)), σ(x)),
        (called("less")(x, y), called("less_equal")(y, x)),
    ]:
        assert not equal(sympy.sympify(one), other), (one, other)


# Each rewrite alone, at everything that it is applied to

LOWEST = ("_joint", "_apart", "_as_given", "_reduced", "_lowest", "with_sigmoid", "with_tanh")
NAMES = (*LOWEST, "tidy", "total", "spread", "gathered", "with_softmax", "recognised",
         "_exponential", "content", "times", "diagonals_apart", "_where", "_log")  # fmt: skip


@pytest.fixture
def forgetful():
    """Clears the caches before and after a planted fault."""
    cached = lowest._joint, lowest._lowest
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


@pytest.fixture
def fired(monkeypatch, forgetful):
    return watching(monkeypatch)


def watching(monkeypatch):
    """Compares the result of every rewrite, each time it is applied, with its argument."""
    count, seen, levels = Counter(), set(), itertools.count(500, 10)

    def watch(home, name, before, after=lambda result: result, space=lambda args: None):
        function = getattr(home, name)

        def watched(*args, **kwargs):
            result = function(*args, **kwargs)
            given, made = before(*args, **kwargs), after(result)
            if given is not None and given != made and (name, given, made) not in seen:
                seen.add((name, given, made))
                assert equal(given, made, space(args), 2), f"{name}: {given} became {made}"
                count[name] += 1
            return result

        monkeypatch.setattr(home, name, watched)

    def first(args):
        return args[0]

    def summed(space, expr, lengths, simple=False):
        # A sum as it is, its body not looked at.
        order = list(lengths)
        if not order:
            return None
        level = next(levels)
        to = {i: -level + k for k, i in enumerate(order)}
        entry = Total(space.rename(expr, to), tuple(lengths[i] for i in order), level)
        return space.symbol(entry)

    for name in LOWEST[:5]:
        watch(lowest, name, lambda expr, *_: expr)
    watch(lowest, "_as_given", lambda found, expr: found)
    watch(lowest, "content", lambda expr: expr, lambda pair: sympy.Mul(*pair, evaluate=False))
    watch(lowest, "with_tanh", lambda expr, *_: expr, space=lambda _: spaces[-1])
    watch(lowest, "with_sigmoid", lambda expr, *_: expr, space=lambda _: spaces[-1])
    watch(recognise, "with_softmax", lambda space, expr: expr, space=first)
    watch(index, "recognised", lambda space, expr: expr, space=first)
    watch(index, "tidy", lambda space, expr: expr, space=first)
    watch(Space, "spread", lambda space, expr: expr, space=first)
    watch(Space, "total", summed, space=first)
    watch(chain, "gathered", lambda space, expr: expr, space=first)
    watch(readings, "_exponential", lambda x: exp(x), space=lambda _: spaces[-1])
    watch(second, "diagonals_apart", lambda space, expr: expr, space=first)
    watch(second, "times", lambda space, f, expr: f * expr, space=first)

    spaces = []
    made = Space.__init__

    def remembered(self):
        made(self)
        spaces.append(self)

    monkeypatch.setattr(Space, "__init__", remembered)
    reading = dict(readings.READINGS)

    def applied(name, r, node, args):
        result = reading[name](r, node, args)
        given = called(name)(*r.aligned(node, args))
        guarded = r.guards and name == "where"
        if result is not None and result != given and not guarded:
            assert equal(given, result, r.space), f"{name}: {given} became {result}"
            count["_" + name] += 1
        return result

    for name in ("where", "log"):
        monkeypatch.setitem(
            readings.READINGS, name, lambda r, node, args, name=name: applied(name, r, node, args)
        )
    return count


def programs():
    """Losses that together use every rewrite."""
    A, B, c, y = C((2, 2), "A"), C((2, 3), "B"), C(2, "c"), ag.constant([1.0, 0], name="y")
    onehot = ag.constant([[0.0, 1], [1, 0]], name="Y")
    w, u, W, a = T(2, "w"), T(2, "u"), T((2, 2), "W"), T((), "a")

    def cross_entropy(ŷ):
        return -np.mean(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))

    e, d = np.exp(w), np.exp(-w)
    p, q = ag.softmax(w), ag.softmax(u)
    yield cross_entropy(1 / (1 + np.exp(-(A @ w))))
    yield cross_entropy(ag.sigmoid((A @ w).named("z")).named("ŷ"))
    yield -np.sum(onehot * ag.log_softmax(A @ W))
    yield -np.sum(onehot * np.log(np.exp(W) / np.sum(np.exp(W), axis=1, keepdims=True)))
    yield ag.logsumexp(np.log(w) + u) + np.sum((e - d) / (e + d)) + np.sum(np.log(np.exp(u)))
    yield np.sum(np.log(1 + np.exp(w)) * (1 - 1 / (1 + np.exp(-w))))
    yield w @ A @ w + w @ (A @ w) * a + np.linalg.norm(A @ w - c)
    yield np.sum((A @ w - c) ** 2) / 4 + 0.3 * (w @ w) + np.trace(W.T @ A @ W)
    yield np.sum(np.sqrt(w**2 + 0.001)) + np.sum(w / (u**2 + 0.01)) + np.sqrt(w @ w + 0.001)
    yield np.sum(np.where(w > u, w * u, 0.0)) + np.sum(np.where(w < 0.5, 0.0, u))
    yield np.mean((p - q) ** 2 / (p + q)) + np.sum(p * np.log(p / q))
    yield np.sum(p * q) / (np.sum(p) + 2) + np.sum(np.maximum(w, u) * w - np.maximum(w, u) ** 2)
    yield np.var(W) + np.std(w) + np.sum(ag.sigmoid(w) * u - ag.sigmoid(w) ** 2 * u)
    yield np.mean(np.tanh(np.tanh(A @ w + a) @ B) ** 2) + np.sum(np.outer(w, u) * W)
    yield np.einsum("ij,ik,jk->", W, A, A) * a + np.sum(w[:, None] * W / u)


def test_every_rewrite_is_equal_wherever_it_is_applied(fired):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CannotCheckWarning)
        for k, loss in enumerate(programs()):
            derivation = ag.derive(loss, expand=k % 3 == 0, lengths=k % 2 == 0)
            w = next(iter(derivation.closed_form))
            assert derivation.closed_form[w] != derivation.read(w)
            if k in (0, 2, 6):
                derivation.hessian(w)
    assert set(fired) >= set(NAMES), set(NAMES) - set(fired)


@pytest.mark.parametrize("fault", ["powers", "term", "sign", "length"])
def test_a_wrong_rewrite_is_caught(monkeypatch, forgetful, fault):
    """Faults in a table of rewrites, one of which was there once."""
    joint, closed = lowest._joint, Space._closed

    def wrong(expr):
        expr = joint(expr)
        if fault == "powers" and expr.is_Mul:
            return sympy.Mul(*(f.base if f.is_Pow and f.exp == 2 else f for f in expr.args))
        if fault == "term" and expr.is_Add and len(expr.args) == 2:
            return expr.args[0]
        return -expr if fault == "sign" and expr.is_Mul and expr.args[0] == -1 else expr

    def short(self, factors, lengths):
        if fault == "length":
            lengths = {i: n - 1 for i, n in lengths.items()}
        return closed(self, factors, lengths)

    monkeypatch.setattr(lowest, "_joint", wrong)
    monkeypatch.setattr(Space, "_closed", short)
    watching(monkeypatch)
    with pytest.raises(AssertionError, match=" became "):
        list(map(ag.derive, programs()))


# Whole derivations against the chain rule in dual numbers

STEPS = (
    lambda a, b, n: np.sqrt(a * a),
    lambda a, b, n: a / (b * b + 2),
    lambda a, b, n: a * b - a,
    lambda a, b, n: a @ b,
    lambda a, b, n: np.sum(a, axis=n % a.ndim, keepdims=n > 1),
    lambda a, b, n: a[..., ::-1],
    lambda a, b, n: np.stack([a, a], axis=n % (a.ndim + 1)),
    lambda a, b, n: np.concatenate([a, b, a]),
    lambda a, b, n: b * np.trace(a),
    lambda a, b, n: a.T * 0.3 - b,
    lambda a, b, n: np.mean(a, axis=0),
    lambda a, b, n: np.einsum("ij,kj->ik", a, b),
    lambda a, b, n: a[..., None],
    lambda a, b, n: np.sin(a),
    lambda a, b, n: a ** (-1, 3, -2, 2)[n],
    lambda a, b, n: b * np.sqrt(np.sum((a * a + 1) ** 2)),
)  # fmt: skip


def recipe(random, leaves):
    """Steps that can be taken from these leaves."""
    pool, taken = list(leaves), []
    while len(taken) < 4:
        k, i, j = random.integers(len(STEPS)), *random.integers(-4, 0, 2)
        each = int(k), max(int(i), -len(pool)), max(int(j), -len(pool)), int(random.integers(4))
        try:
            made = STEPS[each[0]](pool[each[1]], pool[each[2]], each[3])
        except (ValueError, TypeError, IndexError, ZeroDivisionError):
            continue
        if 0 < made.size <= 16 and np.abs(made.numpy()).max() < 100:
            pool.append(made)
            taken.append(each)
    return taken


def cooked(steps, leaves):
    """The loss of a recipe, for Tensors or arrays of dual numbers."""
    pool = list(leaves)
    for number, (k, i, j, n) in enumerate(steps):
        made = STEPS[k](pool[i], pool[j], n)
        if isinstance(made, ag.Tensor):
            pool.append(made.named(f"t{number}") if number % 2 else made)
        else:
            pool.append(np.asarray(made, dtype=object))
    return np.sum(np.sin(pool[-1])) * np.sum(pool[-2] * pool[-2]) + np.mean(pool[-3])


def exact(derivation, tangents, values, seed):
    """Σ gradient · tangent of the closed forms, and whether the product forms are the same."""
    rules = derivation._chain
    evaluate = Modular(
        seed,
        rules.space,
        {x.position: v for x, v in values.items()},
        {p: rules.space.summed(gradient.closed) for p, gradient in rules.gradients.items()},
        {p: rules.space.at(placed) for p, placed in rules.definitions.items()},
    )
    total = 0
    for x, form in derivation.closed_form.items():
        found = evaluate.array(form.expression, x.shape)
        total += sum(g * t for g, t in zip(found.flat, tangents[x].flat, strict=True))
    same = all(
        np.array_equal(*(evaluate.array(f.expression, f.shape) for f in (step.product, step.form)))
        for step in derivation.steps
    )
    return total % P, same


def integers(*what, shape):
    """An array of random numbers modulo P."""
    result = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        result[place] = drawn(*what, place)
    return result


def compared(seed):
    """What the closed forms give, what dual numbers give, and whether the products agree."""
    random = np.random.default_rng(seed)
    leaves = [
        ag.Tensor(random.uniform(0.3, 1.2, shape), name=name)
        for name, shape in (("x", (2,)), ("M", (2, 2)), ("a", ()))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = recipe(random, leaves)
        loss = cooked(steps, leaves)
        derivation = ag.derive(loss, [x for x in leaves if x in ag.Graph.of(loss).consumers],
                               expand=seed % 3 == 0)  # fmt: skip
    values = {x: integers(seed, x.name, shape=x.shape) for x in leaves}
    tangents = {x: integers(seed, x.name, "′", shape=x.shape) for x in leaves}
    Dual.seed = seed
    duals = [
        np.vectorize(Dual, otypes=[object])(values[x], tangents[x]) for x in leaves
    ]  # fmt: skip
    total, same = exact(derivation, tangents, values, seed)
    return total, Dual.of(cooked(steps, duals)).derivative, same


def test_a_whole_derivation_is_the_chain_rule():
    done = 0
    for seed in (*range(24), 254):
        try:
            total, expected, same = compared(seed)
        except UndefinedError:
            continue
        assert total == expected, seed
        assert same, seed
        done += 1
    assert done > 12


def test_a_wrong_derivation_is_caught(monkeypatch):
    """A step that loses one part in 10⁹, with the comparison with the sweep turned off."""
    monkeypatch.setattr(importlib.import_module("autograd_lite.derivation.derivation"), "check", id)
    right = chain.gathered
    monkeypatch.setattr(
        chain, "gathered", lambda space, e: right(space, e) * (1 + sympy.Rational(1, 10**9))
    )
    wrong = 0
    for seed in range(1, 12, 3):
        with contextlib.suppress(UndefinedError):
            total, expected, _ = compared(seed)
            wrong += total != expected
    assert wrong > 1
