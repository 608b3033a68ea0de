"""Picture files that no row names: left by a process that was killed, or a request that was cut off, between file and row.

Law: a file that came within the last hour stays, since its row may be on its way; so does one that does not bear a name of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

from mall.goods import store
from mall.goods.image_files import ImageFiles
from mall.sweeper import Sweep
from mall.work import Desk

LOOK_EVERY, ROW_WITHIN = timedelta(hours=1), timedelta(hours=1)
BATCH = 500
"""Names in one question to the database."""


def orphan_sweep(files: ImageFiles) -> Sweep:
    """A sweep that deletes the orphans among these files; answers how many."""

    async def remove_orphans(desk: Desk) -> int:
        names = iter(await files.older_than(desk.now() - ROW_WITHIN))
        removed = 0
        while batch := list(islice(names, BATCH)):
            removed += await _remove(desk, files, batch)
        return removed

    return remove_orphans


async def _remove(desk: Desk, files: ImageFiles, names: Sequence[str]) -> int:
    async with desk.look() as session:
        named = await store.named_images(session, names)
    orphans = [name for name in names if name not in named]
    await files.remove(orphans)
    return len(orphans)
