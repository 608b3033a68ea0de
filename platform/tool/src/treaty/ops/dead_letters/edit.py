"""A dead letter is mended: another value of the newest schema, a new event id, and a name for what it replaces.

The edited record is laid beside the old one in the dead-letter topic; it waits there like any other until it is replayed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from treaty.errors import TreatyError, UsageError
from treaty.ops.dead_letters.body import decoded, frame, framed_id
from treaty.ops.dead_letters.index import DeadLetters
from treaty.ops.dead_letters.letter import Letter
from treaty.ops.dead_letters.states import OPEN, subject_of
from treaty.ops.registered import Registered, Version
from treaty_avro import AvroError, compile_generic, from_json
from treaty_runtime.event import Place
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.headers import first_values
from treaty_runtime.wire.replay_copy import edited_copy


class NotValid(TreatyError):
    """The edited value does not fit the newest schema."""

    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an edit would lay down: the value before and after, as JSON, and the record itself."""

    letter: Letter
    newest: Version
    before: Any
    after: Any
    copy: Outgoing


def prepare(
    letter: Letter,
    registered: Registered,
    *,
    changes: Iterable[tuple[str, str]] = (),
    value: str | None = None,
    subject: str | None = None,
) -> Edit:
    """The edit, checked but not done. ``changes`` are (dotted path, JSON); ``value`` is the whole event as JSON instead.

    Raises ``NotValid`` for a value that does not fit the newest schema, ``UsageError`` for what cannot be edited so.
    """
    body = letter.record.value or b""
    newest = _newest(letter, framed_id(body), registered, subject=subject)
    before = _readable(letter, body, newest, registered) if value is None else None
    after = _loaded(value, "the value") if value is not None else json.loads(json.dumps(before))
    for path, text in changes:
        _set(after, path, _loaded(text, path))
    try:
        encode, _ = compile_generic(newest.schema)
        framed = frame(newest.schema_id, encode(from_json(newest.schema, json.dumps(after), style="plain")))
    except AvroError as error:
        raise NotValid(f"{newest.subject} version {newest.version}: {error}") from error
    copy = edited_copy(letter.record, value=framed, dataschema=_dataschema(letter, newest.schema_id))
    return Edit(letter=letter, newest=newest, before=before, after=after, copy=copy)


def lay_down(edit: Edit, dead_letters: DeadLetters, *, reason: str, now: datetime) -> Place:
    """Appends the edited record and notes the old one as replaced; answers its place.

    Done twice, as after a kill between the two, it finds the first copy and lays down no second.
    """
    new_id = dict(edit.copy.headers)[names.ID].decode()
    there = [letter.place for letter in dead_letters.look() if letter.event_id == new_id and letter.replaces]
    known = dead_letters.standings()[edit.letter.place]
    if known.state not in OPEN:
        raise UsageError(
            f"{edit.letter.place} is {known.state}: only what waits or is unread is edited.",
            next_step="treaty dlq list",
        )
    place = there[0] if there else dead_letters.log.append(edit.copy)
    dead_letters.journal.write(
        subject_of(edit.letter), "edit", at=now, reason=reason, event=edit.letter.identity, to=str(place)
    )
    return place


def _newest(letter: Letter, schema_id: int | None, registered: Registered, *, subject: str | None) -> Version:
    if subject is None:
        known = registered.subjects(schema_id) if schema_id is not None else []
        of_topic = [name for name in known if name.startswith(f"{letter.origin.topic}-")] or known
        if len(of_topic) != 1:
            told = ", ".join(of_topic) or "none is known"
            raise UsageError(f"Which event is {letter.place}? ({told})", next_step="name it with --subject")
        subject = of_topic[0]
    newest = registered.newest(subject)
    if newest is None:
        raise UsageError(f"The registry has no subject {subject}.", next_step="treaty registry plan")
    return newest


def _readable(letter: Letter, body: bytes, newest: Version, registered: Registered) -> Any:
    schema_id = framed_id(body)
    writer = registered.by_id(schema_id) if schema_id is not None else None
    if writer is None:
        raise UsageError(f"{letter.place} cannot be decoded.", next_step="give the whole event with --value FILE")
    try:
        return decoded(body, writer, reader=newest.schema)
    except AvroError as error:
        raise UsageError(
            f"{letter.place} cannot be read as {newest.subject} version {newest.version}: {error}",
            next_step="give the whole event with --value FILE",
        ) from error


def _loaded(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{what}: {text[:40]} is not JSON ({error}); a text stands in quotes.") from error


def _set(value: Any, path: str, new: Any) -> None:
    """Sets one member; every step of the path must be there, so that a misspelt field is not silently added."""
    *steps, last = path.split(".")
    for step in steps:
        value = _member(value, step, path)
    _member(value, last, path)
    value[int(last) if isinstance(value, list) else last] = new


def _member(value: Any, step: str, path: str) -> Any:
    try:
        return value[int(step) if isinstance(value, list) else step]
    except (KeyError, IndexError, ValueError, TypeError):
        raise UsageError(f"The event has no {path}: `{step}` is not there.") from None


def _dataschema(letter: Letter, schema_id: int) -> str | None:
    """The header that names the schema, for the new id; None where the letter had none."""
    old = first_values(letter.record.headers).get(names.DATASCHEMA)
    if old is None:
        return None
    base, separator, _ = old.decode(errors="replace").rpartition("/schemas/ids/")
    return f"{base}{separator}{schema_id}" if separator else None
