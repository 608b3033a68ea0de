"""What grows is found and what only moves is not: looks at processes as an hour makes them, with one thing planted in each."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.reliability import trends
from tests.reliability.trends import MEGABYTE, PLAIN, Answer, Looks, Rows, Size
from tests.reliability.wear import size_of

HOUR, EVERY = 3_600, 10
PLANTED = ("", "memory", "descriptors", "outbox", "answers")


def an_hour(chance: Random, *, planted: str = "") -> Looks:
    """Two services that breathe: memory up and down by megabytes with one step, pools, bursts in the outbox, a slow machine later on."""
    looks = Looks()
    for at in range(0, HOUR, EVERY):
        for name in ("order", "goods"):
            leaks = name == "goods"
            resident = 90 * MEGABYTE + chance.randrange(4 * MEGABYTE) + (10 * MEGABYTE if at > HOUR / 3 else 0)
            resident += at * MEGABYTE // 300 if leaks and planted == "memory" else 0
            descriptors = 40 + chance.randrange(9) + (at // 300 if leaks and planted == "descriptors" else 0)
            looks.sizes[name].append(Size(at, resident, descriptors))
            waiting = 400 if at % 200 == 0 else chance.randrange(8)
            stuck = leaks and planted == "outbox" and HOUR / 2 < at < HOUR / 2 + 120
            looks.rows[name].append(Rows(at, 30 if stuck else waiting))
        load = 3 if at > HOUR / 2 else 1
        for kind in ("reading", PLAIN):
            slower = 1 + at / HOUR if kind != PLAIN and planted == "answers" else 1
            looks.answers[kind] += [Answer(at, 0.01 * load * slower * chance.uniform(1, 1.2)) for _ in range(10)]
    return looks


@pytest.mark.parametrize("planted", PLANTED)
def test_what_was_planted_is_named_and_nothing_else(planted: str) -> None:
    found = trends.faults(an_hour(Random(7), planted=planted))
    assert [sentence.partition(":")[0] for sentence in found] == [planted] * bool(planted), found
    assert all("goods" in sentence for sentence in found if planted != "answers"), found


def test_what_holds_data_may_grow_but_not_its_descriptors() -> None:
    looks = an_hour(Random(7), planted="memory")
    assert not trends.faults(looks, stores={"goods"})
    assert trends.faults(an_hour(Random(7), planted="descriptors"), stores={"goods"})


def test_what_grows_while_caches_fill_is_not_judged() -> None:
    looks = Looks()
    for at in range(0, HOUR, EVERY):
        looks.sizes["order"].append(Size(at, min(at, 600) * MEGABYTE, 40))
    assert trends.faults(looks.since(600)) == []
    filling = [(size.at, size.resident_bytes / MEGABYTE) for size in looks.sizes["order"] if size.at <= 600]
    assert trends.in_ten_minutes(filling) == pytest.approx(600, rel=0.05)


def test_without_looks_nothing_is_claimed() -> None:
    assert trends.faults(Looks()) == []
    assert trends.in_ten_minutes([(0, 1)]) == 0
    assert trends.drift([], [Answer(1, 1)]) == 0
    assert trends.drift([Answer(1, 1), Answer(2, 1)], []) == 0


def test_descriptors_and_memory_of_a_process_are_its_own(tmp_path: Path) -> None:
    before = size_of(os.getpid(), at=0)
    files = [(tmp_path / str(number)).open("w") for number in range(200)]
    ballast = bytearray(os.urandom(64 * MEGABYTE))
    after = size_of(os.getpid(), at=1)
    for file in files:
        file.close()
    assert after.descriptors >= before.descriptors + 100, (
        "other tests' descriptors may close meanwhile, but not so many"
    )
    assert after.resident_bytes >= before.resident_bytes + len(ballast) // 2
