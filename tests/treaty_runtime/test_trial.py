"""Several partitions whose last owners died: one of them at a time is tried, so that a death is counted against one record."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from treaty_runtime.classify import Kind
from treaty_runtime.consume.actions import Action, Commit, Complete, DeadLetter, Handle, Skip
from treaty_runtime.consume.care import CALM_TICKS
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.facts import Arrival, FailedAttempt
from treaty_runtime.consume.trial import PATIENCE_TICKS, Trial
from treaty_runtime.errors import Outage
from treaty_runtime.event import Partition, Place
from treaty_runtime.limits import Limits
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.transport import Position

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BROKE = FailedAttempt(Kind.FAILURE, ValueError("not now"))
AWAY = FailedAttempt(Kind.OUTAGE, Outage("refused", dependency="database"))


class Member:
    """One group's member in a process that may have more of them; ``left`` is what its last owners committed."""

    def __init__(
        self, left: dict[Partition, Position], *, trial: Trial | None = None, commit_every: int = 1_000
    ) -> None:
        limits = Limits(commit_every=commit_every)
        self.dispatch = Dispatch(group="g", policy=RetryPolicy(jitter=0), limits=limits, trial=trial)
        list(self.dispatch.assigned(left, left))

    def arrive(self, partition: Partition, offset: int) -> list[Action]:
        place = Place(*partition, offset)
        return list(self.dispatch.arrived(place, Arrival(str(place)), NOW))

    def commits(self, partition: Partition, offset: int, metadata: str) -> list[Action]:
        return list(self.dispatch.committed({partition: Position(offset, metadata)}))

    def tick(self) -> list[Action]:
        return list(self.dispatch.tick())


def suspects(*counts: int) -> dict[Partition, Position]:
    return {Partition("orders", number): Position(7, f"d{count}") for number, count in enumerate(counts)}


def part(number: int) -> Partition:
    return Partition("orders", number)


def place(number: int, offset: int = 7) -> Place:
    return Place("orders", number, offset)


def commit(number: int, offset: int, metadata: str) -> Commit:
    return Commit({part(number): Position(offset, metadata)})


def test_a_turn_lasts_ten_seconds_unless_who_has_it_gives_it_back() -> None:
    trial = Trial()
    for who, other in (("a", "b"), ("b", "a")):
        assert trial.take(who)
        assert trial.take(who), "it has it already"
        told = [(trial.take(other), trial.leave(other), trial.tick(other), trial.tick(who)) for _ in range(10)]
        assert told == [(False, False, False, False)] * 9 + [(False, False, False, True)]
    assert trial.take("a")
    assert trial.leave("a")
    assert not trial.leave("a")
    assert trial.take("b")


def test_one_partition_at_a_time_is_marked_and_begins() -> None:
    member = Member(suspects(1, 1))
    assert member.arrive(part(0), 7) == [commit(0, 7, "d2")]
    assert member.arrive(part(1), 7) == []
    assert member.tick() == [commit(0, 7, "d2")]
    assert member.commits(part(0), 7, "d2") == [Handle(place(0), 1, 1)]
    assert list(member.dispatch.handled(place(0), 1)) == [
        Complete(place(0)),
        commit(0, 8, "d1"),
        commit(1, 7, "d2"),
    ]
    assert member.commits(part(1), 7, "d2") == [Handle(place(1), 1, 1)]


def test_the_most_suspected_is_tried_first_but_not_soon_after_the_start() -> None:
    member = Member(suspects(1, 2, 1))
    for number in range(3):
        member.arrive(part(number), 7)
    member.commits(part(0), 7, "d2")
    assert list(member.dispatch.handled(place(0), 1))[-1] == commit(2, 7, "d2")
    for _ in range(CALM_TICKS):
        member.tick()
    member.commits(part(2), 7, "d2")
    assert list(member.dispatch.handled(place(2), 1))[-1] == commit(1, 7, "d3")


def test_a_failed_attempt_passes_the_turn_on() -> None:
    member = Member(suspects(1, 1))
    member.arrive(part(0), 7)
    member.arrive(part(1), 7)
    member.commits(part(0), 7, "d2")
    failed = list(member.dispatch.failed(place(0), 1, BROKE, now=NOW, jitter=0.0))
    assert failed[-2:] == [commit(0, 7, "d1"), commit(1, 7, "d2")]


def test_nothing_is_tried_while_a_dependency_is_away() -> None:
    """Else a process that is started again and again in an outage would set aside what only waited."""
    member = Member(suspects(1, 1))
    member.arrive(part(0), 7)
    member.arrive(part(1), 7)
    member.commits(part(0), 7, "d2")
    list(member.dispatch.failed(place(0), 1, AWAY, now=NOW, jitter=0.0))
    assert member.tick() == []
    list(member.dispatch.due(place(0), 1, NOW))
    list(member.dispatch.handled(place(0), 1))
    assert member.tick() == [Commit({part(0): Position(8, "d1"), part(1): Position(7, "d2")})]


def test_a_skipped_record_behind_the_one_that_is_tried_does_not_pass_the_turn_on() -> None:
    member = Member(suspects(1, 1))
    member.arrive(part(0), 7)
    member.arrive(part(1), 7)
    member.commits(part(0), 7, "d2")
    skipped = Arrival("8")
    skipped.skip = "no handler"
    behind = place(0, 8)
    assert list(member.dispatch.arrived(behind, skipped, NOW)) == [Skip(behind, "no handler"), Complete(behind)]


