"""The user and the audit service are killed again and again while people register and are suspended: each account is there once,
each is welcomed once, and the audit chain is unbroken and tells each act once.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.company import ADMIN, Company
from tests.e2e.crowd import Crowd
from tests.e2e.load import AWAY, PATIENCE_SECONDS
from tests.e2e.market import PASSWORD
from tests.e2e.test_kills import let_die
from tests.e2e.topics import ends
from tests.parts.waiting import wait_until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
PEOPLE, KILLS = 25, 4
"""Accounts that must be opened and kills of each service; `TREATY_E2E_SCALE` multiplies both."""
DONE_ALREADY = 409
"""The answer of a try before this one was lost."""


class Newcomers(Crowd):
    """Within, people open accounts, each once, and an administrator suspends every second one."""

    def __init__(self, company: Company, *, threads: int, rng: Random) -> None:
        super().__init__()
        self._company = company
        self.names: dict[str, int] = {}
        self.suspended: set[int] = set()
        self._rng = Random(rng.random())
        for _ in range(threads):
            self.joins(self._live, Random(rng.random()))

    def _live(self, rng: Random) -> None:
        while self.goes_on(rng.uniform(0, 0.3)):
            name = f"k{uuid4().hex[:12]}"
            body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "locale": "en"}
            answer = self._ask("POST", "/api/v1/users/register", {201}, body=body)
            if answer is None:
                continue
            user = self.names[name] = int(answer.json()["user_id"])
            status = {"status": "SUSPENDED", "reason": "a drill"}
            if rng.random() < 0.5 and self._ask(
                "PATCH", f"/api/v1/users/{user}/status", {200, DONE_ALREADY}, user=ADMIN, body=status
            ):
                self.suspended.add(user)

    def _ask(
        self, method: str, path: str, good: set[int], *, body: dict[str, Any], user: int = 0
    ) -> httpx.Response | None:
        number = self._rng.getrandbits(24)
        headers = {
            "Idempotency-Key": uuid4().hex,
            "X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        }

        def attempt() -> httpx.Response | None:
            try:
                answer = self._company.call("user", method, path, user=user, headers=headers, json=body)
            except httpx.TransportError:
                return None
            return None if answer.status_code in {429, *AWAY} else answer

        try:
            answer = wait_until(attempt, PATIENCE_SECONDS)
        except AssertionError as fault:
            self.faults.append(f"{method} {path}: {fault}")
            return None
        if answer.status_code not in good:
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer


def test_killed_services_lose_no_account_and_break_no_chain(company: Company) -> None:
    seed = int(os.environ.get("TREATY_E2E_SEED") or secrets.randbelow(2**32))
    print(f"TREATY_E2E_SEED={seed}")
    rng, scale = Random(seed), float(os.environ.get("TREATY_E2E_SCALE", "1"))
    people, kills = round(PEOPLE * scale), round(KILLS * scale)
    dead = ends(company, "dlq.user", "dlq.audit")
    company.told(
        "user", MALL_TRUSTED_PROXIES="127.0.0.1"
    )  # people at addresses of their own: one may open ten a minute
    company.stop("user")
    company.restart("user")
    newcomers = Newcomers(company, threads=3, rng=rng)
    with newcomers:
        done = let_die(company, newcomers, victims=("user", "audit"), times=kills, rng=rng)
        wait_until(lambda: len(newcomers.names) >= people or newcomers.faults, 900)
    company.settle()

    assert not newcomers.faults
    assert done == {"user": kills, "audit": kills}
    accounts = company.rows("user", "SELECT id, username FROM users WHERE username LIKE 'k%'")
    assert {row.username: row.id for row in accounts} == newcomers.names
    assert len(accounts) == len(newcomers.names)
    assert welcomes(company) == dict.fromkeys((f"{name}@example.com" for name in newcomers.names), 1)
    kept = company.rows("audit", "SELECT resource_id FROM audit_entry WHERE resource = 'user' AND action = 'suspend'")
    told = Counter(int(row.resource_id) for row in kept if int(row.resource_id) in newcomers.names.values())
    assert told == dict.fromkeys(newcomers.suspended, 1)
    verdict = company.call("audit", "GET", "/api/v1/audit/verify", user=ADMIN).json()
    assert verdict["is_intact"] is True, verdict
    first, last, number = company.rows("audit", "SELECT min(sequence), max(sequence), count(*) FROM audit_entry")[0]
    assert number == last - first + 1
    assert ends(company, "dlq.user", "dlq.audit") == dead
    print(f"{len(accounts)} accounts, {len(newcomers.suspended)} suspended, {number} entries, deaths {dict(done)}")


def welcomes(company: Company) -> dict[str, int]:
    """How many welcomes reached each newcomer."""
    mails: list[dict[str, Any]] = company.call("mail", "GET", "/messages").json()
    found = Counter(mail["recipients"][0] for mail in mails if mail["subject"] == "Welcome to the mall")
    return {address: number for address, number in found.items() if address.startswith("k")}
