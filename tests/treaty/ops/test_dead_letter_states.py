"""What became of a dead letter: each row of its life, without a broker."""

from __future__ import annotations

import pytest

from tests.treaty.ops.burying import buried
from treaty.ops.dead_letters.index import kinds
from treaty.ops.dead_letters.letter import Letter, in_order, letter_of
from treaty.ops.dead_letters.states import State, place_of, standings, subject_of, unread
from treaty.ops.journal import Note, read
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.wire import headers as names

DLQ = "dlq.order"


def letter(offset: int = 0, *, number: int = 7, replays: int = 0, error: Exception | None = None) -> Letter:
    sent = buried(number, topic=DLQ, error=error)
    count = ((names.REPLAY_COUNT, str(replays).encode()), (names.REPLAY_ID, b"r")) if replays else ()
    return letter_of(Record(Place(DLQ, 0, offset), sent.key, sent.value, (*sent.headers, *count), 2_000))


def note(about: Letter, act: str, **told: str) -> dict[str, Note]:
    return {subject_of(about): Note(subject=subject_of(about), act=act, by="ann", at="t", event=about.identity, **told)}


def test_a_letter_without_a_note_waits() -> None:
    assert standings([letter()], {}, under_way=()) == standings([letter()], note(letter(1), "discard"), under_way=())
    assert standings([letter()], {}, under_way=())[letter().place].state is State.WAITING


def test_a_replayed_letter_is_under_way_until_its_group_has_passed_it() -> None:
    one, notes = letter(), note(letter(), "replay")
    assert standings([one], notes, under_way={one.identity})[one.place].state is State.REPLAYING
    assert standings([one], notes, under_way=())[one.place].state is State.PROCESSED


def test_a_copy_that_was_deleted_before_its_group_came_makes_the_letter_unread() -> None:
    copy, one = Place("retry.order.0s", 0, 4), letter()
    notes = note(one, "replay", to=str(copy))
    assert standings([one], notes, under_way=(), gone={copy})[one.place].state is State.UNREAD
    assert standings([one], notes, under_way={one.identity}, gone={copy})[one.place].state is State.REPLAYING
    assert standings([one], notes, under_way=(), gone={copy._replace(offset=5)})[one.place].state is State.PROCESSED


@pytest.mark.parametrize(
    ("start", "committed", "is_unread"),
    [(5, None, True), (5, 4, True), (9, 0, True), (5, 5, False), (4, None, False), (4, 4, False), (0, None, False)],
)
def test_a_copy_is_unread_when_it_is_gone_and_its_group_has_not_passed_it(
    start: int, committed: int | None, *, is_unread: bool
) -> None:
    copy = Place("retry.order.0s", 0, 4)
    commits = {} if committed is None else {copy.of: committed}
    assert unread([copy], starts={Partition(*copy.of): start}, committed=commits) == ({copy} if is_unread else set())


def test_letters_are_in_the_order_in_which_they_were_given_up() -> None:
    """The partitions' oldest first; within one by offset, whatever the clocks of two members said."""

    def at(partition: int, offset: int, second: int, *, replaces: str = "") -> Letter:
        sent = buried(1, topic=DLQ)
        headers = (*sent.headers, *((names.REPLACES, replaces.encode()) for _ in replaces[:1]))
        return letter_of(Record(Place(DLQ, partition, offset), sent.key, sent.value, headers, second * 1_000))

    letters = [
        at(0, 0, 5),
        at(0, 1, 3),  # its member's clock was late
        at(0, 2, 9),
        at(1, 0, 4),
        at(1, 1, 6),
        at(0, 3, 20, replaces=f"{DLQ}/0/1"),
        at(0, 4, 30, replaces=f"{DLQ}/0/3"),
        at(1, 2, 8, replaces=f"{DLQ}/1/2"),  # what nobody would write
        at(1, 3, 7, replaces="nowhere"),
    ]
    ordered = [letter.place[1:] for letter in in_order({letter.place: letter for letter in reversed(letters)})]
    assert ordered == [(1, 0), (0, 0), (0, 1), (0, 3), (0, 4), (1, 1), (1, 2), (1, 3), (0, 2)]


@pytest.mark.parametrize("is_noted", [True, False], ids=["noted", "killed before the note"])
def test_what_failed_again_leads_to_the_new_letter_which_waits(is_noted: bool) -> None:
    old, new = letter(0), letter(5, replays=1)
    found = standings([old, new], note(old, "replay") if is_noted else {}, under_way=())
    assert (found[old.place].state, found[old.place].next) == (State.FAILED_AGAIN, new.place)
    assert found[new.place].state is State.WAITING


def test_discards_restores_and_edits_are_what_the_last_note_says() -> None:
    one = letter()
    assert standings([one], note(one, "discard"), under_way=())[one.place].state is State.DISCARDED
    assert standings([one], note(one, "restore"), under_way=())[one.place].state is State.WAITING
    edited = standings([one], note(one, "edit", to="dlq.order/0/9"), under_way=())[one.place]
    assert (edited.state, edited.next) == (State.REPLACED, Place(DLQ, 0, 9))


def test_a_note_about_a_former_topic_of_that_name_says_nothing() -> None:
    old, one = letter(number=1), letter(number=2)
    assert old.place == one.place
    assert standings([one], note(old, "discard"), under_way=())[one.place].state is State.WAITING


def test_equal_failures_are_one_kind_the_most_waiting_first() -> None:
    letters = [letter(0, number=1), letter(1, number=2, error=KeyError("x")), letter(2, number=3, error=KeyError("y"))]
    found = list(kinds(letters, standings(letters, note(letters[0], "discard"), under_way=())))
    assert [(kind.cause, kind.waiting, sum(kind.counts.values())) for kind in found] == [
        ("KeyError", 2, 2),
        ("OutOfStock", 0, 1),
    ]


def test_a_strangers_record_is_told_as_unknown() -> None:
    found = letter_of(Record(Place(DLQ, 0, 0), None, None, (("treaty-replay-count", b"\xff"),)))
    assert (found.group, found.event_type, found.fingerprint, found.replays) == (None, "unknown", "unknown", 0)


def test_an_address_in_a_key_is_masked() -> None:
    assert letter_of(Record(Place(DLQ, 0, 0), b"ann@example.com", None)).key == "•••"


@pytest.mark.parametrize("text", ["", "dlq", "dlq/0", "dlq/0/x", "dlq/-1/2", "/0/1", "dlq/0/1/2"])
def test_what_is_no_place_is_none(text: str) -> None:
    assert place_of(text) is None


@pytest.mark.parametrize("value", [None, b"", b"no json", b"[]", b'{"act": "discard"}'])
def test_what_is_no_note_is_left_out(value: bytes | None) -> None:
    assert read(value) is None
