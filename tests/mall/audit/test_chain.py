"""What is kept, in which chain, and which tampering shows; on both databases."""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mall.audit.domain import BEGINNING, Broken, Entry, Kept, Sealed, cause_of, entry_of, first_break, seal
from mall.audit.handlers import DEAD_LETTERS, audit_handlers
from mall_events.audit import AuditLogged, AuditOutcome
from mall_events.chat import ChatMessageCreated
from mall_events.payment import PaymentRefundFailed
from mall_events.risk import RiskCriticalAlertRaised, RiskHighAlertRaised
from tests.cases.markdown import ROOT
from tests.mall.counter import Clock, Counter, envelope
from treaty_runtime.event import Context, Place, Record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADMIN, USER = 1, 7
SUSPENDED = AuditLogged(
    actor="admin:1",
    action="suspend",
    resource="user",
    resource_id="100001",
    source="user",
    outcome=AuditOutcome.OK,
    detail={"to": "SUSPENDED"},
    event_time=NOW,
)
MESSAGE = ChatMessageCreated(
    message_id=UUID(int=2),
    conversation_id=7,
    goods_id=5,
    sender_id=20,
    recipient_id=10,
    sequence=1,
    text="my number is 12345678901",
    event_time=NOW,
)
FAILED = PaymentRefundFailed(
    refund_id=UUID(int=3),
    payment_id=UUID(int=4),
    payment_no="P-1",
    merchant_id=10,
    order_id=1,
    payer_id=20,
    amount=700,
    reason="my number is 12345678901",
    failure_code="declined",
    attempt=4,
    event_time=NOW,
)
HIGH = RiskHighAlertRaised(
    check_id=UUID(int=5), payment_id=UUID(int=4), payer_id=20, score=70, rules=["velocity", "amount"], event_time=NOW
)
CRITICAL = RiskCriticalAlertRaised(
    check_id=UUID(int=5), payment_id=UUID(int=4), payer_id=20, score=100, rules=["failures"], event_time=NOW
)


async def keep(archive: Counter, *events: Kept, event_id: UUID | None = None) -> None:
    for event in events:
        await archive.handle(audit_handlers(now=archive.desk.now), event, event_id=event_id)


async def verdict(archive: Counter, query: str = "") -> dict[str, object]:
    answer = await archive.call("GET", f"/api/v1/audit/verify{query}", user=ADMIN, admin=True)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


# -- the chain as values


def chain(length: int) -> list[Sealed]:
    sealed: list[Sealed] = []
    for number in range(1, length + 1):
        entry = entry_of(replace(SUSPENDED, resource_id=str(number)), event_id=UUID(int=number))
        sealed.append(seal(entry, sequence=number, previous_hash=sealed[-1].hash if sealed else BEGINNING))
    return sealed


def test_a_chain_that_nobody_touched_holds() -> None:
    assert first_break(chain(5), after=0, previous_hash=BEGINNING) is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "admin:2"},
        {"outcome": "DENIED"},
        {"detail": {}},
        {"at": NOW + timedelta(microseconds=1)},
        {"event_id": UUID(int=99)},
        {"request_id": "x"},
        {"resource": "order"},
    ],
)
def test_a_changed_field_shows(change: dict[str, object]) -> None:
    entries = chain(5)
    entries[2] = replace(entries[2], entry=replace(entries[2].entry, **change))  # type: ignore[arg-type]  # fields of the entry
    assert first_break(entries, after=0, previous_hash=BEGINNING) == Broken(3, "Entry 3 was changed.")


def test_a_missing_moved_or_added_entry_shows() -> None:
    first, second, third, fourth = chain(4)
    moved = [first, replace(third, sequence=2), replace(second, sequence=3), fourth]
    added = [first, replace(second, sequence=2), seal(second.entry, sequence=3, previous_hash=second.hash), fourth]
    assert first_break([first, third], after=0, previous_hash=BEGINNING) == Broken(2, "Entry 2 is missing.")
    assert first_break(moved, after=0, previous_hash=BEGINNING) == Broken(
        2, "Entry 2 does not follow the one before it."
    )
    assert first_break(added, after=0, previous_hash=BEGINNING) == Broken(
        4, "Entry 4 does not follow the one before it."
    )


