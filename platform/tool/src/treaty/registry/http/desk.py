"""Between the door and the functions of routes: which one it is, what the request needs, its body, a thread, an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from treaty.registry.access.grants import Role
from treaty.registry.errors import (
    BodyTooSlow,
    Forbidden,
    IncompatibleSchema,
    MethodNotAllowed,
    RegistryError,
    StoreUnavailable,
)
from treaty.registry.guard.gate import Gate
from treaty.registry.guard.guarded import Guard, GuardedStore
from treaty.registry.guard.permissions import need_of
from treaty.registry.http.answers import Answer, Wish, answer_of, error_answer
from treaty.registry.http.call import Call, Reply, Route
from treaty.registry.http.door import (
    CACHE_KEY,
    CHANGES,
    HEADERS,
    IS_PACKED,
    QUERY,
    REQUEST_ID,
    ROUTE,
    VISITOR,
    Receive,
    Remembering,
    Scope,
    encoding_of,
)
from treaty.registry.http.hands import Hands
from treaty.registry.http.table import Table
from treaty.registry.http.watch import Watch
from treaty.registry.names import Name
from treaty.registry.observation import Failed, Observe
from treaty.registry.service import RegistryService
from treaty.registry.wire.incoming import read_body
from treaty.registry.wire.negotiation import answer_type, require_json
from treaty.registry.wire.paths import segment_text


@dataclass(frozen=True, slots=True)
class _Work:
    """What a thread needs to answer a request."""

    route: Route
    call: Call
    scope: Scope
    wish: Wish


class Desk:
    """Runs the functions of routes: takes the body in, finds a thread, turns errors into answers."""

    def __init__(
        self,
        routes: Iterable[Route],
        service: RegistryService,
        hands: Hands,
        remembering: Remembering,
        gate: Gate,
        *,
        watch: Watch,
        now_ms: Callable[[], int],
        tell: Observe,
    ) -> None:
        self._table = Table(routes)
        self._service, self._remembering, self._gate = service, remembering, gate
        self._hands, self._watch = hands, watch
        self._now_ms, self._tell = now_ms, tell
        self._waiting = {True: 0, False: 0}

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """The answer to a request that the door has let in."""
        profile, wish = self._service.settings.wire_profile, Wish(is_packed=scope[IS_PACKED])
        try:
            route, params = self._table.find(scope["method"], scope["path"])
            scope[ROUTE] = route.path
            wish = Wish(answer_type(_header(scope, b"accept")), scope[IS_PACKED])
            return await self._answered(route, params, scope, receive, wish)
        except MethodNotAllowed as error:
            return error_answer(error, profile, wish, headers={"Allow": ", ".join(error.allowed)})
        except Forbidden as error:
            self._gate.refused(scope[VISITOR], error, action=f"{scope['method']} {scope['path']}")
            return error_answer(error, profile, wish)
        except RegistryError as error:
            return error_answer(error, profile, wish)
        except ClientDisconnect:
            # The client went away within its body: nobody reads this, nothing failed.
            return Answer(400, [(b"content-length", b"0")], ())
        except Exception as error:  # noqa: BLE001  # the last place that can still answer; the observer gets it whole
            return self._fault(error, scope)

    async def _answered(
        self, route: Route, params: Mapping[str, str], scope: Scope, receive: Receive, wish: Wish
    ) -> Answer:
        guard = self._guard(route, params, scope)
        call = await self._call(params, scope, receive, guard)
        work = _Work(route, call, scope, wish)
        if route.place == "loop":
            return self._made(work)
        if route.place == "watch":
            return await self._watch.answer(route.path, (guard.visitor.principal.view, wish), self._watched, work)
        scope[CHANGES] = is_write = guard.role > Role.READER
        # Apart: while the database keeps writes waiting, reads find a thread, and a place to wait for it.
        if self._waiting[is_write] >= self._service.settings.limits.waiting_requests:
            raise StoreUnavailable
        self._waiting[is_write] += 1
        try:
            return await self._hands.run(self._made, work, is_write=is_write)
        finally:
            self._waiting[is_write] -= 1

    def _watched(self, work: _Work) -> Answer:
        """In a thread, for all who wait: errors are answers too, so that each is told of once."""
        try:
            return self._made(work)
        except RegistryError as error:
            return error_answer(error, self._service.settings.wire_profile, work.wish)
        except Exception as error:  # noqa: BLE001  # as in ``answer``
            return self._fault(error, work.scope)

    def _fault(self, error: Exception, scope: Scope) -> Answer:
        self._tell(Failed(scope[REQUEST_ID], error))
        return error_answer(RegistryError(), "8", Wish(is_packed=scope[IS_PACKED]), request_id=scope[REQUEST_ID])

    def _made(self, work: _Work) -> Answer:
        """In a thread: what the route's function answers, as it is sent, and remembered if it may be."""
        scope, wish = work.scope, work.wish
        epoch = None
        if CACHE_KEY in scope:
            self._remembering.look()
            epoch = self._remembering.opened()
        try:
            reply = work.route.handler(work.call)
        except IncompatibleSchema as error:  # its message names every break, and may be long
            return error_answer(error, self._service.settings.wire_profile, wish)
        if not isinstance(reply, Reply):
            reply = Reply(reply)
        answer = answer_of(reply, wish, if_none_match=_header(scope, b"if-none-match"))
        if epoch is not None and reply.is_immutable and answer.status == 200:
            self._remembering.keep(epoch, (*scope[CACHE_KEY], wish.content_type, encoding_of(scope)), answer)
        return answer

    def _guard(self, route: Route, params: Mapping[str, str], scope: Scope) -> Guard:
        need = need_of(route.method, route.path, query=scope[QUERY])
        guard = Guard(scope[VISITOR], need.role, need.action)
        if need.where == "everything":
            guard.require_everything()
        elif need.role > Role.READER:
            # Asked before the body is read, and of the name that was said; the store asks for the one that is written.
            guard.require(need.role, Name.parse(segment_text(params["subject"])))
        return guard

    async def _call(self, params: Mapping[str, str], scope: Scope, receive: Receive, guard: Guard) -> Call:
        body = b""
        if scope["method"] in ("POST", "PUT"):
            require_json(_header(scope, b"content-type"))
            body = await self._body(scope, receive)
        guarded = GuardedStore(
            self._service.store, guard, now_ms=self._now_ms, observe=self._tell, while_writing=self._hands.aside
        )
        provenance = _header(scope, b"treaty-provenance") or ""
        return Call(self._service.on(guarded), params, scope[QUERY], body, provenance, guard)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        limits = self._service.settings.limits
        encoding = (_header(scope, b"content-encoding") or "").strip().lower()
        try:
            async with asyncio.timeout(limits.body_seconds):
                return await read_body(Request(scope, receive).stream(), encoding=encoding, limit=limits.body_bytes)
        except TimeoutError as error:
            raise BodyTooSlow(limits.body_seconds) from error


def _header(scope: Scope, name: bytes) -> str | None:
    value: bytes | None = scope[HEADERS].get(name)
    return None if value is None else value.decode("latin-1")
