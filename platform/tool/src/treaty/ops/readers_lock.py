"""``schemas/readers.lock``: what the code of services reads, for repositories that do not have that code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from treaty.errors import UsageError
from treaty.ops.schemas import Unread, text_of
from treaty_codegen.readers import Handled, Read, Scan, Unknown

LOCK: Final = "readers.lock"
FORMAT: Final = 1


def lock_text(scans: Mapping[str, Scan]) -> str:
    """The file: services, and what each reads, sorted, so that a change is seen as one."""
    services = {
        name: {
            "reads": [as_row(each, found) for each in found.reads],
            "unknown": [asdict(each) for each in found.unknown],
            "handled": [asdict(each) for each in found.handled],
        }
        for name, found in sorted(scans.items())
    }
    return json.dumps({"format": FORMAT, "services": services}, indent=2, ensure_ascii=False) + "\n"


def as_row(read: Read, found: Scan) -> dict[str, Any]:
    """One read; whether it is an exhaustive match stands with it."""
    return asdict(read) | ({"exhaustive": True} if read in found.exhaustive else {})


def read_lock(file: Path) -> dict[str, Scan]:
    """The scans in a lock by service; none where there is no such file.

    Raises ``UsageError`` for a file that ``lock_text`` did not write: a link or a pipe, another format, texts that cannot be printed.
    """
    if not file.is_symlink() and not file.exists():
        return {}
    text = text_of(file, file.name)
    if isinstance(text, Unread):
        raise UsageError(f"{file}: {text.reason}")
    try:
        body = json.loads(text)
        if body["format"] != FORMAT:
            raise UsageError(f"{file} has format {body['format']!r:.40}, not {FORMAT}.")
        return {line(name): scan_of(table) for name, table in body["services"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{file} is no lock of readers.", next_step="treaty readers --write") from error


def scan_of(table: Mapping[str, Any]) -> Scan:
    rows = [(row.get("exhaustive") is True, Read(**checked(row, without="exhaustive"))) for row in table["reads"]]
    return Scan(
        reads=tuple(sorted(read for _, read in rows)),
        unknown=tuple(sorted(Unknown(**checked(row)) for row in table["unknown"])),
        handled=tuple(sorted(Handled(**checked(row)) for row in table["handled"])),
        exhaustive=tuple(sorted(read for is_exhaustive, read in rows if is_exhaustive)),
    )


def checked(row: Mapping[str, Any], *, without: str = "") -> dict[str, Any]:
    """The members of a row: a whole number for ``line``, else printable texts."""
    return {key: number(value) if key == "line" else line(value) for key, value in row.items() if key != without}


def number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TypeError(f"{value!r:.40} is no line")
    return value


def line(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError(f"{value!r:.40} is no printable text")
    return value


def merged(own: Mapping[str, Scan], kept: Mapping[str, Scan], others: Iterable[Mapping[str, Scan]]) -> dict[str, Scan]:
    """All services: those whose code is here as it is now, the newest word of every other."""
    result = dict(kept)
    for each in others:
        result |= each
    return result | dict(own)