def test_a_fault_that_hashes_anew_shows_at_the_next_entry() -> None:
    first, second, third = chain(3)
    forged = seal(replace(second.entry, actor="admin:2"), sequence=2, previous_hash=first.hash)
    assert first_break([first, forged, third], after=0, previous_hash=BEGINNING) == Broken(
        3, "Entry 3 does not follow the one before it."
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (SUSPENDED, ("admin:1", "suspend", "user", "100001", "user", "OK")),
        (MESSAGE, ("user:20", "send_message", "conversation", "7", "chat", "OK")),
        (FAILED, ("system:payment", "refund", "payment", str(UUID(int=4)), "payment", "FAILED")),
        (HIGH, ("system:payment", "raise_high_alert", "payment", str(UUID(int=4)), "payment", "OK")),
        (CRITICAL, ("system:payment", "raise_critical_alert", "payment", str(UUID(int=4)), "payment", "DENIED")),
    ],
)
def test_an_entry_says_who_did_what_and_nothing_that_people_wrote(event: Kept, words: tuple[str, ...]) -> None:
    entry = entry_of(event, event_id=UUID(int=1))
    found = (entry.actor, entry.action, entry.resource, entry.resource_id, entry.source, entry.outcome)
    assert found == words
    assert "12345678901" not in repr(entry)


def test_what_no_database_holds_is_kept_readable() -> None:
    entry = entry_of(replace(SUSPENDED, actor="a\x00b", detail={"\x00": "\x00"}), event_id=UUID(int=1))
    assert (entry.actor, entry.detail) == ("a\ufffdb", {"\ufffd": "\ufffd"})


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (b"undecodable: truncated", "undecodable"),
        (b"failed", "failed"),
        (b"new words", "other"),
        (None, "other"),
        (b"\xff", "other"),
    ],
)
def test_a_dead_letter_has_one_of_few_causes(reason: bytes | None, cause: str) -> None:
    assert cause_of(reason) == cause


# -- the service


async def test_entries_are_numbered_without_gaps_whatever_comes_at_once(archive: Counter) -> None:
    await asyncio.gather(*(keep(archive, event) for event in (SUSPENDED, MESSAGE, FAILED, HIGH, CRITICAL) * 3))
    found = await verdict(archive)
    assert (found["is_intact"], found["sequence"]) == (True, 15)


async def test_an_event_that_comes_again_is_one_entry(archive: Counter) -> None:
    event_id = uuid4()
    for _ in range(2):
        await keep(archive, SUSPENDED, event_id=event_id)
    assert (await verdict(archive))["sequence"] == 1


async def test_an_empty_chain_holds(archive: Counter) -> None:
    assert await verdict(archive) == {
        "is_intact": True, "sequence": 0, "hash": BEGINNING, "broken_at": None, "reason": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry WHERE sequence = 2"]
)
async def test_the_database_refuses_to_change_an_entry(archive: Counter, statement: str) -> None:
    await keep(archive, SUSPENDED, MESSAGE)
    with pytest.raises(DBAPIError, match="append only"):
        async with archive.database.sessions.begin() as session:
            await session.execute(text(statement))
    assert (await verdict(archive))["is_intact"] is True


async def tamper(archive: Counter, *statements: str) -> None:
    """What somebody with the database's password could do."""
    unlock = (
        ["ALTER TABLE audit_entry DISABLE TRIGGER ALL"]
        if archive.database.schema
        else ["DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete"]
    )
    async with archive.database.sessions.begin() as session:
        for statement in (*unlock, *statements):
            await session.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "place"),
    [
        (["UPDATE audit_entry SET actor = 'admin:2' WHERE sequence = 2"], 2),
        (["DELETE FROM audit_entry WHERE sequence = 2"], 2),
        (["DELETE FROM audit_entry WHERE sequence = 3"], 3),
        (["UPDATE audit_head SET hash = 'x'"], 3),
    ],
)
async def test_tampering_shows_and_where(archive: Counter, statements: list[str], place: int) -> None:
    await keep(archive, SUSPENDED, MESSAGE, FAILED)
    await tamper(archive, *statements)
    found = await verdict(archive)
    assert (found["is_intact"], found["broken_at"]) == (False, place)


