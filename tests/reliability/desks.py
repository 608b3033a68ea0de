"""Operators' commands are struck at every point where they speak to the outside, and repeated as an operator would repeat them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.waiting import came_about
from tests.reliability.doors import Doors, Mode
from tests.reliability.errands import ERRANDS, Command, Desk, Errand, Words, type_in
from tests.reliability.member import Member
from tests.reliability.points import Points, Tally
from tests.reliability.rounds import Rounds
from tests.reliability.stack import Counter

TRIES = 40
"""So often a command is repeated: while every call fails once, each repetition comes a call further."""
SOON_SECONDS, LONG_SECONDS = 20.0, 1_800.0
"""For what comes by itself, mostly; for a command, which may have hundreds of letters to send."""
NAME = "treaty"
"""The program: in the names of its commands' points, and in no other's."""
LIVES: Mapping[Mode, tuple[bool, ...]] = {"kill": (False, True), "stop": (False,)}
"""Whether every call fails once in the lives whose points are learned: what is stopped, is stopped where all goes well."""
_ENDS = {"groups": (0,)}
"""Exit codes of what is done; of others than these, 1 says that nothing was left to be done."""
_AGAIN = (1, 3)
"""Not all members have heard of it; something is away."""


@dataclass(slots=True)
class Desks:
    """``kills`` limits how many points are struck; 0: every one. ``only`` is in the names of those that are struck.

    A service runs beside all along. ``folder`` is where commands write what they passed and what they told.
    """

    rounds: Rounds
    counter: Counter
    folder: Path
    mode: Mode = "kill"
    kills: int = 0
    only: str = ""
    errands: tuple[Errand, ...] = ERRANDS
    wrong: list[str] = field(default_factory=list)
    points: Points[Errand] = field(default_factory=Points)
    tally: Tally = field(default_factory=lambda: Tally(NAME))
    _typed: int = 0

    async def run(self) -> None:
        """Learns every command's points, strikes them, and leaves nothing undone."""
        project = self.folder / "project"
        project.mkdir(parents=True)
        (project / "treaty.toml").write_text(
            f'[project]\nnamespace = "mall"\n[environment.local]\nbrokers = "{self.rounds.stack.bootstrap}"\n',
            encoding="utf-8",
        )
        desk = Desk(self.rounds, self.counter)
        for errand in filter(self._is_wanted, self.errands):
            for fails in LIVES[self.mode]:
                self.points.note(await self._see_to(desk, errand, fails=fails), where=errand, fails=fails)
        chosen = self.points.chosen(kills=self.kills, only=self.only)
        for strike in chosen:
            passed = await self._see_to(desk, strike.where, strikes=strike.point, fails=strike.fails)
            self.tally.note(strike, is_struck=strike.point in passed, wanted=len(chosen))

    async def tidy(self) -> None:
        """Sends everything back that was given up so far, and waits until it has its effect."""
        self.rounds.mend_all()
        words = ("dlq", "replay", "--all", "--topic", self.rounds.stack.dead_letter, "--rate", "500", "--yes")
        await self._insist(words, self._doors())
        if not await came_about(lambda: self.rounds.is_done(self.counter), patience=LONG_SECONDS):
            self.wrong.append(f"no-progress at the end: {self.rounds.missing(self.counter)}")

    def _is_wanted(self, errand: Errand) -> bool:
        of = _of(errand)
        return NAME not in self.only or self.only in of or of in self.only

    async def _see_to(self, desk: Desk, errand: Errand, *, strikes: str = "", fails: bool = False) -> list[str]:
        """The need, the command that is struck, the same again as an operator repeats it, and all that is owed; what was passed."""
        if errand.before:
            await self._insist(("groups", errand.before, *_group(self.rounds)), self._doors())
        words, doors = await errand.need(desk), self._doors(errand, strikes=strikes, fails=fails)
        await self._insist(words, doors)
        if strikes:
            await self._insist(words, self._doors())
        if errand.after:
            await self._insist(("groups", errand.after, *_group(self.rounds)), self._doors())
        if not await came_about(lambda: self.rounds.is_done(self.counter), patience=SOON_SECONDS):
            await self._insist(words, self._doors())  # the broker, say, refused a row once more that it may take by now
            if not await came_about(lambda: self.rounds.is_done(self.counter)):
                self.wrong.append(f"no-progress after {strikes or errand.name}: {self.rounds.missing(self.counter)}")
        return doors.passed()

    async def _insist(self, words: Words, doors: Doors) -> None:
        """Types it until it ends well, or was killed where it was to be."""
        codes: list[int | None] = []
        for _ in range(TRIES):
            codes.append(await self._type(words, doors))
            if codes[-1] in _ENDS.get(words[0], (0, 1)):
                return
            if codes[-1] == -signal.SIGKILL and doors.strikes in doors.passed():
                return
            if codes[-1] not in _AGAIN:
                break
        self.wrong.append(f"treaty {' '.join(words[:2])} {doors.strikes} ended with {codes[-5:]}")

    async def _type(self, words: Words, doors: Doors) -> int | None:
        """Runs a command to its end: its exit code, or the signal that ended it, negative. While it is stopped another does it all."""
        member = Member(type_in)
        member.start(Command(words=words, project=self.folder / "project", doors=doors))
        if doors.strikes and doors.mode == "stop" and doors.strikes not in doors.passed():
            await came_about(lambda: not member.is_alive or doors.strikes in doors.passed())
            if doors.strikes in doors.passed():
                await self._insist(words, self._doors())
                member.thaw()
        code = await asyncio.to_thread(member.stopped, within=LONG_SECONDS)
        member.kill()
        return code

    def _doors(self, errand: Errand | None = None, *, strikes: str = "", fails: bool = False) -> Doors:
        self._typed += 1
        of = _of(errand) if errand is not None else ""
        return Doors(self.folder / f"typed-{self._typed}", strikes=strikes, mode=self.mode, fails=fails, of=of)


def _of(errand: Errand) -> str:
    """What the names of its command's points have before them."""
    return f"{NAME} {errand.name}: "


def _group(rounds: Rounds) -> Words:
    return (rounds.stack.second_group, "--reason", "planted", "--yes")
