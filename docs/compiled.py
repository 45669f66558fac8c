"""The page about compiling, with the source code generated for the models."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.compiler.machine import MACHINE
from autograd_lite.compiler.rules import ALGEBRA, STATEMENTS
from autograd_lite.compiler.sigmoids import SHARING, SIGMOIDS
from autograd_lite.models import LogisticRegression, MLPClassifier

TEXT = """\
# Compiling: from the graph to NumPy

`ag.compile(f)` returns a function with the same results as `f` that runs as generated NumPy code,
or as native code. The first call with new containers, shapes, dtypes or plain values traces `f` on
Tensors and generates the code. Later calls run it.

- **Arrays** in the arguments may change from call to call.
- **Numbers, strings and other plain values** in the arguments may be used anywhere, also in `if`
  and `for`, and become part of the code. A new value generates new code, so pass a number that
  changes often as `np.float64(α)`. The last 16 programs are kept.
- **Arrays and globals that f uses from outside** are constants, with the values that they had when
  f was traced. The same is true of random numbers. A random generator as an argument raises an
  error; draw the numbers outside of f.
- **Code that needs the value of an array** (`if x > 0`, `float(x)`, `x.data`) raises a `TypeError`
  that suggests what to write instead.
- **Integer arrays** in the arguments may be used as an index: `table[i]`, `np.take(x, i, axis=k)`,
  `np.take_along_axis(x, i, axis=k)`. A boolean mask, or an index of several parts, raises an error.
- **Results** belong to the caller, and arguments are never changed, unless `donate="params"` allows
  the code to overwrite the arrays of that argument. These must not share memory with another
  argument.
- **Called with Tensors**, the compiled function runs f as written, so it can be differentiated.
- **NumPy's floating-point warnings** of logarithms, quotients and exponentials are suppressed.

