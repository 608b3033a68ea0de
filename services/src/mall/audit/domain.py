"""What is kept of an event, and the chain that makes a change of it show.

Law 1: an entry's hash covers all of its fields, its place and the hash before it; whoever changes, drops, adds or moves an entry
breaks every hash from there on.
Law 2: entries hold ids, words and numbers, never what people wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from mall_events.audit import AuditLogged, AuditOutcome
from mall_events.chat import ChatMessageCreated
from mall_events.payment import PaymentRefundFailed
from mall_events.risk import RiskCriticalAlertRaised, RiskHighAlertRaised

Kept = AuditLogged | ChatMessageCreated | RiskHighAlertRaised | RiskCriticalAlertRaised | PaymentRefundFailed
BEGINNING = "0" * 64
"""The hash before the first entry."""
CAUSES = ("undecodable", "not-allowed", "rejected", "failed", "kills-process", "oversize")
"""First words of `treaty-reason`, the header of dead letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who did what to which thing, and what became of it."""

    event_id: UUID
    event_type: str
    at: datetime
    actor: str
    action: str
    resource: str
    resource_id: str
    source: str
    outcome: str
    request_id: str | None = None
    before_hash: str | None = None
    after_hash: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """An entry in its place of the chain."""

    sequence: int
    previous_hash: str
    hash: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place at which the chain does not hold, and why."""

    sequence: int
    reason: str


def seal(entry: Entry, *, sequence: int, previous_hash: str) -> Sealed:
    """The entry as number `sequence` of the chain, after the one with `previous_hash`."""
    return Sealed(
        sequence=sequence,
        previous_hash=previous_hash,
        hash=_hash(entry, sequence=sequence, previous_hash=previous_hash),
        entry=entry,
    )


def first_break(entries: Iterable[Sealed], *, after: int, previous_hash: str) -> Broken | None:
    """The first fault of a stretch that begins after entry `after`, whose hash is `previous_hash`; None if it holds."""
    for sealed in entries:
        expected = after + 1
        if sealed.sequence != expected:
            return Broken(expected, f"Entry {expected} is missing.")
        if sealed.previous_hash != previous_hash:
            return Broken(expected, f"Entry {expected} does not follow the one before it.")
        if sealed.hash != _hash(sealed.entry, sequence=expected, previous_hash=previous_hash):
            return Broken(expected, f"Entry {expected} was changed.")
        after, previous_hash = expected, sealed.hash
    return None


def _hash(entry: Entry, *, sequence: int, previous_hash: str) -> str:
    fields = asdict(entry) | {
        "event_id": str(entry.event_id),
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "detail": dict(entry.detail),
        "sequence": sequence,
        "previous_hash": previous_hash,
    }
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def entry_of(event: Kept, *, event_id: UUID) -> Entry:
    """What is kept of an event."""
    match event:
        case AuditLogged():
            return _logged(event, event_id)
        case ChatMessageCreated():
            return _message(event, event_id)
        case PaymentRefundFailed():
            return _refund(event, event_id)
        case _:
            return _alert(event, event_id)


def _logged(event: AuditLogged, event_id: UUID) -> Entry:
    return Entry(
        event_id=event_id,
        event_type=event.__event_type__,
        at=event.event_time,
        actor=_storable(event.actor),
        action=_storable(event.action),
        resource=_storable(event.resource),
        resource_id=_storable(event.resource_id),
        source=_storable(event.source),
        outcome=event.outcome.name,
        request_id=None if event.request_id is None else _storable(event.request_id),
        before_hash=None if event.before_hash is None else _storable(event.before_hash),
        after_hash=None if event.after_hash is None else _storable(event.after_hash),
        detail={_storable(name): _storable(value) for name, value in event.detail.items()},
    )


def _message(event: ChatMessageCreated, event_id: UUID) -> Entry:
    detail = {
        "message_id": str(event.message_id),
        "goods_id": str(event.goods_id),
        "recipient_id": str(event.recipient_id),
        "sequence": str(event.sequence),
    }
    return Entry(
        event_id=event_id,
        event_type=event.__event_type__,
        at=event.event_time,
        actor=f"user:{event.sender_id}",
        action="send_message",
        resource="conversation",
        resource_id=str(event.conversation_id),
        source="chat",
        outcome=AuditOutcome.OK.name,
        detail=detail,
    )


def _refund(event: PaymentRefundFailed, event_id: UUID) -> Entry:
    detail = {
        "refund_id": str(event.refund_id),
        "failure_code": _storable(event.failure_code),
        "attempt": str(event.attempt),
    }
    return Entry(
        event_id=event_id,
        event_type=event.__event_type__,
        at=event.event_time,
        actor="system:payment",
        action="refund",
        resource="payment",
        resource_id=str(event.payment_id),
        source="payment",
        outcome=AuditOutcome.FAILED.name,
        detail=detail,
    )


def _alert(event: RiskHighAlertRaised | RiskCriticalAlertRaised, event_id: UUID) -> Entry:
    is_critical = isinstance(event, RiskCriticalAlertRaised)
    detail = {
        "check_id": str(event.check_id),
        "payer_id": str(event.payer_id),
        "score": str(event.score),
        "rules": " ".join(map(_storable, event.rules)),
    }
    return Entry(
        event_id=event_id,
        event_type=event.__event_type__,
        at=event.event_time,
        actor="system:payment",
        action="raise_critical_alert" if is_critical else "raise_high_alert",
        resource="payment",
        resource_id=str(event.payment_id),
        source="payment",
        outcome=(AuditOutcome.DENIED if is_critical else AuditOutcome.OK).name,
        detail=detail,
    )


def cause_of(reason: bytes | None) -> str:
    """The kind of a dead letter, by its header `treaty-reason`; `other` for words that are none of `CAUSES`."""
    text = (reason or b"").decode("utf-8", "replace")
    return next((cause for cause in CAUSES if text.startswith(cause)), "other")


def _storable(text: str) -> str:
    # Any service writes here: Postgres refuses NUL in texts, and an entry is better than a dead letter.
    return text.replace("\x00", "\ufffd")
