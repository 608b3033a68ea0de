"""Each library has a row in ``docs/dependencies.md``, and each row a library: what is imported, declared or locked for checks."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.cases.markdown import ROOT
from tests.repository.test_house import PACKAGES, modules

PAGE = ROOT / "docs" / "dependencies.md"
OURS = {*PACKAGES, "mall_events", "bench", "tests"}


def plain(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named() -> set[str]:
    """Every word of the table's first column."""
    rows = [line.split("|")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return {plain(word) for row in rows for word in re.findall(r"[\w.-]+", row)}


def imports_of(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_every_imported_library_has_a_row() -> None:
    homes = packages_distributions()
    rows = named()
    for module in modules():
        for name in set(imports_of(module)) - OURS - sys.stdlib_module_names:
            assert any(plain(home) in rows for home in homes[name]), f"{module.relative_to(ROOT)} imports {name}"


def test_every_declared_library_has_a_row() -> None:
    rows = named()
    for project in [ROOT / "codegen", ROOT / "services", *sorted(ROOT.glob("platform/*"))]:
        declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = declared.get("optional-dependencies", {}).values()
        for wish in [*declared["dependencies"], *(each for extra in extras for each in extra)]:
            name = plain(re.match(r"[\w.-]+", wish)[0])  # type: ignore[index]  # a requirement begins with its name
            assert name in rows or name.startswith(("treaty", "mall")), f"{project.name} declares {name}"


def test_every_door_is_a_module() -> None:
    places = {"treaty_runtime", "treaty", "mall"}
    for top, path in re.findall(r"`(\w+)/([\w/]+?)(?:\.py|/)?`", PAGE.read_text(encoding="utf-8")):
        if top in places:
            place = PACKAGES[top] / path
            assert place.is_dir() or place.with_suffix(".py").is_file(), f"{top}/{path}"
