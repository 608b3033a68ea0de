"""People, end to end: an account from the first mail to the last, and what administrators answer for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.company import ADMIN, Company
from tests.e2e.market import PASSWORD, registered
from tests.parts.waiting import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]


def signed_in(company: Company, name: str) -> dict[str, str]:
    """The headers of a signed-in user."""
    body = {"username": name, "password": PASSWORD}
    answer = company.call("user", "POST", "/api/v1/users/login", json=body)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def subjects(company: Company, name: str) -> list[str]:
    """Subjects of the mails that reached an address, in order."""
    mails: list[dict[str, Any]] = company.call("mail", "GET", "/messages").json()
    return [mail["subject"] for mail in mails if mail["recipients"] == [f"{name}@example.com"]]


def test_each_is_welcomed_by_one_mail_in_the_own_language(company: Company) -> None:
    (_, english), (_, chinese) = registered(company, locale="en"), registered(company, locale="zh")
    wait_until(lambda: subjects(company, english) and subjects(company, chinese))
    company.settle()
    assert subjects(company, english) == ["Welcome to the mall"]
    assert subjects(company, chinese) == ["欢迎加入校园商城"]


def test_a_token_of_the_user_service_is_good_everywhere_and_an_account_leaves_nothing_behind(company: Company) -> None:
    user_id, name = registered(company, locale="en")
    headers = signed_in(company, name)
    assert company.call("order", "GET", "/api/v1/orders", headers=headers).json()["orders"] == []
    body = {"status": "SUSPENDED", "reason": "a check"}
    path = f"/api/v1/users/{user_id}/status"
    assert company.call("user", "PATCH", path, user=ADMIN, json=body).status_code == 200
    assert company.call("user", "GET", "/api/v1/users/me", headers=headers).status_code == 401
    wait_until(lambda: "Your account" in subjects(company, name))
    company.settle()  # mail and inbox are written by two groups
    inbox = company.call("notification", "GET", "/api/v1/notifications", user=user_id).json()["notifications"]
    assert [(line["kind"], line["body"]) for line in inbox] == [("account_status", "Your account is suspended.")]
    assert company.call("user", "PATCH", path, user=ADMIN, json={"status": "DELETED"}).status_code == 200
    wait_until(lambda: "Your account is deleted" in subjects(company, name))
    company.settle()
    entries = company.call("audit", "GET", f"/api/v1/audit?resource=user&resource_id={user_id}", user=ADMIN).json()
    assert [entry["action"] for entry in entries["entries"]] == ["delete", "suspend"]
    assert company.call("audit", "GET", "/api/v1/audit/verify", user=ADMIN).json()["is_intact"] is True
    for service, table in (("notification", "notification"), ("user", "login_log"), ("user", "session")):
        rows = company.rows(service, f"SELECT count(*) FROM {table} WHERE user_id = :user", user=user_id)  # noqa: S608  # our own names
        assert rows[0][0] == 0, table
    ((username, email),) = company.rows("user", "SELECT username, email FROM users WHERE id = :user", user=user_id)
    assert (username, email) == (f"deleted-{user_id}", "")
