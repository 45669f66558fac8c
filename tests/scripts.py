"""Programs in JavaScript, run by headless Chromium: many at once, since each visit takes time.

No argument may change, and no two arrays of the arguments and results may share memory.
"""

from __future__ import annotations

import base64

import numpy as np

from autograd_lite.compiler.javascript_language import ARRAYS

RUN = """(calls) => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const text = (x) => {
    const all = new Uint8Array(Float64Array.from(x).buffer);
    let found = "";
    for (const byte of all) found += String.fromCharCode(byte);
    return btoa(found);
  };
  const given = ([kind, x, type]) => {
    if (kind === "array") return globalThis[type].from(new Float64Array(bytes(x)));
    if (kind === "number") return new Float64Array(bytes(x))[0];
    if (kind === "list") return x.map(given);
    if (kind === "dict") return Object.fromEntries(x.map(([k, v]) => [k, given(v)]));
    return x;
  };
  const found = (x) => {
    if (ArrayBuffer.isView(x)) return ["array", text(x), x.constructor.name];
    if (typeof x === "number") return ["number", text([x])];
    if (Array.isArray(x)) return ["list", x.map(found)];
    if (x && typeof x === "object") {
      return ["dict", Object.keys(x).map((k) => [k, found(x[k])])];
    }
    return ["plain", x];
  };
  const arrays = (x) => {
    if (ArrayBuffer.isView(x)) return [x];
    return x && typeof x === "object" ? Object.values(x).flatMap(arrays) : [];
  };
  return calls.map(([source, name, args]) => {
    try {
      const run = new Function(`"use strict"; ${source}; return ${name};`)();
      const before = args.map(given);
      const copies = JSON.stringify(before.map(found));
      const after = run(...before);
      if (JSON.stringify(before.map(found)) !== copies) return ["error", "an argument changed"];
      const memory = [before, after].flatMap(arrays).map((x) => x.buffer);
      if (new Set(memory).size < memory.length) return ["error", "arrays share memory"];
      return found(after);
    } catch (error) {
      return ["error", `${error.name}: ${error.message}`];
    }
  });
}"""


def given(x):
    """An argument as the page takes it."""
    if isinstance(x, dict):
        return ["dict", [[str(k), given(v)] for k, v in x.items()]]
    if isinstance(x, (list, tuple)):
        return ["list", [*map(given, x)]]
    if isinstance(x, (np.ndarray, np.generic)):
        x = np.asarray(x)
        data = base64.b64encode(np.ascontiguousarray(x, np.float64).tobytes()).decode()
        return ["array", data, ARRAYS[x.dtype.name]] if x.ndim else ["number", data]
    return ["plain", x]


def found(result):
    """What the page found, flat arrays in containers."""
    kind, x, *rest = result
    if kind == "error":
        raise RuntimeError(x)
    if kind == "array":
        return np.frombuffer(base64.b64decode(x)), rest[0]
    if kind == "number":
        return np.frombuffer(base64.b64decode(x))[0]
    if kind == "list":
        return [*map(found, x)]
    if kind == "dict":
        return {k: found(v) for k, v in x}
    return x


def same(result, expected, close=1e-9, what=""):
    """Compare what JavaScript returned with the arrays of Python."""
    if isinstance(expected, dict):
        assert {*result} == {*map(str, expected)}, what
        for key, y in expected.items():
            same(result[str(key)], y, close, what)
    elif isinstance(expected, (list, tuple)):
        assert len(result) == len(expected), what
        for x, y in zip(result, expected, strict=True):
            same(x, y, close, what)
    elif isinstance(expected, np.ndarray) and expected.ndim:
        values, kind = result
        assert kind == ARRAYS[expected.dtype.name], (kind, expected.dtype, what)
        assert values.size == expected.size, what
        numbers(values.reshape(expected.shape), expected, close, what)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert isinstance(result, bool) == (expected.dtype == bool), (result, what)
        numbers(np.float64(result), expected, close, what)
    else:
        assert result == expected, what


def numbers(x, y, close, what):
    rounding = close if y.dtype != np.float32 else max(close, 1e-5)
    y = y.astype(np.float64)
    scale = np.max(np.abs(y[np.isfinite(y)]), initial=1)
    np.testing.assert_allclose(x, y, rounding, rounding * scale, err_msg=what)
