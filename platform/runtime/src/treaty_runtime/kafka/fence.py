"""A fence by the broker: each lane of the outbox has a transactional id, and only the last who took it may append."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from treaty_runtime.kafka.config import Config, consumer_config, producer_config
from treaty_runtime.kafka.lane import PORTION, KafkaLane
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Producer

TRANSACTION = timedelta(seconds=20)
"""How long a transaction may be open: consumers wait that long for a relay that died and has no successor."""

_THREADS = 16


class KafkaFence:
    """Lanes with a client each. `service` is unique in the cluster: two outboxes of one name would shut each other out."""

    portion: int | None = PORTION
    keeps_marks = True
    is_replaced = False

    def __init__(self, settings: KafkaSettings, *, service: str) -> None:
        self._settings, self._service = settings, service
        self._lanes: dict[int, tuple[int, KafkaLane]] = {}
        # Blocking calls of a transaction must not keep the loop's own threads from other work.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="treaty-lane")

    def open(self) -> None:
        """Nothing: a lane's client connects as it is taken."""

    def untaken(self, epochs: Mapping[int, int]) -> frozenset[int]:
        """Those of the lanes that have to be taken first."""
        return frozenset(lane for lane, epoch in epochs.items() if not self._is_taken(lane, epoch))

    def _is_taken(self, lane: int, epoch: int) -> bool:
        taken = self._lanes.get(lane)
        return taken is not None and taken[0] == epoch and not taken[1].is_broken

    async def take(self, epochs: Mapping[int, int], *, held: Callable[[], Awaitable[Mapping[int, int]]]) -> None:
        """Shuts former owners of the untaken lanes out, then asks whether the lanes are still ours; raises Outage.

        Asked in this order no clock matters: who becomes the owner after the answer takes the lane at the broker after us.
        """
        await self._drop([lane for lane, (epoch, _) in self._lanes.items() if epochs.get(lane) != epoch])
        wanted = sorted(self.untaken(epochs))
        await self._drop([lane for lane in wanted if lane in self._lanes])
        opened = {lane: self._lane(lane) for lane in wanted}
        ours: Mapping[int, int] = {}
        try:
            await _all_taken(opened.values())
            ours = await held()
        finally:
            kept = {lane: each for lane, each in opened.items() if ours.get(lane) == epochs[lane]}
            self._lanes.update({lane: (epochs[lane], each) for lane, each in kept.items()})
            await asyncio.gather(*(each.close() for lane, each in opened.items() if lane not in kept))

    def producer(self, lane: int) -> Producer:
        """The producer of a lane that is taken."""
        return self._lanes[lane][1]

    async def sent(self, lane: int, topics: Collection[str]) -> AbstractSet[bytes]:
        """Marks of rows that are in these topics for good; raises Outage."""
        return await self._lanes[lane][1].sent(topics)

    def purge(self) -> None:
        """Gives the transactions under way up."""
        for _, each in self._lanes.values():
            each.purge()

    async def close(self) -> None:
        """Ends the clients."""
        await self._drop(list(self._lanes))
        self._threads.shutdown(wait=False)

    async def _drop(self, lanes: Collection[int]) -> None:
        gone = [self._lanes.pop(lane)[1] for lane in lanes]
        await asyncio.gather(*(each.close() for each in gone))

    def _lane(self, lane: int) -> KafkaLane:
        name = f"treaty-outbox-{self._service}-{lane}"
        config: Config = {
            **producer_config(self._settings, delivery_timeout=TRANSACTION, linger_ms=1),
            "transactional.id": name,
            "transaction.timeout.ms": TRANSACTION // timedelta(milliseconds=1),
        }
        return KafkaLane(config, reader=consumer_config(self._settings, group=name), threads=self._threads)


async def _all_taken(lanes: Iterable[KafkaLane]) -> None:
    """Waits for every one; raises what the first of them raised."""
    for failure in await asyncio.gather(*(each.take() for each in lanes), return_exceptions=True):
        if failure is not None:
            raise failure