async def test_a_shortened_chain_shows_to_who_noted_its_end(archive: Counter) -> None:
    await keep(archive, SUSPENDED, MESSAGE, FAILED)
    noted = await verdict(archive)
    anchor = f"?sequence={noted['sequence']}&hash={noted['hash']}"
    await keep(archive, HIGH)
    assert (await verdict(archive, anchor))["is_intact"] is True
    await tamper(
        archive,
        "DELETE FROM audit_entry WHERE sequence > 2",
        "UPDATE audit_head SET sequence = 2, hash = (SELECT hash FROM audit_entry WHERE sequence = 2)",
    )
    assert (await verdict(archive))["is_intact"] is True
    assert (await verdict(archive, anchor))["broken_at"] == 3


async def test_only_admins_look_and_find_by_who_and_what(archive: Counter) -> None:
    await keep(archive, SUSPENDED, MESSAGE, FAILED)
    for path in ("", "/verify", "/dead-letters"):
        assert (await archive.call("GET", f"/api/v1/audit{path}")).status_code == 401
        assert (await archive.call("GET", f"/api/v1/audit{path}", user=USER)).status_code == 403
    first = (await archive.call("GET", "/api/v1/audit?limit=2", user=ADMIN, admin=True)).json()
    assert [entry["sequence"] for entry in first["entries"]] == [3, 2]
    rest = f"/api/v1/audit?limit=2&cursor={first['next_cursor']}"
    assert [e["sequence"] for e in (await archive.call("GET", rest, user=ADMIN, admin=True)).json()["entries"]] == [1]
    found = await archive.call("GET", "/api/v1/audit?resource=user&resource_id=100001", user=ADMIN, admin=True)
    assert [entry["actor"] for entry in found.json()["entries"]] == ["admin:1"]
    none = await archive.call("GET", "/api/v1/audit?actor=admin:9", user=ADMIN, admin=True)
    assert none.json() == {"entries": [], "next_cursor": None}


@pytest.mark.parametrize("query", ["?sequence=1", f"?hash={'0' * 64}", "?sequence=0", "?sequence=1&hash=x"])
async def test_half_an_anchor_is_refused(archive: Counter, query: str) -> None:
    answer = await archive.call("GET", f"/api/v1/audit/verify{query}", user=ADMIN, admin=True)
    assert answer.status_code == 422


async def test_dead_letters_are_counted_by_service_and_cause(archive: Counter, clock: Clock) -> None:
    handlers = audit_handlers(now=clock)
    letters = [("dlq.order", b"failed x"), ("dlq.order", b"failed y"), ("dlq.order", b"rejected"), ("dlq.user", b"?")]
    for offset, (topic, reason) in enumerate(letters):
        record = Record(Place(topic, 0, offset), b"key", b"\x00bytes", (("treaty-reason", reason),))
        async with archive.database.sessions.begin() as session:
            context = Context(envelope=envelope(SUSPENDED, event_id=uuid4()), deadline=clock(), open_session=session)
            await handlers.raws[topic].call(record, context)
    found = (await archive.call("GET", "/api/v1/audit/dead-letters", user=ADMIN, admin=True)).json()["dead_letters"]
    assert [(row["service"], row["cause"], row["number"]) for row in found] == [
        ("order", "failed", 2), ("order", "rejected", 1), ("user", "other", 1),
    ]  # fmt: skip


def test_every_declared_dead_letter_topic_is_counted_and_never_our_own() -> None:
    topics = tomllib.loads((ROOT / "schemas/topics.toml").read_text(encoding="utf-8"))["topic"]
    declared = {
        name for name, table in topics.items() if "admin-service" in table.get("consumer", {}) and not table["events"]
    }
    assert declared == set(DEAD_LETTERS)
    assert "dlq.audit" not in declared


def entry(**changes: object) -> Entry:
    return replace(entry_of(SUSPENDED, event_id=UUID(int=1)), **changes)  # type: ignore[arg-type]  # fields of the entry


def test_a_hash_is_the_same_wherever_it_is_made() -> None:
    there = entry(at=NOW.astimezone(tz=None))
    assert (
        seal(there, sequence=1, previous_hash=BEGINNING).hash == seal(entry(), sequence=1, previous_hash=BEGINNING).hash
    )
