"""What every rule has: a name (the wrong pattern), a category, a usual severity, and the check itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from treaty_codegen.finding import Finding, Severity

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[Facts]):
    """``check`` looks at facts and yields findings; its page is ``docs/rules/<kind>/<name with underscores>.md``.

    ``is_strict``: a matter of taste, which only the strict set asks for.
    """

    name: str
    category: str
    severity: Severity
    check: Callable[[Facts], Iterator[Finding]]
    is_strict: bool = False
