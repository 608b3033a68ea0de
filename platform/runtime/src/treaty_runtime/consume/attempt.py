"""One attempt at one record: find the handler, decode, begin it inside ``Effects``, and say how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from treaty_runtime import hooks as seen
from treaty_runtime.clock import Clock
from treaty_runtime.consume.copies import Told
from treaty_runtime.consume.reader import NO_HANDLER, Reader, Route
from treaty_runtime.errors import HandlerCancelled, HandlerTimeout
from treaty_runtime.event import Context, Effects, Envelope, Outcome, Place, Record
from treaty_runtime.handlers import Handler
from treaty_runtime.held import AlreadyReleased
from treaty_runtime.hooks import Hooks
from treaty_runtime.limits import OnFailure
from treaty_runtime.spans import Spans
from treaty_runtime.wire.failure import describe
from treaty_runtime.wire.headers import trace_id_of
from treaty_runtime.wire.personal import personal_values

Releasing = Callable[[Callable[[Any], Awaitable[None]], Place], Callable[[Any], Awaitable[None]]]
"""Wraps a handler's call so that the row of the held record at the place goes in the same transaction."""


class Attempt:
    """Attempt ``number`` at a record, and how far it came.

    ``deadline`` is set when the handler begins; who finds it passed sets ``is_overdue`` and cancels the job. ``is_held``: the
    record lies in the table of held ones.
    """

    # One is made for each record: what most attempts never set is read from the class.
    deadline: datetime | None = None
    is_overdue = is_held = False
    handler: Handler | None = None
    envelope: Envelope[Any] | None = None
    began: datetime | None = None

    def __init__(self, place: Place, epoch: int, number: int, record: Record) -> None:
        self.place, self.epoch, self.number, self.record = place, epoch, number, record

    def concerns(self, partition: tuple[str, int], epoch: int) -> bool:
        """Whether it belongs to that assignment, or an older one, of the partition."""
        return self.place[:2] == partition and self.epoch <= epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The attempt raised."""

    error: Exception
    told: Told
    on_failure: OnFailure


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nobody handles the record."""

    reason: str


Ended = Outcome | Skipped | Failed

_SKIPPED = Skipped(NO_HANDLER)


async def _skip() -> Skipped:
    return _SKIPPED


class Gathered(Enum):
    """The record is decoded and waits for others."""

    GATHERED = "gathered"


async def _gathered() -> Gathered:
    return Gathered.GATHERED


