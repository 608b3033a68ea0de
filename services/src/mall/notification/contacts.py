"""Where users are reached: a copy of what user.events says, erased with the account."""

from __future__ import annotations

from mall.notification import store
from mall.notification.outgoing import Contact
from mall_events.user import UserDeleted, UserRegistered, UserUpdated
from treaty_runtime.event import Context

REGISTRATION = 1
"""The version of an account that its registration tells."""


async def know(event: UserRegistered, context: Context) -> None:
    """Keep the contact of a new user."""
    contact = Contact(user_id=event.user_id, email=event.email, phone=None, locale=event.locale)
    await store.save_contact(context.session, contact, version=REGISTRATION)


async def know_again(event: UserUpdated, context: Context) -> None:
    """Keep what the user edited."""
    contact = Contact(user_id=event.user_id, email=event.email, phone=event.phone, locale=event.locale)
    await store.save_contact(context.session, contact, version=event.user_version)


async def forget(event: UserDeleted, context: Context) -> None:
    """Erase the contact and the inbox."""
    await store.forget_user(context.session, event.user_id, version=event.user_version)
