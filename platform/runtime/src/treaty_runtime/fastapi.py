"""The runtime in a FastAPI application: its life is the application's, its health and metrics are routes.

The extra [fastapi] brings [sql] and [prometheus], which this module needs too.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import asdict

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from treaty_runtime.event import Headers
from treaty_runtime.metrics import EXPOSITION, Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.wiring.dry_run import UnknownGroup

_LARGEST_BODY_BYTES = 3 << 20
"""A value of 1 MiB with its headers, in base64."""
_WANTED = "Send {group, key, value, headers: [[name, value]]}; key and values in base64, or null."

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def lifespan(runtime: Runtime) -> Lifespan:
    """For `FastAPI(lifespan=lifespan(runtime))`: the runtime starts before the first request and stops after the last."""

    @asynccontextmanager
    async def run(_application: FastAPI) -> AsyncIterator[None]:
        async with runtime:
            yield

    return run


def routes(
    runtime: Runtime, *, metrics: Metrics | None = None, guard: Callable[..., object] | None = None
) -> APIRouter:
    """`/healthz`, `/readyz`; `/metrics` with the adapter that observes the runtime; `POST /treaty/dry-run` with a guard.

    ``guard`` is a dependency that raises unless an operator asks: a dry run shows what handlers do with any bytes.
    """
    router = APIRouter(include_in_schema=False)
    if guard is not None:
        router.add_api_route("/treaty/dry-run", _dry_run(runtime), methods=["POST"], dependencies=[Depends(guard)])

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        alive = runtime.is_alive()
        return JSONResponse({"status": "ok" if alive else "broken"}, status_code=200 if alive else 503)

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        answer = await runtime.readiness()
        return JSONResponse(dict(answer.body), status_code=answer.status)

    if metrics is not None:
        queues = runtime.delay.queues if runtime.delay is not None else ()
        metrics.declare(groups=runtime.groups, events=runtime.events.values(), queues=queues)

        @router.get("/metrics")
        async def exposition() -> Response:
            await _look(runtime, metrics)
            return Response(metrics.text(), media_type=EXPOSITION)

    return router


def _dry_run(runtime: Runtime) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def dry_run(request: Request) -> JSONResponse:
        asked = _asked(await _body(request))
        if asked is None:
            return JSONResponse({"message": _WANTED}, status_code=422)
        group, key, value, headers = asked
        try:
            answer = await runtime.dry_run.run(group, key=key, value=value, headers=headers)
        except UnknownGroup as error:
            return JSONResponse({"message": str(error)}, status_code=404)
        return JSONResponse(asdict(answer))

    return dry_run


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():  # by chunks: what is too large is not kept
        body += chunk
        if len(body) > _LARGEST_BODY_BYTES:
            return b""
    return body


def _asked(body: bytes) -> tuple[str, bytes | None, bytes | None, Headers] | None:
    """Group, key, value and headers of a request; None if it is malformed."""
    try:
        told = json.loads(body)
        headers = tuple((str(name), _bytes(value) or b"") for name, value in told.get("headers", ()))
        return str(told["group"]), _bytes(told.get("key")), _bytes(told.get("value")), headers
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _bytes(text: object) -> bytes | None:
    return None if text is None else b64decode(str(text), validate=True)


async def _look(runtime: Runtime, metrics: Metrics) -> None:
    """Bring the gauges up to date; what the database cannot say while it is away stays as it was."""
    depth = await runtime.outbox_depth()
    if depth is not None:
        metrics.outbox(depth)
        if runtime.sql is not None:
            with suppress(DBAPIError, PoolTimeout):
                metrics.delayed(await runtime.sql.jobs.pending())
    for consumer in runtime.consumers:
        name, assignments = consumer.group.name, consumer.dispatch.assignments.values()
        paused = sum(1 for each in assignments if each.pauses)
        metrics.member(
            name,
            poll_age_seconds=consumer.poll_age_seconds,
            paused_partitions=paused,
            lanes=consumer.dispatch.lanes,
            held_keys=consumer.dispatch.holding.keys,
        )
        in_flight, gap = Counter[str](), Counter[str]()
        for each in assignments:
            in_flight[each.partition.topic] += each.watermark.unfinished
            gap[each.partition.topic] += each.watermark.gap
        for topic in consumer.group.subscription:
            metrics.reading(name, topic, in_flight=in_flight[topic], gap=gap[topic])
