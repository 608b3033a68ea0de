"""Packages whose names are loaded by whoever asks first: nothing is missing, and a check does not pay for what it has no use for."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("treaty_avro", "treaty_codegen")


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_type_checker_sees_is_what_is_loaded(package: str) -> None:
    module = importlib.import_module(package)
    assert seen(package) == vars(module)["_HOMES"]
    for name, home in seen(package).items():
        assert getattr(module, name) is getattr(importlib.import_module(home), name)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_that_does_not_exist_is_refused(package: str) -> None:
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nonsense'"):
        _ = module.nonsense


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_is_a_module_of_the_package_too(package: str) -> None:
    """Once such a module is loaded, the package's name would be the module."""
    home = Path(str(importlib.import_module(package).__file__)).parent
    modules = {path.stem for path in home.iterdir() if path.suffix in {"", ".py"}}
    assert modules & set(seen(package)) == set()


@pytest.mark.parametrize(
    ("wanted", "unused"),
    [
        ("treaty_codegen.load", ("treaty_codegen.emit", "treaty_codegen.documents", "treaty_avro.codec", "treaty_avro.plan")),
        ("treaty_codegen.emit", ("treaty_codegen.breaking", "treaty_codegen.lint", "treaty_codegen.documents", "treaty_avro.codec")),
        ("treaty_codegen.old_set", ("treaty_codegen.breaking", "treaty_codegen.finding")),
    ],
)  # fmt: skip
def test_one_task_does_not_load_what_another_needs(wanted: str, unused: tuple[str, ...]) -> None:
    program = f"import json, sys, {wanted}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(unused) & set(json.loads(done.stdout)) == set()


def seen(package: str) -> dict[str, str]:
    """Name to module, of the imports that only a type checker sees."""
    source = Path(str(importlib.import_module(package).__file__)).read_text(encoding="utf-8")
    blocks = [node for node in ast.parse(source).body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {each.asname or each.name: str(node.module) for node in imports for each in node.names}
