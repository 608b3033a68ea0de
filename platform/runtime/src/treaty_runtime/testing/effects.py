"""Effects in memory: an inbox that is a set, staging that reaches the broker only if the handler succeeds, faults on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from treaty_runtime.errors import Outage
from treaty_runtime.event import BatchContext, BatchHandle, Context, Effects, Envelope, Event, Handle, Outcome
from treaty_runtime.job import Job

Send = Callable[..., UUID]
"""Publishes an event with the options of ``Stage``; answers its id."""


@dataclass(slots=True)
class MemorySession:
    """What one handler staged and scheduled; stands in for a database session."""

    staged: list[Callable[[], object]] = field(default_factory=list)
    jobs: list[tuple[Job, bool]] = field(default_factory=list)
    """With whether each replaces an earlier one."""


class MemoryEffects:
    """Runs handlers as with a database: once per event id, and nothing of a failed one is published."""

    def __init__(self, *, send: Send, new_id: Callable[[], UUID]) -> None:
        self._send, self._new_id = send, new_id
        self._handled: set[tuple[str, UUID]] = set()
        self._jobs: dict[tuple[str, str], Job] = {}

    @property
    def jobs(self) -> list[Job]:
        """What handlers that succeeded scheduled: one for each queue and id, as in the table."""
        return list(self._jobs.values())

    async def run(
        self, envelope: Envelope[Any], *, group: str, handle: Handle, deadline: datetime, inbox: bool = True
    ) -> Outcome:
        """Calls the handler unless the group has handled the event."""
        seen = (group, envelope.id)
        if inbox and seen in self._handled:
            return Outcome.DUPLICATE
        session: Any = MemorySession()
        context = Context(
            envelope=envelope, deadline=deadline, open_session=session, stager=self.stage, scheduler=self.schedule
        )
        await handle(context)
        if inbox:
            self._handled.add(seen)
        self._commit(session)
        return Outcome.HANDLED

    async def run_batch(
        self,
        envelopes: Sequence[Envelope[Any]],
        *,
        group: str,
        handle: BatchHandle,
        deadline: datetime,
        inbox: bool = True,
    ) -> list[Outcome]:
        """The same for several events at once."""
        fresh = list(envelopes)
        if inbox:  # of two of one id the first, as the inbox's table takes them
            firsts = {each.id: each for each in reversed(envelopes) if (group, each.id) not in self._handled}
            fresh = [each for each in envelopes if firsts.get(each.id) is each]
        session: Any = MemorySession()
        if fresh:
            await handle(
                BatchContext(
                    envelopes=fresh, deadline=deadline, open_session=session, stager=self.stage, scheduler=self.schedule
                )
            )
        self._handled |= {(group, each.id) for each in fresh if inbox}
        self._commit(session)
        handled = {id(each) for each in fresh}
        return [Outcome.HANDLED if id(each) in handled else Outcome.DUPLICATE for each in envelopes]

    def stage(
        self,
        session: Any,
        event: Event,
        *,
        key: str | None = None,
        event_id: UUID | None = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> UUID:
        """Publishes the event if the handler succeeds."""
        identity = event_id if event_id is not None else self._new_id()
        session.staged.append(
            partial(
                self._send,
                event,
                key=key,
                event_id=identity,
                correlation_id=correlation_id,
                causation_id=causation_id,
                headers=headers,
            )
        )
        return identity

    def schedule(self, session: Any, job: Job, *, replace: bool = False) -> None:
        """Remembers the job if the handler succeeds; the same queue and id again changes nothing, unless ``replace``.

        Raises ``InvalidJob``.
        """
        job.check()
        session.jobs.append((job, replace))

    def _commit(self, session: MemorySession) -> None:
        for send in session.staged:
            send()
        for job, replaces in session.jobs:
            name = (job.queue, job.id)
            self._jobs[name] = job if replaces else self._jobs.get(name, job)


class FaultyEffects:
    """Other effects with faults on demand: named classes fail so many times, a dependency is away."""

    def __init__(self, inner: Effects) -> None:
        self._inner = inner
        self._faults: dict[type[Any], list[Exception]] = {}
        self.away: str | None = None

    def fail(self, event: type[Any], *, times: int, error: Exception) -> None:
        """The next ``times`` attempts at events of the class raise ``error`` inside the transaction."""
        self._faults.setdefault(event, []).extend([error] * times)

    async def run(
        self, envelope: Envelope[Any], *, group: str, handle: Handle, deadline: datetime, inbox: bool = True
    ) -> Outcome:
        """Runs the inner effects, with a handler that fails if it is its turn."""
        if self.away is not None:
            raise Outage(f"The {self.away} is away.", dependency=self.away)
        faults = self._faults.get(type(envelope.event))
        failing = partial(_raise, faults.pop(0)) if faults else handle
        return await self._inner.run(envelope, group=group, handle=failing, deadline=deadline, inbox=inbox)

    async def run_batch(
        self,
        envelopes: Sequence[Envelope[Any]],
        *,
        group: str,
        handle: BatchHandle,
        deadline: datetime,
        inbox: bool = True,
    ) -> list[Outcome]:
        """The same for several events: one that is to fail fails the batch, until it is alone."""
        if self.away is not None:
            raise Outage(f"The {self.away} is away.", dependency=self.away)
        failing = next((faults for each in envelopes if (faults := self._faults.get(type(each.event)))), None)
        if failing:
            handle = partial(_raise_in_batch, failing.pop(0) if len(envelopes) == 1 else failing[0])
        return await self._inner.run_batch(envelopes, group=group, handle=handle, deadline=deadline, inbox=inbox)


async def _raise_in_batch(error: Exception, _context: BatchContext) -> None:
    raise error


async def _raise(error: Exception, _context: Context) -> None:
    raise error
