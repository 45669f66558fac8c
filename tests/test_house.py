"""The layout of the package: what may import what, what is public, and that it is documented."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite.op import NUMPY, OPS

ROOT = Path(__file__).parent.parent
LAYERS = (
    ("core", "checkout", "interrupts", "text", "web_page", "files", "trees"),
    ("differences", "row_sources"),
    ("context", "row_blocks"),
    ("arrays", "lines", "notebook"),
    ("broadcasting", "dask_rows", "dlpack", "foreign", "masks", "signatures", "record"),
    ("leaks", "op", "sweep", "graph", "rounding"),
    ("backward", "operators"),
    ("tensor",),
    ("traced", "ops", "custom"),
    ("transforms", "functions"),
    ("jacobians", "suggestions"),
    ("expressions",),
    ("checks", "anomaly", "derivation", "compiler", "data"),
    ("exchange", "explanation"),
    ("onnx", "interop"),
    ("testing",),
    ("models", "viz"),
    ("play",),
    ("commands",),
    ("cli",),
    ("__init__", "__main__"),
)
"""A module imports from the layers before its own, and from its own folder."""

FLOOR = {unit: k for k, layer in enumerate(LAYERS) for unit in layer}

SOURCES = {
    path: "autograd_lite." + ".".join(path.relative_to(home).with_suffix("").parts)
    for home in (ROOT / "autograd_lite", ROOT)
    for folder in ([home] if home.name == "autograd_lite" else [ROOT / "models", ROOT / "viz"])
    for path in sorted(folder.rglob("*.py"))
}
IDS = {path: str(path.relative_to(ROOT)) for path in SOURCES}

OPTIONAL = {
    "viz": {"graphviz", "pygraphviz", "matplotlib"},
    "models": {"tqdm", "sklearn"},
    "derivation": {"sympy"},
    "data": {"pyarrow"},
    "compiler": {"threadpoolctl", "dask", "distributed"},
    "dask_rows": {"dask"},
    "exchange": {"onnx", "safetensors", "torch", "jax", "scipy"},
    "ops": {"scipy"},
    "testing": {"hypothesis", "pytest"},
}
"""What a part may import beside NumPy and the standard library."""


def imported(path):
    """The full names of what a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name != "autograd_lite")
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            if node.module != "autograd_lite":
                yield node.module
                continue
            for alias in node.names:
                public = alias.name in ag.__all__
                yield "autograd_lite.__init__" if public else f"autograd_lite.{alias.name}"


def unit(module):
    """The part of the house that a module of the package belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_part_of_the_house_has_its_place():
    assert {unit(module) for module in SOURCES.values()} <= set(FLOOR)


@pytest.mark.parametrize("path", SOURCES, ids=IDS.values())
def test_imports_run_one_way(path):
    own = unit(SOURCES[path])
    for name in imported(path):
        if name.split(".")[0] != "autograd_lite":
            continue
        other = unit(name)
        if own in ("models", "viz", "play", "commands", "cli", "testing") and other == "__init__":
            continue  # users of the public face
        assert other == own or FLOOR[other] < FLOOR[own], f"{own} imports {other}"


@pytest.mark.parametrize("path", SOURCES, ids=IDS.values())
def test_only_numpy_and_the_standard_library(path):
    own = unit(SOURCES[path])
    allowed = {"autograd_lite", "numpy", *OPTIONAL.get(own, ())}
    outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)
    assert outside <= allowed


def test_the_engine_loads_nothing_but_numpy():
    code = (
        "import sys, numpy; before = set(sys.modules); import autograd_lite; "
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(found.stdout.split()) <= {"autograd_lite", "numpy", *sys.stdlib_module_names}


def test_no_test_or_tool_is_imported_by_the_package():
    for path in SOURCES:
        assert not {"tests", "benchmarks", "docs"} & {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for folder in ("autograd_lite", "models", "viz", "tests", "benchmarks", "docs")
        for path in (ROOT / folder).rglob("*.py")
    ),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_file_is_one_subject(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450


@pytest.mark.parametrize("path", SOURCES, ids=IDS.values())
def test_a_function_has_at_most_50_lines(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            assert lines <= 50, f"{node.name}: {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=IDS.values())
def test_a_module_has_a_docstring(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_public_names_exist_and_are_sorted():
    assert sorted(ag.__all__) == list(ag.__all__)
    assert len(set(ag.__all__)) == len(ag.__all__)
    for name in ag.__all__:
        assert getattr(ag, name) is not None


def test_no_public_name_hides_a_module():
    assert not {unit(module) for module in SOURCES.values()} & set(ag.__all__)


@pytest.mark.parametrize("name", ag.__all__)
def test_a_public_name_is_documented(name):
    public = getattr(ag, name)
    if isinstance(public, ag.Op):
        assert public.notation.formula
        assert public.notation.gradient
        return
    assert public.__doc__
    first = public.__doc__.splitlines()[0]
    assert first.endswith(".")
    if not (isinstance(public, type) and issubclass(public, Exception)) and name not in ("Op",):
        assert ">>>" in public.__doc__, f"{name} shows no example"


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if not op.foreign])
def test_an_operation_is_documented(name):
    op = OPS[name]
    assert op.name == name
    assert op.notation.symbol
    assert op.notation.formula, f"{name} has no formula"
    if op.differentiable:
        assert op.notation.gradient, f"{name} has no text of its gradient"
    else:
        assert op.notation.gradient in ("", "none")


def test_a_composed_function_is_documented():
    silent = [
        function.__name__
        for function, answer in NUMPY.items()
        if not isinstance(answer, ag.Op) and not inspect.unwrap(answer).__doc__
    ]
    assert silent == []


def test_an_operation_has_one_rule_an_operand():
    for op in OPS.values():
        assert not op.rules or len(op.rules) == (1 if op.arity is None else op.arity), op.name


def test_nothing_names_a_machine():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert "/home/" not in text
        assert "/tmp/" not in text


CORE = sorted((ROOT / "autograd_lite" / "core").glob("*.py"))


def test_the_engine_can_be_read_in_one_sitting():
    assert len(CORE) <= 5
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in CORE) <= 450
    for path in CORE:
        assert {unit(name) for name in imported(path) if name.startswith("autograd_lite")} <= {
            "core"
        }
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 40, f"{path.name}: {node.name} is long"


def test_there_is_no_import_cycle_inside_a_folder_either():
    imports = {name: set() for name in SOURCES.values()}
    for path, name in SOURCES.items():
        for other in imported(path):
            home = other if other in imports else f"{other}.__init__"
            if home in imports and home != name and not home.endswith("__init__"):
                imports[name].add(home)
    while free := [name for name, others in imports.items() if not others]:
        for name in free:
            del imports[name]
        for others in imports.values():
            others.difference_update(free)
    assert not imports, f"these import each other: {sorted(imports)}"
