"""What keeps a relay that lost a lane of the outbox from sending into it: its lease and its own clock, or the broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Literal, Protocol

from treaty_runtime.transport.protocol import Producer

FenceKind = Literal["lease", "transaction"]
"""`lease`: a relay that was frozen may send late copies, after newer records. `transaction`: the log never goes back."""


class Fence(Protocol):
    """The producers of a relay's lanes. Lanes are taken under the epoch of their lease before anything is sent from them."""

    portion: int | None
    """How many records of a lane travel together at most; None: any number."""
    keeps_marks: bool
    """Whether the marks of what is sent are noted; else nobody need make them."""

    @property
    def is_replaced(self) -> bool:
        """Whether a client is a new one that has not found a broker yet."""

    def open(self) -> None:
        """Connects what is needed before a lane is taken."""

    def untaken(self, epochs: Mapping[int, int]) -> frozenset[int]:
        """Those of the lanes that have to be taken first."""

    async def take(self, epochs: Mapping[int, int], *, held: Callable[[], Awaitable[Mapping[int, int]]]) -> None:
        """Shuts former owners of the untaken lanes out. ``held`` asks the database afterwards which lanes are ours; raises Outage."""

    def producer(self, lane: int) -> Producer:
        """The producer of a lane that is taken."""

    async def sent(self, lane: int, topics: Collection[str]) -> AbstractSet[bytes]:
        """Marks of rows that are in these topics for good, although they may still be in the outbox; raises Outage."""

    def purge(self) -> None:
        """Drops what is not on the wire."""

    async def close(self) -> None:
        """Ends the clients."""


class LeaseFence:
    """One producer for all lanes; that a lane is ours is told by the lease alone."""

    portion: int | None = None
    keeps_marks = False

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    @property
    def is_replaced(self) -> bool:
        """Whether the client is a new one that has not found a broker yet."""
        return bool(getattr(self._producer, "is_replaced", False))

    def open(self) -> None:
        """Connects the producer."""
        self._producer.open()

    def untaken(self, epochs: Mapping[int, int]) -> frozenset[int]:  # noqa: ARG002  # the lease takes lanes
        """None."""
        return frozenset()

    async def take(self, epochs: Mapping[int, int], *, held: Callable[[], Awaitable[Mapping[int, int]]]) -> None:
        """Nobody is shut out."""

    def producer(self, lane: int) -> Producer:  # noqa: ARG002  # all have the same
        """The one producer."""
        return self._producer

    async def sent(self, lane: int, topics: Collection[str]) -> AbstractSet[bytes]:  # noqa: ARG002  # nobody knows
        """Nothing is known: what was sent and not deleted is sent again."""
        return frozenset()

    def purge(self) -> None:
        """Drops what is not on the wire."""
        self._producer.purge()

    async def close(self) -> None:
        """Ends the producer."""
        await self._producer.close()
