"""Several records in one call or one transaction: gathered as they come, split when they fail, down to the one at fault.

Law: a lane has one record in work at a time, in a batch too, so a batch never holds two of one key and may be split at any place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from treaty_runtime.classify import Kind, Rule, classify
from treaty_runtime.clock import Clock
from treaty_runtime.consume.attempt import Attempt, Releasing
from treaty_runtime.errors import BatchFailed
from treaty_runtime.event import BatchContext, BatchHandle, Effects, Envelope, Outcome, Place, Record
from treaty_runtime.handlers import Group, Handler
from treaty_runtime.spans import Spans

TRANSACTION_WAIT = timedelta(milliseconds=10)
"""How long a record waits for others of its transaction while workers are busy; it waits for none when nothing else is ready."""
_AGAIN = frozenset({Kind.OUTAGE, Kind.STALLED, Kind.CONFLICT})
_SPLIT = frozenset({Kind.FAILURE, Kind.POISON, Kind.CONFLICT, Kind.STALLED})
"""What one record of a batch can be at fault for; all others concern the batch as a whole. A smaller transaction meets fewer others."""


@dataclass(slots=True, eq=False)
class BatchJob:
    """Attempts that run together, as ``Attempt`` is one that runs alone."""

    attempts: list[Attempt]
    began: datetime | None = None
    deadline: datetime | None = None
    is_overdue: bool = False

    def concerns(self, partition: tuple[str, int], epoch: int) -> bool:
        """Whether one of them belongs to that assignment, or an older one, of the partition."""
        return any(each.concerns(partition, epoch) for each in self.attempts)


@dataclass(slots=True, eq=False)
class _Gathering:
    size: int
    within: timedelta
    attempts: list[Attempt] = field(default_factory=list)
    stop_waiting: Callable[[], None] = lambda: None


class Batches:
    """Gathers the attempts of one group, hands them to ``submit`` as jobs, and splits what failed."""

    def __init__(
        self,
        effects: Effects | None,
        *,
        group: Group,
        rules: Sequence[Rule],
        clock: Clock,
        submit: Callable[[BatchJob], None],
        releasing: Releasing,
        topic_of: Callable[[Record], str],
        spans: Spans | None = None,
    ) -> None:
        self._topic_of, self._spans = topic_of, spans
        self._effects, self._group, self._rules = effects, group.name, rules
        self._transaction_size, self._handlers = group.transaction_size, group.handlers
        self._clock, self._submit, self._releasing = clock, submit, releasing
        self._gatherings: dict[Handler | None, _Gathering] = {}
        self._alone: set[Place] = set()
        self.is_gathering = False
        """Whether anything waits for its batch; asked for every record."""

    @property
    def chooser(self) -> Callable[[Handler], bool] | None:
        """``takes``, or None where every record of the group runs alone."""
        is_needed = self._transaction_size > 1 or any(map(self.takes, self._handlers.events.values()))
        return self.takes if is_needed else None

    def takes(self, handler: Handler) -> bool:
        """Whether records of this handler run together with others."""
        return handler.takes == "batch" or (self._transaction_size > 1 and handler.inbox and not handler.external)

    def gather(self, attempt: Attempt) -> None:
        """Takes an attempt whose record is decoded. One that failed before, or is held, runs alone: it spoils no batch again."""
        handler = attempt.handler
        if handler is None or attempt.number > 1 or attempt.is_held or attempt.place in self._alone:
            self._alone.discard(attempt.place)
            self._submit(BatchJob([attempt]))
            return
        gathering = self._gathering(handler)
        gathering.attempts.append(attempt)
        self.is_gathering = True
        if len(gathering.attempts) >= gathering.size:
            self._flush(gathering)
        elif len(gathering.attempts) == 1:
            until = self._clock.now() + gathering.within
            gathering.stop_waiting = self._clock.call_at(until, lambda: self._flush(gathering))

    def nothing_else_is_ready(self, *, is_blocked: bool) -> None:
        """Transactions wait no longer, and batches do not if records wait behind theirs (``is_blocked``): no more would come."""
        for handler, gathering in tuple(self._gatherings.items()):
            if handler is None or is_blocked:
                self._flush(gathering)

    def flush(self) -> None:
        """All go now: partitions leave."""
        for gathering in tuple(self._gatherings.values()):
            self._flush(gathering)

    def forget(self, partition: tuple[str, int], epoch: int, *, withdrawn: Iterable[Attempt | BatchJob]) -> None:
        """Attempts of an assignment that has gone; those of others in jobs that were withdrawn with them run again."""
        for gathering in self._gatherings.values():
            gathering.attempts[:] = [each for each in gathering.attempts if not each.concerns(partition, epoch)]
        for job in withdrawn:
            if isinstance(job, BatchJob):
                self.again(each for each in job.attempts if not each.concerns(partition, epoch))
        self._alone = {place for place in self._alone if place[:2] != partition}

    def begin(self, job: BatchJob) -> Awaitable[object]:
        """Calls the handler, or the handlers in turn, in one transaction if there is a database."""
        job.began = now = self._clock.now()
        timeout = max(each.handler.timeout for each in job.attempts if each.handler is not None)
        deadline = job.deadline = now + timeout
        for attempt in job.attempts:
            attempt.began, attempt.deadline = now, deadline
        envelopes = [each.envelope for each in job.attempts if each.envelope is not None]
        handler = _handler_of(job)
        call = _together(handler, envelopes) if handler.takes == "batch" else _in_turn(job.attempts)
        if job.attempts[0].is_held:  # then it is alone
            call = self._releasing(call, job.attempts[0].place)
        if self._effects is None:
            work: Awaitable[object] = call(BatchContext(envelopes=envelopes, deadline=deadline))
        else:
            work = self._effects.run_batch(
                envelopes, group=self._group, handle=call, deadline=deadline, inbox=handler.inbox
            )
        if self._spans is None:
            return work
        topic = self._topic_of(job.attempts[0].record)
        return self._spans.around(work, group=self._group, topic=topic, envelopes=envelopes)

    def ended(self, job: BatchJob, became: object) -> Iterator[tuple[Attempt, object]]:
        """Attempts that are over, each with what became of it; the others run again, in smaller jobs."""
        attempts = job.attempts
        if isinstance(became, BatchFailed):
            yield from self._split_off(attempts, became)
        elif not isinstance(became, BaseException):
            outcomes = became if isinstance(became, list) else [Outcome.HANDLED] * len(attempts)
            yield from zip(attempts, outcomes, strict=True)
        elif len(attempts) == 1:
            self._runs_alone(attempts[0], became)
            attempts[0].is_overdue = job.is_overdue
            yield attempts[0], became
        elif self._may_be_split(became):
            half = len(attempts) // 2
            self._submit(BatchJob(attempts[:half]))
            self._submit(BatchJob(attempts[half:]))
        else:
            self._runs_alone(attempts[0], became)
            yield from ((attempt, became) for attempt in attempts)

    def _runs_alone(self, attempt: Attempt, error: BaseException) -> None:
        """An attempt that runs again as it is waits for no others, who may not come: in an outage it is the one that probes."""
        if isinstance(error, Exception) and classify(error, self._rules) in _AGAIN:
            self._alone.add(attempt.place)

    def again(self, attempts: Iterable[Attempt]) -> None:
        """Runs attempts once more whose job was cancelled because of another one's partition."""
        left = list(attempts)
        if left:
            self._submit(BatchJob(left))

    def _gathering(self, handler: Handler) -> _Gathering:
        is_batch = handler.takes == "batch"
        key = handler if is_batch else None
        if key not in self._gatherings:
            size, within = (handler.size, handler.within) if is_batch else (self._transaction_size, TRANSACTION_WAIT)
            self._gatherings[key] = _Gathering(size, within)
        return self._gatherings[key]

    def _flush(self, gathering: _Gathering) -> None:
        gathering.stop_waiting()
        attempts, gathering.attempts = gathering.attempts, []
        if attempts:
            self._submit(BatchJob(attempts))
        self.is_gathering = any(each.attempts for each in self._gatherings.values())

    def _may_be_split(self, error: BaseException) -> bool:
        if isinstance(error, asyncio.CancelledError):
            return True  # too slow, or cancelled of itself
        return isinstance(error, Exception) and classify(error, self._rules) in _SPLIT

    def _split_off(self, attempts: list[Attempt], failed: BatchFailed) -> Iterator[tuple[Attempt, object]]:
        for index, error in failed.failures.items():
            yield attempts[index], error
        self.again(attempt for index, attempt in enumerate(attempts) if index not in failed.failures)


