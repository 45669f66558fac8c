"""What tests share: one Hypothesis profile, the command line, and a browser that opens pages."""

import contextlib
import shutil
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from pages import page

from autograd_lite.cli import main
from autograd_lite.op import OPS

# The same examples on every run, on every machine.
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


def pytest_terminal_summary(terminalreporter):
    """How many tests were skipped, for each reason: nothing is left out without a word."""
    skipped = terminalreporter.getreports("skipped")
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")


@pytest.fixture
def operations_removed():
    """Takes the operations that a test defines out of the table again."""
    before = set(OPS)
    yield
    for name in OPS.keys() - before:
        del OPS[name]


@pytest.fixture
def run(capsys):
    """Run the command line; returns the exit code, standard output and standard error."""

    def run(*argv):
        try:
            code = main([str(argument) for argument in argv])
        except SystemExit as stop:
            code = stop.code
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


MINUTE = 60_000
"""What a loaded machine may take; nothing here waits for a time to pass."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """A browser that dies says nothing about the page."""
    try:
        return (yield)
    except Exception as error:
        if type(error).__name__ == "TargetClosedError":
            pytest.skip("the browser stopped")
        raise


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all tests of this file."""
    sync = pytest.importorskip(
        "playwright.sync_api", reason="no playwright to drive a browser", exc_type=ImportError
    )
    # Where there is none on the PATH, playwright takes the one that it installed, if any.
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    with contextlib.ExitStack() as stack:
        try:
            driver = stack.enter_context(sync.sync_playwright())
            browser = driver.chromium.launch(
                executable_path=path,
                args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
                timeout=MINUTE,
            )
        except (sync.Error, OSError) as error:
            pytest.skip(f"Chromium does not start here: {str(error).partition(chr(10))[0]}")
        stack.callback(browser.close)
        yield browser


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page; afterwards it must have asked for nothing and not complained."""
    complaints, requests, visits = [], [], []
    with contextlib.ExitStack() as stack:

        def opened(text, hash="", **given):
            context = browser.new_context(
                **({"viewport": {"width": 1200, "height": 700}, "offline": True} | given)
            )
            stack.callback(context.close)
            context.set_default_timeout(MINUTE)
            tab = context.new_page()
            tab.on("console", lambda message: complaints.append(message.text))
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.on("request", lambda request: requests.append(request.url))
            path = tmp_path / "page.html"
            path.write_text(text, encoding="utf-8")
            visits.append(f"{path.as_uri()}{hash}")
            tab.goto(visits[-1])
            return tab

        yield opened
        outside = [url for url in requests if not url.startswith("data:")]
    assert complaints == []
    assert all(url.startswith(tmp_path.as_uri()) for url in outside), outside
    assert len(outside) <= len(visits)


@pytest.fixture
def visit(opened):
    """Opens the page of a result, as `opened` does."""

    def visit(result, hash="", options=None, **given):
        return opened(page(result, **(options or {})), hash, **given)

    return visit


@pytest.fixture
def play(opened):
    """Opens the page of `autograd-lite play` with the generated tables."""
    from playing import text  # it derives the formulas, which few tests need

    def play(**given):
        return opened(text(), **given)

    return play
