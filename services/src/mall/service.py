"""Puts a service together: what its routes need on the application, and what runs while it is up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, FastAPI
from redis.asyncio import Redis
from sqlalchemy import MetaData

from mall.database import Database
from mall.identity import Identities
from mall.settings import Settings
from mall.web import application
from mall.work import Desk
from treaty_runtime.fastapi import routes as runtime_routes
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime

Background = Callable[[], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A service's database and its tables."""

    database: Database
    metadata: MetaData

    def desk(self, runtime: Runtime, *, now: Callable[[], datetime]) -> Desk:
        """Where requests get their transactions."""
        return Desk(
            sessions=self.database.sessions,
            readers=self.database.readers,
            stage=runtime.outbox.stage,
            schedule=runtime.scheduler.schedule,
            now=now,
        )


def assemble(
    settings: Settings,
    *,
    runtime: Runtime,
    metrics: Metrics,
    routers: Sequence[APIRouter],
    state: Mapping[str, object],
    store: Store | None = None,
    redis: Redis | None = None,
    background: Sequence[Background] = (),
) -> FastAPI:
    """The service's application; while it is up its runtime runs, and `background` beside it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as ends:
            if redis is not None:
                ends.push_async_callback(redis.aclose)
            if store is not None:
                ends.push_async_callback(store.database.engine.dispose)
                await store.database.create(store.metadata)
            await ends.enter_async_context(runtime)
            await ends.enter_async_context(_running(background))
            yield

    app = application(
        settings.service,
        identities=Identities(settings.public_key),
        routers=[*routers, runtime_routes(runtime, metrics=metrics)],
        lifespan=lifespan,
    )
    for name, value in state.items():
        setattr(app.state, name, value)
    return app


@asynccontextmanager
async def _running(background: Sequence[Background]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work()) for work in background]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
