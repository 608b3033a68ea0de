"""The rules by name, their use in the settings, and the page that explains each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal

from treaty.config import Settings, nearest
from treaty.errors import UsageError
from treaty_codegen.breaking import ALL_RULES
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.lint import ALL_RULES as LINT_RULES

Kind = Literal["lint", "breaking"]

NAMES: dict[Kind, tuple[str, ...]] = {"lint": LINT_RULES, "breaking": ALL_RULES}
SETS: dict[Kind, tuple[str, ...]] = {
    "lint": ("minimal", "standard", "strict"),
    "breaking": ("wire", "meaning", "source", "docs", "policy"),
}
"""Names that stand for several rules."""


def known(names: Iterable[str], *, kind: Kind, also: tuple[str, ...] = ()) -> None:
    """Raises ``UsageError`` with the nearest name for a rule that does not exist."""
    allowed = (*NAMES[kind], *also)
    for name in names:
        if name not in allowed:
            raise UsageError(f"There is no {kind} rule `{name}`{nearest(name, allowed)}")


def check_lint_settings(settings: Settings) -> None:
    """Raises ``UsageError`` for a rule or severity in ``[lint]`` that does not exist: a slip would switch off a check."""
    known(settings.get("lint", "use"), kind="lint", also=SETS["lint"])
    severities = settings.get("lint", "severity")
    for names in (settings.get("lint", "except"), settings.get("lint", "ignore"), severities):
        known(names, kind="lint")
    for rule, severity in severities.items():
        if severity not in tuple(Severity):
            raise UsageError(f"[lint.severity] {rule} = {severity!r}: say error, warning or info.")
    for rule, patterns in settings.get("lint", "ignore").items():
        if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
            raise UsageError(f'[lint.ignore] {rule}: say a list of paths, like ["schemas/legacy/**"].')


def check_breaking_settings(settings: Settings) -> None:
    """Raises ``UsageError`` for a category or rule in ``[breaking]`` that does not exist."""
    known(settings.get("breaking", "use"), kind="breaking", also=SETS["breaking"])


def page(name: str) -> str:
    """The Markdown page of a rule: as it was packed into the wheel, or from the checkout that this installation runs from."""
    for kind, names in NAMES.items():
        if name in names:
            file = name.replace("-", "_") + ".md"
            packed = files("treaty").joinpath("pages", "rules", kind, file)
            # An editable installation has no packed pages: its sources lie in platform/tool/src, the pages at the top.
            checkout = Path(__file__).resolve().parents[5] / "docs" / "rules" / kind / file
            return packed.read_text(encoding="utf-8") if packed.is_file() else checkout.read_text(encoding="utf-8")
    raise UsageError(
        f"There is no rule `{name}`{nearest(name, (*NAMES['lint'], *NAMES['breaking']))}",
        next_step="treaty explain lists them all",
    )


def listed() -> Iterator[tuple[Kind, str, str]]:
    """Kind, name and what it says of every rule, in the order in which they look."""
    for kind, names in NAMES.items():
        for name in names:
            _, _, rest = page(name).partition("## What it says\n")
            yield kind, name, " ".join(rest.strip().partition("\n\n")[0].split())


def pages(findings: Iterable[Finding]) -> dict[str, str]:
    """The page of each rule that found something; what has none (a file that cannot be read) is left out."""
    names = {finding.rule for finding in findings}
    return {name: page(name) for name in sorted(names) if any(name in known for known in NAMES.values())}
