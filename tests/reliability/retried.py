"""A second group beside the first, whose failures wait in a retry topic or end as dead letters, by plan and by nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from tests.reliability.tables import EFFECT
from treaty_runtime.event import Context
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.limits import Limits
from treaty_runtime.retry import RetryPolicy

RETRIED, DOOMED = 1, 2
"""Numbers of events: one that fails at first, and one that fails until somebody has mended it."""
POLICY = RetryPolicy(delays=("100ms",), in_place_up_to=timedelta(0), throttle_after=0)
_WORKERS = 2


def retrying_group(name: str, *, topic: str, dead_letter: str, process: str, mended: str) -> Group:
    """The group: its handler writes a row for each event in the inbox row's transaction. ``mended``: see ``is_mended``."""
    handlers = Handlers()

    @handlers.any(topic)
    async def note(envelope: Any, context: Context) -> None:
        order = envelope.event
        is_bound_to_fail = order.number == DOOMED and not is_mended(mended, order.order_id)
        if is_bound_to_fail or (order.number == RETRIED and context.attempt == 1):
            raise RuntimeError("Planted.")
        await context.session.execute(
            insert(EFFECT).values(
                key=order.order_id, sequence=order.number, event_id=str(context.envelope.id), process=process
            )
        )

    return Group(
        name,
        handlers,
        dead_letter=dead_letter,
        retry=POLICY,
        workers=_WORKERS,
        limits=Limits(quarantine_after=0),  # kills from outside, many in a row at the first record
    )


def mend(folder: str, what: str) -> None:
    """From now on this succeeds, in every process."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, what).touch()


def is_mended(folder: str, what: str) -> bool:
    """Whether somebody mended it: a file of that name lies in the folder."""
    return Path(folder, what).exists()
