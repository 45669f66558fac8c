"""Random programs of loops and products in native code, beside NumPy and long double."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from native_programs import programs

import autograd_lite as ag

pytest.importorskip("numba")
pytest.importorskip("scipy")

pytestmark = pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")

# Shrinking takes minutes where each example is compiled.
PHASES = (Phase.explicit, Phase.generate)

WIDER = {np.dtype(np.float64): np.longdouble, np.dtype(np.float32): np.float64}


def assert_as_exact(found, expected, exact, what):
    """Whether a result is as NumPy's: type, dtype, shape, NaN, infinities, and the error."""
    assert type(found) is type(expected), what
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected, what)
        return
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.where(finite, 0, found), np.where(finite, 0, expected), what)
    found, expected, exact = (np.where(finite, x, 0) for x in (found, expected, exact))
    eps = np.finfo(expected.dtype).eps
    most = 4 * np.max(np.abs(expected - exact), initial=0)
    most += 32 * eps * (np.max(np.abs(exact), initial=0) + 0.1)
    assert np.max(np.abs(found - exact), initial=0) <= most, what


def assert_apart(results, arguments):
    """Whether no result shares memory with an argument or with another result."""
    arrays = [x for x in results if isinstance(x, np.ndarray)]
    for k, x in enumerate(arrays):
        assert not any(np.may_share_memory(x, y) for y in [*arguments, *arrays[:k]])


def check(program):
    """Run a program by Numba, by NumPy, and with more digits."""
    native, plain = ag.compile(program, backend="numba"), ag.compile(program)
    before = [x.copy() for x in program.arguments]
    wide = [x.astype(WIDER[x.dtype]) for x in program.arguments]
    with np.errstate(all="ignore"):
        found, expected = native(*program.arguments), plain(*program.arguments)
        exact = program(*wide)
    for name, x in expected.items():
        assert_as_exact(found[name], x, exact[name], f"value {name}\n{native.source}")
    assert_apart([*found.values()], program.arguments)
    for x, y in zip(program.arguments, before, strict=True):
        np.testing.assert_array_equal(x, y)
    return native


@settings(max_examples=6, phases=PHASES)
@given(programs(14))
def test_random_programs(program):
    check(program)


@pytest.mark.slow
@settings(max_examples=60, phases=PHASES)
@given(programs(40))
def test_many_random_programs(program):
    check(program)


def gradients_of(program):
    """The gradients of a sum of all results of a program, which scatter, join and repeat."""

    def total(arguments):
        return sum(np.sum(np.sin(x)) for x in program(*arguments).values())

    return lambda *arguments: dict(enumerate(ag.grad(total)([*arguments])))


def check_gradients(program):
    """Compare the gradients of a program by Numba, by NumPy, and with more digits."""
    function = gradients_of(program)
    found, expected, exact = results(function, *program.arguments)
    for k, x in expected.items():
        assert_as_exact(found[k], x, exact[k], f"gradient {k}")


@pytest.mark.slow
@settings(max_examples=8, phases=PHASES)
@given(programs(14, np.float64, bad=False))
def test_gradients_of_random_programs(program):
    check_gradients(program)


# Lengths at which the loops change: long axes, small and large products


def results(function, *args, **options):
    """The results by Numba and by NumPy, and with more digits."""
    native = ag.compile(function, backend="numba", **options)
    wide = [x.astype(WIDER[x.dtype]) for x in args]
    with np.errstate(all="ignore"):
        found, expected, exact = native(*args), ag.compile(function)(*args), function(*wide)
    assert native.backend == "numba"
    assert_apart([*found.values()], args)
    return found, expected, exact


def numbers(shape, dtype, seed=3):
    return np.random.default_rng(seed).normal(0.4, 1, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(70_001,), (66_000, 3), (3, 2500, 4)], ids=str)
