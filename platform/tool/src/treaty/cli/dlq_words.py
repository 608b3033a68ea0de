"""Dead letters in words: tables for people, documents for programs. The same values either way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from treaty.cli.harmless import echo
from treaty.cli.tables import show_json, show_table

if TYPE_CHECKING:
    from datetime import datetime

    from treaty.ops.dead_letters.index import Kind
    from treaty.ops.dead_letters.letter import Letter
    from treaty.ops.dead_letters.shown import Picture
    from treaty.ops.dead_letters.states import Standing
    from treaty_runtime.event import Place


def show_kinds(kinds: Sequence[Kind], format_: str) -> None:
    """Equal failures, one a line."""
    if format_ == "json":
        show_json([kind_json(kind) for kind in kinds])
        return
    heads = ("FINGERPRINT", "WAITING", "ALL", "CAUSE", "EVENT", "GROUP", "FIRST", "LAST", "OLDEST")
    rows = [
        (
            kind.fingerprint,
            kind.waiting,
            sum(kind.counts.values()),
            kind.cause,
            kind.event_type,
            kind.group or "unknown",
            minute(kind.first),
            minute(kind.last),
            kind.oldest.place,
        )
        for kind in kinds
    ]
    show_table(heads, rows)


def show_letters(letters: Sequence[Letter], known: Mapping[Place, Standing], format_: str) -> None:
    """Letters, one a line."""
    if format_ == "json":
        show_json([letter_json(letter, known[letter.place]) for letter in letters])
        return
    heads = ("PLACE", "STATE", "KEY", "CAUSE", "EVENT", "GROUP", "ATTEMPTS", "REPLAYS", "AT", "FROM")
    rows = [
        (
            letter.place,
            state_words(known[letter.place]),
            letter.key or "no key",
            letter.cause,
            letter.event_type,
            letter.group or "unknown",
            letter.attempts,
            letter.replays,
            minute(letter.at),
            letter.origin,
        )
        for letter in letters
    ]
    show_table(heads, rows)


def show_picture(picture: Picture, format_: str) -> None:
    """Everything about one letter."""
    if format_ == "json":
        show_json(picture_json(picture))
        return
    letter = picture.letter
    for name, told in facts_of(picture):
        if told:
            echo(f"{name:12} {printable(str(told))}")
    for line in picture.differences:
        echo(f"{'unreadable':12} {printable(line)}")
    show_body(picture)
    if letter.stack:
        click.echo("\nstack")
        echo("\n".join(f"  {printable(line)}" for line in letter.stack.splitlines()))


def facts_of(picture: Picture) -> list[tuple[str, object]]:
    """What is told of a letter in one line each."""
    letter = picture.letter
    return [
        ("place", letter.place),
        ("state", state_words(picture.standing)),
        ("group", letter.group or "unknown"),
        ("event", f"{letter.event_type}  id {letter.event_id or 'none'}"),
        ("key", letter.key if letter.key is not None else "no key"),
        ("from", letter.origin),
        (
            "given up",
            f"{letter.at.isoformat(timespec='seconds')} after attempt {letter.attempts}, replayed {letter.replays} times",
        ),
        ("reason", letter.reason),
        ("error", letter.error),
        ("handler", letter.handler),
        ("fingerprint", letter.fingerprint),
    ]


def show_body(picture: Picture) -> None:
    """The event, or why it cannot be shown."""
    body = picture.body
    told = f"schema id {body.schema_id} ({', '.join(body.subjects) or 'of no subject'})" if body.schema_id else ""
    echo(f"\nvalue        {printable(body.fault or told)}")
    if body.hex is not None:
        echo(f"  {body.hex}")
    elif not body.fault:
        echo("\n".join(f"  {line}" for line in json.dumps(body.json, indent=2, ensure_ascii=True).splitlines()))
    if body.masked:
        echo(f"  masked: {', '.join(body.masked)} (--reveal shows them, and is noted)")


def state_words(standing: Standing) -> str:
    """A state and where it leads."""
    return f"{standing.state}, see {standing.next}" if standing.next else str(standing.state)


def printable(text: str) -> str:
    """A text of a stranger's on one line, with characters that a terminal would obey as escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def minute(at: datetime) -> str:
    """An instant in UTC, to the minute."""
    return f"{at:%Y-%m-%d %H:%MZ}"


def kind_json(kind: Kind) -> dict[str, Any]:
    """A kind for programs."""
    return {
        "fingerprint": kind.fingerprint,
        "group": kind.group,
        "event_type": kind.event_type,
        "cause": kind.cause,
        "message": kind.message,
        "counts": {str(state): count for state, count in kind.counts.items()},
        "waiting": kind.waiting,
        "first": kind.first.isoformat(),
        "last": kind.last.isoformat(),
        "oldest": str(kind.oldest.place),
        "topics": list(kind.topics),
    }


def letter_json(letter: Letter, standing: Standing) -> dict[str, Any]:
    """A letter for programs; no value, and its key masked."""
    note = standing.note
    return {
        "place": str(letter.place),
        "state": str(standing.state),
        "next": str(standing.next) if standing.next else None,
        "group": letter.group,
        "origin": str(letter.origin),
        "event_id": letter.event_id,
        "event_type": letter.event_type,
        "key": letter.key,
        "at": letter.at.isoformat(),
        "reason": letter.reason,
        "error": letter.error,
        "message": letter.message,
        "handler": letter.handler,
        "fingerprint": letter.fingerprint,
        "attempts": letter.attempts,
        "replays": letter.replays,
        "replay_id": letter.replay_id,
        "replaces": letter.replaces,
        "note": None
        if note is None
        else {"act": note.act, "by": note.by, "at": note.at, "reason": note.reason, "to": note.to},
    }


def picture_json(picture: Picture) -> dict[str, Any]:
    """A picture for programs."""
    body = picture.body
    return letter_json(picture.letter, picture.standing) | {
        "stack": picture.letter.stack,
        "schema_id": body.schema_id,
        "subjects": list(body.subjects),
        "value": body.json,
        "hex": body.hex,
        "fault": body.fault,
        "masked": list(body.masked),
        "headers": [{"name": name, "value": value} for name, value in picture.headers],
        "differences": list(picture.differences),
    }
