"""The examples in the pages and docstrings run, the README is short, and all packages are built."""

import doctest
import importlib
import os
import re
import tomllib
from pathlib import Path

import pytest

import autograd_lite as ag

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = {
    "autograd_lite": "autograd_lite",
    "models": "autograd_lite.models",
    "viz": "autograd_lite.viz",
}
NEEDS = {
    "autograd_lite.viz.curves": "matplotlib",
    "autograd_lite.viz.decisions": "matplotlib",
    "autograd_lite.viz.style": "matplotlib",
    "autograd_lite.viz.surfaces": "matplotlib",
    "autograd_lite.derivation": "sympy",
    "autograd_lite.functions": "scipy",
    "autograd_lite.onnx": "onnx",
    "autograd_lite.exchange.tensors": "safetensors",
    "autograd_lite.interop": "torch",
    "autograd_lite.models.from_scikit_learn": "sklearn",
}
PAGES_NEED = {
    "special.md": "scipy",
    "likelihoods.md": "statsmodels",
    "onnx.md": "onnx",
    "walkthrough.md": "sympy",
}

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*.md"))
# Search the text for examples, so that no module is imported before its test.
MODULES = sorted(
    ".".join([package, *path.relative_to(ROOT / folder).with_suffix("").parts])
    for folder, package in FOLDERS.items()
    for path in (ROOT / folder).rglob("*.py")
    if re.search(r"^ *>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page(page):
    if page.name in PAGES_NEED:
        pytest.importorskip(PAGES_NEED[page.name])
    results = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert results.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name):
    for part, needed in NEEDS.items():
        if name.startswith(part):
            pytest.importorskip(needed)
    results = doctest.testmod(importlib.import_module(name.removesuffix(".__init__")))
    assert results.attempted > 0
    assert results.failed == 0


def test_the_links_of_the_pages():
    for page in [ROOT / "README.md", *PAGES, *sorted((ROOT / "docs/course").glob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        for target in (part.partition(")")[0] for part in text.split("](")[1:]):
            if "://" not in target and not target.startswith("#"):
                file = target.partition("#")[0]
                assert (page.parent / file).exists(), (
                    f"{page.name} links to {target}, which does not exist"
                )


def test_the_readme_is_short_and_its_measurements_are_those_of_the_page_on_speed():
    assert len(README.splitlines()) <= 160
    some, every = (tables(page) for page in (README, (ROOT / "docs/speed.md").read_text("utf-8")))
    head, *rows = next(table for table in some if "jax.jit" in table[0])
    columns, *measured = next(table for table in every if "jax.jit" in table[0])
    columns = [name.replace("by hand", "NumPy by hand") for name in columns]
    assert len(rows) == 3
    for row in rows:
        (same,) = (line for line in measured if line[0] == row[0])
        assert row == [same[columns.index(name)] for name in head]


def tables(page):
    """The tables of a page, each a list of rows without the line under the head."""
    found = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    rows = [[line.strip("|").split("|") for line in table.splitlines()] for table in found]
    return [[[cell.strip() for cell in row] for row in (head, *rest)] for head, _, *rest in rows]


def test_every_package_is_built():
    found = {
        ".".join([package, *path.parent.relative_to(ROOT / folder).parts])
        for folder, package in FOLDERS.items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_the_version_is_the_same_everywhere():
    assert ag.__version__ == PROJECT["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {ag.__version__}" in changes


def test_all_checks_start_from_one_script():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "bash .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
