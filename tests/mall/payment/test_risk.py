"""The rules of `mall.payment.domain.risk`, at their edges."""

from __future__ import annotations

import pytest

from mall.payment.domain import Assessment, RiskFacts, assess
from mall_events.risk import RiskLevel

CASES = [
    ((500_000, 10, 2), Assessment(0, (), RiskLevel.LOW)),
    ((500_001, 10, 2), Assessment(30, ("large_amount",), RiskLevel.MEDIUM)),
    ((500_000, 11, 2), Assessment(40, ("many_payments",), RiskLevel.MEDIUM)),
    ((500_000, 10, 3), Assessment(30, ("repeated_failures",), RiskLevel.MEDIUM)),
    ((500_001, 1, 3), Assessment(60, ("large_amount", "repeated_failures"), RiskLevel.HIGH)),
    ((1, 11, 3), Assessment(70, ("many_payments", "repeated_failures"), RiskLevel.HIGH)),
    ((500_001, 11, 0), Assessment(70, ("many_payments", "large_amount"), RiskLevel.HIGH)),
    ((500_001, 11, 3), Assessment(100, ("many_payments", "large_amount", "repeated_failures"), RiskLevel.CRITICAL)),
]


@pytest.mark.parametrize(("numbers", "verdict"), CASES)
def test_a_verdict_is_the_sum_of_the_rules_that_fired(numbers: tuple[int, int, int], verdict: Assessment) -> None:
    amount, recent, failures = numbers
    assert assess(RiskFacts(amount=amount, recent_payments=recent, failures_today=failures)) == verdict
