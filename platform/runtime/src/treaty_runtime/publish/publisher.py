"""Publishing directly, without an outbox: answered by the broker's acknowledgement. For what no transaction has to cover."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from treaty_runtime import hooks as seen
from treaty_runtime.clock import utcnow
from treaty_runtime.errors import PublishFailed, QueueFull, RegistryUnavailable
from treaty_runtime.event import Event, Place
from treaty_runtime.hooks import Hooks
from treaty_runtime.publish.answers import Batch, Published
from treaty_runtime.publish.parcel import Packing, Parcel
from treaty_runtime.publish.patience import Patience
from treaty_runtime.transport import Delivery, FaultKind, Producer
from treaty_runtime.wire.serde import UNKNOWN_ID, Serde

PATIENCE = timedelta(seconds=30)


class Pending(Awaitable[Published]):
    """An event on its way: await it for its place, or for ``PublishFailed``."""

    def __init__(self, future: asyncio.Future[Published], *, event_id: UUID) -> None:
        self._future, self.event_id = future, event_id

    def __await__(self) -> Generator[Any, None, Published]:
        """The answer."""
        return self._future.__await__()


class Publisher:
    """Publishes events of generated classes. ``entropy(n)`` gives random bytes for event ids, ``trace`` the current span's W3C headers."""

    def __init__(
        self,
        producer: Producer,
        serde: Serde,
        *,
        service: str,
        registry_url: str,
        entropy: Callable[[int], bytes],
        hooks: Hooks | None = None,
        now: Callable[[], datetime] = utcnow,
        trace: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._producer, self._serde = producer, serde
        self._hooks = hooks if hooks is not None else Hooks()
        self._patience = Patience()
        self._packing = Packing(
            serde, service=service, registry_url=registry_url, entropy=entropy, now=now, hooks=self._hooks, trace=trace
        )

    async def publish(
        self,
        event: Event,
        *,
        key: str | None = None,
        headers: Mapping[str, bytes] | None = None,
        event_id: UUID | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        timeout: timedelta = PATIENCE,  # noqa: ASYNC109  # a promise to the caller: no answer is an error too
    ) -> Published:
        """Sends one event and waits for the broker.

        ``timeout`` is for each wait: for the registry and for room in the queue, which are seldom, and for the answer. Raises
        ``EncodeError``, ``InvalidKey``, ``InvalidHeaders``, ``SchemaNotRegistered`` for what the caller did wrong, ``PublishFailed``
        for the rest.
        """
        seconds = timeout.total_seconds()
        if not self._serde.knows(type(event)):
            await self._look_up({type(event)}, seconds)
        parcel = self._packing.pack(
            event, key=key, headers=headers, event_id=event_id, correlation_id=correlation_id, causation_id=causation_id
        )
        future: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        done = partial(self._settled, parcel, future, monotonic())
        try:
            self._producer.produce(parcel.record, done)
        except QueueFull:
            await self._produce_later(parcel, done, seconds)
        self._patience.watch(future, seconds, _unanswered)
        return await future

    async def publish_many(self, events: Iterable[Event], *, timeout: timedelta = PATIENCE) -> list[Published]:  # noqa: ASYNC109  # as in publish
        """Sends events in order with one wait for all.

        After all have settled, ``PublishFailed.failures`` names each index that failed; the others are published.
        """
        seconds, events = timeout.total_seconds(), list(events)
        unknown = {cls for cls in map(type, events) if not self._serde.knows(cls)}
        if unknown:
            await self._look_up(unknown, seconds)
        # All are packed before the first is sent: an event that cannot be encoded fails the call, not half of it.
        parcels = self._packing.pack_all(events)
        batch, began = Batch(asyncio.get_running_loop().create_future(), size=len(parcels)), monotonic()
        for index, parcel in enumerate(parcels):
            done = partial(self._settled_one, batch, index, parcel, began)
            try:
                try:
                    self._producer.produce(parcel.record, done)
                except QueueFull:
                    await self._produce_later(parcel, done, seconds)
            except PublishFailed as failed:
                for unsent in range(index, len(parcels)):
                    batch.settle(unsent, failed)
                break
        self._patience.watch(batch.done, seconds, batch.unanswered)
        await batch.done
        if batch.failures:
            raise batch.failed()
        return [batch.published[index] for index in sorted(batch.published)]

    def publish_nowait(
        self, event: Event, *, key: str | None = None, headers: Mapping[str, bytes] | None = None
    ) -> Pending:
        """Sends without waiting; ``QueueFull`` if there is no room. The class must be known: see ``Serde.warm``."""
        parcel = self._packing.pack(event, key=key, headers=headers)
        if parcel.schema_id == UNKNOWN_ID:
            reason = f"The schema id of {event.__avro_fullname__} is not known yet: warm the runtime first."
            raise PublishFailed(reason, is_retriable=True)
        future: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        self._producer.produce(parcel.record, partial(self._settled, parcel, future, monotonic()))
        future.add_done_callback(_read)
        return Pending(future, event_id=parcel.event_id)

    async def _look_up(self, classes: Iterable[type[Event]], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._serde.warm(classes)
        except TimeoutError:
            raise _unanswered(seconds) from None
        except RegistryUnavailable as error:
            raise PublishFailed(str(error), is_retriable=True) from error

    async def _produce_later(self, parcel: Parcel, done: Callable[[Delivery], None], seconds: float) -> None:
        """Waits for room, as long as for an answer."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._producer.room()
                    with suppress(QueueFull):
                        self._producer.produce(parcel.record, done)
                        return
        except TimeoutError:
            raise _unanswered(seconds) from None

    def _settled(self, parcel: Parcel, future: asyncio.Future[Published], began: float, delivery: Delivery) -> None:
        answer = self._judge(parcel, began, delivery)
        if future.done():
            return  # the caller gave up waiting
        if isinstance(answer, PublishFailed):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    def _settled_one(self, batch: Batch, index: int, parcel: Parcel, began: float, delivery: Delivery) -> None:
        batch.settle(index, self._judge(parcel, began, delivery))

    def _judge(self, parcel: Parcel, began: float, delivery: Delivery) -> Published | PublishFailed:
        place, fault = delivery.place, delivery.fault
        if place is None or fault is not None:
            name, text, kind = (
                (fault.name, fault.text, fault.kind) if fault else ("unknown", "no answer", FaultKind.OUTAGE)
            )
            refused = seen.PublishRefused(
                topic=parcel.record.topic,
                event_type=parcel.event_type,
                event_id=parcel.event_id,
                error_type=name,
                reason=text,
                trace=parcel.trace,
            )
            self._hooks(refused)
            return PublishFailed(f"{name}: {text}", is_retriable=kind in {FaultKind.OUTAGE, FaultKind.FENCED})
        if self._hooks.are_heard:
            self._tell(parcel, place, monotonic() - began)
        return Published(place, delivery.timestamp_ms, parcel.event_id, parcel.schema_id)

    def _tell(self, parcel: Parcel, place: Place, seconds: float) -> None:
        self._hooks(
            seen.Published(
                topic=place.topic,
                event_type=parcel.event_type,
                event_id=parcel.event_id,
                place=place,
                seconds=seconds,
                trace=parcel.trace,
            )
        )


def _unanswered(seconds: float) -> PublishFailed:
    return PublishFailed(f"No acknowledgement within {seconds:g} s.", is_retriable=True)


def _read(future: asyncio.Future[Published]) -> None:
    """A Pending that nobody awaits is no forgotten error: the hook has told it."""
    if not future.cancelled():
        future.exception()
