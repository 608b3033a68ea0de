"""Puts a service together: what its routes need on the application, and what runs while it is up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial

from fastapi import APIRouter, FastAPI
from redis.asyncio import Redis
from sqlalchemy import MetaData

from mall.database import Database, Sessions, open_database
from mall.identity import Identities
from mall.redis import open_all
from mall.settings import Settings
from mall.web import admin_only, application
from mall.work import Desk
from treaty_runtime.delay.queue import DelayQueue
from treaty_runtime.event import Event
from treaty_runtime.fastapi import routes as runtime_routes
from treaty_runtime.handlers import Group
from treaty_runtime.logs import Logs
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.world import World

Background = Callable[[], Coroutine[None, None, None]]


class Assembly:
    """The parts that every service has, made from its environment. Call it in a running event loop."""

    def __init__(
        self, service: str, env: Mapping[str, str], *, metadata: MetaData | None, now: Callable[[], datetime]
    ) -> None:
        """``metadata``: the service's tables; None for one without a database. Raises ``InvalidSettings``."""
        self.settings = Settings.from_env(service, env)
        self._database = None if metadata is None else open_database(service, self.settings.database_url)
        self._metadata, self._now = metadata, now
        self._metrics = Metrics(service, now=now)

    def runtime(
        self, groups: Sequence[Group], *, publishes: Iterable[type[Event]] = (), delay: DelayQueue | None = None
    ) -> Runtime:
        """What reads and writes Kafka for it. ``publishes``: the events that it may stage or send.

        Only these and what it reads are looked up at the start and counted in its metrics: the whole catalogue is many times more.
        """
        own = {*publishes, *(event for group in groups for event in group.handlers.events)}
        return Runtime(
            service=self.settings.service,
            settings=self.settings.kafka,
            events={event.__avro_fullname__: event for event in own},
            sessions=None if self._database is None else self._database.sessions,
            groups=groups,
            delay=delay,
            observers=[self._metrics, Logs(self.settings.service)],
            world=World(now=self._now),
        )

    @property
    def sessions(self) -> Sessions:
        """Transactions of the service's own database, for what runs beside requests and handlers."""
        return self._require_database().sessions

    def desk(self, runtime: Runtime) -> Desk:
        """Where requests get their transactions."""
        database = self._require_database()
        return Desk(
            sessions=database.sessions,
            readers=database.readers,
            stage=runtime.outbox.stage,
            schedule=runtime.scheduler.schedule,
            now=self._now,
        )

    def app(
        self,
        runtime: Runtime,
        *,
        routers: Sequence[APIRouter],
        state: Mapping[str, object],
        redis: Redis | None = None,
        background: Sequence[Background] = (),
        larger_bodies: Mapping[str, int] | None = None,
    ) -> FastAPI:
        """The application; while it is up its runtime runs, and `background` beside it.

        ``state``: what its routes need. ``larger_bodies``: ends of addresses, and how many bytes are read there.
        """

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            async with AsyncExitStack() as ends:
                if redis is not None:
                    ends.push_async_callback(redis.aclose)
                    await ends.enter_async_context(_running([partial(open_all, redis)]))
                if self._database is not None and self._metadata is not None:
                    ends.push_async_callback(self._database.engine.dispose)
                    await self._database.create(self._metadata)
                await ends.enter_async_context(runtime)
                await ends.enter_async_context(_running(background))
                yield

        app = application(
            self.settings.service,
            identities=Identities(self.settings.public_key, now=self._now),
            routers=[*routers, runtime_routes(runtime, metrics=self._metrics, guard=admin_only)],
            lifespan=lifespan,
            larger_bodies=larger_bodies,
        )
        app.state.runtime = runtime
        for name, value in state.items():
            setattr(app.state, name, value)
        return app

    def _require_database(self) -> Database:
        if self._database is None:
            raise LookupError(f"{self.settings.service} has no database, so it has no desk")
        return self._database


@asynccontextmanager
async def _running(background: Sequence[Background]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work()) for work in background]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
