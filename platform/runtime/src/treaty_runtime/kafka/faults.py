"""What Kafka's errors mean for the records behind the one that failed."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException

from treaty_runtime.errors import InvalidSettings
from treaty_runtime.transport import Fault, FaultKind

_HELD = frozenset({
    "UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION", "TOPIC_EXCEPTION",
    "TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED",
})  # fmt: skip
_REFUSED = frozenset(
    {"MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "POLICY_VIOLATION", "INVALID_TIMESTAMP"}
)
_FENCED = frozenset(
    {"_FENCED", "INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED", "_PURGE_QUEUE", "_PURGE_INFLIGHT", "_DESTROY"}
)


def fault_of(error: KafkaError) -> Fault:
    """What one of Kafka's errors means for the records behind it; what is not known is an outage, never a loss."""
    name = str(error.name())
    kind = (
        FaultKind.HELD
        if name in _HELD
        else FaultKind.REFUSED
        if name in _REFUSED
        else FaultKind.FENCED
        if name in _FENCED
        else FaultKind.OUTAGE
    )
    return Fault(name, str(error.str()), kind)


def is_missing_right(error: KafkaError) -> bool:
    """Whether the broker knows who asks and refuses it."""
    return error.code() in {KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED}


def missing_right(error: KafkaError, config: Mapping[str, object], *, topic: str | None) -> Fault:
    """Who may not read what: the principal as the client knows itself, the resource, the broker's words."""
    user = config.get("sasl.username")
    who = f"User:{user}" if user else "This client"
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        what = f"group {config.get('group.id')}"
    else:
        what = f"topic {topic}" if topic else "one of its topics"
    return Fault(str(error.name()), f"{who} lacks the right READ on {what}: {error.str()}", FaultKind.HELD)


def invalid_settings(failure: KafkaException) -> InvalidSettings:
    """What the client says of settings that are none, or of a file that they name."""
    return InvalidSettings([f"Kafka's client refuses its settings: {failure.args[0].str()}"])