class Attempts:
    """Runs the attempts of one group. Without ``effects`` handlers have no transaction and nothing is remembered."""

    def __init__(
        self,
        reader: Reader,
        effects: Effects | None,
        *,
        group: str,
        clock: Clock,
        hooks: Hooks,
        is_gathered: Callable[[Handler], bool] | None,
        releasing: Releasing,
        spans: Spans | None = None,
    ) -> None:
        self._spans = spans
        self._reader, self._effects, self._is_gathered = reader, effects, is_gathered
        self._releasing = releasing
        self._group, self._now, self._hooks = group, clock.now, hooks

    def begin(self, attempt: Attempt) -> Awaitable[object]:
        """Decodes the record and answers the handler's coroutine; raises, or its coroutine does, what makes the attempt fail."""
        attempt.began = self._now()
        route = self._reader.known(attempt.record)
        return self._asked(attempt) if route is None else self._called(attempt, route)

    def ended(self, attempt: Attempt, became: object) -> Ended:
        """How the attempt ended, from what its coroutine answered or raised."""
        if became is None and not self._hooks.are_heard:  # most of them
            return Outcome.HANDLED
        if isinstance(became, asyncio.CancelledError):
            became = _timeout(attempt.handler) if attempt.is_overdue else HandlerCancelled()
        if isinstance(became, AlreadyReleased):
            became = Outcome.DUPLICATE
        if isinstance(became, Exception):
            return self._failed(attempt, became)
        if became is _SKIPPED:
            return _SKIPPED
        outcome = Outcome.DUPLICATE if became is Outcome.DUPLICATE and self._effects is not None else Outcome.HANDLED
        if self._hooks.are_heard:
            self._tell(attempt, outcome)
        return outcome

    def _called(self, attempt: Attempt, route: Route) -> Awaitable[object]:
        handler = attempt.handler = route.handler
        if handler is None:
            return _skip()
        envelope = attempt.envelope = self._reader.open(attempt.record, route, attempt=attempt.number)
        if self._is_gathered is not None and self._is_gathered(handler):
            return _gathered()
        attempt.deadline = (attempt.began or self._now()) + handler.timeout
        work = self._handled(attempt, handler, envelope, attempt.deadline)
        if self._spans is None:
            return work
        topic = self._reader.topic_of(attempt.record)
        return self._spans.around(work, group=self._group, topic=topic, envelopes=(envelope,))

    def _handled(
        self, attempt: Attempt, handler: Handler, envelope: Envelope[Any], deadline: datetime
    ) -> Awaitable[object]:
        if self._effects is None:
            context = Context(envelope=envelope, deadline=deadline)
            return handler.call(envelope if handler.takes == "envelope" else envelope.event, context)
        handle = handler.bind(envelope)
        if attempt.is_held:
            handle = self._releasing(handle, attempt.place)
        return self._effects.run(envelope, group=self._group, handle=handle, deadline=deadline, inbox=handler.inbox)

    async def _asked(self, attempt: Attempt) -> object:
        return await self._called(attempt, await self._reader.find(attempt.record))

    def _failed(self, attempt: Attempt, error: Exception) -> Failed:
        envelope, handler = attempt.envelope, attempt.handler
        told = Told(
            failure=describe(error, secrets=personal_values(envelope.event) if envelope is not None else ()),
            handler=handler.name if handler is not None else "",
            event_type=envelope.type if envelope is not None else "",
            topic=self._reader.topic_of(attempt.record),
            event_id=None if envelope is None else envelope.id,
            trace_id="" if envelope is None else trace_id_of(envelope.headers),
        )
        if self._hooks.are_heard:
            self._hooks(
                seen.Failed(
                    group=self._group,
                    topic=told.topic,
                    event_type=_type_of(envelope),
                    event_id=told.event_id,
                    place=attempt.place,
                    attempt=attempt.number,
                    handler=told.handler,
                    seconds=self._seconds(attempt),
                    error=error,
                    trace_id=told.trace_id,
                )
            )
        return Failed(error=error, told=told, on_failure=handler.on_failure if handler is not None else "skip")

    def _tell(self, attempt: Attempt, outcome: Outcome) -> None:
        envelope, handler = attempt.envelope, attempt.handler
        if envelope is None or handler is None:
            return
        common: dict[str, Any] = {
            "group": self._group,
            "topic": self._reader.topic_of(attempt.record),
            "event_type": _type_of(envelope),
            "event_id": envelope.id,
            "place": attempt.place,
        }
        if outcome is Outcome.DUPLICATE:
            self._hooks(seen.Duplicate(**common))
            return
        self._hooks(
            seen.Handled(
                **common,
                attempt=attempt.number,
                handler=handler.name,
                seconds=self._seconds(attempt),
                latency_seconds=(self._now() - envelope.time).total_seconds(),
            )
        )

    def _seconds(self, attempt: Attempt) -> float:
        now = self._now()
        return (now - (attempt.began or now)).total_seconds()


def _type_of(envelope: Envelope[Any] | None) -> str:
    """The type of the decoded event: observers count by it, and a header may hold any text."""
    return str(getattr(envelope.event, "__event_type__", "")) if envelope is not None else ""


def _timeout(handler: Handler | None) -> HandlerTimeout:
    if handler is None:
        return HandlerTimeout()
    return HandlerTimeout(f"{handler.name} did not finish within {handler.timeout.total_seconds():g} s.")
