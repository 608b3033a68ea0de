"""Headers: CloudEvents as others write them, Spring's numbers byte for byte, and junk that changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_runtime.errors import InvalidHeaders
from treaty_runtime.event import Place
from treaty_runtime.wire import headers
from treaty_runtime.wire.event_id import as_event_id, new_event_id

ID = UUID("0190a3c4-9d3e-7000-8000-000000000001")
CAUSE = UUID("0190a3c4-9d3e-7000-8000-000000000002")
NOW = datetime(2026, 3, 1, 12, 30, 15, 42, tzinfo=UTC)


def an_event(extra: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    return dict(
        headers.event_headers(
            event_id=ID,
            source="/mall/order",
            type="ORDER_PAID",
            time=NOW,
            subject="9007199254740993",
            dataschema="http://localhost:8081/schemas/ids/7",
            correlation_id=CAUSE,
            causation_id=CAUSE,
            extra=extra,
        )
    )


def test_an_event_carries_the_cloudevents_attributes() -> None:
    assert an_event() == {
        "ce_specversion": b"1.0",
        "ce_id": str(ID).encode(),
        "ce_source": b"/mall/order",
        "ce_type": b"ORDER_PAID",
        "ce_time": b"2026-03-01T12:30:15.000042Z",
        "ce_subject": b"9007199254740993",
        "content-type": b"application/avro",
        "ce_correlationid": str(CAUSE).encode(),
        "ce_dataschema": b"http://localhost:8081/schemas/ids/7",
        "ce_causationid": str(CAUSE).encode(),
    }


@pytest.mark.parametrize("extra", [{"\ud800": b""}, {"a\x00b": b""}, {"a": "text"}, {b"a": b""}, {"a": None}])
def test_a_header_that_the_client_would_not_survive_or_rename_is_refused(extra: Any) -> None:
    with pytest.raises(InvalidHeaders):
        an_event(extra)


def test_what_an_event_does_not_have_has_no_header() -> None:
    told = headers.event_headers(
        event_id=ID, source="/mall/order", type="ORDER_PAID", time=NOW, subject="", dataschema=None, correlation_id=ID
    )
    names = [name for name, _ in told]
    assert names == [
        "ce_specversion", "ce_source", "ce_type", "content-type", "ce_id", "ce_time", "ce_subject", "ce_correlationid",
    ]  # fmt: skip


def test_further_headers_are_added_but_never_replace_ours() -> None:
    event = an_event({"traceparent": b"00-1-2-01", "ce_id": b"forged"})
    assert event["traceparent"] == b"00-1-2-01"
    assert event["ce_id"] == str(ID).encode()


def test_a_time_in_another_zone_is_written_in_utc() -> None:
    zone = timezone(timedelta(hours=8))
    assert headers.format_time(datetime(2026, 1, 1, 8, tzinfo=zone)) == "2026-01-01T00:00:00.000000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_time_is_read_again(time: datetime) -> None:
    assert headers.read_time(headers.format_time(time).encode()) == time


@pytest.mark.parametrize(
    "junk", [None, b"", b"yesterday", b"\xff\xfe", b"2026-01-01T00:00:00", b"9999-12-31T23:59:59-23:59"]
)
def test_a_time_without_zone_or_sense_is_none(junk: bytes | None) -> None:
    assert headers.read_time(junk) is None


def test_the_schema_url_shows_no_credentials() -> None:
    url = headers.dataschema_of("https://mall:secret@registry.example:8081/base/", 41)
    assert url == "https://registry.example:8081/base/schemas/ids/41"


def test_the_source_names_namespace_and_service() -> None:
    assert headers.source_of("mall.order.OrderPaid", "order") == "/mall/order"


@pytest.mark.parametrize(
    ("value", "expected"),
    # What Java's BigInteger.valueOf(x).toByteArray() gives.
    [
        (0, "00"), (1, "01"), (127, "7f"), (128, "0080"), (255, "00ff"), (256, "0100"),
        (-1, "ff"), (-128, "80"), (-129, "ff7f"), (1_700_000_000_000, "018bcfe56800"),
    ],
)  # fmt: skip
def test_milliseconds_are_minimal_twos_complement(value: int, expected: str) -> None:
    assert headers.big_integer(value).hex() == expected


@given(st.integers(-(2**63), 2**63 - 1))
def test_big_integers_are_read_again(value: int) -> None:
    assert headers.read_big_integer(headers.big_integer(value)) == value


def test_partition_and_offset_are_four_and_eight_bytes() -> None:
    assert headers.int32(3).hex() == "00000003"
    assert headers.int64(2**40).hex() == "0000010000000000"
    assert headers.read_int32(headers.int32(-1)) == -1
    assert headers.read_int64(headers.int64(-(2**63))) == -(2**63)


@pytest.mark.parametrize("junk", [b"", b"\x00", b"12345", b"\x00" * 9])
def test_a_number_of_the_wrong_length_is_none(junk: bytes) -> None:
    assert headers.read_int32(junk) is None
    assert headers.read_int64(junk) is None
    assert headers.read_big_integer(junk) is None or 1 <= len(junk) <= 8


def test_of_repeated_names_the_first_counts() -> None:
    assert headers.first_values((("a", b"1"), ("b", b"2"), ("a", b"3"))) == {"a": b"1", "b": b"2"}


@pytest.mark.parametrize("prefix", ["kafka_", "kafka_dlt-"])
def test_the_first_place_is_found_through_retries_and_dead_letters(prefix: str) -> None:
    known = {
        prefix + "original-topic": b"order-events",
        prefix + "original-partition": headers.int32(2),
        prefix + "original-offset": headers.int64(77),
    }
    assert headers.origin_of(Place("retry.order.10s", 0, 5), known) == Place("order-events", 2, 77)


def test_a_half_written_origin_is_ignored() -> None:
    here = Place("order-events", 0, 5)
    assert headers.origin_of(here, {"kafka_original-topic": b"x", "kafka_original-partition": b"?"}) == here


@pytest.mark.parametrize(("value", "attempt"), [(headers.int32(3), 3), (headers.int32(0), 1), (b"3", 1), (None, 1)])
def test_the_coming_attempt_is_one_unless_said_well(value: bytes | None, attempt: int) -> None:
    assert headers.attempt_of({} if value is None else {headers.ATTEMPTS: value}) == attempt


def test_unreadable_headers_are_named() -> None:
    found = headers.unreadable(
        {"ce_id": b"\xff", "ce_time": b"now", "traceparent": b"\xff", headers.ATTEMPTS: headers.int32(1)}
    )
    assert found == ("ce_id", "ce_time")


def test_a_backoff_that_is_absent_or_beyond_the_calendar_is_none() -> None:
    assert headers.read_milliseconds(None) is None
    assert headers.read_milliseconds(headers.big_integer(2**62)) is None


def test_a_new_id_is_a_uuid_of_version_seven_that_sorts_by_time() -> None:
    first = new_event_id(NOW, entropy=b"\xff" * 10)
    later = new_event_id(NOW + timedelta(milliseconds=1), entropy=b"\x00" * 10)
    assert (first.version, first.variant) == (7, UUID("0190a3c4-9d3e-7000-8000-000000000001").variant)
    assert first < later
    assert first.int >> 80 == int(NOW.timestamp() * 1000)


def test_a_new_id_is_the_one_of_the_specification() -> None:
    """RFC 9562, appendix A.6: the example of a UUIDv7, its random bits in ten bytes; more of them change nothing."""
    now, entropy = (
        datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC),
        ((0xCC3 << 62) | 0x18C4DC0C0C07398F).to_bytes(10, "big"),
    )
    expected = UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    assert new_event_id(now, entropy=entropy) == expected
    assert new_event_id(datetime(1970, 1, 1, tzinfo=UTC), entropy=bytes(10)).hex == "00000000000070008000000000000000"
    assert new_event_id(now, entropy=b"\xff" + entropy[1:]) == new_event_id(
        now, entropy=b"\x3f" + entropy[1:] + b"\xff"
    )


def test_an_id_that_is_no_uuid_gets_one_of_its_source() -> None:
    assert as_event_id(str(ID), source=lambda: "/a") == ID
    assert as_event_id("order-7", source=lambda: "/a") == as_event_id("order-7", source=lambda: "/a")
    assert as_event_id("order-7", source=lambda: "/a") != as_event_id("order-7", source=lambda: "/b")


@pytest.mark.parametrize(
    ("told", "trace"),
    [
        (b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"),
        (b"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "0af7651916cd43dd8448eb211c80319c"),
        (b"00-0af7651916cd43dd8448eb211c8031-b7ad6b7169203331-01", ""),
        (b"00-" + b"x" * 32 + b"-b7ad6b7169203331-01", ""),
        (b"\xff", ""),
        (b"", ""),
    ],
)
def test_a_trace_is_named_if_the_header_is_one(told: bytes, trace: str) -> None:
    assert headers.trace_id_of({"traceparent": told}) == trace
    assert headers.trace_id_of({}) == ""
