"""The coordinates of the solvers: the same loss, as a function of other weights."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
)
from autograd_lite.models.coordinates import Standardized, standardized
from autograd_lite.models.objective import Objective

BOOLEANS = st.booleans()
SCALES = st.lists(st.sampled_from([1e-3, 0.2, 1.0, 7.0, 1e4]), min_size=3, max_size=3)
MEANS = st.lists(st.sampled_from([-1e2, 0.0, 0.5, 40.0]), min_size=3, max_size=3)
MODELS = [
    LogisticRegression(),
    LogisticRegression(intercept="separate", alpha=0.1, reduction="sum"),
    LinearRegression(alpha=0.01),
    MLPClassifier(4, activation="tanh", alpha=0.1),
    MLPRegressor((3, 2), activation="logistic"),
]
PLAIN = [LogisticRegression(), LogisticRegression(reduction="sum"), LinearRegression()]


@st.composite
def cases(draw, kinds=MODELS, independent=BOOLEANS):
    """An objective, the same in coordinates of its columns, and two points of these."""
    model, random = draw(st.sampled_from(kinds)), np.random.default_rng(draw(st.integers(0, 999)))
    mixed = random.normal(size=(40, 3)) @ random.normal(size=(3, 3))
    X = mixed * draw(SCALES) + np.multiply(draw(MEANS), draw(SCALES))
    classes = draw(st.sampled_from([2, 3]))
    y = np.append(range(classes), random.integers(classes, size=40 - classes))
    y = y if model.kind == "classifier" else 30 * mixed[:, 0] + random.normal(size=40) + 1e3
    weights = random.uniform(0.5, 2, 40) if draw(st.booleans()) else None
    rows = model._read(X, y, weights)
    objective = Objective(model, model._layout(rows), rows)
    at = standardized(objective, {}, independent=draw(independent))
    assume(isinstance(at, Standardized))
    size = sum(int(np.prod(shape)) for shape in objective.layout.shapes.values())
    return objective, at, random.normal(size=size), random.normal(size=size)


def close(actual, expected, rtol=1e-6):
    atol = rtol * np.abs(expected).max(initial=0)
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


@given(cases())
@settings(max_examples=60)
def test_the_loss_and_its_gradient_are_the_same(case):
    objective, at, u, v = case
    loss, gradient = at(u)
    whole, slope = objective(at.weights(u))
    close(loss * at.unit**2, whole)
    # The weights are linear in u, so a step v of u is a step J v of theirs.
    step = at.weights(u + v) - at.weights(u)
    close(gradient @ v * at.unit**2, slope @ step, rtol=1e-5)


@given(cases())
@settings(max_examples=60)
def test_there_and_back(case):
    _, at, u, _ = case
    close(at.start(at.weights(u)), u, rtol=1e-5)
    w = at.weights(u)
    close(at.weights(at.start(w)), w, rtol=1e-5)


@given(cases())
@settings(max_examples=30)
def test_products_with_the_hessian_are_those_of_the_gradient(case):
    objective, at, u, v = case
    step, other = (at.weights(u + d) - at.weights(u) for d in (v, np.roll(v, 1)))
    curved = objective.hvp(at.weights(u), step) @ other
    close(at.hvp(u, v) @ np.roll(v, 1) * at.unit**2, curved, rtol=1e-4)
    close(at.hvp(u, np.roll(v, 1)) @ v * at.unit**2, curved, rtol=1e-4)


@given(cases())
@settings(max_examples=30)
def test_batches_have_the_same_coordinates(case):
    _, at, u, _ = case
    parts = [part(u) for part in at.batches(np.random.default_rng(0), 10)]
    close(np.mean([loss for loss, _ in parts]), at(u)[0])
    close(np.mean([gradient for _, gradient in parts], axis=0), at(u)[1], rtol=1e-5)


@given(cases(PLAIN, st.just(True)))
@settings(max_examples=30)
def test_columns_become_independent(case):
    objective, at, _, _ = case
    weights = objective.options.get("sample_weight", np.ones(40))
    weights = weights / weights.sum()
    assume(np.linalg.eigvalsh(np.corrcoef(objective.X.T))[0] > 0.01)
    Z = (objective.X - at.mean) @ at.inverse.T
    np.testing.assert_allclose(weights @ Z, 0, atol=1e-6)
    np.testing.assert_allclose(Z.T * weights @ Z, np.eye(3), atol=1e-3)


@given(cases(MODELS[:3]))
@settings(max_examples=30)
def test_the_gradient_is_judged_by_standardized_columns(case):
    """The largest element of the gradient does not depend on how the solver sees the columns."""
    objective, at, u, _ = case
    w = at.weights(u)
    slopes = []
    for independent in (False, True):
        other = standardized(objective, {}, independent=independent)
        slopes.append(other.slope(other(other.start(w))[1]))
    close(*slopes, rtol=1e-4)


@given(st.integers(0, 999), st.floats(-0.5, 0.5))
@settings(max_examples=20)
def test_of_columns_that_are_fine_the_gradient_is_judged_as_it_is(seed, mean):
    random = np.random.default_rng(seed)
    X, model = mean + random.normal(size=(40, 3)), LogisticRegression()
    rows = model._read(X, np.arange(40) % 2, None)
    objective = Objective(model, model._layout(rows), rows)
    assert standardized(objective, {}, independent=False) is objective
    at, u = standardized(objective, {}, independent=True), random.normal(size=4)
    close(at.slope(at(u)[1]), np.abs(objective(at.weights(u))[1]).max())
