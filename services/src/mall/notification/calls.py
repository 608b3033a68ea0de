"""Asks for the calls to users' own systems."""

from __future__ import annotations

from mall.notification import store
from mall.notification.outgoing import Called, call, owner_of
from treaty_runtime.event import Context


async def ask(event: Called, context: Context) -> None:
    """Ask for a call to the system of whom the event concerns, if there is one."""
    owner = owner_of(event)
    row = None if owner is None else await store.webhook_of(context.session, owner)
    if row is not None and row.id is not None:
        envelope = context.envelope
        told = call(event, owner=row.user_id, endpoint_id=row.id, event_id=envelope.id, now=envelope.time)
        context.stage(told)
