"""The inbox over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from mall import cursors
from mall.errors import Invalid, NotFound
from mall.identity import LARGEST_ID
from mall.notification import store, tickets
from mall.notification.answers import (
    NotificationAnswer,
    NotificationPage,
    TicketAnswer,
    WebhookAnswer,
    notification_answer,
    page_answer,
)
from mall.notification.webhook import LONGEST_URL, fault_of_url
from mall.requests import Body, Text
from mall.web import AtDesk, PageSize, PathId, Who

routes = APIRouter(prefix="/api/v1")


class Webhook(Body):
    """Where a system of the caller's own listens."""

    url: Annotated[Text, Field(min_length=1, max_length=LONGEST_URL)]


@routes.get("/notifications")
async def notifications(
    who: Who,
    desk: AtDesk,
    after_sequence: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    limit: PageSize = cursors.PAGE,
) -> NotificationPage:
    """The caller's notifications after a sequence, in order."""
    async with desk.look() as session:
        rows = await store.notifications(session, user_id=who.user_id, after_sequence=after_sequence, size=limit)
        return page_answer(rows, unread=await store.unread(session, who.user_id))


@routes.post("/notifications/{notification_id}/read")
async def read(notification_id: PathId, who: Who, desk: AtDesk) -> NotificationAnswer:
    """Mark a notification as read; a second time changes nothing."""
    async with desk.open() as work:
        row = await store.find_notification(work.session, notification_id)
        if row is None or row.user_id != who.user_id:
            raise NotFound
        row.read_at = row.read_at or work.now
        return notification_answer(row)


@routes.post("/ws-tickets", status_code=201)
async def ticket(who: Who, desk: AtDesk, request: Request) -> TicketAnswer:
    """A ticket for `/ws?ticket=`: one use, 30 s."""
    new_ticket = str(request.app.state.new_ticket())
    async with desk.open() as work:
        await tickets.issue(work, user_id=who.user_id, ticket=new_ticket)
    return TicketAnswer(ticket=new_ticket, expires_in_seconds=int(tickets.VALID_FOR.total_seconds()))


@routes.put("/webhooks")
async def register_webhook(body: Webhook, who: Who, desk: AtDesk, request: Request) -> WebhookAnswer:
    """Register the system of one's own that is told about sales and edits, in place of the one before.

    The secret that signs the calls is in this answer and nowhere else.
    """
    state = request.app.state
    if fault := fault_of_url(body.url, may_be_loopback=state.webhook_allow_loopback):
        raise Invalid(f"body.url: an endpoint's address {fault}")
    async with desk.open() as work:
        secret = str(state.new_secret())
        row = await store.save_webhook(work.session, user_id=who.user_id, url=body.url, secret=secret, now=work.now)
        return WebhookAnswer(endpoint_id=row.id or 0, url=row.url, secret=secret)


@routes.delete("/webhooks", status_code=204)
async def remove_webhook(who: Who, desk: AtDesk) -> None:
    """Tell one's own system no more."""
    async with desk.open() as work:
        await store.remove_webhook(work.session, who.user_id)
