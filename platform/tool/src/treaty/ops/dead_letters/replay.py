"""Dead letters go back to their groups, oldest first, one after the other.

Laws: a run is noted before its first letter is sent, and a record as replayed after the broker has it, so whoever is killed in between
sends it again with the same event id, and the inbox drops the second. Letters of one key keep their order. What fails again is a new
letter, never a change of the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.dead_letters.index import DeadLetters
from treaty.ops.dead_letters.letter import BytesGone, Letter
from treaty.ops.dead_letters.states import OPEN, Standing, State, subject_of
from treaty_runtime.event import Place
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire.replay_copy import NotReplayable, replay_copy

FAILURES_IN_A_ROW = 5
LOOK_EVERY = 50
"""So many letters at most between two looks at what became of them, whatever the rate."""
RATES = (1, 500)
"""Records a second that may be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A letter that is not replayed, and why; a sentence."""

    letter: Letter
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """What a replay would send, in order, and what it leaves."""

    letters: tuple[Letter, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a replay went. ``stopped`` says why not all were sent; ``standings`` what was known of those sent at its end."""

    run: str
    sent: tuple[Letter, ...]
    standings: dict[Place, Standing]
    stopped: str = ""

    def count(self, state: State) -> int:
        """How many of the sent ones are in a state."""
        return sum(1 for standing in self.standings.values() if standing.state is state)


class Pace:
    """How fast, and when to look: ``rate`` records a second; ``wait`` is how long outcomes are waited for."""

    def __init__(
        self, *, rate: int, wait: timedelta, now: Callable[[], datetime], sleep: Callable[[float], None]
    ) -> None:
        if not RATES[0] <= rate <= RATES[1]:
            raise UsageError(f"A rate is {RATES[0]} to {RATES[1]} records a second, not {rate}.")
        self.rate, self.wait, self.now, self.sleep = rate, wait, now, sleep


def choose(
    letters: Sequence[Letter],
    known: dict[Place, Standing],
    *,
    places: Iterable[Place] = (),
    fingerprint: str | None = None,
) -> ReplayPlan:
    """The letters to replay: those of ``places``, of a fingerprint, or all; only those that wait are sent, and unread ones by their place.

    Raises ``UsageError`` for a place without a letter and a fingerprint without letters.
    """
    asked = tuple(places)
    by_place = {letter.place: letter for letter in letters}
    for place in asked:
        if place not in by_place:
            raise UsageError(f"There is no dead letter at {place}.", next_step="treaty dlq list")
    if fingerprint is not None and all(letter.fingerprint != fingerprint for letter in letters):
        raise UsageError(f"No dead letter has the fingerprint {fingerprint}.", next_step="treaty dlq list")
    sendable, refused = [], []
    for letter in letters:
        if asked:
            is_chosen = letter.place in asked
        else:
            is_chosen = fingerprint in {None, letter.fingerprint} and known[letter.place].state is State.WAITING
        if is_chosen and (why := objection(letter, known[letter.place])):
            refused.append(Refused(letter=letter, why=why))
        elif is_chosen:
            sendable.append(letter)
    return ReplayPlan(letters=tuple(sendable), refused=tuple(refused))


def objection(letter: Letter, standing: Standing) -> str:
    """Why a letter is not replayed; empty: it may be."""
    if standing.state not in OPEN:
        followed = f", see {standing.next}" if standing.next else ""
        return f"it is {standing.state}{followed}"
    try:
        # With the bytes of a pointer: found missing while letters are sent, they would keep back all that come behind.
        copy_of(letter, run="-", now=letter.at)
    except (NotReplayable, BytesGone) as refusal:
        return str(refusal)
    return ""


