"""The state of the engine: what a setting holds for, however it is entered and left."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.context import current, setting
from autograd_lite.core.state import STATE, State


@pytest.fixture(autouse=True)
def _nothing_is_left():
    before = STATE.get()
    yield
    assert STATE.get() is before


def recording():
    return current().recording


# Generators


def quiet_steps():
    with ag.no_grad():
        yield recording()
        yield recording()


def test_a_generator_holds_a_setting_for_itself():
    for quiet in quiet_steps():
        assert not quiet
        assert recording()


def test_interleaved_generators_leave_nothing_on():
    first, second = quiet_steps(), quiet_steps()
    seen = [next(first), next(second), next(first), next(second)]
    assert (list(first), recording(), list(second), recording()) == ([], True, [], True)
    assert seen == [False] * 4


def test_a_generator_that_is_dropped_leaves_nothing_on():
    steps = quiet_steps()
    next(steps)
    del steps
    gc.collect()
    assert type(STATE.get()) is State


def test_what_a_generator_calls_and_delegates_to_is_held():
    def outer():
        with ag.scope("outer"):
            yield from inner()

    def inner():
        yield current().scope
        with ag.scope("inner"):
            yield current().scope

    steps = outer()
    with ag.scope("caller"):
        assert next(steps) == ("caller", "outer")
        assert current().scope == ("caller",)
    assert next(steps) == ("outer", "inner")
    with ag.scope("caller"):
        assert list(steps) == []
        assert current().scope == ("caller",)


def test_the_setting_of_a_generator_is_inside_those_of_its_caller():
    def scopes():
        with ag.scope("own"), ag.no_grad():
            while True:
                yield current().scope, recording()

    steps = scopes()
    assert next(steps) == (("own",), False)
    with ag.scope("caller"), setting(recording=True):
        assert next(steps) == (("caller", "own"), False)
        assert recording()
    assert next(steps) == (("own",), False)
    steps.close()


def test_an_async_generator_holds_a_setting_for_itself():
    async def steps():
        with ag.no_grad():
            for _ in range(2):
                await asyncio.sleep(0)
                yield recording()

    async def main():
        first, second = steps(), steps()
        seen = [await anext(first), await anext(second), recording()]
        seen += [x async for x in first] + [recording()] + [x async for x in second]
        return [*seen, recording()]

    assert asyncio.run(main()) == [False, False, True, False, True, False, True]


def test_a_generator_in_another_thread_does_not_turn_recording_off_here():
    inside, outside = threading.Event(), threading.Event()

    def steps():
        with ag.no_grad():
            yield
            inside.set()
            outside.wait(30)
            yield

    taken = steps()
    next(taken)
    thread = threading.Thread(target=next, args=(taken,))
    thread.start()
    inside.wait(30)
    assert recording()
    outside.set()
    thread.join()
    taken.close()


# Context managers


@contextlib.contextmanager
def managed():
    with ag.no_grad():
        yield


@contextlib.contextmanager
def managed_twice():
    with managed():
        yield


class Class:
    def __enter__(self):
        self.quiet = ag.no_grad()
        self.quiet.__enter__()

    def __exit__(self, *error):
        self.quiet.__exit__(*error)


class Stack(contextlib.ExitStack):
    def __enter__(self):
        self.enter_context(ag.no_grad())
        return super().__enter__()


@contextlib.contextmanager
def stacked():
    with contextlib.ExitStack() as stack:
        stack.enter_context(managed())
        yield


MANAGERS = [ag.no_grad, managed, managed_twice, Class, Stack, stacked]


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_context_manager_holds_for_the_body(manager):
    with manager():
        assert not recording()
        assert next(quiet_steps()) is False
        assert not recording()
    assert recording()


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_context_manager_in_a_generator_holds_for_the_generator(manager):
    def steps():
        with manager():
            yield recording()
            yield recording()

    for quiet in steps():
        assert not quiet
        assert recording()


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_decorated_generator_function_that_is_a_context_manager(manager):
    @contextlib.asynccontextmanager
    async def asynchronous():
        await asyncio.sleep(0)
        with manager():
            yield

    async def main():
        async with asynchronous():
            seen = [recording()]
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(asynchronous())
            seen.append(recording())
        return [*seen, recording()]

    assert asyncio.run(main()) == [False, False, True]


@pytest.fixture
def quiet():
    with ag.no_grad():
        yield


@pytest.mark.usefixtures("quiet")
def test_a_fixture_holds_for_the_test():
    assert not recording()


def test_a_decorator_holds_for_each_call():
    @ag.no_grad()
    def fall(n):
        """Fall."""
        assert not recording()
        return n and fall(n - 1) + (not recording())

    for _ in range(2):
        assert fall(5) == 5
        assert recording()
    assert fall.__doc__ == "Fall."


def test_one_setting_may_be_entered_again():
    quiet = ag.no_grad()
    with quiet:
        with quiet:
            assert not recording()
        assert not recording()
    assert recording()


def test_leaving_in_another_thread_or_task_changes_nothing_there():
    quiet, titled = ag.no_grad(), ag.scope("there")
    quiet.__enter__()

    def elsewhere():
        with titled:
            quiet.__exit__(None, None, None)
            return current().scope, recording()

    assert contextvars.Context().run(elsewhere) == (("there",), True)
    assert not recording()
    assert contextvars.copy_context().run(elsewhere) == (("there",), True)
    assert not recording()
    quiet.__exit__(None, None, None)


# Any order


class Model:
    """Settings in the order of their entering, and the generators that run."""

    def __init__(self):
        self.entries, self.running, self.names = [], [None], iter(range(1000))

    def expected(self):
        """What holds: the last change of each field, and every title."""
        fields = {"observer": None, "recording": True, "scope": ()}
        for _, changes, owner in self.entries:
            if owner in (None, *self.running):
                title = changes.get("title")
                fields |= {"scope": (*fields["scope"], title)} if title else changes
        return fields

    def check(self):
        state = current()
        assert {name: getattr(state, name) for name in self.expected()} == self.expected()

    def enter(self, changes, owner):
        title = changes.get("title")
        cm = ag.scope(title) if title else setting(**changes)
        k = len(self.entries)
        while k and self.entries[k - 1][2] not in self.running:
            k -= 1
        self.entries.insert(k, (cm, changes, owner))
        return cm

    def leave(self, owner, k):
        """The k-th setting of an owner, in any order, if it has one."""
        own = [entry for entry in self.entries if entry[2] == owner]
        if not own:
            return None
        self.entries.remove(own[k % len(own)])
        return own[k % len(own)][0]


def actor(model, name):
    """A generator that enters, leaves and drives others on request."""
    todo = yield
    while True:
        model.running.append(name)
        model.check()
        for kind, *arguments in todo:
            if kind == "enter":
                model.enter(*arguments, name).__enter__()
            elif kind == "leave" and (cm := model.leave(name, *arguments)):
                cm.__exit__(None, None, None)
            elif kind == "drive":
                arguments[0](model)
            model.check()
        model.running.remove(name)
        todo = yield


CHANGES = st.sampled_from(
    [
        {"recording": False},
        {"recording": True},
        {"observer": "an observer"},
        {"title": "a"},
        {"title": "b"},
    ]
)
OWN = st.one_of(
    st.tuples(st.just("enter"), CHANGES), st.tuples(st.just("leave"), st.integers(0, 3))
)
ACTORS = range(3)


@given(st.lists(st.tuples(st.lists(st.sampled_from(ACTORS), unique=True), st.lists(OWN))))
def test_any_interleaving_is_as_the_model_says(steps):
    """A step is a chain of generators: each resumes the next, the last acts. () is the caller."""
    model = Model()
    actors = [actor(model, name) for name in ACTORS]
    for generator in actors:
        next(generator)

    for chain, actions in steps:
        if not chain:
            for kind, argument in actions:
                if kind == "enter":
                    model.enter(argument, None).__enter__()
                elif cm := model.leave(None, argument):
                    cm.__exit__(None, None, None)
                model.check()
            continue
        *drivers, last = chain
        todo = actions
        for name, driven in zip(reversed(drivers), reversed(chain), strict=False):
            todo = [("drive", lambda _, driven=driven, todo=todo: actors[driven].send(todo))]
            last = name
        actors[last].send(todo)
        model.check()

    for owner in (None, *ACTORS):
        while cm := model.leave(owner, 1):
            cm.__exit__(None, None, None)
            model.check()
    assert current() == STATE.get()


def test_a_leaf_is_made_in_the_scope_that_holds():
    def inside():
        with ag.scope("inner"):
            yield ag.Tensor(1.0)

    steps = inside()
    assert next(steps).scope == ("inner",)
    assert ag.Tensor(1.0).scope == (ag.Tensor(1.0) * 2).scope == ()
    assert list(steps) == []
