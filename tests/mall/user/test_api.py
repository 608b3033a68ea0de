"""Accounts over HTTP, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from mall.user.signing_in import PER_ADDRESS, PER_NAME
from mall.user.tables import FIRST_USER_ID, LoginFailureRow, SessionRow, UserRow
from mall_events.audit import AuditLogged
from mall_events.user import (
    PasswordChangeMethod,
    UserDeleted,
    UserLoggedIn,
    UserPasswordChanged,
    UserRegistered,
    UserStatus,
    UserStatusChanged,
    UserUpdated,
)
from tests.mall.counter import Clock
from tests.mall.user.conftest import ADMIN, PASSWORD, Centre

ANNA = {"username": "anna", "email": "anna@example.com", "password": PASSWORD}


async def count(centre: Centre, table: type[Any]) -> int:
    async with centre.counter.desk.look() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


# -- registration


async def test_an_account_is_opened_told_and_never_shows_its_password(centre: Centre) -> None:
    answer = await centre.call("POST", "/register", json={**ANNA, "locale": "en"})
    assert answer.status_code == 201
    assert answer.json() == {
        "user_id": FIRST_USER_ID,
        "username": "anna",
        "email": "anna@example.com",
        "locale": "en",
        "created_at": "2026-03-01T12:00:00Z",
    }
    (event,) = centre.counter.told.of(UserRegistered)
    assert (event.user_id, event.username, event.email, event.locale) == (
        FIRST_USER_ID, "anna", "anna@example.com", "en",
    )  # fmt: skip
    assert event.operator == f"user:{FIRST_USER_ID}"
    async with centre.counter.desk.look() as session:
        row = await session.get_one(UserRow, FIRST_USER_ID)
    assert PASSWORD not in row.password_hash


@pytest.mark.parametrize("name", ["anna", "ANNA", "Anna"])
async def test_a_name_is_taken_once_however_it_is_spelt(centre: Centre, name: str) -> None:
    await centre.register("anna")
    answer = await centre.call("POST", "/register", json={**ANNA, "username": name})
    assert (answer.status_code, answer.json()["error"]) == (409, "username_taken")
    assert await count(centre, UserRow) == 1


async def test_a_name_that_looks_like_another_is_taken_too(centre: Centre) -> None:
    await centre.register("paul")
    answer = await centre.call("POST", "/register", json={**ANNA, "username": "pauI"})
    assert answer.json()["error"] == "username_taken"
    look_alike = await centre.call("POST", "/login", json={"username": "pauI", "password": PASSWORD})
    assert look_alike.status_code == 401


async def test_many_who_want_one_name_at_once_are_one_account(centre: Centre) -> None:
    answers = await asyncio.gather(*(centre.call("POST", "/register", json=ANNA) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert len(centre.counter.told.of(UserRegistered)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "а\u0301nna"),
        ("username", "deleted-1"),
        ("username", 7),
        ("email", "a@b.cc\r\nBcc: c@d.ee"),
        ("email", "nobody"),
        ("password", "short"),
        ("password", "x" * 257),
        ("password", "nul \x00 nul"),
        ("password", None),
        ("locale", "fr"),
        ("admin", True),
        ("user_id", 1),
    ],
)
async def test_what_cannot_be_an_account_is_refused_by_the_field(centre: Centre, field: str, value: object) -> None:
    answer = await centre.call("POST", "/register", json={**ANNA, field: value})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert [problem["where"] for problem in answer.json()["problems"]] == [f"body.{field}"]
    assert PASSWORD not in answer.text
    assert await count(centre, UserRow) == 0


async def test_a_registration_sent_again_is_the_same_account(centre: Centre) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first, second = [await centre.call("POST", "/register", json=ANNA, headers=headers) for _ in range(2)]
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    other = await centre.call("POST", "/register", json={**ANNA, "password": "another one"}, headers=headers)
    assert other.json()["error"] == "idempotency_conflict"
    assert len(centre.counter.told.of(UserRegistered)) == 1


# -- signing in


async def test_signing_in_gives_a_token_and_is_told_with_its_place(centre: Centre) -> None:
    user_id = await centre.register()
    answer = await centre.call(
        "POST",
        "/login",
        json={"username": "TestUser", "password": PASSWORD, "device_id": "phone-1"},
        headers={"User-Agent": "shop/1"},
    )
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    (event,) = centre.counter.told.of(UserLoggedIn)
    assert (event.user_id, event.ip, event.user_agent, event.device_id) == (user_id, "127.0.0.1", "shop/1", "phone-1")
    me = (await centre.call("GET", "/me", token=answer.json()["token"])).json()
    assert (me["user_id"], me["username"], me["status"], me["version"]) == (user_id, "testuser", "ACTIVE", 1)


async def test_a_wrong_password_and_an_unknown_name_are_one_answer_and_one_row(centre: Centre) -> None:
    await centre.register()
    answers = [
        await centre.call("POST", "/login", json={"username": name, "password": "wrong password"})
        for name in ("testuser", "nobody", "x" * 100, "' OR 1=1 --")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert await count(centre, LoginFailureRow) == len(answers)
    assert await count(centre, SessionRow) == 0


async def test_an_address_has_ten_attempts_a_minute_whatever_it_claims(centre: Centre, clock: Clock) -> None:
    await centre.register()
    wrong = {"username": "testuser", "password": "wrong password"}
    forged = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(PER_ADDRESS + 1)]
    answers = [await centre.call("POST", "/login", json=wrong, headers=headers) for headers in forged]
    assert [answer.status_code for answer in answers] == [401] * PER_ADDRESS + [429]
    assert answers[-1].headers["Retry-After"] == "60"
    clock.move(minutes=1)
    await centre.login()


async def test_a_name_is_guessed_thirty_times_a_minute_from_anywhere(centre: Centre) -> None:
    await centre.register()
    statuses = []
    for number in range(PER_NAME + 1):
        transport = httpx.ASGITransport(app=centre.counter.app, client=(f"192.0.2.{number}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://mall.test") as client:
            wrong = {"username": "TESTUSER" if number % 2 else "testuser", "password": "wrong password"}
            statuses.append((await client.post("/api/v1/users/login", json=wrong)).status_code)
    assert statuses == [401] * PER_NAME + [429]


async def test_a_session_ends_by_signing_out(centre: Centre) -> None:
    await centre.register()
    first, second = await centre.login(), await centre.login()
    assert (await centre.call("POST", "/logout", token=first)).status_code == 204
    assert (await centre.call("POST", "/logout", token=first)).status_code == 204
    for method, path in (("GET", "/me"), ("POST", "/token"), ("DELETE", "/me")):
        answer = await centre.call(method, path, token=first)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert (await centre.call("GET", "/me", token=second)).status_code == 200


async def test_a_session_gives_fresh_tokens_until_it_ends(centre: Centre, clock: Clock) -> None:
    await centre.register()
    token = await centre.login()
    clock.move(minutes=50)
    fresh = await centre.call("POST", "/token", token=token)
    assert fresh.json()["expires_at"] == "2026-03-01T13:50:00Z"
    clock.move(days=30)
    assert (await centre.call("POST", "/token", token=token)).status_code == 401


async def test_a_token_signed_by_hand_belongs_to_no_session(centre: Centre) -> None:
    user_id = await centre.register()
    assert (await centre.call("GET", "/me", user=user_id)).status_code == 200
    assert (await centre.call("POST", "/token", user=user_id)).status_code == 401
    assert (await centre.call("GET", "/me", user=7)).status_code == 401


# -- profile and password


async def test_an_edit_is_told_whole_with_what_changed(centre: Centre) -> None:
    user_id = await centre.register()
    token = await centre.login()
    edit = {"email": "new@example.com", "phone": "+8613800000000", "locale": "en", "bio": "Selling lamps."}
    answer = await centre.call("PATCH", "/me", token=token, json=edit)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert {name: answer.json()[name] for name in edit} == edit
    (event,) = centre.counter.told.of(UserUpdated)
    assert (event.user_id, event.user_version, event.phone, event.changes) == (user_id, 2, "+8613800000000", edit)
    again = await centre.call("PATCH", "/me", token=token, json=edit)
    assert again.json()["version"] == 2
    removed = await centre.call("PATCH", "/me", token=token, json={"phone": None})
    assert (removed.json()["phone"], removed.json()["version"]) == (None, 3)
    assert len(centre.counter.told.of(UserUpdated)) == 2


async def test_a_name_that_is_taken_cannot_be_edited_to(centre: Centre) -> None:
    await centre.register("anna")
    await centre.register("paul")
    token = await centre.login("paul")
    for name in ("anna", "Anna"):
        answer = await centre.call("PATCH", "/me", token=token, json={"username": name, "bio": "x"})
        assert (answer.status_code, answer.json()["error"]) == (409, "username_taken")
    assert (await centre.call("GET", "/me", token=token)).json()["bio"] == ""
    assert (await centre.call("PATCH", "/me", token=token, json={"username": "Paul"})).json()["username"] == "Paul"


@pytest.mark.parametrize("edit", [{"username": None}, {"email": None}, {"locale": None}, {"bio": None}])
async def test_what_an_account_needs_cannot_be_removed(centre: Centre, edit: dict[str, Any]) -> None:
    await centre.register()
    answer = await centre.call("PATCH", "/me", token=await centre.login(), json=edit)
    assert (answer.status_code, answer.json()["error"]) == (422, "field_required")


@pytest.mark.parametrize(
    "phone", ["13800000000", "+0123456789", "+861380000000012345", "+86 138", "+8613800000000\n", "+８６13800000000"]
)
async def test_a_phone_number_is_international_or_refused(centre: Centre, phone: str) -> None:
    await centre.register()
    answer = await centre.call("PATCH", "/me", token=await centre.login(), json={"phone": phone})
    assert answer.status_code == 422


async def test_a_new_password_ends_all_other_sessions(centre: Centre) -> None:
    user_id = await centre.register()
    here, there = await centre.login(), await centre.login()
    change = {"old_password": PASSWORD, "new_password": "battery staple"}
    assert (await centre.call("PUT", "/me/password", token=here, json=change)).status_code == 204
    (event,) = centre.counter.told.of(UserPasswordChanged)
    assert (event.user_id, event.method, event.ip) == (user_id, PasswordChangeMethod.SELF, "127.0.0.1")
    assert (await centre.call("GET", "/me", token=here)).status_code == 200
    assert (await centre.call("GET", "/me", token=there)).status_code == 401
    old = await centre.call("POST", "/login", json={"username": "testuser", "password": PASSWORD})
    assert old.status_code == 401
    await centre.login(password="battery staple")


async def test_a_stolen_token_neither_changes_the_password_nor_guesses_it(centre: Centre) -> None:
    await centre.register()
    token = await centre.login()
    wrong = {"old_password": "wrong password", "new_password": "battery staple"}
    answers = [await centre.call("PUT", "/me/password", token=token, json=wrong) for _ in range(11)]
    assert [answer.json()["error"] for answer in answers] == ["wrong_password"] * 10 + ["too_many_requests"]


async def test_the_old_password_is_no_new_one(centre: Centre) -> None:
    await centre.register()
    same = {"old_password": PASSWORD, "new_password": PASSWORD}
    answer = await centre.call("PUT", "/me/password", token=await centre.login(), json=same)
    assert (answer.status_code, answer.json()["error"]) == (422, "same_password")


# -- status and deletion


async def test_a_suspended_account_is_shut_until_it_is_unlocked(centre: Centre) -> None:
    user_id = await centre.register()
    token = await centre.login()
    body = {"status": "SUSPENDED", "reason": "spam"}
    answer = await centre.call("PATCH", f"/{user_id}/status", user=ADMIN, admin=True, json=body)
    assert answer.json() == {"user_id": user_id, "status": "SUSPENDED", "version": 2}
    (event,) = centre.counter.told.of(UserStatusChanged)
    assert (event.previous_status, event.current_status) == (UserStatus.ACTIVE, UserStatus.SUSPENDED)
    assert (event.reason, event.operator, event.user_version) == ("spam", f"admin:{ADMIN}", 2)
    (audited,) = centre.counter.told.of(AuditLogged)
    assert (audited.actor, audited.action, audited.resource_id) == (f"admin:{ADMIN}", "suspend", str(user_id))
    assert (await centre.call("GET", "/me", token=token)).status_code == 401
    right = await centre.call("POST", "/login", json={"username": "testuser", "password": PASSWORD})
    assert (right.status_code, right.json()["error"]) == (409, "account_suspended")
    wrong = await centre.call("POST", "/login", json={"username": "testuser", "password": "wrong password"})
    assert wrong.status_code == 401
    await centre.call("PATCH", f"/{user_id}/status", user=ADMIN, admin=True, json={"status": "ACTIVE"})
    assert (await centre.call("GET", "/me", token=token)).status_code == 401
    await centre.login()


async def test_only_admins_set_a_status_and_only_where_it_may_go(centre: Centre) -> None:
    user_id = await centre.register()
    path, body = f"/{user_id}/status", {"status": "SUSPENDED"}
    assert (await centre.call("PATCH", path, token=await centre.login(), json=body)).status_code == 403
    assert (await centre.call("PATCH", "/7/status", user=ADMIN, admin=True, json=body)).status_code == 404
    answer = await centre.call("PATCH", path, user=ADMIN, admin=True, json={"status": "ACTIVE"})
    assert (answer.status_code, answer.json()["error"]) == (409, "illegal_transition")
    assert centre.counter.told.of(UserStatusChanged) == []


async def test_a_deleted_account_is_gone_at_once_and_told_once(centre: Centre) -> None:
    user_id = await centre.register()
    token = await centre.login()
    assert (await centre.call("DELETE", "/me", token=token, json={"reason": "moving"})).status_code == 204
    (event,) = centre.counter.told.of(UserDeleted)
    assert (event.user_id, event.email, event.reason, event.user_version) == (user_id, "test@example.com", "moving", 2)
    assert event.operator == f"user:{user_id}"
    assert centre.counter.told.of(AuditLogged) == []
    for answer in (
        await centre.call("GET", "/me", token=token),
        await centre.call("GET", "/me", user=user_id),
        await centre.call("POST", "/login", json={"username": "testuser", "password": PASSWORD}),
    ):
        assert answer.status_code == 401
    body = {"status": "ACTIVE"}
    assert (await centre.call("PATCH", f"/{user_id}/status", user=ADMIN, admin=True, json=body)).status_code == 409


async def test_an_admin_deletes_an_account_and_answers_for_it(centre: Centre) -> None:
    user_id = await centre.register()
    body = {"status": "DELETED", "reason": "fraud"}
    await centre.call("PATCH", f"/{user_id}/status", user=ADMIN, admin=True, json=body)
    assert centre.counter.told.of(UserStatusChanged) == []
    assert centre.counter.told.of(UserDeleted)[0].reason == "fraud"
    assert centre.counter.told.of(AuditLogged)[0].action == "delete"
