"""Avro Java's recorded answers, and short ways to write schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final


def recorded(name: str) -> list[dict[str, Any]]:
    """The objects of one file of ``recorded/``, one a line."""
    text = (Path(__file__).parent / "recorded" / name).read_text("utf-8")
    # Not splitlines(): schemas hold U+2028.
    return [json.loads(line) for line in text.split("\n") if line]


TEXTS: Final = recorded("java_texts.jsonl")
ACCEPTED: Final = [case for case in TEXTS if not case.get("refused")]
VERDICTS: Final = recorded("java_verdicts.jsonl")


def record(*fields: dict[str, Any], name: str = "a.R", **rest: Any) -> str:
    """The text of a record."""
    return json.dumps({"type": "record", "name": name, "fields": list(fields), **rest})


def field(type_: Any, **rest: Any) -> str:
    """The text of a record with one field, ``x``."""
    return record({"name": "x", "type": type_, **rest})
