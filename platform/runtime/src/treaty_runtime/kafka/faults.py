"""What Kafka's errors mean for the records behind the one that failed."""

from __future__ import annotations

from confluent_kafka import KafkaError

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
