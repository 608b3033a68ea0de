"""Copies of failed records: bytes kept, origin written once, causes replaced, sizes bounded, personal data hidden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from treaty_runtime.event import Place, Record
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers
from treaty_runtime.wire.deadletter import COPY_BYTES, dead_letter, retry_copy, size_of
from treaty_runtime.wire.failure import Failure, describe
from treaty_runtime.wire.masking import masked

DUE = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
RECORD = Record(
    place=Place("order-events", 2, 77),
    key=b"\x00key",
    value=b"\x00\x00\x00\x00\x07value",
    headers=(("ce_id", b"1"), ("ce_id", b"2"), ("x", b"\xff")),
    timestamp_ms=1_700_000_000_000,
)


def failure_of(error: Exception) -> Failure:
    try:
        raise error  # noqa: TRY301  # a traceback is wanted
    except Exception as raised:  # noqa: BLE001  # any is wanted
        return describe(raised)


BROKEN = failure_of(RuntimeError("broken"))


def back(record: Outgoing, offset: int = 0) -> Record:
    """The copy as a consumer of its topic receives it."""
    place = Place(record.topic, 0, offset)
    return Record(place=place, key=record.key, value=record.value, headers=record.headers, timestamp_ms=5)


def to_retry(record: Record, attempt: int = 2) -> Outgoing:
    return retry_copy(record, topic="retry.g.10s", group="g", attempt=attempt, due=DUE, failure=BROKEN)


def to_dead(record: Record, failure: Failure = BROKEN, **more: int) -> Outgoing:
    return dead_letter(
        record,
        topic="dlq.g",
        group="g",
        reason="failed: broken",
        handler="tell",
        event_type="PAID",
        failure=failure,
        **more,
    )


def test_a_retry_copy_keeps_the_bytes_and_says_where_it_came_from_and_when_it_is_due() -> None:
    copy = to_retry(RECORD)
    assert (copy.topic, copy.key, copy.value) == ("retry.g.10s", RECORD.key, RECORD.value)
    assert copy.headers[:3] == RECORD.headers
    told = headers.first_values(copy.headers)
    assert told["kafka_original-topic"] == b"order-events"
    assert told["kafka_original-partition"].hex() == "00000002"
    assert told["kafka_original-offset"].hex() == "000000000000004d"
    assert told["kafka_original-timestamp"] == headers.int64(1_700_000_000_000)
    assert told["kafka_original-timestamp-type"] == b"CREATE_TIME"
    assert told["kafka_dlt-original-consumer-group"] == b"g"
    assert told["retry_topic-attempts"].hex() == "00000002"
    assert told["retry_topic-original-timestamp"].hex() == "018bcfe56800"
    assert told["kafka_exception-fqcn"] == b"builtins.RuntimeError"
    assert told["kafka_exception-message"] == b"broken"
    assert b"test_deadletter.failure_of" in told["kafka_exception-stacktrace"]


def test_a_due_time_between_two_milliseconds_is_rounded_up() -> None:
    due = headers.read_milliseconds(headers.first_values(to_retry(RECORD).headers)[headers.BACKOFF_TIMESTAMP])
    assert due == DUE.replace(microsecond=1000)
    assert due - DUE < timedelta(milliseconds=1)


def test_the_origin_is_written_once_and_the_cause_anew_on_each_hop() -> None:
    second = retry_copy(
        back(to_retry(RECORD), 9), topic="retry.g.60s", group="g", attempt=3, due=DUE, failure=failure_of(KeyError("k"))
    )
    names = [name for name, _ in second.headers]
    told = headers.first_values(second.headers)
    assert headers.origin_of(Place("retry.g.60s", 0, 1), told) == RECORD.place
    assert headers.attempt_of(told) == 3
    assert told["kafka_exception-fqcn"] == b"builtins.KeyError"
    assert [names.count(name) for name in (headers.ATTEMPTS, "kafka_original-topic", "kafka_exception-fqcn")] == [
        1,
        1,
        1,
    ]


def test_a_dead_letter_after_retries_names_the_first_place_and_the_reason() -> None:
    told = headers.first_values(to_dead(back(to_retry(RECORD))).headers)
    assert told["kafka_dlt-original-topic"] == b"order-events"
    assert told["kafka_dlt-original-offset"] == headers.int64(77)
    assert told["kafka_dlt-exception-fqcn"] == b"builtins.RuntimeError"
    assert told["treaty-reason"] == b"failed: broken"
    assert told["treaty-handler"] == b"tell"
    assert len(told["treaty-fingerprint"]) == 12
    assert told["retry_topic-attempts"] == headers.int32(2)
    assert not {"kafka_original-topic", "kafka_exception-fqcn"} & told.keys()


def test_a_replayed_dead_letter_keeps_its_first_place() -> None:
    again = to_dead(back(to_dead(RECORD), 400))
    assert headers.origin_of(Place("dlq.g", 0, 0), headers.first_values(again.headers)) == RECORD.place


@pytest.mark.parametrize(
    ("room", "kept", "lost"),
    [
        (-1, "kafka_dlt-exception-message", "kafka_dlt-exception-stacktrace"),
        (-8_000, "kafka_dlt-exception-fqcn", "kafka_dlt-exception-message"),
    ],
)
def test_a_copy_over_the_limit_loses_the_stack_and_then_the_message(room: int, kept: str, lost: str) -> None:
    stack = "x" * (1_000 if room == -1 else 7_600)
    long = Failure(error_class="a.B", cause_class=None, message="m" * 500, stack=stack, frames=("f",))
    whole = size_of(to_dead(RECORD, long))
    copy = to_dead(RECORD, long, limit=whole + room)
    told = headers.first_values(copy.headers)
    assert kept in told
    assert lost not in told
    assert copy.value == RECORD.value


def test_a_dead_letter_that_is_still_too_large_is_a_pointer() -> None:
    large = Record(place=RECORD.place, key=b"k", value=b"v" * COPY_BYTES, headers=(("big", b"h" * 5000),))
    copy = to_dead(large)
    told = headers.first_values(copy.headers)
    assert (copy.key, copy.value) == (b"k", b"")
    assert told["treaty-reason"].startswith(b"oversize 1000000 bytes")
    assert headers.origin_of(Place("dlq.g", 0, 0), told) == large.place
    assert size_of(copy) < 2_000


def test_a_copy_that_just_fits_loses_nothing() -> None:
    whole = to_dead(RECORD)
    assert to_dead(RECORD, limit=size_of(whole)) == whole
    assert to_dead(RECORD, limit=size_of(whole) - 1) != whole


def test_a_retry_copy_of_an_error_without_text_loses_its_stack_all_the_same() -> None:
    silent = failure_of(RuntimeError())
    large = Record(place=RECORD.place, key=b"k", value=b"v" * COPY_BYTES)
    copy = retry_copy(large, topic="retry.g.10s", group="g", attempt=2, due=DUE, failure=silent)
    assert silent.stack
    assert [name for name, _ in copy.headers if "stack" in name] == []


@pytest.mark.parametrize(("length", "is_kept"), [(512, True), (513, False)])
def test_a_pointer_has_no_key_that_is_longer_than_keys_are(length: int, is_kept: bool) -> None:
    large = Record(place=RECORD.place, key=b"k" * length, value=b"v" * 10)
    assert to_dead(large, limit=0).key == (large.key if is_kept else None)
    assert to_dead(Record(place=RECORD.place, key=None, value=None), limit=0).key is None


INHERITED = [
    *(prefix + name for prefix in ("kafka_", "kafka_dlt-") for name in ("original-topic", "original-partition", "original-offset")),
    "kafka_original-timestamp", "kafka_original-timestamp-type", headers.ORIGINAL_GROUP, headers.ID, headers.TYPE, headers.REPLAY_ID,
]  # fmt: skip


@pytest.mark.parametrize("name", INHERITED)
def test_a_foreign_header_of_a_megabyte_makes_no_pointer_that_no_broker_takes(name: str) -> None:
    known = (("kafka_original-topic", b"orders"), ("kafka_dlt-original-topic", b"orders"))
    kept = tuple(
        (other, value) for other, value in known if other != name and name not in {headers.ID, headers.ORIGINAL_GROUP}
    )
    foreign = Record(place=RECORD.place, key=b"k", value=b"junk", headers=((name, bytes(1_200_000)), *kept))
    for copy in (to_dead(foreign), to_dead(foreign, limit=0)):
        assert size_of(copy) < 4_096
        assert len(headers.first_values(copy.headers)["kafka_dlt-original-topic"]) < 100


PLACED = {
    "original-topic": b"orders",
    "original-partition": headers.int32(3),
    "original-offset": headers.int64(9),
    "original-timestamp": headers.int64(5),
    "original-timestamp-type": b"CreateTime",
}


@pytest.mark.parametrize("prefix", ["kafka_", "kafka_dlt-"])
def test_what_an_earlier_hop_wrote_is_kept_as_it_is_also_java_s_word_for_the_timestamp(prefix: str) -> None:
    record = Record(place=RECORD.place, key=b"k", value=b"v", headers=tuple((prefix + n, v) for n, v in PLACED.items()))
    told = headers.first_values(to_dead(record).headers)
    assert {name: told["kafka_dlt-" + name] for name in PLACED} == PLACED


@pytest.mark.parametrize("topic", [b"t", b"t" * 255])
def test_a_place_without_its_timestamp_is_whole(topic: bytes) -> None:
    place = {**PLACED, "original-topic": topic}
    told = tuple(("kafka_" + name, place[name]) for name in ("original-topic", "original-partition", "original-offset"))
    copy = to_dead(Record(place=RECORD.place, key=b"k", value=b"v", headers=told))
    kept = headers.first_values(copy.headers)
    assert headers.origin_of(Place("dlq.g", 0, 0), kept) == Place(topic.decode(), 3, 9)
    assert "kafka_dlt-original-timestamp" not in kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in ("original-topic", "original-partition", "original-offset")),
        *((name, b"") for name in PLACED),
        ("original-topic", b"\xff"), ("original-topic", b"x" * 256), ("original-partition", b"12345"),
        ("original-offset", b"1234"), ("original-timestamp", b"1"), ("original-timestamp-type", b"\xff"),
    ],
)  # fmt: skip
def test_half_a_place_of_an_earlier_hop_is_none_and_the_record_s_own_is_told(name: str, value: bytes | None) -> None:
    """Taken over as it is, a pointer would name no place for its value, and nobody would find it."""
    told = {**PLACED, name: value}
    foreign = tuple(("kafka_" + each, said) for each, said in told.items() if said is not None)
    record = Record(place=RECORD.place, key=b"k", value=b"v", headers=foreign, timestamp_ms=RECORD.timestamp_ms)
    for copy in (to_dead(record), to_dead(record, limit=0), to_retry(record)):
        kept = headers.first_values(copy.headers)
        assert headers.origin_of(Place("dlq.g", 0, 0), kept) == RECORD.place
        own = headers.int64(RECORD.timestamp_ms)
        assert own in {kept.get("kafka_original-timestamp"), kept.get("kafka_dlt-original-timestamp")}


@pytest.mark.parametrize(
    ("known", "told"),
    [(b"other", b"other"), (b"x" * 255, b"x" * 255), (b"", b"g"), (b"\xff", b"g"), (b"x" * 256, b"g")],
)
def test_a_group_that_cannot_be_read_is_not_taken_over(known: bytes, told: bytes) -> None:
    record = Record(place=RECORD.place, key=b"k", value=b"v", headers=((headers.ORIGINAL_GROUP, known),))
    assert headers.first_values(to_dead(record).headers)[headers.ORIGINAL_GROUP] == told


@pytest.mark.parametrize(("known", "is_kept"), [(b"\x05", True), (b"12345678", True), (b"", False), (b"x" * 9, False)])
def test_the_time_of_the_first_failure_is_kept_if_it_is_one(known: bytes, is_kept: bool) -> None:
    record = Record(
        place=RECORD.place, key=b"k", value=b"v", headers=((headers.FIRST_TIMESTAMP, known),), timestamp_ms=7
    )
    told = headers.first_values(to_retry(record).headers)[headers.FIRST_TIMESTAMP]
    assert told == (known if is_kept else b"\x07")


def test_a_pointer_tells_which_event_it_is_and_how_often_it_was_replayed() -> None:
    told = ((headers.TYPE, b"order.paid"), (headers.REPLAY_ID, b"r-1"), (headers.REPLAY_COUNT, b"3"), ("x", b"y"))
    record = Record(place=RECORD.place, key=b"k", value=b"v", headers=told)
    kept = headers.first_values(to_dead(record, limit=0).headers)
    assert {name: kept.get(name) for name, _ in told} == {**dict(told), "x": None}


@pytest.mark.parametrize(("length", "is_kept"), [(255, True), (256, False)])
def test_a_pointer_tells_of_an_event_what_is_short(length: int, is_kept: bool) -> None:
    record = Record(place=RECORD.place, key=b"k", value=b"v", headers=((headers.SUBJECT, b"s" * length),))
    assert (headers.SUBJECT in headers.first_values(to_dead(record, limit=0).headers)) is is_kept


def test_a_size_counts_key_value_and_headers_with_room_for_their_lengths() -> None:
    assert size_of(Outgoing(topic="t", key=None, value=None)) == 70
    assert size_of(Outgoing(topic="t", key=b"k", value=b"vv", headers=(("é", b"x"), ("", b"")))) == 70 + 1 + 2 + 13 + 10


@pytest.mark.parametrize(("timestamp", "told"), [(-1, 0), (0, 0), (7, 7)])
def test_a_record_without_a_time_came_at_the_epoch(timestamp: int, told: int) -> None:
    record = Record(place=RECORD.place, key=None, value=b"v", timestamp_ms=timestamp)
    assert headers.first_values(to_retry(record).headers)[headers.FIRST_TIMESTAMP] == headers.big_integer(told)


def test_the_first_time_of_a_record_and_who_made_it_stay_through_retries() -> None:
    logged = Record(place=RECORD.place, key=None, value=b"v", timestamp_ms=7, is_log_append_time=True)
    told = headers.first_values(to_retry(back(to_retry(logged))).headers)
    assert told[headers.FIRST_TIMESTAMP] == headers.big_integer(7)
    assert told["kafka_original-timestamp-type"] == b"LOG_APPEND_TIME"
    assert "kafka_exception-cause-fqcn" not in told, "what is not known has no header"


def test_a_cause_that_is_known_has_its_header() -> None:
    failure = Failure(error_class="a.B", cause_class="a.Cause", message="", stack="", frames=())
    assert headers.first_values(to_dead(RECORD, failure).headers)["kafka_dlt-exception-cause-fqcn"] == b"a.Cause"


def test_the_first_group_stays() -> None:
    moved = Record(place=RECORD.place, key=None, value=b"v", headers=((headers.ORIGINAL_GROUP, b"first"),))
    assert headers.first_values(to_dead(moved).headers)[headers.ORIGINAL_GROUP] == b"first"


def test_a_retry_copy_never_becomes_a_pointer_because_it_needs_its_value() -> None:
    large = Record(place=RECORD.place, key=b"k", value=b"v" * COPY_BYTES)
    assert to_retry(large).value == large.value


def test_texts_of_errors_hide_personal_data() -> None:
    text = "user test@example.com card 4111111111111111 order 9007199254740993x Alice 12345"
    assert masked(text, ["Alice", ""]) == "user ••• card ••• order •••x ••• 12345"


def test_of_two_secrets_the_longer_is_hidden_first() -> None:
    assert (
        masked("Annabel and Ann", ["Ann", "Annabel"]) == masked("Annabel and Ann", ["Annabel", "Ann"]) == "••• and •••"
    )


def test_message_and_stack_are_cut_and_masked_with_the_innermost_kept() -> None:
    failure = failure_of(RuntimeError("Bob " * 5_000))
    assert len(failure.message) == 500
    assert len(failure.stack.encode()) <= 8_192
    secret = describe(RuntimeError("Bob said"), secrets=["Bob"])
    assert secret.message == "••• said"
    assert "Bob" not in secret.stack


def test_the_cause_of_a_cause_is_named() -> None:
    error = RuntimeError("outer")
    error.__cause__ = ValueError("middle")
    error.__cause__.__cause__ = KeyError("inner")
    failure = describe(error)
    assert failure.cause_class == "builtins.KeyError"
    assert failure.stack.index("KeyError") < failure.stack.index("ValueError") < failure.stack.index("RuntimeError")


def test_an_error_whose_text_is_broken_is_still_described() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert describe(Broken()).message == "<no text>"


def test_equal_faults_have_one_fingerprint_whatever_line_or_message() -> None:
    one, two = failure_of(RuntimeError("order 1")), failure_of(RuntimeError("order 2"))
    assert one.fingerprint(group="g", event_type="PAID") == two.fingerprint(group="g", event_type="PAID")
    assert one.fingerprint(group="g", event_type="PAID") != one.fingerprint(group="h", event_type="PAID")
    assert one.fingerprint(group="g", event_type="PAID") != failure_of(KeyError()).fingerprint(
        group="g", event_type="PAID"
    )
