"""The likelihoods of docs/likelihoods.md: the right functions, fitted as statsmodels fits them."""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag

special = pytest.importorskip("scipy.special")
stats = pytest.importorskip("scipy.stats")

TEXT = (Path(__file__).parents[1] / "docs" / "likelihoods.md").read_text(encoding="utf-8")
EXAMPLES = [example.source for example in doctest.DocTestParser().get_examples(TEXT)]


def run(examples):
    """The names that examples of the page define."""
    names = {}
    for source in examples:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, "docs/likelihoods.md", "single"), names)
    return names


def is_function(source):
    return isinstance(ast.parse(source).body[0], ast.FunctionDef)


HEAD = ["import numpy as np", "import autograd_lite as ag", "from scipy import special"]
PAGE = run([*HEAD, "from scipy.optimize import minimize", *filter(is_function, EXAMPLES)])


def of_poisson(beta, X, y):
    return stats.poisson.logpmf(y, np.exp(X @ beta))


def of_probit(beta, X, y):
    return stats.norm.logcdf((2 * y - 1) * (X @ beta))


def of_gamma(params, X, y):
    k = np.exp(params[-1])
    return stats.gamma.logpdf(y, k, scale=np.exp(X @ params[:-1]) / k)


def of_beta(params, X, y):
    mean, precision = special.expit(X @ params[:-1]), np.exp(params[-1])
    return stats.beta.logpdf(y, mean * precision, (1 - mean) * precision)


def of_student(params, X, y):
    nu, sigma = np.exp(params[-2:])
    return stats.t.logpdf(y, nu, X @ params[:-2], sigma)


CASES = {
    "poisson": (of_poisson, 0, lambda random, n: random.poisson(2, n).astype(float)),
    "probit": (of_probit, 0, lambda random, n: random.integers(0, 2, n)),
    "gamma": (of_gamma, 1, lambda random, n: random.gamma(2, 1, n)),
    "beta_regression": (of_beta, 1, lambda random, n: random.beta(2, 3, n)),
    "student": (of_student, 2, lambda random, n: random.standard_t(3, n)),
}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_a_loss_is_the_log_likelihood_of_scipy_and_has_its_derivatives(name, seed):
    exact, more, draw = CASES[name]
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(7, 2)), draw(random, 7)
    params = random.normal(size=2 + more)
    loss = PAGE[name]
    np.testing.assert_allclose(loss(params, X, y), -np.sum(exact(params, X, y)), rtol=1e-9)
    ag.check_gradients(lambda p: loss(p, X, y), params)
    ag.check_gradients(
        lambda p: np.sum(ag.grad(loss)(p, X, y) * np.arange(1.0, p.size + 1)), params
    )


@pytest.mark.parametrize("name", CASES)
def test_a_fit_finds_the_parameters_of_drawn_data(name):
    # 4,000 rows, so each estimate is within five of its standard errors.
    random = np.random.default_rng(7)
    X = PAGE["with_ones"](random.normal(size=(4000, 1)))
    beta = np.array([0.3, -0.5])
    eta = X @ beta
    mean = special.expit(eta)
    truth = {"gamma": [np.log(3)], "beta_regression": [np.log(8)], "student": [np.log(4), 0.5]}
    y = {
        "poisson": lambda: random.poisson(np.exp(eta)).astype(float),
        "probit": lambda: (eta + random.normal(size=4000) > 0).astype(float),
        "gamma": lambda: random.gamma(3, np.exp(eta) / 3),
        "beta_regression": lambda: random.beta(8 * mean, 8 * (1 - mean)),
        "student": lambda: eta + np.exp(0.5) * random.standard_t(4, 4000),
    }[name]()
    expected = np.array([*beta, *truth.get(name, [])])
    params, errors = PAGE["fit"](PAGE[name], np.array([0, 0, *truth.get(name, [])], float), X, y)
    assert np.all(np.abs(params - expected) < 5 * errors)
    gradient = ag.grad(PAGE[name])(params, X, y)
    assert np.max(np.abs(gradient * errors)) < 1e-8


def test_the_fits_of_public_data_are_those_of_statsmodels():
    pytest.importorskip("statsmodels")
    names = run([])
    found = []
    for source in EXAMPLES:
        if source.startswith("same("):
            results = eval(source, names)
            found += results if isinstance(results, tuple) else [results]
        else:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, "docs/likelihoods.md", "single"), names)
    assert found == [True] * 11
    # What is compared can differ.
    assert not names["same"]([*names["beta"], 2.0, 1.0], names["result"].params)
