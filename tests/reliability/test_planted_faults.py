"""The checker sees: each wrong design that is planted is found, by the name of what it breaks."""

from __future__ import annotations

import pytest

from tests.reliability.consumers import ConsumerKills
from tests.reliability.relays import RelayKills
from tests.reliability.stack import Stack

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("reliability"),
]


@pytest.fixture
def stack(kafka: str, postgres: str) -> Stack:
    """Names of the run's own on the shared broker, and a database of its own."""
    return Stack(bootstrap=kafka, database=postgres)


async def test_without_its_inbox_a_killed_consumer_does_things_twice(stack: Stack) -> None:
    outcome = await ConsumerKills(stack, records=4_000, kills=5, seed=1, members=3, fault="no-inbox", patience=30).run()
    assert "double-effect" in outcome.names, outcome


async def test_a_consumer_that_commits_on_arrival_loses_events(stack: Stack) -> None:
    kills = ConsumerKills(stack, records=4_000, kills=5, seed=1, members=3, fault="ack-before-effect", patience=20)
    outcome = await kills.run()
    assert {"unseen", "commit-past-unfinished"} <= {*outcome.names}, outcome


async def test_relays_that_skip_locked_rows_turn_events_round(stack: Stack) -> None:
    outcome = await RelayKills(stack, rows=2_000, kills=0, seed=1, fault="skip-locked").run()
    assert "order" in outcome.names, outcome
