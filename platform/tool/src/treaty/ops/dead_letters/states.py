"""What became of each dead letter: from what lies in the topics, what operators noted, and what groups have still before them. Pure.

    waiting → replaying → processed | failed again       waiting → discarded → waiting       waiting → replaced (by an edit)

A letter is replayed once: if its event fails again, that is a new letter, which waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from treaty.ops.dead_letters.letter import Letter
from treaty.ops.journal import Note
from treaty_runtime.event import Place


class State(StrEnum):
    """Where a letter is in its life."""

    WAITING = "waiting"
    REPLAYING = "replaying"
    PROCESSED = "processed"
    FAILED_AGAIN = "failed again"
    DISCARDED = "discarded"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state of a letter, the note behind it, and the letter that followed it, if any."""

    state: State
    note: Note | None = None
    next: Place | None = None


_BY_ACT = {"discard": State.DISCARDED, "restore": State.WAITING}


def subject_of(letter: Letter) -> str:
    """The name of a letter in the journal."""
    return f"dead-letter {letter.place}"


def standings(
    letters: Iterable[Letter], notes: Mapping[str, Note], *, under_way: Collection[str]
) -> dict[Place, Standing]:
    """State of each letter by place. ``under_way``: identities of replayed events that their groups have not finished."""
    all_letters = list(letters)
    of_event: dict[str, list[Letter]] = defaultdict(list)
    for letter in all_letters:
        of_event[letter.identity].append(letter)
    return {
        letter.place: standing(letter, note_of(letter, notes), siblings=of_event[letter.identity], under_way=under_way)
        for letter in all_letters
    }


def standing(letter: Letter, note: Note | None, *, siblings: Iterable[Letter], under_way: Collection[str]) -> Standing:
    """State of one letter; ``siblings`` are all letters of its event."""
    # Without the note too: whoever replayed it may have been killed before writing one.
    again = min((each.place for each in siblings if each.replays > letter.replays), default=None)
    if again is not None:
        return Standing(state=State.FAILED_AGAIN, note=note, next=again)
    if note is None:
        return Standing(state=State.WAITING)
    if note.act == "replay":
        state = State.REPLAYING if letter.identity in under_way else State.PROCESSED
        return Standing(state=state, note=note)
    if note.act == "edit":
        return Standing(state=State.REPLACED, note=note, next=place_of(note.to))
    return Standing(state=_BY_ACT.get(note.act, State.WAITING), note=note)


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
