"""Live counters and what programs record for themselves, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from mall.analytics.answers import Accepted, LiveAnswer
from mall.analytics.board import Board
from mall.limits import Limits
from mall.requests import Body, Text
from mall.web import AtDesk, Who
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


@routes.post("/analytics/events", status_code=202)
async def record(body: Record, who: Who, desk: AtDesk, request: Request) -> Accepted:
    """Have something counted, such as a click: it becomes an AnalyticsRecorded."""
    limits: Limits = request.app.state.limits
    await limits.spend(f"analytics:{who.user_id}", per_minute=PER_MINUTE)
    async with desk.open() as work:
        told = AnalyticsRecorded(
            name=body.name,
            source=body.source,
            subject=body.subject,
            properties=body.properties,
            event_time=work.now,
        )
        event_id = work.stage(told)
    return Accepted(event_id=str(event_id))
