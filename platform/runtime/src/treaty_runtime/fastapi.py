"""The runtime in a FastAPI application: its life is the application's, its health and metrics are routes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from treaty_runtime.metrics import EXPOSITION, Metrics
from treaty_runtime.runtime import Runtime

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def lifespan(runtime: Runtime) -> Lifespan:
    """For `FastAPI(lifespan=lifespan(runtime))`: the runtime starts before the first request and stops after the last."""

    @asynccontextmanager
    async def run(_application: FastAPI) -> AsyncIterator[None]:
        async with runtime:
            yield

    return run


def routes(runtime: Runtime, *, metrics: Metrics | None = None) -> APIRouter:
    """`/healthz`, `/readyz` and, with the adapter that observes the runtime, `/metrics`."""
    router = APIRouter(include_in_schema=False)

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


async def _look(runtime: Runtime, metrics: Metrics) -> None:
    """Bring the gauges up to date; what the database cannot say while it is away stays as it was."""
    depth = await runtime.outbox_depth()
    if depth is not None:
        metrics.outbox(depth)
        if runtime.sql is not None:
            try:
                metrics.delayed(await runtime.sql.jobs.pending())
            except (DBAPIError, PoolTimeout):
                return
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
        for topic in in_flight:
            metrics.reading(name, topic, in_flight=in_flight[topic], gap=gap[topic])
