"""The rules by name, and the page that explains each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Literal

from treaty.errors import UsageError
from treaty_codegen.breaking import ALL_RULES
from treaty_codegen.lint import RULES as LINT_RULES

Kind = Literal["lint", "breaking"]

NAMES: dict[Kind, tuple[str, ...]] = {"lint": tuple(rule.name for rule in LINT_RULES), "breaking": ALL_RULES}


def known(names: Iterable[str], *, kind: Kind) -> None:
    """Raises ``UsageError`` with the nearest name for a rule that does not exist."""
    for name in names:
        if name not in NAMES[kind]:
            raise UsageError(f"There is no {kind} rule `{name}`{nearest(name, NAMES[kind])}")


def page(name: str, *, root: Path) -> str:
    """The Markdown page of a rule: from the project's own checkout of treaty, else as it was packed into the wheel."""
    for kind, names in NAMES.items():
        if name in names:
            file = name.replace("-", "_") + ".md"
            checkout = root / "docs" / "rules" / kind / file
            packed = files("treaty").joinpath("pages", "rules", kind, file)
            return checkout.read_text(encoding="utf-8") if checkout.is_file() else packed.read_text(encoding="utf-8")
    raise UsageError(f"There is no rule `{name}`{nearest(name, (*NAMES['lint'], *NAMES['breaking']))}")


def nearest(name: str, names: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f": did you mean `{close[0]}`?" if close else "."
