"""What a schema pull request comes to, as plain texts: what the comment shows, and nothing that must be believed.

A review travels as JSON from the job that looked at a foreign branch to the job that may write comments. The reader of that JSON
trusts nothing of it: every member is a text, a number or a list of known length, and whatever a text says it stays a text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

T = TypeVar("T")

FORMAT: Final = 1
LONGEST_TEXT: Final = 20_000
"""Characters of one text of a review; a longer one is none of ours."""
LONGEST_LIST: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event that changed. ``before`` and ``after``: its contract version ("": it is new, or it goes).

    ``wire``, ``meaning`` and ``sdk`` are cells of a few words; one that begins with a cross tells of an error.
    """

    event: str
    before: str = ""
    after: str = ""
    changes: tuple[str, ...] = ()
    wire: str = ""
    meaning: str = ""
    sdk: str = ""
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error, with what proves it and what helps."""

    rule: str
    place: str
    message: str
    fingerprint: str
    proof: str = ""
    affects: tuple[str, ...] = ()
    against: str = ""
    readers: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One check and how it ended; ``detail`` says what no problem says."""

    name: str
    failed: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """All of it. ``plan`` is a sentence ("": no environment was named), ``bump`` says what the next release will be."""

    rows: tuple[EventRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    rollout: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()
    looked_at: str = ""
    plan: str = ""
    plan_sha256: str = ""
    bump: str = "none"

    @property
    def failed(self) -> bool:
        """Whether anything must be mended before the branch is merged."""
        return bool(self.problems) or any(job.failed for job in self.jobs)

    def to_json(self) -> str:
        """The review as a file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Review:
        """Reads a review that anybody may have written. Raises ``ValueError`` for whatever is not one."""
        try:
            body = json.loads(text)
            if not isinstance(body, dict) or body.pop("format") != FORMAT:
                raise ValueError("not a review of this format")
            return cls(
                rows=_list(body, "rows", lambda row: _made(EventRow, row)),
                problems=_list(body, "problems", lambda row: _made(Problem, row)),
                jobs=_list(body, "jobs", lambda row: _made(Job, row)),
                remarks=_list(body, "remarks", _text),
                owners=_list(body, "owners", _text),
                rollout=_list(body, "rollout", _text),
                looked_at=_text(body["looked_at"]),
                plan=_text(body["plan"]),
                plan_sha256=_text(body["plan_sha256"]),
                bump=_text(body["bump"]),
            )
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"not a review: {error}") from error


def _made(kind: Callable[..., T], row: object) -> T:
    """One value from its members: texts, truths and lists of texts; an unknown member is an error."""
    if not isinstance(row, dict):
        raise TypeError("not an object")
    return kind(**{str(name): _member(value) for name, value in row.items()})


def _member(value: object) -> object:
    if isinstance(value, bool):
        return value
    return tuple(_text(item) for item in _short(value)) if isinstance(value, list) else _text(value)


def _list(body: Mapping[str, Any], name: str, read: Callable[[object], T]) -> tuple[T, ...]:
    return tuple(read(item) for item in _short(body[name]))


def _short(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > LONGEST_LIST:
        raise ValueError("not a list of a length that is ours")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ValueError("not a text of a length that is ours")
    return value
