"""One dead letter with everything an operator asks of it, ready to be shown: personal data masked unless revealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from treaty.ops.dead_letters.body import Body, body_of
from treaty.ops.dead_letters.index import DeadLetters
from treaty.ops.dead_letters.letter import BytesGone, Letter
from treaty.ops.dead_letters.states import Standing
from treaty.ops.registered import Registered
from treaty_avro import incompatibilities
from treaty_runtime.event import Place
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.masking import masked

_LONGEST_HEADER = 200
_NUMBERS = frozenset(
    {
        prefix + name
        for prefix in (names.RETRY_PREFIX, names.DEAD_LETTER_PREFIX)
        for name in (names.ORIGINAL_PARTITION, names.ORIGINAL_OFFSET, names.ORIGINAL_TIMESTAMP)
    }
    | {names.ATTEMPTS, names.BACKOFF_TIMESTAMP, names.FIRST_TIMESTAMP}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A letter, its standing, its body, its other headers as text, and what the newest schema cannot read of its writer's."""

    letter: Letter
    standing: Standing
    body: Body
    headers: tuple[tuple[str, str], ...]
    differences: tuple[str, ...]


def shown(dead_letters: DeadLetters, place: Place, registered: Registered, *, reveal: bool, now: datetime) -> Picture:
    """The picture of the letter at a place. A look at personal data is noted in the journal before it is given."""
    letter = dead_letters.one(place)
    if reveal:
        dead_letters.journal.write(
            f"reveal {place} {now.astimezone(UTC):%Y%m%dT%H%M%S.%f}", "reveal", at=now, event=letter.identity
        )
    try:
        body = body_of((letter.body() or letter.record).value, registered, reveal=reveal)
    except BytesGone as gone:
        body = Body(fault=str(gone))
    return Picture(
        letter=letter,
        standing=dead_letters.standings()[place],
        body=body,
        headers=tuple((name, header_text(name, told, reveal=reveal)) for name, told in letter.record.headers),
        differences=differences(body, registered),
    )


def header_text(name: str, value: bytes, *, reveal: bool) -> str:
    """A header's value for people: of our own names, numbers as numbers; text cut and masked."""
    number = names.read_big_integer(value) if name in _NUMBERS else None
    if number is not None:
        return str(number)
    text = value.decode(errors="replace")
    text = text if reveal else masked(text)
    return text if len(text) <= _LONGEST_HEADER else f"{text[:_LONGEST_HEADER]}… ({len(value)} bytes)"


def differences(body: Body, registered: Registered) -> tuple[str, ...]:
    """Why the newest version of the event's schema cannot read what this writer wrote; nothing if it can."""
    writer = registered.by_id(body.schema_id) if body.schema_id is not None else None
    newest = registered.newest(body.subjects[0]) if len(body.subjects) == 1 else None
    if writer is None or newest is None:
        return ()
    found = incompatibilities(newest.schema, writer)
    return tuple(f"{newest.subject} version {newest.version}: {each.location} {each.type}" for each in found)
