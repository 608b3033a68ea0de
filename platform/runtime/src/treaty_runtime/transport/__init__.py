"""What publishing and consuming need of a transport; `kafka` and `transport.memory` are the two that pass its conformance suite."""

from treaty_runtime.transport.fence import Fence, FenceKind, LeaseFence
from treaty_runtime.transport.protocol import (
    MARK_BYTES,
    Assigned,
    Broken,
    Delivery,
    Fault,
    FaultKind,
    Lost,
    Missed,
    Outgoing,
    Position,
    Producer,
    Records,
    Refused,
    Revoking,
    Source,
    SourceEvent,
)

__all__ = [
    "MARK_BYTES",
    "Assigned",
    "Broken",
    "Delivery",
    "Fault",
    "FaultKind",
    "Fence",
    "FenceKind",
    "LeaseFence",
    "Lost",
    "Missed",
    "Outgoing",
    "Position",
    "Producer",
    "Records",
    "Refused",
    "Revoking",
    "Source",
    "SourceEvent",
]
