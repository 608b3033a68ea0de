"""Which repeated mails a death explains, and that the others are told."""

from __future__ import annotations

import os
from pathlib import Path

from tests.reliability.repeats import LATE_SECONDS, ON_THEIR_WAY, UNNOTED_SECONDS, arrivals, repeat_faults
from treaty.local.smtp import MailFolder

DEATH = 1000.0


def doubled(count: int, *, first: float, again: float) -> list[tuple[str, float]]:
    return [(f"<{number}@mall>", at) for number in range(count) for at in (first, again)]


def test_as_many_as_were_on_their_way_may_come_again_after_a_death() -> None:
    came = [*doubled(ON_THEIR_WAY, first=DEATH - 1, again=DEATH + 15), ("<once@mall>", DEATH - 400)]
    assert repeat_faults(came, deaths=[DEATH]) == []


def test_a_mail_that_arrives_just_after_its_senders_death_may_come_again() -> None:
    assert repeat_faults(doubled(1, first=DEATH + LATE_SECONDS / 2, again=DEATH + 15), deaths=[DEATH]) == []


def test_one_more_than_were_on_their_way_is_told() -> None:
    (told,) = repeat_faults(doubled(ON_THEIR_WAY + 1, first=DEATH - 1, again=DEATH + 15), deaths=[DEATH])
    assert told == "mails: 33 sent again for one death, 32 are on their way"


def test_deaths_that_follow_each_other_share_what_was_on_its_way() -> None:
    came = doubled(2 * ON_THEIR_WAY, first=DEATH - 1, again=DEATH + 20)
    assert repeat_faults(came, deaths=[DEATH, DEATH + 5]) == []


def test_a_mail_that_comes_twice_in_one_life_is_told_however_often_its_sender_died() -> None:
    deaths = [DEATH + 50 * number for number in range(10)]
    (told,) = repeat_faults(doubled(1, first=DEATH + 20, again=DEATH + 21), deaths=deaths)
    assert told == "mails: 1 sent again without a death: <0@mall> after 1.0 s"


def test_a_mail_that_had_long_been_noted_when_its_sender_died_is_told() -> None:
    (told,) = repeat_faults(doubled(1, first=DEATH - UNNOTED_SECONDS - 1, again=DEATH + 15), deaths=[DEATH])
    assert told.startswith("mails: 1 sent again without a death: <0@mall>")


def test_a_third_copy_needs_a_death_of_its_own() -> None:
    thrice = [("<a@mall>", at) for at in (DEATH - 1, DEATH + 15, DEATH + 16)]
    assert repeat_faults(thrice, deaths=[DEATH, DEATH + 15.5]) == []
    assert len(repeat_faults(thrice, deaths=[DEATH])) == 1


def test_arrivals_are_what_the_mail_server_wrote_and_when(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path)
    for at in (DEATH, DEATH + 1):
        name = folder.add("mall@localhost", ["7@localhost"], b"Message-ID: <a@mall>\r\nSubject: a\r\n\r\na\r\n")
        os.utime(tmp_path / name, (at, at))
    assert arrivals(tmp_path) == [("<a@mall>", DEATH), ("<a@mall>", DEATH + 1)]
