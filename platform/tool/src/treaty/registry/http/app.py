"""The registry as an ASGI application.

From outside in: CORS; ``Door`` (request id, headers, the path as it was sent, who asks, answers that are remembered,
compression); ``Desk``, which finds the row of ``ROUTES`` and runs its function in a thread that this application owns, because
stores block and the loop must not. Starlette tells of start and end; its router and its layers are left out, for they cost
each request more than the rest of the loop's work.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Lifespan

from treaty.registry.access.bucket import Rate
from treaty.registry.guard.authentication import Authentication
from treaty.registry.guard.gate import Gate
from treaty.registry.guard.jwks import JwtTokens, Keys, reader_of
from treaty.registry.guard.trail import Trail
from treaty.registry.http.call import Call, Reply, Route
from treaty.registry.http.desk import Desk
from treaty.registry.http.door import Door, Remembering
from treaty.registry.http.hands import Hands
from treaty.registry.http.routes import ROUTES
from treaty.registry.http.watch import Watch
from treaty.registry.metrics import CONTENT_TYPE, Metrics
from treaty.registry.observation import Observe, Record, ignore
from treaty.registry.service import RegistryService
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.protocol import Store

READS_AT_ONCE: Final = 2
"""Threads at work on a store that is near: one, and one beside what takes long."""


def create_app(
    store: Store,
    *,
    settings: RegistrySettings,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    observe: Observe = ignore,
    metrics_folder: Path | None = None,
) -> ASGIApp:
    """The ASGI application of a registry on ``store``, which it closes when it is shut down.

    ``observe`` is told of everything that ``observation`` names, beside the application's own metrics; ``metrics_folder``:
    where several processes add theirs up.
    """
    metrics = Metrics(shared_folder=metrics_folder)

    def tell(record: Record) -> None:
        metrics.observe(record)
        observe(record)

    def now_ms() -> int:
        return int(now().timestamp() * 1000)

    service = RegistryService(store, settings=settings, now=now, observe=tell)
    gate = gate_of(store, settings, now=now, now_ms=now_ms, observe=tell)
    remembering = Remembering(service.freshness, capacity_bytes=settings.cache_bytes)
    hands = Hands(settings.threads, at_once=READS_AT_ONCE if store.is_near else settings.threads)
    watch = Watch()
    routes = (*ROUTES, Route("GET", "/metrics", _exposition(metrics), "watch"))
    desk = Desk(routes, service, hands, remembering, gate, watch=watch, now_ms=now_ms, tell=tell)
    door = Door(
        desk.answer,
        remembering,
        gate,
        tell,
        lifespan=Starlette(lifespan=until_shut_down(store, (hands, watch), gate)),
        limits=settings.limits,
        root_path=settings.root_path,
    )
    return with_cors(door, settings.cors_origins)


def until_shut_down(store: Store, hands: Iterable[Hands | Watch], gate: Gate) -> Lifespan[Starlette]:
    """What runs beside the requests, and what is let go of at the end: first who answers, last what they ask."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        trail = asyncio.create_task(gate.keep_trail())
        yield
        for each in hands:
            await asyncio.to_thread(each.close)
        trail.cancel()
        with suppress(asyncio.CancelledError):
            await trail
        await asyncio.to_thread(gate.close)
        store.close()

    return lifespan


def gate_of(
    store: Store,
    settings: RegistrySettings,
    *,
    now: Callable[[], datetime],
    now_ms: Callable[[], int],
    observe: Observe,
) -> Gate:
    """Who is let in, by the settings and the store's directory."""
    issuer = settings.issuer
    keys = None if issuer is None else Keys(reader_of(issuer.jwks), monotonic=time.monotonic)
    authentication = Authentication(
        store,
        jwt_tokens=None if issuer is None or keys is None else JwtTokens(issuer, keys),
        required=not settings.is_loopback and not settings.insecure_no_auth,
        now=now,
        monotonic=time.monotonic,
        random=secrets.token_bytes,
    )
    return Gate(
        authentication,
        Trail(store, observe=observe),
        rate=Rate.parse(settings.rate_limit).among(settings.workers) if settings.rate_limit else None,
        metrics_auth=settings.metrics_auth,
        now_ms=now_ms,
        observe=observe,
    )


def with_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """The application, answering browsers of exactly these origins; without any, browsers get no permission at all."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-Request-Id"],
        expose_headers=["ETag", "Retry-After", "X-Request-Id"],
    )


def _exposition(metrics: Metrics) -> Callable[[Call], Reply]:
    def expose(call: Call) -> Reply:
        """All metrics, for Prometheus."""
        subjects, schemas = call.service.reading.counts()
        return Reply(text=metrics.exposition(subjects=subjects, schemas=schemas), content_type=CONTENT_TYPE)

    return expose
