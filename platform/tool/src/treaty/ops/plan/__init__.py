"""A plan: what apply would do, saved with the hash of what it was made from. Pure; same anatomy for registry and topics.

Laws: a plan never deletes what git does not bury; drift is reported, never repaired by surprise; a plan
that was changed by hand is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from treaty.errors import TreatyError, UsageError

FORMAT = 1
SHORTEST_HASH = 12
"""Digits of a hash that people compare."""

Kind = Literal["registry", "topics"]


class NotReviewed(TreatyError):
    """The plan is another one than was reviewed."""

    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change. ``before`` is what must still be there when the step runs (None: nothing), ``after`` what will be."""

    id: int
    action: str
    subject: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Declared and observed disagree, and no step mends it: ``what`` is a sentence for people."""

    subject: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All steps in the order in which they run, and all drift. ``target`` is the host only, never credentials."""

    kind: Kind
    environment: str
    target: str
    git_commit: str
    desired_sha256: str
    actual_sha256: str
    steps: tuple[Step, ...]
    drift: tuple[Drift, ...]

    @property
    def sha256(self) -> str:
        """Hash of everything in the plan, shown to the reviewer and checked by apply."""
        return digest(self._body())

    @property
    def steps_sha256(self) -> str:
        """Hash of what would be done, and where: the same for two plans that do the same, made of whatever commit."""
        return digest(
            {
                "kind": self.kind,
                "environment": self.environment,
                "target": self.target,
                "steps": [asdict(step) for step in self.steps],
            }
        )

    def require_reviewed(self, sha256: str) -> None:
        """Raises ``NotReviewed`` unless reviewers saw these steps; ``sha256``: what they saw, its beginning of 12 digits or more."""
        if len(sha256) < SHORTEST_HASH or not self.steps_sha256.startswith(sha256):
            raise NotReviewed(
                f"The steps of this plan ({self.steps_sha256[:SHORTEST_HASH]}) are not those that were reviewed ({sha256}).",
                next_step=f"treaty {self.kind} plan --env {self.environment} --out plan.json, and review that",
            )

    def _body(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}

    def to_json(self) -> str:
        """The plan as a file: sorted keys, one final newline."""
        return (
            json.dumps({**self._body(), "plan_sha256": self.sha256}, indent=2, sort_keys=True, ensure_ascii=False)
            + "\n"
        )

    def require_target(self, target: str) -> None:
        """Raises ``UsageError`` unless the plan was made for ``target``: what was reviewed for one place runs at no other."""
        if self.target != target:
            raise UsageError(
                f"The plan was made for {self.target}, but [environment.{self.environment}] is now {target}.",
                next_step=f"treaty {self.kind} plan --env {self.environment} --out plan.json, and review that",
            )

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Reads a saved plan; ``UsageError`` if it is not one, of another format, or was changed after it was made."""
        try:
            body = json.loads(text)
            claimed = body.pop("plan_sha256")
            version = body.pop("format")
            steps = tuple(Step(**step) for step in body.pop("steps"))
            drift = tuple(Drift(**row) for row in body.pop("drift"))
            plan = cls(**body, steps=steps, drift=drift)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(
                "This file is not a plan.", next_step="make one: treaty registry plan --out plan.json"
            ) from error
        if version != FORMAT:
            raise UsageError(f"The plan has format {version}, this release reads {FORMAT}.", next_step="make it again")
        if plan.sha256 != claimed:
            raise UsageError(
                "The plan was changed after it was made.", next_step="make it again and review the new one"
            )
        return plan


def digest(value: Mapping[str, Any] | list[Any]) -> str:
    """SHA-256 hex of a JSON value in one canonical form."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=list)
    return hashlib.sha256(text.encode()).hexdigest()


def numbered(steps: list[tuple[str, str, Any, Any]]) -> tuple[Step, ...]:
    """(action, subject, before, after) rows as steps 1, 2, 3 …"""
    return tuple(
        Step(id=number, action=action, subject=subject, before=before, after=after)
        for number, (action, subject, before, after) in enumerate(steps, 1)
    )
