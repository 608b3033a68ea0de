"""A command to a group of which nobody runs, on a real broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from treaty.errors import EnvironmentFault
from treaty.ops import group_control
from treaty_runtime.admin import Cluster
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log


@pytest.mark.kafka
@pytest.mark.parametrize("action", ["pause", "release", "resume"])
def test_a_command_that_nobody_answered_says_whom_it_still_reaches(
    kafka: str, unique: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr(group_control, "ANSWER_SECONDS", 0.5)
    group = unique("view")
    with Cluster(kafka) as cluster, Log(kafka) as log:
        remote = group_control.Remote(
            cluster, log, Groups(kafka), by="ana", now=lambda: datetime.now(UTC), sleep=time.sleep
        )
        with pytest.raises(EnvironmentFault) as nobody:
            remote.order(group, action, reason="", lasts=timedelta(days=400))
    told = f"{nobody.value} {nobody.value.next_step}"
    assert "they do not run treaty, or none runs" in told
    assert ("Whoever starts before" in told, f"treaty groups resume {group}" in told) == (action != "resume",) * 2
