"""Publishing directly, without an outbox: answered by the broker's acknowledgement. For what no transaction has to cover."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from treaty_runtime import hooks as seen
from treaty_runtime.clock import EPOCH, utcnow
from treaty_runtime.errors import PublishFailed, QueueFull, RegistryUnavailable
from treaty_runtime.event import Event, Place
from treaty_runtime.hooks import Hooks
from treaty_runtime.publish.record_key import diagnostic_key, key_of
from treaty_runtime.transport import Delivery, FaultKind, Outgoing, Producer
from treaty_runtime.wire.event_id import new_event_id
from treaty_runtime.wire.headers import dataschema_of, event_headers, source_of
from treaty_runtime.wire.serde import UNKNOWN_ID, Serde

PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where the broker put an event, when by its record's timestamp, and as what."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    event_id: UUID
    schema_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """An event ready to go."""

    record: Outgoing
    event_id: UUID
    event_type: str
    schema_id: int


class Pending(Awaitable[Published]):
    """An event on its way: await it for its place, or for ``PublishFailed``."""

    def __init__(self, future: asyncio.Future[Published], *, event_id: UUID) -> None:
        self._future, self.event_id = future, event_id

    def __await__(self) -> Generator[Any, None, Published]:
        """The answer."""
        return self._future.__await__()


class Publisher:
    """Publishes events of generated classes. ``entropy(n)`` gives random bytes for event ids."""

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
    ) -> None:
        self._producer, self._serde = producer, serde
        self._service, self._registry_url = service, registry_url
        self._entropy, self._now = entropy, now
        self._hooks = hooks if hooks is not None else Hooks()

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

        Raises ``EncodeError``, ``InvalidKey``, ``SchemaNotRegistered`` for what the caller did wrong, ``PublishFailed`` for the rest.
        """
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                parcel = await self._pack(
                    event,
                    key=key,
                    headers=headers,
                    event_id=event_id,
                    correlation_id=correlation_id,
                    causation_id=causation_id,
                )
                future = await self._send(parcel)
                return await future
        except TimeoutError:
            reason = f"No acknowledgement within {timeout.total_seconds():g} s."
            raise PublishFailed(reason, is_retriable=True) from None

    async def publish_many(self, events: Iterable[Event], *, timeout: timedelta = PATIENCE) -> list[Published]:  # noqa: ASYNC109  # as in publish
        """Sends events in order with one wait for all.

        After all have settled, ``PublishFailed.failures`` names each index that failed; the others are published.
        """
        batch = _Batch(asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                # All are packed before the first is sent: an event that cannot be encoded fails the call, not half of it.
                for index, parcel in enumerate([await self._pack(event) for event in events]):
                    batch.open += 1
                    await self._produce(parcel, partial(self._settled_one, batch, index, parcel, monotonic()))
                batch.seal()
                await batch.done
        except TimeoutError:
            reason = f"No acknowledgement of {batch.open} events within {timeout.total_seconds():g} s."
            raise PublishFailed(reason, is_retriable=True, failures=batch.failures) from None
        if batch.failures:
            reason = f"{len(batch.failures)} of {len(batch.failures) + len(batch.published)} events were not published."
            raise PublishFailed(reason, is_retriable=batch.is_retriable, failures=batch.failures)
        return [batch.published[index] for index in sorted(batch.published)]

    def publish_nowait(
        self, event: Event, *, key: str | None = None, headers: Mapping[str, bytes] | None = None
    ) -> Pending:
        """Sends without waiting; ``QueueFull`` if there is no room. The class must be known: see ``Serde.warm``."""
        parcel = self._wrap(event, key=key, headers=headers)
        if parcel.schema_id == UNKNOWN_ID:
            reason = f"The schema id of {event.__avro_fullname__} is not known yet: warm the runtime first."
            raise PublishFailed(reason, is_retriable=True)
        future: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        self._producer.produce(parcel.record, partial(self._settled, parcel, future, monotonic()))
        future.add_done_callback(_read)
        return Pending(future, event_id=parcel.event_id)

    async def _pack(self, event: Event, **options: Any) -> _Parcel:
        try:
            await self._serde.schema_id(type(event))
        except RegistryUnavailable as error:
            raise PublishFailed(str(error), is_retriable=True) from error
        return self._wrap(event, **options)

    def _wrap(
        self,
        event: Event,
        *,
        key: str | None = None,
        headers: Mapping[str, bytes] | None = None,
        event_id: UUID | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
    ) -> _Parcel:
        now = self._now()
        encoded = self._serde.encode(event)
        identity = event_id if event_id is not None else new_event_id(now, entropy=self._entropy(10))
        record_key = key_of(event, given=key)
        if record_key is None:
            record_key = diagnostic_key(identity)
            missing = seen.KeyMissing(topic=event.__topic__, event_type=event.__event_type__, event_id=identity)
            self._hooks(missing)
        sealed = event_headers(
            event_id=identity,
            source=source_of(event.__avro_fullname__, self._service),
            type=event.__event_type__,
            time=now,
            subject=record_key,
            dataschema=dataschema_of(self._registry_url, encoded.schema_id),
            correlation_id=correlation_id if correlation_id is not None else identity,
            causation_id=causation_id,
            extra=headers,
        )
        record = Outgoing(topic=event.__topic__, key=record_key.encode(), value=encoded.value, headers=sealed)
        return _Parcel(record=record, event_id=identity, event_type=event.__event_type__, schema_id=encoded.schema_id)

    async def _send(self, parcel: _Parcel) -> asyncio.Future[Published]:
        future: asyncio.Future[Published] = asyncio.get_running_loop().create_future()
        await self._produce(parcel, partial(self._settled, parcel, future, monotonic()))
        return future

    async def _produce(self, parcel: _Parcel, done: Callable[[Delivery], None]) -> None:
        while True:
            try:
                self._producer.produce(parcel.record, done)
            except QueueFull:
                await self._producer.room()
            else:
                return

    def _settled(self, parcel: _Parcel, future: asyncio.Future[Published], began: float, delivery: Delivery) -> None:
        answer = self._judge(parcel, began, delivery)
        if future.done():
            return  # the caller gave up waiting
        if isinstance(answer, PublishFailed):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    def _settled_one(self, batch: _Batch, index: int, parcel: _Parcel, began: float, delivery: Delivery) -> None:
        batch.settle(index, self._judge(parcel, began, delivery))

    def _judge(self, parcel: _Parcel, began: float, delivery: Delivery) -> Published | PublishFailed:
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
            )
            self._hooks(refused)
            return PublishFailed(f"{name}: {text}", is_retriable=kind in {FaultKind.OUTAGE, FaultKind.FENCED})
        if self._hooks:
            self._tell(parcel, place, monotonic() - began)
        return Published(
            topic=place.topic,
            partition=place.partition,
            offset=place.offset,
            timestamp=EPOCH + timedelta(milliseconds=max(delivery.timestamp_ms, 0)),
            event_id=parcel.event_id,
            schema_id=parcel.schema_id,
        )

    def _tell(self, parcel: _Parcel, place: Place, seconds: float) -> None:
        self._hooks(
            seen.Published(
                topic=place.topic, event_type=parcel.event_type, event_id=parcel.event_id, place=place, seconds=seconds
            )
        )


class _Batch:
    """Counts the answers of ``publish_many``: one future for all instead of one each."""

    def __init__(self, done: asyncio.Future[None]) -> None:
        self.done, self.open, self.is_sealed = done, 0, False
        self.published: dict[int, Published] = {}
        self.failures: dict[int, str] = {}
        self.is_retriable = True

    def settle(self, index: int, answer: Published | PublishFailed) -> None:
        self.open -= 1
        if isinstance(answer, PublishFailed):
            self.failures[index] = answer.reason
            self.is_retriable = self.is_retriable and answer.is_retriable
        else:
            self.published[index] = answer
        self._finish()

    def seal(self) -> None:
        self.is_sealed = True
        self._finish()

    def _finish(self) -> None:
        if self.is_sealed and self.open == 0 and not self.done.done():
            self.done.set_result(None)


def _read(future: asyncio.Future[Published]) -> None:
    """A Pending that nobody awaits is no forgotten error: the hook has told it."""
    if not future.cancelled():
        future.exception()