def test_sums_over_long_axes_are_as_accurate_as_those_of_numpy(shape, dtype):
    def sums(x):
        found = {}
        for axis in (None, *range(len(shape))):
            found[f"sum {axis}"] = np.sum(x * x, axis=axis)
            found[f"sum of the argument {axis}"] = np.sum(x, axis=axis, keepdims=True)
        return found | {"max": np.max(x + 1, axis=-1), "min": np.min(x, axis=0, keepdims=True)}

    for x in (numbers(shape, dtype), numbers(shape, dtype) + dtype(1000)):
        found, expected, exact = results(sums, x)
        for name, value in expected.items():
            assert type(found[name]) is type(value)
            assert (found[name].shape, found[name].dtype) == (value.shape, value.dtype), name
            if name[0] == "m":
                np.testing.assert_array_equal(found[name], value, name)
                continue
            error, usual = (np.max(np.abs(y / exact[name] - 1)) for y in (found[name], value))
            assert error <= 4 * usual + 8 * np.finfo(dtype).eps, (name, error, usual)


@pytest.mark.parametrize("bad", [(np.nan,), (np.inf,), (np.inf, -np.inf), (-np.inf,)], ids=str)
def test_reductions_of_bad_numbers(bad):
    x = numbers((40, 30), np.float64)
    for k, value in enumerate(bad):
        x[7 + 20 * k, 11] = value

    def reductions(x):
        functions = {"sum": np.sum, "max": np.max, "min": np.min}
        return {f"{n} {a}": f(-x, axis=a) for n, f in functions.items() for a in (None, 0, 1)}

    found, expected, _ = results(reductions, x)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, err_msg=name)


