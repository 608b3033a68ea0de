"""What publishing and consuming need of a transport; `kafka` and `transport.memory` are the two that pass its conformance suite."""

from treaty_runtime.transport.protocol import (
    Assigned,
    Broken,
    Delivery,
    Fault,
    FaultKind,
    Lost,
    Outgoing,
    Position,
    Producer,
    Records,
    Revoking,
    Source,
    SourceEvent,
)

__all__ = [
    "Assigned",
    "Broken",
    "Delivery",
    "Fault",
    "FaultKind",
    "Lost",
    "Outgoing",
    "Position",
    "Producer",
    "Records",
    "Revoking",
    "Source",
    "SourceEvent",
]
