"""One attempt at one record: find the handler, decode, call it inside ``Effects``, and say how it ended. Never raises."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from treaty_runtime import hooks as seen
from treaty_runtime.clock import Clock
from treaty_runtime.consume.copies import Told
from treaty_runtime.consume.reader import NO_HANDLER, Reader
from treaty_runtime.errors import HandlerTimeout
from treaty_runtime.event import Effects, Envelope, Outcome, Place, Record
from treaty_runtime.handlers import Handler
from treaty_runtime.hooks import Hooks
from treaty_runtime.limits import OnFailure
from treaty_runtime.wire.failure import describe
from treaty_runtime.wire.personal import personal_values


@dataclass(slots=True, eq=False)
class Attempt:
    """Attempt ``number`` at a record, and how far it came.

    ``deadline`` is set when the handler begins; who finds it passed sets ``is_overdue`` and cancels the job.
    """

    place: Place
    epoch: int
    number: int
    record: Record
    began: datetime | None = None
    deadline: datetime | None = None
    is_overdue: bool = False
    handler: Handler | None = None
    envelope: Envelope[Any] | None = None


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


class Attempts:
    """Runs the attempts of one group."""

    def __init__(self, reader: Reader, effects: Effects, *, group: str, clock: Clock, hooks: Hooks) -> None:
        self._reader, self._effects = reader, effects
        self._group, self._clock, self._hooks = group, clock, hooks

    async def run(self, attempt: Attempt) -> Ended:
        """Runs it to its end; raises only ``CancelledError``, when its partition has gone or the process stops."""
        began = attempt.began = self._clock.now()
        try:
            route, headers = self._reader.known(attempt.record)
            if route is None:
                route = await self._reader.find(attempt.record, headers)
            handler = attempt.handler = route.handler
            if handler is None:
                return _SKIPPED
            envelope = attempt.envelope = self._reader.open(attempt.record, route, headers, attempt=attempt.number)
            deadline = attempt.deadline = began + handler.timeout
            ended = await self._effects.run(
                envelope, group=self._group, handle=handler.bind(envelope), deadline=deadline, inbox=handler.inbox
            )
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not attempt.is_overdue or task is None:
                raise
            task.uncancel()
            return self._failed(attempt, _timeout(attempt.handler))
        except Exception as error:  # noqa: BLE001  # what it means is decided by classification, not here
            return self._failed(attempt, error)
        if self._hooks:
            self._tell(attempt, ended)
        return ended

    def _failed(self, attempt: Attempt, error: Exception) -> Failed:
        envelope, handler = attempt.envelope, attempt.handler
        told = Told(
            failure=describe(error, secrets=personal_values(envelope.event) if envelope is not None else ()),
            handler=handler.name if handler is not None else "",
            event_type=envelope.type if envelope is not None else "",
        )
        if self._hooks:
            self._hooks(
                seen.Failed(
                    group=self._group,
                    topic=attempt.place.topic if envelope is None else envelope.origin.topic,
                    event_type=told.event_type,
                    event_id=None if envelope is None else envelope.id,
                    place=attempt.place,
                    attempt=attempt.number,
                    handler=told.handler,
                    seconds=self._seconds(attempt),
                    error=error,
                )
            )
        return Failed(error=error, told=told, on_failure=handler.on_failure if handler is not None else "skip")

    def _tell(self, attempt: Attempt, outcome: Outcome) -> None:
        envelope, handler = attempt.envelope, attempt.handler
        if envelope is None or handler is None:
            return
        common: dict[str, Any] = {
            "group": self._group,
            "topic": envelope.origin.topic,
            "event_type": envelope.type,
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
                latency_seconds=(self._clock.now() - envelope.time).total_seconds(),
            )
        )

    def _seconds(self, attempt: Attempt) -> float:
        now = self._clock.now()
        return (now - (attempt.began or now)).total_seconds()


def _timeout(handler: Handler | None) -> HandlerTimeout:
    if handler is None:
        return HandlerTimeout()
    return HandlerTimeout(f"{handler.name} did not finish within {handler.timeout.total_seconds():g} s.")
