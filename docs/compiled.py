"""The page about compiling, with the source that the project makes of its own models."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.compiler.machine import MACHINE
from autograd_lite.compiler.rules import ALGEBRA, STATEMENTS
from autograd_lite.compiler.sigmoids import SHARING, SIGMOIDS
from autograd_lite.models import LogisticRegression, MLPClassifier

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

    value, slopes = ag.value_and_grad(loss)(params)
    return value, [θ - 0.001 * g for θ, g in zip(params, slopes, strict=True)]


def python(text: str) -> str:
    """Source, shown as such."""
    return f"```python\n{text.rstrip()}\n```"


def rewrites() -> str:
    """The rules, one a line, in the order of their tables."""
    lines = []
    for title, table in (
        ("Algebra", ALGEBRA),
        ("σ and the losses made of it", SIGMOIDS),
        ("Sharing", SHARING),
        ("For the machine", MACHINE),
    ):
        names = dict.fromkeys(rule.__name__ for rules in table.values() for rule in rules)
        lines += [f"**{title}**\n", *(f"- {STATEMENTS[name]}" for name in names), ""]
    return "\n".join(lines).rstrip()


def page() -> str:
    """The text of docs/compile.md."""
    logistic, given = gradients_of(LogisticRegression(max_iter=1))
    mlp, given_mlp = gradients_of(MLPClassifier(16, max_iter=1, random_state=0))
    weights = [np.zeros((16, 30)), np.zeros(16), np.zeros(16), np.float64(0.0)]
    naive = ag.compile(step)
    loop = ag.compile(step, rows=128)
    return f"""# Compiling: from the graph to NumPy

`ag.compile(f)` gives the same function, run as generated straight-line NumPy. The first call with
new containers, shapes, dtypes or plain values traces `f` on Tensors; later ones run the code.

- **Arrays** may change from call to call. **Numbers, strings and other plain values** in the
  arguments are free to use, also in `if` and `for`, and belong to the code: another value is
  another program. Pass `np.float64(α)` for a number that changes often. The last 16 programs
  are kept.
- **Arrays that f closes over** are constants, taken when f is traced; so is whatever a global or a
  random number was at that time. A random generator as an argument is refused: draw outside.
- Whatever would bake a value in (`if x > 0`, `float(x)`, `x.data`) raises a TypeError that says
  what to do.
- **Whole numbers in an array** may be arguments that pick: `table[i]`, `np.take(x, i, axis=k)`,
  `np.take_along_axis(x, i, axis=k)`. An index of several parts or a mask is refused.
- Results belong to the caller, and arguments are never changed, unless `donate="params"` says that
  the arrays of an argument may be overwritten; these may not share memory with another argument.
- Called with Tensors, f runs as it is written, so compiled functions can be differentiated.
- The code is silent where NumPy would warn of a logarithm, a quotient or an exponential.

`.readable()` is the program as plain NumPy, `.save("step.py")` writes it as a module that needs
NumPy alone, `.source` is the code that runs, `.source_for(...)` and `.graph_for(...)` show other
signatures. Names come from the arguments and from `named`; `ŷ` becomes `y_hat`, `W⁽¹⁾` `W1`. The
signature stays that of f: a plain value becomes its argument's default, and the docstring says
that it is fixed, whatever is passed.

## Logistic regression

{python(logistic.readable(*given))}

## The multilayer perceptron

{python(mlp.readable(*given_mlp))}

## The naive loss, and what runs

A step with the loss written as `−mean(y log ŷ + (1 − y) log(1 − ŷ))` and the update

{python(naive.readable(weights, X, y))}

runs as

{python(naive.source_for(weights, X, y))}

Each line is one call of NumPy. A result is written into an operand that is done with; scalars are
arrays made once, because NumPy takes longer to convert a Python number than to add two short
arrays; `.dot` and products with ones are the quickest of NumPy's equal calls.

## How it comes about

1. The record of f, where a better computed equal stands for what was written, as in
   [stable.md](stable.md).
2. Each operation becomes NumPy calls by running its forward once on symbols: there are no
   templates of source text. A forward that looks at values stays a function of its own, and its
   source goes along.
3. Scalar factors and signs are pulled out of everything linear, folded into one, and put back where
   they cost least: the learning rate and 1/m meet in one product with the vector ŷ − y.
4. The rewrites below, to a fixed point. Equal calls are one call, unused ones none, and calls on
   constants are made once.
5. Lines, with buffers by liveness.

{rewrites()}

A bias stays a sum beside its product. Folding it and its gradient into the products by a column of
ones takes two calls away and puts a concatenation of the weights and two strided views in their
place. The same step with the column, times the step as it is compiled (one thread, float64, the
least of many interleaved rounds on a shared machine):

| rows, features, hidden | X closed over, its column made once | X an argument |
|---|---|---|
| 1, 2, 2 | 1.07 | 1.10 |
| 64, 30, 16 | 1.06 | 1.12 |
| 569, 30, 16 | 0.96 | 1.08 |
| 128, 784, 128 | 1.19 | 1.15 |
| 100,000, 30, 16 | 1.06 | 1.18 |

One row of five gains 4 %, and only for a constant X, which would then be held twice: the cost model
declines. (At 1,024, 784, 256 the two products decide, and the difference was lost in the noise.)

No rewrite makes a result less accurate: the tests compare with long double for logits to ±10⁴, to
a few units of rounding. The gradient ŷ − y is as accurate as ŷ and y are, which for a confident and
right prediction is an absolute accuracy and not a relative one.

NaN and infinity are not lost: what a rewrite leaves holds every operand that was there. Two
things may differ. A zero may have the other sign. And where a scalar factor is applied later or
earlier, a product may meet the end of its range on the way: by as much as a factor of 2³⁰ in
float64, so from 1e299 or down to 1e-299, and of 2¹⁶ in float32; larger factors stay where they
are.

## Rows

Where results are sums over rows, `rows="auto"` runs over blocks of rows that fit the second-level
cache as soon as that pays, and `rows=1024` over blocks of so many. Elementwise operations keep the
axis of rows; a product with a matrix without rows keeps it; Xᵀδ and sums over rows end it as a sum;
what is computed from the sums comes after. Results with an axis of rows are filled block by block.
Where it is not so, the error names the call that forbids it. The trait `rows` of each operation in
the table says how it treats the axis. A classifier's `cross_entropy` is such a sum, with class
numbers or probabilities by row.

{python(loop.source_for(weights, X, y))}
"""
