"""Hostile cases: what is tried, what is right, and what the peers were seen to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

Test = TypeVar("Test", bound=Callable[[], None])


class Attack(NamedTuple):
    """One hostile case, for the page that lists them."""

    subject: str
    title: str
    right: str
    peers: dict[str, str]


ATTACKS: dict[str, Attack] = {}
"""Every hostile case by its title."""


def attack(title: str, right: str, **peers: str) -> Callable[[Test], Test]:
    """Mark a test as a hostile case."""

    def decorate(test: Test) -> Test:
        subject = test.__module__.rpartition(".")[2].removeprefix("test_").replace("_", " ")
        ATTACKS[title] = Attack(subject, title, right, peers)
        return test

    return decorate
