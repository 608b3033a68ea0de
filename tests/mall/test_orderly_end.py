"""Who ends a service gives it as long as its longest orderly end: `treaty down`, and a container engine too."""

from __future__ import annotations

import pytest
import yaml

from mall import SERVICES
from mall.serving import GRACE_SECONDS
from tests.cases.markdown import ROOT
from tests.mall.own_groups import own_groups
from treaty.local.program import PATIENCE_SECONDS
from treaty_runtime.kafka.source import LAST_COMMIT_SECONDS
from treaty_runtime.runtime import FLUSHED, HANDLERS_END, RELAY_ENDS


def longest_end(service: str) -> float:
    """Requests under way, then all groups at the same time: handlers and the last commit; what they left behind, relay and producer."""
    drain = max(group.drain for group in own_groups()[service]).total_seconds()
    return GRACE_SECONDS + drain + LAST_COMMIT_SECONDS + (HANDLERS_END + RELAY_ENDS + FLUSHED).total_seconds()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_never_cut_off_while_it_ends_in_good_order(service: str) -> None:
    assert longest_end(service) < PATIENCE_SECONDS


def test_a_container_is_given_as_long_as_a_process() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert {name: compose["services"][name]["stop_grace_period"] for name in SERVICES} == dict.fromkeys(
        SERVICES, f"{PATIENCE_SECONDS:.0f}s"
    )
