"""What becomes of a record whose attempt failed, by what the failure means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from treaty_runtime.classify import Kind
from treaty_runtime.consume.actions import Action, Copy, DeadLetter, Wait
from treaty_runtime.consume.facts import FailedAttempt
from treaty_runtime.consume.holding import Holding
from treaty_runtime.consume.intake import Work
from treaty_runtime.consume.throttle import Throttle
from treaty_runtime.limits import Limits
from treaty_runtime.retry import CONFLICTS_AT_ONCE, RetryPolicy, retry_topic

_POISON_WORDS = frozenset({"undecodable", "not-allowed", "rejected", "oversize"})


class Verdicts:
    """Judges failed attempts of one group; ``start`` lets work go on with what is pending for it."""

    def __init__(
        self,
        group: str,
        *,
        policy: RetryPolicy,
        limits: Limits,
        throttle: Throttle,
        holding: Holding,
        start: Callable[[Work], Sequence[Action]],
    ) -> None:
        self._group, self._policy, self._limits = group, policy, limits
        self._throttle, self._holding, self._start = throttle, holding, start

    def judge(self, work: Work, failed: FailedAttempt, *, now: datetime, jitter: float) -> Iterator[Action]:
        """Poison goes to the dead letters, a stalled record waits, a conflict runs again, anything else takes the schedule."""
        place, epoch = work.place, work.assignment.epoch
        if failed.kind is Kind.POISON:
            reason = str(getattr(failed.error, "reason", "undecodable"))
            yield from self._send(work, DeadLetter(place, reason if reason in _POISON_WORDS else "undecodable", epoch))
        elif failed.kind is Kind.STALLED:
            due = now + self._limits.patience(work.stalls, jitter)
            work.stalls += 1
            if work.is_held:  # its turn is another's meanwhile, and its value in no memory
                yield from self._holding.hold(work, attempt=work.attempt, due=due)
            else:
                yield Wait(place, due, epoch)
        elif failed.kind is Kind.CONFLICT and work.conflicts < CONFLICTS_AT_ONCE:
            work.conflicts += 1
            yield from self._start(work)
        else:
            yield from self._schedule(work, failed, now, jitter)

    def _schedule(self, work: Work, failed: FailedAttempt, now: datetime, jitter: float) -> Iterator[Action]:
        place, epoch = work.place, work.assignment.epoch
        work.conflicts = 0
        self._throttle.failed()
        delay = self._policy.delay(work.attempt, failed.error, jitter)
        if delay is None:
            yield from self._send(work, DeadLetter(place, "failed", epoch))
        elif work.is_held or (delay.name is not None and failed.on_failure == "hold_key"):
            yield from self._holding.hold(work, attempt=work.attempt + 1, due=now + delay.after)
        elif delay.name is None or failed.on_failure == "block":
            work.attempt += 1
            yield Wait(place, now + delay.after, epoch)
        else:
            topic = retry_topic(self._group, delay=delay.name)
            yield from self._send(work, Copy(place, topic, work.attempt + 1, now + delay.after, epoch))

    def _send(self, work: Work, copy: Copy | DeadLetter) -> Sequence[Action]:
        work.pending = copy
        return self._start(work)
