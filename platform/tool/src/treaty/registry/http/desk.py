"""Between the router and the functions of routes: what the request needs, its body, a thread, an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from treaty.registry.access.grants import Role
from treaty.registry.errors import BodyTooSlow, Forbidden, RegistryError, StoreUnavailable
from treaty.registry.guard.gate import Gate
from treaty.registry.guard.guarded import Guard, GuardedStore
from treaty.registry.guard.permissions import need_of
from treaty.registry.http.answers import error_response, response_of
from treaty.registry.http.call import Call, Handler, Reply, Route
from treaty.registry.http.door import CACHE_KEY, QUERY, REQUEST_ID, ROUTE, VISITOR, Remembering, Scope
from treaty.registry.names import Name
from treaty.registry.observation import Failed, Observe
from treaty.registry.rows import Json
from treaty.registry.service import RegistryService
from treaty.registry.wire.incoming import read_body
from treaty.registry.wire.negotiation import answer_type, require_json
from treaty.registry.wire.paths import segment_text


class Desk:
    """Runs the functions of routes: takes the body in, finds a thread, turns errors into answers."""

    def __init__(
        self,
        service: RegistryService,
        workers: ThreadPoolExecutor,
        remembering: Remembering,
        gate: Gate,
        *,
        now_ms: Callable[[], int],
        tell: Observe,
    ) -> None:
        self._service, self._workers, self._remembering, self._gate = service, workers, remembering, gate
        self._now_ms, self._tell = now_ms, tell
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
            except Forbidden as error:
                self._gate.refused(scope[VISITOR], error, action=f"{route.method} {scope['path']}")
                return error_response(error, self._service.settings.wire_profile, content_type)
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
        guard = self._guard(route, request)
        call = await self._call(request, guard)
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

    def _guard(self, route: Route, request: Request) -> Guard:
        need = need_of(route.method, route.path, query=request.scope[QUERY])
        guard = Guard(request.scope[VISITOR], need.role, need.action)
        if need.where == "everything":
            guard.require_everything()
        elif need.role > Role.READER:
            # Asked before the body is read, and of the name that was said; the store asks for the one that is written.
            guard.require(need.role, Name.parse(segment_text(request.path_params["subject"])))
        return guard

    async def _call(self, request: Request, guard: Guard) -> Call:
        body = b""
        if request.method in ("POST", "PUT"):
            require_json(request.headers.get("content-type"))
            body = await self._body(request)
        guarded = GuardedStore(self._service.store, guard, now_ms=self._now_ms, observe=self._tell)
        service = self._service.on(guarded)
        return Call(service, request.path_params, request.scope[QUERY], body, request.headers, guard)

    async def _body(self, request: Request) -> bytes:
        limits = self._service.settings.limits
        encoding = request.headers.get("content-encoding", "").strip().lower()
        try:
            async with asyncio.timeout(limits.body_seconds):
                return await read_body(request.stream(), encoding=encoding, limit=limits.body_bytes)
        except TimeoutError as error:
            raise BodyTooSlow(limits.body_seconds) from error

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
