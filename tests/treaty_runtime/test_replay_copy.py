"""A dead letter goes back as it came: same key, value and id, attempts from one; after three replays it stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from treaty_runtime.event import Place, Record
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.deadletter import dead_letter, retry_copy
from treaty_runtime.wire.failure import describe
from treaty_runtime.wire.headers import attempt_of, first_values, int32, origin_of
from treaty_runtime.wire.replay_copy import NotReplayable, edited_copy, replay_copy, replays_of

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
EVENT = Record(
    Place("order-events", 2, 17),
    b"o-1",
    b"\0\0\0\0\1x",
    ((names.ID, str(UUID(int=7)).encode()), ("own", b"kept")),
    1_000,
)
PLACE = Place("dlq.order", 0, 5)


def buried(record: Record = EVENT, *, limit: int = 1_000_000) -> Record:
    """The record as its dead letter lies in the topic, after one retry."""
    failure = describe(ValueError("no stock"))
    retried = received(
        retry_copy(record, topic="retry.g.10s", group="g", attempt=2, due=NOW, failure=failure),
        Place("retry.g.10s", 0, 1),
    )
    letter = dead_letter(
        retried,
        topic="dlq.order",
        group="g",
        reason="failed",
        handler="h",
        event_type="t",
        failure=failure,
        limit=limit,
    )
    return received(letter, PLACE)


def received(sent: Outgoing, place: Place) -> Record:
    return Record(place, sent.key, sent.value, sent.headers, 2_000)


def test_key_value_id_and_own_headers_stay_and_attempts_begin_anew() -> None:
    copy = replay_copy(buried(), body=None, replay_id="r-1", now=NOW)
    first = first_values(copy.headers)
    assert (copy.topic, copy.key, copy.value) == ("retry.g.0s", EVENT.key, EVENT.value)
    assert (first[names.ID], first["own"]) == (EVENT.headers[0][1], b"kept")
    assert attempt_of(first) == 1
    assert names.read_milliseconds(first[names.BACKOFF_TIMESTAMP]) == NOW
    assert origin_of(Place("retry.g.0s", 0, 0), first) == EVENT.place
    assert first[names.ORIGINAL_GROUP] == b"g"
    assert len(copy.headers) == len(first), "no name stands twice"


def test_what_the_failure_left_behind_is_taken_off() -> None:
    copy = replay_copy(buried(), body=None, replay_id="r-1", now=NOW)
    assert not [name for name, _ in copy.headers if "exception" in name or name.startswith("kafka_dlt-original-o")]
    assert not {names.REASON, names.FINGERPRINT, names.HANDLER} & dict(copy.headers).keys()


def test_a_record_is_replayed_three_times_and_then_no_more() -> None:
    letter = buried()
    for count in (1, 2, 3):
        copy = replay_copy(letter, body=None, replay_id=f"r-{count}", now=NOW)
        assert replays_of(copy.headers) == count
        assert dict(copy.headers)[names.REPLAY_ID] == f"r-{count}".encode()
        letter = buried(received(copy, Place("retry.g.0s", 0, count)))
    with pytest.raises(NotReplayable, match="Fix the cause first"):
        replay_copy(letter, body=None, replay_id="r-4", now=NOW)


def test_a_pointer_goes_back_with_the_bytes_of_the_original() -> None:
    letter = buried(limit=0)
    assert letter.value == b""
    copy = replay_copy(letter, body=EVENT, replay_id="r", now=NOW)
    assert (copy.key, copy.value, dict(copy.headers)["own"]) == (EVENT.key, EVENT.value, b"kept")


def test_a_letter_of_another_program_names_no_group_and_stays() -> None:
    stranger = Record(PLACE, b"k", b"v", (("x", int32(1)),))
    with pytest.raises(NotReplayable, match="which group"):
        replay_copy(stranger, body=None, replay_id="r", now=NOW)


def test_an_edit_has_a_new_id_that_is_the_same_for_the_same_edit() -> None:
    letter = buried()
    first, again = (edited_copy(letter, value=b"new", dataschema=None) for _ in range(2))
    other = edited_copy(letter, value=b"other", dataschema=None)
    ids = [dict(copy.headers)[names.ID] for copy in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert EVENT.headers[0][1] not in ids
    assert dict(first.headers)[names.REPLACES] == EVENT.headers[0][1]
    assert (first.topic, first.partition, first.key, first.value) == ("dlq.order", 0, EVENT.key, b"new")
    replayed = replay_copy(received(first, PLACE), body=None, replay_id="r", now=NOW + timedelta(1))
    assert dict(replayed.headers)[names.REPLACES] == EVENT.headers[0][1]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"2", 2),
        (b"999999999", 999_999_999),
        (b"1000000000", 0),
        (b"-1", 0),
        (b"1.5", 0),
        (b"", 0),
        (b"\xff", 0),
        ("٣".encode(), 0),
        ("²".encode(), 0),
    ],
)
def test_a_count_that_cannot_be_read_is_none(text: bytes, count: int) -> None:
    assert replays_of(((names.REPLAY_COUNT, text),)) == count
    assert replays_of(()) == 0


@pytest.mark.parametrize("missing", [names.ORIGINAL_GROUP, "kafka_dlt-original-topic"])
def test_a_letter_needs_its_group_and_its_place(missing: str) -> None:
    letter = buried()
    partly = Record(PLACE, b"k", b"v", tuple(pair for pair in letter.headers if pair[0] != missing))
    with pytest.raises(NotReplayable, match="which group"):
        replay_copy(partly, body=None, replay_id="r", now=NOW)


def test_what_a_letter_does_not_know_of_its_origin_is_left_out() -> None:
    letter = buried()
    partly = Record(PLACE, b"k", b"v", tuple(pair for pair in letter.headers if not pair[0].endswith("timestamp-type")))
    told = first_values(replay_copy(partly, body=None, replay_id="r", now=NOW).headers)
    assert "kafka_original-timestamp" in told
    assert "kafka_original-timestamp-type" not in told


def test_an_edit_names_its_schema_once_and_replaces_the_place_of_what_has_no_id() -> None:
    letter = Record(PLACE, b"k", b"v", ((names.DATASCHEMA, b"old"), ("own", b"kept")))
    edited = edited_copy(letter, value=b"new", dataschema="http://registry/schemas/ids/8")
    assert [pair for pair in edited.headers if pair[0] != names.ID] == [
        ("own", b"kept"),
        (names.REPLACES, str(PLACE).encode()),
        (names.DATASCHEMA, b"http://registry/schemas/ids/8"),
    ]
