"""What may import what: the library knows nothing of the app, imports go downwards, and the first paint needs no torch."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from ssad_core.paths import ROOT

CORE, PAGES = ROOT / "ssad_core", ROOT / "pages"

# A module or package of the library imports only from the lines above its own.
LAYERS = [
    "errors protocol colours numbers",
    "paths spec statistics mmd embedding sprites evidence strided",
    "downloading machine",
    "children",
    "data augment histogram bias store networks selection variants",
    "figures detectors samples encoders",
    "question train evaluate cost",
    "alignment",
    "views worker jobs whatif lineup testbed reconstruction",
    "report",
    "cli",
    "__main__",
]
LAYER = {name: i for i, line in enumerate(LAYERS) for name in line.split()}


def module_name(path: Path) -> str:
    """ "ssad_core.data.table" of its file, "ssad_core.data" of the package's own."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for folder in (CORE, PAGES) for path in sorted(folder.rglob("*.py"))}
MODULES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported: not what is inside functions or only for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from executed(child)


def imports(name: str, on_import: bool = False) -> set[str]:
    """The full names of all modules that one imports, anywhere in it or (``on_import``) when it is imported."""
    found = set()
    tree, path = MODULES[name], FILES[name]
    for node in executed(tree) if on_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            for alias in node.names:
                submodule = ".".join([*base, alias.name])
                found.add(submodule if submodule in MODULES else ".".join(base))
    return found


CORE_MODULES = [name for name in MODULES if name.split(".")[0] == "ssad_core"]
PAGE_MODULES = [name for name in MODULES if name.split(".")[0] == "pages"]


def test_the_imports_are_read_right() -> None:
    assert {"ssad_core.augment", "ssad_core.data", "ssad_core.spec", "torch"} <= imports("ssad_core.samples")
    assert {"ssad_core.errors", "ssad_core.protocol"} <= imports("ssad_core.augment.table")
    assert "ssad_core.augment.local" in imports("ssad_core.augment")
    assert "ssad_core.augment.local" not in imports("ssad_core.augment", on_import=True)
    assert "torch" in imports("ssad_core.detectors.base")
    assert "torch" not in imports("ssad_core.detectors.base", on_import=True)


@pytest.mark.parametrize("name", CORE_MODULES)
def test_the_library_knows_nothing_of_the_app(name: str) -> None:
    assert {imported.split(".")[0] for imported in imports(name)}.isdisjoint({"streamlit", "pages", "app"})


def test_every_module_has_its_layer() -> None:
    assert {name.split(".")[1] for name in CORE_MODULES if "." in name} == set(LAYER)
    assert sum(len(line.split()) for line in LAYERS) == len(LAYER)


@pytest.mark.parametrize("name", CORE_MODULES)
def test_imports_go_downwards(name: str) -> None:
    own = name.split(".")[1:2]
    for imported in imports(name):
        package, *rest = imported.split(".")
        if package == "ssad_core" and rest[:1] != own:
            assert own, "the package itself imports none of its modules"
            assert rest, f"{name} imports the whole package"
            assert LAYER[rest[0]] < LAYER[own[0]], f"{name} imports {imported}"


def test_there_are_no_cycles() -> None:
    TopologicalSorter({name: imports(name) & set(MODULES) for name in MODULES}).prepare()  # CycleError names one


@pytest.mark.parametrize("name", PAGE_MODULES)
def test_pages_do_not_wait_for_torch(name: str) -> None:
    reached, new = set(), {name}
    while new:
        reached |= new
        new = {i for module in new & set(MODULES) for i in imports(module, on_import=True)} - reached
    assert not {module for module in reached if module.split(".")[0] in ("torch", "torchvision")}


@pytest.mark.parametrize("name", ["ssad_core.question", "ssad_core.jobs", "ssad_core.cli", "ssad_core.figures"])
def test_what_the_first_paint_imports_comes_without_torch(name: str) -> None:
    code = f"import sys, {name}; sys.exit('torch' in sys.modules or 'streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("name", ["ssad_core.worker", "ssad_core.cli", "benchmarks.training"])
def test_what_trains_comes_without_the_apps_packages(name: str) -> None:
    """A machine that is lent for its GPU need not have them."""
    app = {"dask", "distributed", "streamlit", "plotly", "openTSNE"}
    code = f"import sys, {name}; sys.exit(sorted({app} & set(sys.modules)) or None)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_app_is_a_router_and_nothing_else() -> None:
    tree = ast.parse((ROOT / "app.py").read_text())
    assert [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)] == [
        "import streamlit as st"
    ]
    pages = re.findall(r'st\.Page\("(.+?)"', (ROOT / "app.py").read_text())
    assert sorted(pages) == sorted(f"pages/{path.name}" for path in PAGES.glob("*.py"))


def test_the_top_level_is_as_agreed() -> None:
    for name in ("app.py", "ssad_core", "pages", "cache", "tests", "requirements.txt", "README.md"):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", ["README.md", "docs/figures.md"])
def test_what_a_document_shows_is_there(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:|#)([^)\s#]+)", path.read_text())
    assert links
    assert [link for link in links if not (path.parent / link).exists()] == []