def test_a_partition_that_leaves_is_not_tried_any_more() -> None:
    member = Member(suspects(1, 1))
    member.arrive(part(0), 7)
    member.arrive(part(1), 7)
    member.commits(part(0), 7, "d2")
    list(member.dispatch.revoking([part(1)]))
    assert list(member.dispatch.handled(place(0), 1)) == [Complete(place(0)), commit(0, 8, "d1")]


def test_the_turn_leaves_with_its_partition() -> None:
    member = Member(suspects(1, 1))
    member.arrive(part(0), 7)
    member.arrive(part(1), 7)
    assert commit(1, 7, "d2") in list(member.dispatch.lost([part(0)], now=NOW, jitter=0.0))


def test_a_long_attempt_lets_the_next_begin_beside_it() -> None:
    member = Member(suspects(1, 1))
    member.arrive(part(0), 7)
    member.arrive(part(1), 7)
    member.commits(part(0), 7, "d2")
    ticks = [member.tick() for _ in range(PATIENCE_TICKS)]
    assert ticks == [[]] * (PATIENCE_TICKS - 1) + [[commit(1, 7, "d2")]]


def test_who_has_no_answer_to_its_mark_keeps_nobody_waiting() -> None:
    """Its coordinator may be away, and those of the process's other groups not."""
    trial = Trial()
    one, other = Member(suspects(1), trial=trial), Member(suspects(1), trial=trial)
    one.arrive(part(0), 7)
    other.arrive(part(0), 7)
    asked = [(one.tick(), other.tick()) for _ in range(PATIENCE_TICKS)]
    mark = [commit(0, 7, "d2")]
    assert asked == [(mark, [])] * (PATIENCE_TICKS - 1) + [([], mark)]
    assert other.commits(part(0), 7, "d2") == [Handle(place(0), 1, 1)]


def test_many_completions_make_no_time_pass() -> None:
    """Else a fast partition would let suspects be tried side by side."""
    member = Member({**suspects(1, 1), part(2): Position(0, "")}, commit_every=1)
    member.arrive(part(0), 7)
    member.arrive(part(1), 7)
    member.commits(part(0), 7, "d2")
    member.arrive(part(2), 0)
    member.commits(part(2), 0, "d1")
    for offset in range(2 * PATIENCE_TICKS):
        member.arrive(part(2), offset + 1)
        done = list(member.dispatch.handled(place(2, offset), 1))
        assert not any(isinstance(action, Commit) and part(1) in action.offsets for action in done)


def test_groups_of_a_process_share_the_turn() -> None:
    trial = Trial()
    one, other = Member(suspects(1), trial=trial), Member(suspects(1), trial=trial)
    assert one.arrive(part(0), 7) == [commit(0, 7, "d2")]
    assert other.arrive(part(0), 7) == []
    assert other.tick() == []
    one.commits(part(0), 7, "d2")
    list(one.dispatch.handled(place(0), 1))
    assert other.tick() == [commit(0, 7, "d2")]


def test_partitions_whose_owner_ended_well_wait_for_nobody() -> None:
    member = Member({part(0): Position(7, "d1"), part(1): Position(7, "")})
    member.arrive(part(0), 7)
    assert member.arrive(part(1), 7) == [commit(1, 7, "d1")]
    assert member.commits(part(1), 7, "d1") == [Handle(place(1), 1, 1)]


@pytest.mark.parametrize("seed", range(200))
def test_a_killer_is_found_within_three_restarts_and_only_it(seed: int) -> None:
    """Owners with eight partitions, one record each, die whenever the killer begins; answers come in any order."""
    rng = Random(seed)
    left = {part(number): Position(7, "") for number in range(8)}
    killer, done, deaths = part(rng.randrange(8)), set[Partition](), 0
    letters: list[Action] = []
    for _ in range(5):
        deaths += one_life(left, killer, done, letters, rng)
    assert [letter.place.of for letter in letters if isinstance(letter, DeadLetter)] == [killer]
    assert deaths == 3
    assert done == set(left)


def one_life(
    left: dict[Partition, Position], killer: Partition, done: set[Partition], letters: list[Action], rng: Random
) -> bool:
    """Whether the owner died. What it committed is in ``left``."""
    member = Member(dict(left))
    actions = [action for number in rng.sample(range(8), 8) for action in arrivals(member, part(number), done)]
    for _ in range(CALM_TICKS):
        actions += member.tick()
    while actions:
        action = actions.pop(rng.randrange(len(actions)))
        if isinstance(action, Commit):
            left.update(action.offsets)
            actions += member.dispatch.committed(action.offsets)
        elif isinstance(action, DeadLetter):
            letters.append(action)
            done.add(action.place.of)
            actions += member.dispatch.copied(action.place, action.epoch)
        elif isinstance(action, Handle) and action.place.of == killer:
            return True
        elif isinstance(action, Handle):
            done.add(action.place.of)
            actions += member.dispatch.handled(action.place, action.epoch)
    return False


def arrivals(member: Member, partition: Partition, done: set[Partition]) -> list[Action]:
    return [] if partition in done else member.arrive(partition, 7)