def replay(
    plan: ReplayPlan,
    dead_letters: DeadLetters,
    *,
    run: str,
    reason: str,
    pace: Pace,
    is_canary: bool,
    told: Callable[[Letter, Place], None],
) -> Report:
    """Sends the letters of a plan, notes each, and looks what becomes of them.

    With ``is_canary`` the first must be processed before the others are sent. Looks once a second, and after each fifty letters of a
    faster one; stops by itself when five in a row failed again.
    Raises ``EnvironmentFault`` when the group has no retry topic or Kafka is away; run again, it goes on where it was.
    """
    # Whoever may not write notes learns it here, and not after the first letter.
    dead_letters.journal.write(f"run {run}", "begin", at=pace.now(), reason=reason, run=run)
    keep_unread(dead_letters, run=run, now=pace.now())
    sent: list[Letter] = []
    stopped = ""
    for letter in plan.letters:
        told(letter, _send(letter, dead_letters, run=run, reason=reason, now=pace.now()))
        sent.append(letter)
        if is_canary and len(sent) == 1:
            stopped = canary_fault(settle(sent, dead_letters, pace=pace)[letter.place], pace)
        elif len(sent) % min(pace.rate, LOOK_EVERY) == 0 and fails_in_a_row(sent, dead_letters.standings()):
            stopped = f"{FAILURES_IN_A_ROW} in a row failed again"
        if stopped:
            break
        if letter is not plan.letters[-1]:
            pace.sleep(1 / pace.rate)
    return Report(
        run=run,
        sent=tuple(sent),
        standings=settle(sent, dead_letters, pace=pace, at_once=bool(stopped)),
        stopped=stopped,
    )


def keep_unread(dead_letters: DeadLetters, *, run: str, now: datetime) -> None:
    """Notes which letters are unread: what is sent now lies behind their copies, and once it is read nobody could tell any more."""
    known = dead_letters.standings()
    for letter in dead_letters.look():
        standing = known.get(letter.place)
        if standing is not None and standing.state is State.UNREAD and standing.note is not None:
            dead_letters.journal.write(
                subject_of(letter), "unread", at=now, event=letter.identity, to=standing.note.to, run=run
            )


def canary_fault(standing: Standing, pace: Pace) -> str:
    """Why the others are kept back after the first; empty: it was processed."""
    if standing.state is State.PROCESSED:
        return ""
    waited = f" after {pace.wait.total_seconds():g} s" if standing.state is State.REPLAYING else ""
    return f"the first one is {standing.state}{waited}"


def settle(
    sent: Sequence[Letter], dead_letters: DeadLetters, *, pace: Pace, at_once: bool = False
) -> dict[Place, Standing]:
    """What became of letters, once all are settled or the time to wait is over."""
    until = pace.now() + pace.wait
    while True:
        known = dead_letters.standings()
        found = {letter.place: known[letter.place] for letter in sent}
        is_settled = all(standing.state is not State.REPLAYING for standing in found.values())
        if is_settled or at_once or pace.now() >= until:
            return found
        pace.sleep(1.0)


def fails_in_a_row(sent: Sequence[Letter], known: dict[Place, Standing]) -> bool:
    """Whether the last five that are settled, in the order they were sent, all failed again."""
    states = [known[letter.place].state for letter in sent]
    settled = [state for state in states if state is not State.REPLAYING][-FAILURES_IN_A_ROW:]
    return len(settled) == FAILURES_IN_A_ROW and set(settled) == {State.FAILED_AGAIN}


def copy_of(letter: Letter, *, run: str, now: datetime) -> Outgoing:
    """The record that goes out for a letter; the bytes of a pointer are fetched where they lie.

    Raises ``NotReplayable``, or ``BytesGone``.
    """
    replay_copy(letter.record, body=None, replay_id=run, now=now)  # nothing is fetched for what cannot go back anyway
    return replay_copy(letter.record, body=letter.body(), replay_id=run, now=now)


def _send(letter: Letter, dead_letters: DeadLetters, *, run: str, reason: str, now: datetime) -> Place:
    try:
        copy = copy_of(letter, run=run, now=now)
    except BytesGone as gone:  # since they were chosen
        step = f"treaty dlq discard {letter.place} --reason 'expired'"
        raise EnvironmentFault(f"{letter.place} cannot be sent: {gone}.", next_step=step) from gone
    if not dead_letters.log.spans([copy.topic]):
        raise EnvironmentFault(
            f"Group {letter.group} has no topic {copy.topic} to be reached by.", next_step="treaty topics plan"
        )
    place = dead_letters.log.append(copy)
    dead_letters.journal.write(
        subject_of(letter), "replay", at=now, reason=reason, event=letter.identity, to=str(place), run=run
    )
    return place