SIZES = [(1, 1, 1), (2, 3, 4), (8, 8, 8), (1, 600, 1), (9, 8, 8), (16, 70, 1), (1, 5, 200)]
SIZES += [(33, 65, 70)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_products_of_matrices_vectors_and_their_views(size, dtype):
    n, k, m = size

    def products(a, b, u, v):
        c, d = a + 1, b - 1
        return {
            "arguments": a @ b,
            "results": c @ d,
            "transposed left": (c.T).T @ d,
            "transposed": d.T @ c.T,
            "of a transposed argument": b.T @ a.T,
            "with itself": c @ c.T,
            "reversed": a[:, ::-1] @ d[::-1],
            "every second": c[:, ::2] @ b[::2],
            "a part": c[: n // 2 + 1] @ d[:, m // 2 :],
            "a row": c[0] @ d,
            "a column": c @ d[:, -1],
            "vector on the left": u @ d,
            "vector on the right": c @ v,
            "of vectors": (u + 1) @ v,
            "of a row and a column": d[:, 0] @ c[-1, ::-1],
            "outer": u[:, None] @ v[None, :],
            "swapped": np.swapaxes(d, 0, 1) @ u,
            "reshaped": np.reshape(c, (k, n)).T @ b,
            "broadcast": np.broadcast_to(u, (3, k)) @ d,
            "of results": (c @ d) @ (d.T @ v[::-1]),
        }

    shapes = [(n, k), (k, m), (k,), (k,)]
    args = [numbers(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    found, expected, exact = results(products, *args)
    for name, value in expected.items():
        assert type(found[name]) is type(value), name
        assert (found[name].shape, found[name].dtype) == (value.shape, value.dtype), name
        most = 4 * np.sqrt(k) * k * np.finfo(dtype).eps * np.max(np.abs(exact[name]) + k)
        np.testing.assert_allclose(found[name], exact[name].astype(dtype), 0, most, err_msg=name)


def test_steps_that_take_parts_and_views_of_the_state():
    """Each state is what it was before the step, however the others look at it."""

    def values(a, s):
        b, c, previous = a + 1, a - 1, a
        for _ in range(9):
            a, b = b.T, a.T * 0.5
        for _ in range(9):
            s, c, previous = c[0, 1], np.tanh(c + s), c.T
        d, e, f = np.reshape(c, 9), s + a, b
        for _ in range(9):
            d, e = np.reshape(e, 9) / 2, np.reshape(d, (3, 3)) + e[::-1]
        for _ in range(9):
            a, f, s = f, a, e[1, 1] + s / 2
        return {"a": a, "b": b, "c": c, "d": d, "e": e, "f": f, "s": s, "previous": previous}

    native = ag.compile(values, backend="numba")
    a, s = numbers((3, 3), np.float64), np.float64(0.3)
    found, expected = native(a, s), values(a, s)
    assert native.source.count("for step") == 4
    assert_apart([*found.values()], [a])
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, err_msg=name)


def test_numbers_of_arrays_that_are_kept_for_the_gradient():
    def values(y, a):
        def slope(y):
            return np.stack([y[1], -a * np.sin(y[0])])

        def loss(y, a):
            total = a * 0
            for _ in range(9):
                y = y + 0.1 * slope(y + 0.05 * slope(y))
                total = total + y[0] * y[1]
            return total + np.sum(y * y)

        value, gradients = ag.value_and_grad(loss, argnums=(0, 1))(y, a)
        return {"value": value, "y": gradients[0], "a": gradients[1]}

    native = ag.compile(values, backend="numba")
    y, a = numbers((2,), np.float64), np.float64(2)
    found, expected = native(y, a), values(y, a)
    assert "for step" in native.source
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=name)


def test_threads_that_compile_the_same_program_at_once():
    def values(x):
        y = np.tanh(x) - np.exp(-x)
        return {"y": y, "sum": np.sum(y * x), "max": np.max(y * y, axis=0) + 5.125}

    x, found = numbers((3, 3), np.float64), []
    start = threading.Barrier(3)

    def call():
        native = ag.compile(values, backend="numba")
        start.wait()
        found.append(native(x))

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for name, value in values(x).items():
        for result in found:
            np.testing.assert_allclose(result[name], value, rtol=1e-13)


# Arguments of any layout


def step(w, x):
    """Values whose arrays are overwritten where they can be."""
    y = np.tanh(x @ w) * 2
    z = np.exp(-y) + w[0]
    return {"y": y.T, "z": z, "half": z[::2], "w": w - 0.1 * (x.T @ y), "sum": np.sum(z * y)}


def layouts(x):
    """Arrays with the same elements, in other places of memory."""
    spread = np.empty([2 * n for n in x.shape], x.dtype)
    spread[tuple(slice(None, None, 2) for _ in x.shape)] = x
    shifted = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    shifted[...] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    return {
        "in order": x.copy(),
        "Fortran": np.asfortranarray(x),
        "reversed": x[::-1].copy()[::-1],
        "spread": spread[tuple(slice(None, None, 2) for _ in x.shape)],
        "not aligned": shifted,
        "read-only": read_only,
        "a list of rows": np.array([*map(list, x.tolist())], x.dtype),
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_arguments_of_any_layout_give_the_same_bits(dtype):
    w, x = numbers((4, 4), dtype, 1), numbers((6, 4), dtype, 2)
    native = ag.compile(step, backend="numba")
    expected = native(w, x)
    for name, first in layouts(w).items():
        for other, second in layouts(x).items():
            found = native(first, second)
            assert_apart([*found.values()], [first, second])
            for key, value in expected.items():
                np.testing.assert_array_equal(found[key], value, f"{key}: {name}, {other}")
            np.testing.assert_array_equal(first, w)
            np.testing.assert_array_equal(second, x)


def test_arguments_that_share_memory():
    native, memory = ag.compile(step, backend="numba"), numbers((8, 4), np.float64)
    for w, x in [(memory[:4], memory), (memory[4:][::-1], memory[1:7]), (memory[:4].T, memory[:4])]:
        expected = step(w.copy(), x.copy())
        before = memory.copy()
        for name, value in native(w, x).items():
            np.testing.assert_allclose(value, expected[name], rtol=1e-13, atol=1e-13)
        np.testing.assert_array_equal(memory, before)


def test_results_stay_when_the_function_is_called_again():
    native = ag.compile(step, backend="numba")
    w, x = numbers((4, 4), np.float64, 1), numbers((6, 4), np.float64, 2)
    first = native(w, x)
    copies = {name: np.copy(value) for name, value in first.items()}
    first["w"][...] += 1
    second = native(first["w"], x)
    for name in copies.keys() - {"w"}:
        np.testing.assert_array_equal(first[name], copies[name])
    assert_apart([*first.values(), *second.values()], [w, x])


def test_donated_arguments():
    native = ag.compile(step, donate="w", backend="numba")
    x = numbers((6, 4), np.float64, 2)
    for w in layouts(numbers((4, 4), np.float64, 1)).values():
        if not w.flags.writeable:
            with pytest.raises(ValueError, match="read-only"):
                native(w, x)
            continue
        expected, before = step(w.copy(), x), x.copy()
        found = native(w, x)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-13)
        assert_apart([*found.values()], [x])
        np.testing.assert_array_equal(x, before)


def test_single_numbers_and_arrays_of_no_dimensions():
    def values(a, b, x):
        c = a * b + 1
        d = np.exp(-c) / (1 + c * c) - np.tanh(b)
        return {"c": c, "d": d, "a": a, "sum": np.sum(x * d), "view": x[1] * c, "last": x[-1]}

    a, b, x = np.float64(0.5), np.array(2.0), numbers((5,), np.float64)
    native, plain = ag.compile(values, backend="numba"), ag.compile(values)
    for args in [(a, b, x), (b, a, x), (0.5, 2, x), (3, b, x[::-1])]:
        found, expected = native(*args), plain(*args)
        for name, value in expected.items():
            assert type(found[name]) is type(value), name
            np.testing.assert_allclose(found[name], value, rtol=1e-14)


def test_long_programs():
    """Programs of more calls than one native function takes."""

    def values(x):
        found, y = {}, x
        for k in range(100):
            y = np.tanh(y + x / (k + 1)) * 1.5
            if k % 20 == 0:
                y = y - np.mean(y)
                found[f"{k}"] = y[::-1]
        return found | {"last": y}

    found, expected, _ = results(values, numbers((7,), np.float64))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-11, atol=1e-13)


def test_reshaped_views():
    def values(a, b):
        c = np.tanh(a) - b
        flat = np.reshape(c.T, -1) * 2 + np.reshape(a.T, -1)
        h, g = b[0], a[0]
        for x in c:
            h = np.tanh(np.reshape(np.outer(h, x).T, (2, 8))[1, 2:6] / 2 + h)
        for x in np.reshape(b.T, (9, 4)):
            g = np.tanh(g / 2 + x)
        return {"flat": flat, "rows": np.reshape(c[::-1].T, (6, 6)) @ flat[:6], "h": h, "g": g}

    found, expected, _ = results(values, *(numbers((9, 4), np.float64, k) for k in (1, 2)))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, err_msg=name)


