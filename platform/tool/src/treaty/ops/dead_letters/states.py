"""What became of each dead letter: from what lies in the topics, what operators noted, and what groups have still before them. Pure.

    waiting → replaying → processed | failed again       waiting → discarded → waiting       waiting → replaced (by an edit)

A letter is replayed once: if its event fails again, that is a new letter, which waits. A copy that was deleted before its group came makes
its letter unread: an operator sends it again or discards it, by its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from treaty.ops.dead_letters.letter import Letter
from treaty.ops.journal import Note
from treaty_runtime.event import Partition, Place


class State(StrEnum):
    """Where a letter is in its life."""

    WAITING = "waiting"
    REPLAYING = "replaying"
    PROCESSED = "processed"
    UNREAD = "unread"
    FAILED_AGAIN = "failed again"
    DISCARDED = "discarded"
    REPLACED = "replaced"


OPEN = frozenset({State.WAITING, State.UNREAD})
"""What an operator still has to decide about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state of a letter, the note behind it, and the letter that followed it, if any."""

    state: State
    note: Note | None = None
    next: Place | None = None


_BY_ACT = {"discard": State.DISCARDED, "restore": State.WAITING, "unread": State.UNREAD}


def subject_of(letter: Letter) -> str:
    """The name of a letter in the journal."""
    return f"dead-letter {letter.place}"


def standings(
    letters: Iterable[Letter], notes: Mapping[str, Note], *, under_way: Collection[str], gone: Collection[Place] = ()
) -> dict[Place, Standing]:
    """State of each letter by place.

    ``under_way``: identities of replayed events that their groups have not finished; ``gone``: places of copies as of ``unread``.
    """
    all_letters = list(letters)
    of_event: dict[str, list[Letter]] = defaultdict(list)
    for letter in all_letters:
        of_event[letter.identity].append(letter)
    return {
        letter.place: standing(
            letter, note_of(letter, notes), siblings=of_event[letter.identity], under_way=under_way, gone=gone
        )
        for letter in all_letters
    }


def standing(
    letter: Letter,
    note: Note | None,
    *,
    siblings: Iterable[Letter],
    under_way: Collection[str],
    gone: Collection[Place] = (),
) -> Standing:
    """State of one letter; ``siblings`` are all letters of its event."""
    # Without the note too: whoever replayed it may have been killed before writing one.
    again = min((each.place for each in siblings if each.replays > letter.replays), default=None)
    if again is not None:
        return Standing(state=State.FAILED_AGAIN, note=note, next=again)
    if note is None:
        return Standing(state=State.WAITING)
    if note.act == "replay":
        passed = State.UNREAD if place_of(note.to) in gone else State.PROCESSED
        return Standing(state=State.REPLAYING if letter.identity in under_way else passed, note=note)
    if note.act == "edit":
        return Standing(state=State.REPLACED, note=note, next=place_of(note.to))
    return Standing(state=_BY_ACT.get(note.act, State.WAITING), note=note)


def unread(
    copies: Iterable[Place], *, starts: Mapping[Partition, int], committed: Mapping[Partition, int]
) -> set[Place]:
    """Those copies that were deleted before their group came: it has committed nothing behind them, and they are gone.

    A group whose commits have expired looks like that too, which is why nobody sends such letters again unasked.
    ``starts``: the first offset that each partition still holds; one that is gone holds none. Ask for them before the commits, or a
    copy that is read meanwhile counts.
    """
    return {
        copy
        for copy in copies
        if committed.get(copy.of, 0) <= copy.offset and copy.offset < starts.get(copy.of, copy.offset + 1)
    }


def note_of(letter: Letter, notes: Mapping[str, Note]) -> Note | None:
    """The note about a letter; one about another event is left over from a topic of the same name."""
    note = notes.get(subject_of(letter))
    return note if note is not None and note.event == letter.identity else None


def place_of(text: str) -> Place | None:
    """A place from `topic/partition/offset`; None for anything else."""
    topic, _, rest = text.partition("/")
    partition, _, offset = rest.partition("/")
    if not (topic and partition.isascii() and partition.isdecimal() and offset.isascii() and offset.isdecimal()):
        return None
    return Place(topic, int(partition), int(offset))
