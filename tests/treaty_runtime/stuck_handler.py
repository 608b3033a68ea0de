"""A consumer that makes its effect, says so, and never commits: `python -m … DATABASE_URL`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker

from tests.treaty_runtime.order_events import envelope_of
from treaty_runtime.event import Context
from treaty_runtime.sql import database
from treaty_runtime.sql.inbox import Inbox


async def main(url: str) -> None:
    """Handle one event and stop short of the commit."""

    async def handle(context: Context) -> None:
        await context.session.execute(text("INSERT INTO effect VALUES (:id)"), {"id": str(context.envelope.id)})
        print("inside", flush=True)
        await asyncio.Event().wait()

    inbox = Inbox(async_sessionmaker(database.open_engine(url)))
    await inbox.run(envelope_of(1), group="g", handle=handle, deadline=datetime.now(UTC))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
