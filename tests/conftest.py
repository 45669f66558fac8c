"""One Hypothesis profile for every test: the same examples on every run, on every machine."""

from hypothesis import settings

settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, print_blob=True
)
settings.load_profile("repeatable")
