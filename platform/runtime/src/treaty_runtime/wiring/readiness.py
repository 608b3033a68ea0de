"""What `/readyz` answers, from facts. Pure.

Only what makes this process useless is a 503: its database, its tables, schemas that its groups cannot read, a right without
which a group gets nothing. A broker, registry or Redis that is away is waited for: taking the process out of the balancer would
only make things worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OK, DEGRADED = "ok", "degraded"
_NEEDED = ("database", "schemas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known: `away` names dependencies that do not answer, `groups` what each group waits for (None: nothing).

    `refusals`: the right that a group lacks. `idle`: groups without partitions.
    """

    database: str | None = None
    away: frozenset[str] = frozenset()
    schemas: tuple[str, ...] = ()
    is_gate_checked: bool = True
    groups: Mapping[str, str | None] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()
    outbox_oldest_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer's status and body."""

    status: int
    body: Mapping[str, object]


def readiness(facts: Facts) -> Readiness:
    """200 with `ok` or `degraded` parts, or 503 with at least one `down: …` among the parts that are needed."""
    body: dict[str, object] = {
        "database": _part("database", facts) if facts.database is None else f"down: {facts.database}",
        "kafka": _part("kafka", facts),
        "registry": _part("registry", facts),
        "redis": _part("redis", facts),
        "schemas": _schemas(facts),
        "groups": {name: _group(name, facts) for name in facts.groups},
        "outbox_oldest_seconds": facts.outbox_oldest_seconds,
    }
    is_down = any(str(body[part]).startswith("down") for part in _NEEDED) or facts.refusals.keys() & facts.idle
    return Readiness(503 if is_down else 200, body)


def _part(name: str, facts: Facts) -> str:
    return DEGRADED if name in facts.away or name in facts.groups.values() else OK


def _group(name: str, facts: Facts) -> str:
    if name in facts.refusals:
        return f"{'down' if name in facts.idle else DEGRADED}: {facts.refusals[name]}"
    waits = facts.groups[name]
    return OK if waits is None else f"{DEGRADED}: {waits} is away"


def _schemas(facts: Facts) -> str:
    if facts.schemas:
        return "down: " + "; ".join(facts.schemas)
    return OK if facts.is_gate_checked else f"{DEGRADED}: not checked, the registry is away"
