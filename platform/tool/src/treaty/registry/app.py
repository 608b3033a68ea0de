"""The registry as an ASGI application.

From outside in: compression; ``Door`` (request id, headers, the path as it was sent, answers that are remembered);
FastAPI's router; one endpoint a row of ``ROUTES``, whose function runs in a thread that this application owns, because
stores block and the loop must not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import HTTPException
from fastapi.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect

from treaty.registry.answers import error_response, response_of
from treaty.registry.call import Call, Handler, Reply, Route
from treaty.registry.door import CACHE_KEY, QUERY, REQUEST_ID, ROUTE, Door, Remembering, Scope
from treaty.registry.errors import MethodNotAllowed, NotFound, RegistryError, StoreUnavailable
from treaty.registry.incoming import read_body
from treaty.registry.metrics import CONTENT_TYPE, Metrics
from treaty.registry.negotiation import answer_type, require_json
from treaty.registry.observation import Failed, Observe, Record, ignore
from treaty.registry.routes import ROUTES
from treaty.registry.rows import Json
from treaty.registry.service import RegistryService
from treaty.registry.settings import RegistrySettings
from treaty.registry.store import Store

GZIP_FROM_BYTES = 1_400


def create_app(
    store: Store,
    *,
    settings: RegistrySettings,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    observe: Observe = ignore,
) -> GZipMiddleware:
    """The ASGI application of a registry on ``store``, which it closes when it is shut down.

    ``observe`` is told of everything that ``observation`` names, beside the application's own metrics.
    """
    metrics = Metrics()

    def tell(record: Record) -> None:
        metrics.observe(record)
        observe(record)

    service = RegistryService(store, settings=settings, now=now, observe=tell)
    remembering = Remembering(service.freshness, capacity_bytes=settings.cache_bytes)
    workers = ThreadPoolExecutor(settings.threads, thread_name_prefix="registry")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(workers.shutdown)
        store.close()

    app = FastAPI(title="treaty registry", redirect_slashes=False, docs_url=None, redoc_url=None, lifespan=lifespan)
    desk = Desk(service, workers, remembering, tell)
    for route in (*ROUTES, Route("GET", "/metrics", _exposition(metrics))):
        app.add_api_route(
            route.path, desk.endpoint(route), methods=[route.method], name=route.handler.__name__, response_model=None
        )
    app.add_exception_handler(HTTPException, _routing_error)
    app.add_exception_handler(404, _routing_error)
    app.add_exception_handler(405, _routing_error)
    return GZipMiddleware(Door(app, remembering, tell), minimum_size=GZIP_FROM_BYTES)


class Desk:
    """Runs the functions of routes: takes the body in, finds a thread, turns errors into answers."""

    def __init__(
        self, service: RegistryService, workers: ThreadPoolExecutor, remembering: Remembering, tell: Observe
    ) -> None:
        self._service, self._workers, self._remembering, self._tell = service, workers, remembering, tell
        self._waiting = 0

    def endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        """The ASGI endpoint of a row of the table."""

        async def answer(request: Request) -> Response:
            scope: Scope = request.scope
            scope[ROUTE] = route.path
            content_type = "application/json"
            try:
                content_type = answer_type(request.headers.get("accept"))
                return await self._answered(route, request, content_type)
            except RegistryError as error:
                return error_response(error, self._service.settings.wire_profile, content_type)
            except ClientDisconnect:
                return Response(
                    status_code=400
                )  # the client went away within its body: nobody reads this, nothing failed
            except Exception as error:  # noqa: BLE001  # the last place that can still answer; the observer gets it whole
                self._tell(Failed(scope[REQUEST_ID], error))
                return error_response(RegistryError(), "8", content_type, request_id=scope[REQUEST_ID])

        answer.__doc__ = route.handler.__doc__
        return answer

    async def _answered(self, route: Route, request: Request, content_type: str) -> Response:
        call = await self._call(request)
        epoch = None
        if CACHE_KEY in request.scope:
            await self._in_thread(self._looked, call)
            epoch = self._remembering.opened()
        reply = await self._in_thread(route.handler, call)
        if not isinstance(reply, Reply):
            reply = Reply(reply)
        response = response_of(reply, content_type, if_none_match=request.headers.get("if-none-match"))
        if epoch is not None and reply.is_immutable and response.status_code == 200:
            self._remembering.keep(epoch, (*request.scope[CACHE_KEY], content_type), response)
        return response

    async def _call(self, request: Request) -> Call:
        body = b""
        if request.method in ("POST", "PUT"):
            require_json(request.headers.get("content-type"))
            body = await read_body(
                request.stream(),
                encoding=request.headers.get("content-encoding", "").strip().lower(),
                limit=self._service.settings.limits.body_bytes,
            )
        return Call(self._service, request.path_params, request.scope[QUERY], body, request.headers)

    def _looked(self, _call: Call) -> None:
        self._remembering.look()

    async def _in_thread(self, handler: Handler, call: Call) -> Json | Reply:
        if self._waiting >= self._service.settings.limits.waiting_requests:
            raise StoreUnavailable
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, handler, call)
        finally:
            self._waiting -= 1


def _exposition(metrics: Metrics) -> Callable[[Call], Reply]:
    def expose(call: Call) -> Reply:
        """All metrics, for Prometheus."""
        subjects, schemas = call.service.reading.counts()
        return Reply(text=metrics.exposition(subjects=subjects, schemas=schemas), content_type=CONTENT_TYPE)

    return expose


async def _routing_error(_request: Request, error: Exception) -> Response:
    is_method = getattr(error, "status_code", 404) == 405
    headers = getattr(error, "headers", None) or {}
    response = error_response(MethodNotAllowed() if is_method else NotFound(), "8", "application/json")
    response.headers.update(headers)
    return response
