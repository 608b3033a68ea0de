"""One attempt at one record: find the handler, decode, call it inside ``Effects``, and say how it ended. Never raises."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from treaty_runtime import hooks as seen
from treaty_runtime.clock import Clock
from treaty_runtime.copies import Told
from treaty_runtime.errors import HandlerTimeout
from treaty_runtime.event import Effects, Envelope, Outcome, Place, Record
from treaty_runtime.facts import OnFailure
from treaty_runtime.failure import describe
from treaty_runtime.handlers import Handler
from treaty_runtime.hooks import Hooks
from treaty_runtime.personal import personal_values
from treaty_runtime.reader import NO_HANDLER, Reader


@dataclass(slots=True, eq=False)
class Attempt:
    """Attempt ``number`` at a record. ``deadline`` is set when the handler begins; who finds it passed cancels the job."""

    place: Place
    epoch: int
    number: int
    record: Record
    deadline: datetime | None = None
    is_overdue: bool = False


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


@dataclass(slots=True, eq=False)
class _Progress:
    """How far an attempt came, for whoever reports it."""

    began: datetime
    handler: Handler | None = None
    envelope: Envelope[Any] | None = None


class Attempts:
    """Runs the attempts of one group."""

    def __init__(self, reader: Reader, effects: Effects, *, group: str, clock: Clock, hooks: Hooks) -> None:
        self._reader, self._effects = reader, effects
        self._group, self._clock, self._hooks = group, clock, hooks

    async def run(self, attempt: Attempt) -> Ended:
        """Runs it to its end; raises only ``CancelledError``, when its partition has gone or the process stops."""
        progress = _Progress(self._clock.now())
        try:
            ended = await self._handle(attempt, progress)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not attempt.is_overdue or task is None:
                raise
            task.uncancel()
            return self._failed(attempt, progress, _timeout(progress.handler))
        except Exception as error:  # noqa: BLE001 (what it means is decided by classification, not here)
            return self._failed(attempt, progress, error)
        if self._hooks and isinstance(ended, Outcome):
            self._tell(attempt, progress, ended)
        return ended

    async def _handle(self, attempt: Attempt, progress: _Progress) -> Outcome | Skipped:
        route, headers = self._reader.known(attempt.record)
        if route is None:
            route = await self._reader.find(attempt.record, headers)
        handler = progress.handler = route.handler
        if handler is None:
            return _SKIPPED
        envelope = progress.envelope = self._reader.open(attempt.record, route, headers, attempt=attempt.number)
        attempt.deadline = self._clock.now() + handler.timeout
        return await self._effects.run(
            envelope,
            group=self._group,
            handle=partial(handler.run, envelope),
            deadline=attempt.deadline,
            inbox=handler.inbox,
        )

    def _failed(self, attempt: Attempt, progress: _Progress, error: Exception) -> Failed:
        envelope, handler = progress.envelope, progress.handler
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
                    seconds=(self._clock.now() - progress.began).total_seconds(),
                    error=error,
                )
            )
        return Failed(error=error, told=told, on_failure=handler.on_failure if handler is not None else "skip")

    def _tell(self, attempt: Attempt, progress: _Progress, outcome: Outcome) -> None:
        envelope, handler = progress.envelope, progress.handler
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
        now = self._clock.now()
        self._hooks(
            seen.Handled(
                **common,
                attempt=attempt.number,
                handler=handler.name,
                seconds=(now - progress.began).total_seconds(),
                latency_seconds=(now - envelope.time).total_seconds(),
            )
        )


def _timeout(handler: Handler | None) -> HandlerTimeout:
    if handler is None:
        return HandlerTimeout()
    return HandlerTimeout(f"{handler.name} did not finish within {handler.timeout.total_seconds():g} s.")
