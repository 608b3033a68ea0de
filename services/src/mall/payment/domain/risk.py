"""How risky is a payment?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from mall_events.risk import RiskLevel

RECENTLY = timedelta(minutes=10)
MANY, LARGE, FAILURES = 10, 500_000, 3
HIGH, CRITICAL = 60, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFacts:
    """``amount``: minor units. ``recent_payments``: the payer's in ten minutes, this one too. ``failures_today``: of the UTC day."""

    amount: int
    recent_payments: int
    failures_today: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """A verdict: 0 to 100, the rules that fired by weight, what it means."""

    score: int
    rules: tuple[str, ...]
    level: RiskLevel


RULES: tuple[tuple[str, int, Callable[[RiskFacts], bool]], ...] = (
    ("many_payments", 40, lambda facts: facts.recent_payments > MANY),
    ("large_amount", 30, lambda facts: facts.amount > LARGE),
    ("repeated_failures", 30, lambda facts: facts.failures_today >= FAILURES),
)


def assess(facts: RiskFacts) -> Assessment:
    """The verdict on a payment."""
    fired = [(name, weight) for name, weight, fires in RULES if fires(facts)]
    score = sum(weight for _, weight in fired)
    return Assessment(score, tuple(name for name, _ in fired), _level(score))


def _level(score: int) -> RiskLevel:
    if score >= CRITICAL:
        return RiskLevel.CRITICAL
    if score >= HIGH:
        return RiskLevel.HIGH
    return RiskLevel.MEDIUM if score else RiskLevel.LOW
