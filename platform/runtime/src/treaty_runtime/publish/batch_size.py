"""How many rows a relay reads at once: as many as its settings say, and of large rows so many that they fit into memory twice."""

from __future__ import annotations

from collections.abc import Sequence

from treaty_runtime.publish.backlog import Pending

BATCH_BYTES = 32 << 20
"""Of payloads. One batch is sent while the next is read, and a row lies there in the driver's form too."""
FIRST_ROWS = 100
"""Before a size is known: a process that a batch of the largest rows ended would meet them again."""


class BatchSize:
    """``rows``: of the next batch, ``most`` at most."""

    def __init__(self, most: int) -> None:
        self._most, self.rows = most, min(most, FIRST_ROWS)

    def saw(self, rows: Sequence[Pending]) -> None:
        """The next rows are taken to be as large as these."""
        if rows:
            size = sum([len(row.payload) for row in rows])
            self.rows = max(1, min(self._most, len(rows) * BATCH_BYTES // max(size, 1)))
