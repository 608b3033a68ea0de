"""Dead letters that nobody will replay are discarded, and can be restored while their topic keeps them: only a note changes."""

from __future__ import annotations

from datetime import datetime

from treaty.errors import UsageError
from treaty.ops.dead_letters.index import DeadLetters
from treaty.ops.dead_letters.letter import Letter
from treaty.ops.dead_letters.states import OPEN, Standing, State, subject_of
from treaty_runtime.event import Place

FROM = {"discard": OPEN, "restore": frozenset({State.DISCARDED})}
"""Which states each act begins with."""
OF_KIND = {"discard": frozenset({State.WAITING}), "restore": FROM["restore"]}
"""The same for a whole fingerprint: what is unread is named by its place."""


def left_to(act: str, letters: list[Letter], known: dict[Place, Standing]) -> list[Letter]:
    """The letters that ``discard`` or ``restore`` would change; one that is so already is passed over.

    Raises ``UsageError`` for one that is neither.
    """
    done = {"discard": State.DISCARDED, "restore": State.WAITING}[act]
    for letter in letters:
        state = known[letter.place].state
        if state not in FROM[act] | {done}:
            raise UsageError(f"{letter.place} is {state}: there is nothing to {act}.", next_step="treaty dlq list")
    return [letter for letter in letters if known[letter.place].state in FROM[act]]


def note(act: str, letters: list[Letter], dead_letters: DeadLetters, *, reason: str, now: datetime) -> None:
    """Notes ``discard`` or ``restore`` for each letter."""
    for letter in letters:
        dead_letters.journal.write(subject_of(letter), act, at=now, reason=reason, event=letter.identity)
