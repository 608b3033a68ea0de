"""What has been imported, and who imported what: before a fault is planted, only its module and those above it are forgotten.

Each mutant runs in a fork of this process. What lies below the faulty module is the same for all and is loaded once.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path


def load_below(module: str, *, tests: Sequence[str], packages: frozenset[str]) -> None:
    """Imports the tests, then forgets the module and whoever imports it, directly or not.

    ``packages``: top-level names of what can import the module.
    """
    for name in tests:
        importlib.import_module(name)
    ours = [name for name in sys.modules if name.partition(".")[0] in packages]
    imports = {name: set(_imports(sys.modules[name].__file__ or "")) for name in ours}
    above, found = set[str](), {module}
    while found:
        above |= found
        found = {name for name in ours if imports[name] & found} - above
    for name in above & sys.modules.keys():
        del sys.modules[name]
    for name in above:
        package, _, last = name.rpartition(".")
        if package in sys.modules:  # else `from package import last` would find the old one there
            vars(sys.modules[package]).pop(last, None)


@cache
def _imports(file: str) -> tuple[str, ...]:
    return tuple(_named(ast.parse(Path(file).read_text(encoding="utf-8")))) if file else ()


def _named(tree: ast.Module) -> Iterator[str]:
    """Every module that the text may name; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)