def _handler_of(job: BatchJob) -> Handler:
    handler = job.attempts[0].handler
    assert handler is not None  # noqa: S101  # only decoded records are gathered
    return handler


def _together(handler: Handler, envelopes: Sequence[Envelope[Any]]) -> BatchHandle:
    places = {id(envelope): index for index, envelope in enumerate(envelopes)}

    async def call(context: BatchContext) -> None:
        try:
            await handler.call([envelope.event for envelope in context.envelopes], context)
        except BatchFailed as failed:
            # It counts what it was called with, without the duplicates.
            known = {index: error for index, error in failed.failures.items() if 0 <= index < len(context.envelopes)}
            if not known:
                raise RuntimeError(f"{handler.name} raised BatchFailed for none of its events.") from failed
            raise BatchFailed(
                {places[id(context.envelopes[index])]: error for index, error in known.items()}
            ) from failed

    return call


def _in_turn(attempts: list[Attempt]) -> BatchHandle:
    handlers = {id(each.envelope): each.handler for each in attempts}

    async def call(context: BatchContext) -> None:
        for envelope in context.envelopes:
            handler = handlers[id(envelope)]
            if handler is None:
                continue
            try:
                await handler.bind(envelope)(context.of(envelope))
            except BatchFailed as failed:  # its indices are of no batch that we know
                raise RuntimeError(
                    f"{handler.name} takes one event: BatchFailed is for handlers of batches."
                ) from failed

    return call