def test_arrays_of_many_axes():
    def values(x):
        y = np.exp(-x) * x
        z = np.swapaxes(np.reshape(y[0], (2, 2, 4, 2, 2)), 1, 3)
        return {"sum": np.sum(y, axis=(1, 3, 6)), "y": np.tanh(y).T, "z": z * np.max(y)}

    x = numbers((2,) * 7 + (1,), np.float64)
    found, expected = ag.compile(values, backend="numba")(x), values(x)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-14, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)], ids=str)
def test_arrays_without_elements(shape):
    def values(x, y):
        z = np.exp(y) * y - np.tanh(y)
        return {"x": x * 2, "sum": np.sum(x, axis=0), "product": x.T @ x, "z": z}

    x, y = np.ones(shape), numbers((4,), np.float64)
    native, plain = ag.compile(values, backend="numba"), ag.compile(values)
    found, expected = native(x, y), plain(x, y)
    for name, value in expected.items():
        assert (found[name].shape, found[name].dtype) == (value.shape, value.dtype)
        np.testing.assert_allclose(found[name], value, rtol=1e-14)


# The tester is tested


def test_wrong_places_are_found(monkeypatch):
    from autograd_lite.compiler import views

    def wrong(index, start, step):
        return views.Index(index.axis, start + index.start, step * index.step)

    def values(x):
        y = np.exp(x)[1::2]
        return {"y": y[::-1] + y, "z": np.tanh(y[::-1][:2]) - y[:2] * y[1:3]}

    x = numbers((9,), np.float64)
    found, expected, exact = results(values, x)
    assert_as_exact(found["z"], expected["z"], exact["z"], "")
    monkeypatch.setattr(views.Index, "moved", wrong)
    found, expected, exact = results(values, x)
    with pytest.raises(AssertionError):
        assert_as_exact(found["z"], expected["z"], exact["z"], "")
