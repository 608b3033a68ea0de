"""``waivers.toml``: lint rules that are silent at one place for good, and breaks that were accepted until a day."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date

from treaty_codegen.errors import CatalogError
from treaty_codegen.section import Section
from treaty_codegen.toml_lines import key_lines

FILE = "waivers.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """One lint rule is silent at one place: a type (``mall.order.CancelReason``) or a field of it."""

    rule: str
    at: str
    reason: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One break that is accepted: by its fingerprint, or by event and pointer. ``until`` is the last day."""

    rule: str
    reason: str
    approved_by: tuple[str, ...]
    until: date
    fingerprint: str = ""
    event: str = ""
    pointer: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """Everything that one file says."""

    ignores: tuple[Ignore, ...] = ()
    waivers: tuple[Waiver, ...] = ()


def read_waivers(text: str) -> Waivers:
    """Read a ``waivers.toml``. Raises ``CatalogError`` with the line: not TOML, an unknown key, a member that is missing."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise CatalogError(f"not TOML: {error}", path=FILE, line=int(line[1]) if line else 0) from None
    except RecursionError:
        raise CatalogError("lists or tables stand too deep in each other", path=FILE) from None
    root = Section(values, path=(), lines=key_lines(text))
    try:
        read = Waivers(
            ignores=tuple(map(_ignore, root.array("ignore"))), waivers=tuple(map(_waiver, root.array("waiver")))
        )
        root.close()
    except CatalogError as error:
        raise CatalogError(error.reason, path=FILE, line=error.line) from None
    return read


def _ignore(table: Section) -> Ignore:
    ignore = Ignore(
        rule=table.text("rule"), at=table.text("at"), reason=table.text("reason", default=""), line=table.line
    )
    table.close()
    return ignore


def _waiver(table: Section) -> Waiver:
    until = table.date("until")
    if until is None:
        raise table.error("`until` is missing: write the last day, like 2026-12-31")
    waiver = Waiver(
        rule=table.text("rule"),
        reason=table.text("reason"),
        approved_by=table.texts("approved_by"),
        until=until,
        fingerprint=table.text("fingerprint", default=""),
        event=table.text("event", default=""),
        pointer=table.text("pointer", default=""),
        line=table.line,
    )
    table.close()
    if not waiver.fingerprint and not waiver.event:
        raise table.error("a waiver names its `fingerprint`, or the `event` and `pointer` that it is about")
    return waiver
