"""Live counters and what programs record for themselves, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from mall.analytics.answers import Accepted, LiveAnswer
from mall.analytics.board import Board
from mall.analytics.tables import idempotency_keys
from mall.idempotency import Attempt
from mall.limits import Limits
from mall.requests import Body, Text
from mall.web import AtDesk, IdempotencyKey, Who
from mall_events.analytics import AnalyticsRecorded

routes = APIRouter(prefix="/api/v1")
PER_MINUTE = 120
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Subject = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}:[A-Za-z0-9_-]{1,100}$")]
Properties = Annotated[
    dict[Annotated[Text, Field(min_length=1, max_length=50)], Annotated[Text, Field(max_length=200)]],
    Field(max_length=20),
]


class Record(Body):
    """Something that is counted and is no event of its own. No personal data: the subject is a thing, not a person."""

    name: Name
    source: Name
    subject: Subject
    properties: Properties = Field(default_factory=dict)


@routes.get("/analytics/live")
async def live(who: Who, request: Request) -> LiveAnswer:
    """What is counted right now, for admins."""
    who.require_admin()
    board: Board = request.app.state.board
    return await board.live()


@routes.post("/analytics/events", status_code=202, response_model=Accepted)
async def record(
    body: Record, who: Who, desk: AtDesk, request: Request, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Have something counted, such as a click: it becomes an AnalyticsRecorded."""
    limits: Limits = request.app.state.limits
    await limits.spend(f"analytics:{who.user_id}", per_minute=PER_MINUTE)
    attempt = Attempt(key=idempotency_key, user_id=who.user_id, operation="record_event", body=body)
    async with desk.open() as work:

        async def once() -> Accepted:
            told = AnalyticsRecorded(**body.model_dump(), event_time=work.now)
            return Accepted(event_id=str(work.stage(told)))

        answer = await idempotency_keys.once(work.session, attempt, now=work.now, work=once)
    return JSONResponse(answer, status_code=202)
