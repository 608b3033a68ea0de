"""What an exception means: the user's rules first, then ours; what nobody knows is a failure."""

from __future__ import annotations

import pytest

from treaty_avro import AmbiguousField, DecodeError, SchemaLimit
from treaty_runtime.classify import Kind, classify, outages
from treaty_runtime.errors import (
    Conflict,
    Locked,
    NotFramed,
    Outage,
    RegistryUnavailable,
    Reject,
    TransactionAborted,
    UnknownSchemaId,
    WriterNotAllowed,
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotFramed(), Kind.POISON),
        (UnknownSchemaId(), Kind.POISON),
        (WriterNotAllowed(), Kind.POISON),
        (Reject("no"), Kind.POISON),
        (DecodeError(code="truncated", offset=0, path="", reason="x"), Kind.POISON),
        (SchemaLimit("types are nested 251 levels deep"), Kind.POISON),
        (AmbiguousField("two fields"), Kind.POISON),
        (RegistryUnavailable(), Kind.STALLED),
        (Outage(dependency="database"), Kind.OUTAGE),
        (Conflict(), Kind.CONFLICT),
        (Locked(), Kind.STALLED),
        (TransactionAborted(), Kind.FAILURE),
        (ConnectionError(), Kind.FAILURE),
        (ValueError(), Kind.FAILURE),
    ],
)
def test_our_own_errors_are_known(error: Exception, kind: Kind) -> None:
    assert classify(error) is kind


def test_a_rule_that_raises_knows_nothing() -> None:
    def rule(error: Exception) -> Kind | None:
        return Kind.POISON if error.code else None  # type: ignore[attr-defined]  # the slip that is meant

    assert classify(ValueError(), [rule]) is Kind.FAILURE
    assert classify(NotFramed(), [rule]) is Kind.POISON


def test_a_users_rule_comes_first() -> None:
    assert classify(ConnectionError(), [outages(ConnectionError, TimeoutError)]) is Kind.OUTAGE
    assert classify(NotFramed(), [lambda _: Kind.CONFLICT]) is Kind.CONFLICT
    assert classify(ValueError(), [lambda _: None]) is Kind.FAILURE
    assert classify(RegistryUnavailable(), [outages(ConnectionError)]) is Kind.STALLED


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ([ValueError(), Outage(dependency="shop"), Locked(), Conflict(), Reject("no")], Kind.OUTAGE),
        ([ValueError(), TimeoutError()], Kind.OUTAGE),
        ([ValueError(), ExceptionGroup("inner", [Outage(dependency="shop")])], Kind.OUTAGE),
        ([ValueError(), Locked(), Conflict()], Kind.STALLED),
        ([ValueError(), Conflict()], Kind.CONFLICT),
        ([Reject("no"), Reject("never")], Kind.POISON),
        ([Reject("no"), ValueError()], Kind.FAILURE),
        ([ValueError()], Kind.FAILURE),
    ],
)
def test_a_group_is_what_waits_longest_of_its_parts(parts: list[Exception], kind: Kind) -> None:
    assert classify(ExceptionGroup("unhandled", parts), [outages(TimeoutError)]) is kind
