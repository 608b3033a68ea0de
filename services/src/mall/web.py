"""HTTP as all services speak it: who asks, how an error looks, how large a body may be."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from mall.errors import DatabaseUnavailable, Invalid, MallError, NotFound, TooLarge
from mall.identity import LARGEST_ID, Identities, Identity
from mall.work import Desk
from treaty_runtime.sql.database import is_away, is_passing

LARGEST_BODY = 1_000_000
LONGEST_PLACE = 200  # characters: an unknown field's name is the client's, and is not sent back whole
log = logging.getLogger("mall.web")


def _identify(request: Request) -> Identity:
    identities: Identities = request.app.state.identities
    return identities.of(request.headers.get("Authorization"))


def _identify_if_sent(request: Request) -> Identity | None:
    return _identify(request) if "Authorization" in request.headers else None


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(_desk)]
Who = Annotated[Identity, Depends(_identify)]
MaybeWho = Annotated[Identity | None, Depends(_identify_if_sent)]


def admin_only(who: Who) -> None:
    """Raises unless an admin asks: the guard of routes for operators."""
    who.require_admin()


PathId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
PageSize = Annotated[int, Query(ge=1, le=100)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]


def application(
    title: str,
    *,
    identities: Identities,
    routers: Sequence[APIRouter],
    lifespan: Lifespan[FastAPI] | None = None,
    larger_bodies: Mapping[str, int] | None = None,
) -> FastAPI:
    """An application with the mall's errors, limits and identity; what else a route needs is put on `app.state`.

    ``larger_bodies``: ends of addresses, and how many bytes are read there instead of `LARGEST_BODY`.
    """
    # The interactive pages load scripts from elsewhere; the document itself is enough for clients.
    app = FastAPI(title=title, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.identities = identities
    app.add_middleware(BodyLimit, larger=larger_bodies or {})
    app.add_exception_handler(MallError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(PoolTimeout, _database)
    app.add_exception_handler(Exception, _crashed)
    for router in routers:
        app.include_router(router)
    return app


def render(error: MallError) -> JSONResponse:
    """The one shape of every refusal."""
    body = {"error": error.code, "message": error.message, "next": error.next, **error.details}
    return JSONResponse(body, status_code=error.status, headers=error.headers)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MallError)  # noqa: S101  # registered for this class
    return render(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class
    problems = [
        {"where": ".".join(str(part) for part in fault["loc"])[:LONGEST_PLACE], "what": str(fault["msg"])}
        for fault in error.errors()
    ]
    first = f"{problems[0]['where']}: {problems[0]['what']}" if problems else None
    return render(Invalid(first, problems=problems))


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class
    if isinstance(error.__cause__, MallError):
        return render(error.__cause__)  # raised below the body's parser, which reports everything as 400
    if error.status_code == 400:
        return render(Invalid("The body is not readable JSON."))
    if error.status_code == 404:
        return render(NotFound("There is no such address."))
    body = {"error": "refused", "message": str(error.detail), "next": "See /openapi.json."}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


async def _database(request: Request, error: Exception) -> JSONResponse:
    if is_away(error):
        return render(DatabaseUnavailable())
    if is_passing(error):
        return render(DatabaseUnavailable("The database is busy; nothing was changed."))
    return await _crashed(request, error)


async def _crashed(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return render(MallError("The service failed; nothing was changed."))


class BodyLimit:
    """Refuses bodies over 1 MB before anything parses them, whether or not their length was announced.

    ``larger``: ends of addresses, and how many bytes are read there.
    """

    def __init__(self, app: ASGIApp, *, larger: Mapping[str, int]) -> None:
        self._app, self._larger = app, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless it is too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"])
        most = next((size for end, size in self._larger.items() if path.endswith(end)), LARGEST_BODY)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > most:
            await render(TooLarge(f"The body is larger than {most} bytes."))(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise TooLarge(f"The body is larger than {most} bytes.")
            return message

        await self._app(scope, counted, send)
