"""Runs the Python of a page: every block, in order, in one namespace; what a block says is wrong must really be refused."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from tests.cases.markdown import cases


class _MustRaise(ast.NodeTransformer):
    """A ``try`` on a page shows an error: if none is raised, the page is wrong."""

    def visit_Try(self, node: ast.Try) -> ast.Try:
        """Give it an ``else`` that fails."""
        if not node.orelse:
            node.orelse = ast.parse(f"raise AssertionError('nothing was raised in line {node.lineno}')").body
        return node


def run_python(page: Path, namespace: dict[str, Any]) -> int:
    """Run all ``python`` blocks of a page; answers how many there are. A traceback shows the page's own lines."""
    count = 0
    for case in cases(page):
        for block in case.of("python"):
            tree = ast.increment_lineno(ast.parse(block.text), block.line - 1)
            tree = ast.fix_missing_locations(_MustRaise().visit(tree))
            exec(compile(tree, str(page), "exec", dont_inherit=True), namespace)  # noqa: S102  # our own pages
            count += 1
    return count


def python_of(page: Path) -> str:
    """All ``python`` blocks as one module, each line where it stands on the page."""
    lines = [""] * len(page.read_text(encoding="utf-8").splitlines())
    for case in cases(page):
        for block in case.of("python"):
            text = block.text.splitlines()
            lines[block.line - 1 : block.line - 1 + len(text)] = text
    return "\n".join(lines) + "\n"
