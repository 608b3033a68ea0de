"""What follows from the life of an account, on both databases."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from sqlalchemy import select

from mall.user.handlers import handlers
from mall.user.tables import LoginRow, ProfileRow, SecurityRow, UserRow
from mall_events.notification import EmailRequested
from mall_events.user import UserActivity, UserActivityRecorded, UserDeleted, UserLoggedIn, UserRegistered
from tests.mall.counter import Clock
from tests.mall.user.conftest import ADMIN, PASSWORD, Centre


async def rows(centre: Centre, table: type[Any]) -> list[Any]:
    async with centre.counter.desk.look() as session:
        return list(await session.scalars(select(table)))


def mails(centre: Centre) -> list[str]:
    return [event.template for event in centre.counter.told.of(EmailRequested)]


def activities(centre: Centre) -> list[UserActivity]:
    return [event.activity for event in centre.counter.told.of(UserActivityRecorded)]


async def sign_in(centre: Centre, clock: Clock, *, ip: str, agent: str) -> None:
    """A sign-in from somewhere else, handled."""
    user_id = (await rows(centre, UserRow))[0].id
    event = UserLoggedIn(user_id=user_id, ip=ip, user_agent=agent, event_time=clock())
    await centre.counter.handle(handlers, event)


async def test_a_new_user_is_welcomed_in_the_chosen_language_and_has_a_profile(centre: Centre) -> None:
    user_id = await centre.register(locale="en")
    (mail,) = centre.counter.told.of(EmailRequested)
    assert (mail.to_address, mail.template, mail.locale, mail.user_id) == ("test@example.com", "welcome", "en", user_id)
    assert mail.parameters == {"username": "testuser"}
    assert mail.notification_key.endswith(f":welcome:{user_id}")
    assert [(row.user_id, row.phone, row.bio) for row in await rows(centre, ProfileRow)] == [(user_id, None, "")]
    assert activities(centre) == [UserActivity.REGISTERED]


async def test_an_event_that_comes_again_asks_for_the_same_mail(centre: Centre, clock: Clock) -> None:
    user_id = await centre.register()
    centre.counter.told.events.clear()
    event = UserRegistered(user_id=user_id, username="testuser", email="test@example.com", event_time=clock())
    event_id = uuid4()
    for _ in range(2):
        await centre.counter.handle(handlers, event, event_id=event_id)
    assert len({mail.notification_key for mail in centre.counter.told.of(EmailRequested)}) == 1


async def test_a_profile_that_was_edited_first_is_kept(centre: Centre) -> None:
    body = {"username": "anna", "email": "anna@example.com", "password": PASSWORD}
    await centre.call("POST", "/register", json=body)
    token = await centre.login("anna")
    await centre.call("PATCH", "/me", token=token, json={"bio": "first"})
    await centre.follow()
    assert (await centre.call("GET", "/me", token=token)).json()["bio"] == "first"


async def test_the_first_sign_in_is_never_unusual_and_is_logged(centre: Centre, clock: Clock) -> None:
    user_id = await centre.register()
    await centre.login(headers={"User-Agent": "shop/1"})
    await centre.follow()
    (login,) = await rows(centre, LoginRow)
    assert (login.user_id, login.ip, login.network, login.user_agent) == (
        user_id, "127.0.0.1", "127.0.0.0/24", "shop/1",
    )  # fmt: skip
    assert mails(centre) == ["welcome"]
    assert activities(centre)[-1] is UserActivity.LOGGED_IN
    assert (await rows(centre, UserRow))[0].last_login_at == clock()


async def test_a_new_place_with_a_new_client_is_told_to_the_owner(centre: Centre, clock: Clock) -> None:
    await centre.register()
    await sign_in(centre, clock, ip="192.0.2.1", agent="shop/1")
    await sign_in(centre, clock, ip="198.51.100.1", agent="shop/1")
    await sign_in(centre, clock, ip="192.0.2.9", agent="other/1")
    assert mails(centre) == ["welcome"]
    await sign_in(centre, clock, ip="203.0.113.1", agent="third/1")
    assert mails(centre) == ["welcome", "unusual_login"]
    mail = centre.counter.told.of(EmailRequested)[-1]
    assert mail.parameters == {"time": "2026-03-01 12:00 UTC", "ip": "203.0.113.1", "client": "third/1"}
    assert activities(centre)[-1] is UserActivity.UNUSUAL_LOGIN
    assert [row.kind for row in await rows(centre, SecurityRow)] == ["unusual_login"]


async def test_a_place_that_was_not_seen_for_thirty_days_is_new_again(centre: Centre, clock: Clock) -> None:
    await centre.register()
    await sign_in(centre, clock, ip="192.0.2.1", agent="shop/1")
    clock.move(days=31)
    await sign_in(centre, clock, ip="192.0.2.1", agent="shop/1")
    assert mails(centre)[-1] == "unusual_login"


async def test_a_success_after_many_failures_is_told_to_the_owner(centre: Centre, clock: Clock) -> None:
    await centre.register()
    await centre.login()
    await centre.follow()
    for _ in range(5):
        await centre.call("POST", "/login", json={"username": "testuser", "password": "wrong password"})
    await centre.login()
    await centre.follow()
    assert mails(centre)[-1] == "unusual_login"
    clock.move(minutes=11)
    await centre.login()
    await centre.follow()
    assert mails(centre).count("unusual_login") == 1


async def test_a_changed_password_is_told_to_the_address_of_that_moment(centre: Centre) -> None:
    await centre.register()
    token = await centre.login()
    await centre.call(
        "PUT", "/me/password", token=token, json={"old_password": PASSWORD, "new_password": "battery staple"}
    )
    await centre.call("PATCH", "/me", token=token, json={"email": "thief@example.com"})
    await centre.follow()
    mail = next(mail for mail in centre.counter.told.of(EmailRequested) if mail.template == "password_changed")
    assert mail.to_address == "test@example.com"
    log = {row.kind: row.detail for row in await rows(centre, SecurityRow)}
    assert log == {"password_changed": "SELF", "profile_edited": "email"}
    assert UserActivity.PASSWORD_CHANGED in activities(centre)


async def test_a_suspended_user_reads_why(centre: Centre) -> None:
    user_id = await centre.register()
    body = {"status": "SUSPENDED", "reason": "spam"}
    await centre.call("PATCH", f"/{user_id}/status", user=ADMIN, admin=True, json=body)
    await centre.follow()
    mail = centre.counter.told.of(EmailRequested)[-1]
    assert (mail.template, mail.parameters) == ("status_changed", {"status": "已被停用", "reason": "spam"})


async def test_a_deleted_user_leaves_nothing_but_a_number(centre: Centre) -> None:
    user_id = await centre.register()
    token = await centre.login()
    await centre.call("PATCH", "/me", token=token, json={"phone": "+8613800000000", "bio": "secret"})
    await centre.follow()
    await centre.call("DELETE", "/me", token=token)
    await centre.follow()
    (row,) = await rows(centre, UserRow)
    assert (row.id, row.username, row.email, row.password_hash) == (user_id, f"deleted-{user_id}", "", "")
    for table in (ProfileRow, LoginRow, SecurityRow):
        assert await rows(centre, table) == []
    mail = centre.counter.told.of(EmailRequested)[-1]
    assert (mail.template, mail.to_address) == ("account_deleted", "test@example.com")
    assert activities(centre)[-1] is UserActivity.DELETED
    assert await centre.register() == user_id + 1


async def test_an_event_that_comes_after_the_deletion_writes_nothing_about_the_person(
    centre: Centre, clock: Clock
) -> None:
    user_id = await centre.register()
    await centre.call("DELETE", "/me", user=user_id)
    await centre.follow()
    centre.counter.told.events.clear()
    late = UserRegistered(user_id=user_id, username="testuser", email="test@example.com", event_time=clock())
    await centre.counter.handle(handlers, late)
    await sign_in(centre, clock, ip="192.0.2.1", agent="shop/1")
    assert await rows(centre, ProfileRow) == await rows(centre, LoginRow) == []
    assert mails(centre) == []


async def test_an_account_that_nobody_has_is_nothing(centre: Centre, clock: Clock) -> None:
    event = UserDeleted(user_id=7, user_version=2, email="a@b.cc", event_time=clock())
    await centre.counter.handle(handlers, event)
    assert centre.counter.told.events == []
