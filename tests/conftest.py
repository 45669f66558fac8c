"""One Hypothesis profile for every test: the same examples on every run, on every machine."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    # It measures seconds, and no test here fails because a machine is busy.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