| attribute | result |
|---|---|
| `.readable()` | the program as plain NumPy |
| `.source_map()` | the file and line of f for each of its lines |
| `.save("step.py")` | writes it as a module that needs NumPy, and SciPy for special functions |
| `.save("step.py", namespace="torch")` | writes it for [PyTorch, JAX or CuPy](interop.md) |
| `.save("step.js", namespace="javascript")` | writes it as a script for [web pages](#javascript) |
| `.save("step.py", backend="numba")` | writes native code, as a module that needs NumPy and Numba |
| `.backend` | which backend ran last |
| `.source` | the code that runs |
| `.source_for(...)`, `.graph_for(...)` | the same for other arguments |

Variable names come from the arguments and from `named`: `ŷ` becomes `y_hat`, `W⁽¹⁾` becomes `W1`.
The signature is that of f. A plain value becomes the default of its argument, and the docstring
states that it is fixed.

## Logistic regression

{logistic}

## The multilayer perceptron

{mlp}

## A naive loss, and the code that runs

This is a training step with the update, whose loss is written as
`−mean(y log ŷ + (1 − y) log(1 − ŷ))`:

{step}

This is the code that runs:

{step_source}

Each line is one NumPy call. A result is written into an operand that is not used again. Scalars are
arrays that are made once, because NumPy takes longer to convert a Python number than to add two
short arrays. `.dot` and products with ones are the fastest of the equivalent NumPy calls.

## Loops

Steps that repeat are compiled once, however many there are. This is the gradient of a recurrence
over the 200 rows of X, `h = tanh(w h + x)`:

{loop}

A loop is rolled from eight steps on, if each step makes the same calls with the results of the step
before. It may read the next row, the next constant or the next array of a list in each step, and
what it keeps for the gradient is taken from the lists backwards. Steps that differ, by a number or
by a branch, are written one after the other. So the time to compile grows with the operations that
differ, and tracing alone grows with the number of steps. With `rows=`, no loop is rolled.

## Native code

A NumPy call takes half a microsecond however short its arrays are, and it writes its result to
memory. `compile(f, backend="numba")` turns the same program into loops that Numba compiles
(`pip install "autograd_lite[native]"`):

{native_source}

- Elementwise calls of one shape share their loops, and the sums over them. Long sums are made of
  parts, and what rounding leaves is kept, so they are as exact as NumPy's sums in pairs.
- Small products are loops, large ones call BLAS. Arrays that are no longer needed are used again.
- `exp`, `expm1`, `log`, `log1p` and `tanh` are written for several numbers at once and right to 3
  units in the last place. Other functions of the C library take one number after the other, so
  NumPy computes them for more than 128 numbers.
- Loops of steps are loops of the native function. What is kept for the gradient is in one array.
- What Numba does not compute stays NumPy in the same program, between the native functions: linear
  algebra, functions of `scipy.special`, sorting, indices that are arrays, and most of what is done
  with integers. The source marks these lines with `# NumPy`.
- Native functions take arrays in C order. Other arrays are copied at each call.
- Results equal those of NumPy to rounding. Floating-point warnings are not raised.
- If Numba cannot compile a program, or one of more than 3,000 calls, a `NotNativeWarning` says so,
  and NumPy runs it. A function of many calls is split into several.

Compiling takes seconds. Machine code is kept in `~/.cache/autograd_lite` (another folder if the
environment variable `AUTOGRAD_LITE_CACHE` names one), so the same program takes a fraction of a
second in the next process. With `backend="auto"`, NumPy runs a program until native code would have
saved as much time as compiling takes, estimated from the number of calls and elements in it, and
then Numba runs it. Which call that is depends on the program alone, so results can be repeated.

## JavaScript

`compiled.save("gradients.js", namespace="javascript")` writes the program as a script for web
pages, which is also a module for Node. Its loops are those of native code. This is the logistic
regression above, without the functions that check the arguments:

{javascript}

```html
<script src="gradients.js"></script>
<script>
  const [loss, gradient] = gradients({{ w }}, X, y);
</script>
```

- Arrays are typed arrays in C order, or nested arrays. Numbers stand for arrays without axes, and
  objects and arrays for dicts, lists and tuples. The results have the structure of those of f, with
  a new `Float64Array` for each array of float64, a `Float32Array` for float32, and a `Uint8Array`
  for booleans.
- Arguments are checked. An array of another shape raises a `RangeError` that names it, and so does
  another value for an argument that is fixed.
- Products, sums and elementwise calls become loops. `sort`, `cumsum`, `argmax` and indices that are
  arrays call functions that the script brings along.
- NaN and infinities are those of NumPy. `Math.tanh`, `Math.exp` and others differ from NumPy's
  functions by one or two units in the last place. Sums add one number after the other, a sum of
  all elements in pieces of 2,048.
- Integers of 64 bits are exact up to 2⁵³; larger ones are rounded and do not wrap around. Those of
  fewer bits wrap around, as in NumPy.
- What JavaScript lacks raises a `ValueError` that names it, before the file is written: linear
  algebra, the functions of `scipy.special`, masks that are arguments, `searchsorted` and a few
  more.
- With `rows="auto"` the script of a function that can run in blocks of rows serves any number of
  rows above 1. The script of another one, such as a sort, serves only that of the last call. A
  function that reads the number of rows is refused.
- Names are those of Python. A word that JavaScript reserves gets an underscore: `new_`.

## How compiling works

1. Trace f. The record has stable forms in place of what was written, as in [stable.md](stable.md).
2. Translate each operation to NumPy calls by running its forward function once on symbols, without
   templates of source text. A forward function that reads values is kept as a function, and its
   source becomes part of the generated module.
3. Move scalar factors and signs out of linear operations, multiply them, and put them back where
   they cost least: the learning rate and 1/m become one product with the vector ŷ − y.
4. Roll the steps that repeat into loops, in the order in which f computed them. The body of a loop
   is compiled as a program.
5. Apply the rewrites below until none applies. Merge equal calls, remove unused ones, and evaluate
   calls on constants once.
6. Write the lines, and reuse the buffers of results that are not needed any more.

{rewrites}

## Biases

A bias is not folded into the matrix product with a column of ones. That would remove two calls, but
add a concatenation of the weights and two strided views. The table shows the time of a step with
the column of ones, relative to the compiled step (one thread, float64, minimum of many interleaved
rounds on a shared machine):

| rows, features, hidden | X a constant, its column made once | X an argument |
|---|---|---|
| 1, 2, 2 | 1.07 | 1.10 |
| 64, 30, 16 | 1.06 | 1.12 |
| 569, 30, 16 | 0.96 | 1.08 |
| 128, 784, 128 | 1.19 | 1.15 |
| 100,000, 30, 16 | 1.06 | 1.18 |

Only one row of five is faster, by 4 %, and only for a constant X, which would then be stored twice.
(At 1,024, 784, 256 the difference is smaller than the noise.)

## Accuracy

No rewrite makes a result less accurate. The tests compare with long double for logits up to ±10⁴,
to within a few units in the last place. The gradient ŷ − y has the accuracy of ŷ and y: for a
confident and correct prediction that is absolute accuracy, not relative accuracy.

NaN and infinity are preserved, because a rewritten expression contains every operand of the
original. Two things may differ:

- A zero may have the other sign.
- A scalar factor may be applied earlier or later, so a product may overflow or underflow where the
  original does not. The factor is at most 2³⁰ in float64, which matters above 1e299 and below
  1e-299, and 2¹⁶ in float32. Larger factors are not moved.

## Rows

If the results are sums over rows, the code can run over blocks of rows. `rows="auto"` chooses
blocks that fit the second-level cache, if the table is large enough for that to be faster.
`rows=1024` sets the size of a block. Tables that need few blocks are computed in one pass.

Elementwise operations keep the row axis, and so does a product with a matrix that has no row axis.
Xᵀδ and sums over rows remove it by a sum; everything computed from the sums runs after the blocks.
Results with a row axis are filled block by block. If a function cannot run in blocks, the error
names the call that prevents it. The trait `rows` of each operation describes how it treats the
axis. `cross_entropy` of a classifier is a sum over rows, with class numbers or with one row of
probabilities per example.

One program serves any number of rows above 1, for example a last, smaller mini-batch. To find it,
`f` is also traced with three other numbers of rows. The traces must be the same except for numbers
proportional to the number of rows, its square or their inverses, which the code computes. A
function that itself reads a shape, as in `len(X)` or `for x in X`, is traced again for each new
number of rows, and compiled again if it does something else for it (`if len(X) > 500`). One that
closes over an array with rows is compiled for each number of rows.

The generated module has three functions: `before` computes what does not depend on the rows,
`partial` the sums over a block of rows, and `finish` the results. `workers=2` computes blocks in
two threads. The sums of blocks are added in pairs by the numbers of the blocks, so the results
have the same bits for any number of workers. While the threads run, BLAS is limited to one thread
each; this needs threadpoolctl (`pip install "autograd_lite[native]"`). The same module runs over
blocks that are read from files, and over chunks of Dask arrays where they are
([scale.md](scale.md)).

{rows_source}
"""

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(569, 30))
y = (X[:, 0] > 0).astype(float)


def gradients_of(model: Any) -> tuple[Any, tuple[Any, ...]]:
    """The loss and the gradients of a model as one function, and arguments for it."""

    def gradients(θ: Any, X: Any, y: Any) -> Any:
        return ag.value_and_grad(lambda θ: model.loss(X, y, θ))(θ)

    fitted = model.fit(X, y)
    return ag.compile(gradients), (fitted.parameters_, model.inputs(X).numpy(), y)


def step(params: Any, X: Any, y: Any) -> Any:
    """The loss written naively, its gradients, and the update."""

    def loss(params: Any) -> Any:
        W1, b1, w2, b2 = params
        h = ag.relu(X @ W1.T + b1)
        p = 1 / (1 + np.exp(-(h @ w2 + b2)))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    value, gradients = ag.value_and_grad(loss)(params)
    return value, [θ - 0.001 * g for θ, g in zip(params, gradients, strict=True)]


def recurrence(w: Any, X: Any) -> Any:
    """The gradient of a recurrence over rows."""

    def loss(w: Any) -> Any:
        h = np.zeros(30)
        for x in X:
            h = np.tanh(w * h + x)
        return np.sum(h)

    return ag.grad(loss)(w)


def recurrence_step(w: Any, h: Any, x: Any) -> Any:
    """One step of a recurrence and its gradient, short enough for a page."""
    return ag.value_and_grad(lambda w: np.sum(np.tanh(w * h + x)))(w)


def native(f: Any, *args: Any) -> str:
    """The native functions of a program, without the functions that they call."""
    compiled = ag.compile(f)
    compiled(*args)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        compiled.save(path, backend="numba")
        functions = path.read_text(encoding="utf-8").split("\n\n\n")
    return "\n\n\n".join(x for x in functions if f"def {f.__name__}" in x)


def javascript(compiled: Any, *args: Any) -> str:
    """The function in JavaScript, without the functions that it calls."""
    compiled(*args)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.js"
        compiled.save(path, namespace="javascript")
        text = path.read_text(encoding="utf-8")
    first = text.index("/**")
    return f"```javascript\n{text[first : text.index('  /**', first)].rstrip()}\n}}\n```"


def python(text: str) -> str:
    """A block of Python."""
    return f"```python\n{text.rstrip()}\n```"


def rewrites() -> str:
    """The rules, one per line, in the order of their tables."""
    lines = []
    for title, table in (
        ("Algebra", ALGEBRA),
        ("σ and the losses computed from it", SIGMOIDS),
        ("Sharing", SHARING),
        ("Faster calls", MACHINE),
    ):
        names = dict.fromkeys(rule.__name__ for rules in table.values() for rule in rules)
        lines += [f"**{title}**\n", *(f"- {STATEMENTS[name]}" for name in names), ""]
    return "\n".join(lines).rstrip()


def page() -> str:
    """The text of docs/compile.md."""
    logistic, given = gradients_of(LogisticRegression(solver="gd", max_iter=1, tol=0))
    mlp, given_mlp = gradients_of(MLPClassifier(16, solver="gd", max_iter=1, tol=0, random_state=0))
    weights = [np.zeros((16, 30)), np.zeros(16), np.zeros(16), np.float64(0.0)]
    compiled = ag.compile(step)
    return TEXT.format(
        logistic=python(logistic.readable(*given)),
        mlp=python(mlp.readable(*given_mlp)),
        step=python(compiled.readable(weights, X, y)),
        step_source=python(compiled.source_for(weights, X, y)),
        loop=python(ag.compile(recurrence).readable(weights[0][0], X[:200])),
        rewrites=rewrites(),
        javascript=javascript(logistic, *given),
        native_source=python(native(recurrence_step, *[np.zeros(3)] * 3)),
        rows_source=python(ag.compile(step, rows=128).source_for(weights, X, y)),
    )
