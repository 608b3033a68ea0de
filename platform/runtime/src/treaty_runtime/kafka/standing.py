"""Whether a client of librdkafka gets anywhere, judged by its own statistics. Pure.

A broker that was fenced for a moment (its machine slept, its controller was away) answers that the cluster has no brokers. librdkafka
2.16 then drops every address and may never connect again, whatever its settings for recovery say; only a new client does.
"""

from __future__ import annotations

import json

EVERY_MS = 5_000
PATIENCE_SECONDS = 15.0


class Standing:
    """Told the statistics as they come; a client is stuck when it had no broker for longer than the patience."""

    def __init__(self, *, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._since: float | None = None

    @property
    def has_broker(self) -> bool:
        """Whether the last statistics showed one that answers."""
        return self._since is None

    def is_stuck(self, statistics: str, *, now: float, needs_partitions: bool) -> bool:
        """``statistics``: the JSON text of librdkafka's callback. ``needs_partitions``: the coordinator alone is not enough.

        Source: STATISTICS.md of librdkafka 2.16, "brokers": `state`, and `source` (`logical` is the coordinator's connection).
        """
        try:
            brokers = json.loads(statistics)["brokers"].values()
        except ValueError:  # librdkafka writes a `client.id` as it is, a backslash too
            return False
        if any(each["state"] == "UP" and not (needs_partitions and each["source"] == "logical") for each in brokers):
            self._since = None
        elif self._since is None:
            self._since = now
        return self._since is not None and now - self._since >= self._patience
