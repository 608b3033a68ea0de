"""What operators tell the members of a running group, and what these answer. Pure values and their JSON.

Commands lie under the group's name in a compacted topic: a member that starts late finds the newest one. A command that has expired means
nothing any more, so a group is never left standing by an operator who went away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

TOPIC = "_treaty_control"


class Valve(StrEnum):
    """What a member does: reads, stays in the group without reading, or has left the group. The process stays up."""

    OPEN = "open"
    PAUSED = "paused"
    RELEASED = "released"


ACTIONS: Mapping[str, Valve] = {"pause": Valve.PAUSED, "release": Valve.RELEASED, "resume": Valve.OPEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One order to all members of a group, good until ``expires_at`` (aware)."""

    command_id: str
    group: str
    action: str
    by: str
    reason: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a member made of a command: ``state`` is `accepted`, `done` or `failed`."""

    command_id: str
    group: str
    member: str
    state: str
    at: str
    detail: str = ""


def valve_for(command: Command | None, *, now: datetime) -> Valve:
    """What a member does under the newest command of its group."""
    return Valve.OPEN if command is None or command.expires_at <= now else ACTIONS[command.action]


def command_value(command: Command) -> bytes:
    """The record's value."""
    told = {name: getattr(command, name) for name in ("command_id", "group", "action", "by", "reason")}
    return json.dumps(told | {"expires_at": command.expires_at.isoformat()}, ensure_ascii=False).encode()


def answer_value(answer: Answer) -> bytes:
    """The record's value; its key is `<group>/<member>`."""
    return json.dumps({name: getattr(answer, name) for name in Answer.__slots__}, ensure_ascii=False).encode()


def read_command(value: bytes | None) -> Command | None:
    """A command; None for anything else."""
    told = _object(value)
    try:
        expires = datetime.fromisoformat(told["expires_at"])
        texts = {name: told[name] for name in ("command_id", "group", "action", "by", "reason")}
    except (KeyError, ValueError):
        return None
    if texts["action"] not in ACTIONS or expires.tzinfo is None:
        return None
    return Command(**texts, expires_at=expires)


def read_answer(value: bytes | None) -> Answer | None:
    """An answer; None for anything else."""
    told = _object(value)
    try:
        return Answer(**{name: told[name] for name in ("command_id", "group", "member", "state", "at", "detail")})
    except KeyError:
        return None


def _object(value: bytes | None) -> Mapping[str, str]:
    """The texts of an object. The topic may be written by all who answer, and what one of them writes must end nobody."""
    try:
        told = json.loads(value or b"")
    except (ValueError, RecursionError):
        return {}
    return {name: text for name, text in told.items() if isinstance(text, str)} if isinstance(told, dict) else {}
