"""Bad requests to every address that takes a body: a sentence with a next step, never a traceback, and the process lives on.

The addresses come from each service's own OpenAPI document, so that a new one is attacked without anybody thinking of it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.e2e.company import ADMIN, Company

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
LIMIT = 1_000_000
HUGE = 2**70
WRITES = ("post", "put", "patch")
ONLY_ANSWER = {"cache", "audit", "search"}
OPEN = {"/api/v1/users/register", "/api/v1/users/login"}
"""Addresses for people who have no token yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One operation; ``fields`` are the properties of its body with their types, empty for one without body."""

    service: str
    method: str
    path: str
    fields: Mapping[str, str]

    def ask(self, company: Company, *, ids: int = 1, **rest: Any) -> httpx.Response:
        """A request as the admin, with ``ids`` in place of every number of the path."""
        path = "/".join(str(ids) if part.startswith("{") else part for part in self.path.split("/"))
        rest.setdefault("user", ADMIN)
        if self.method == "patch":
            rest["headers"] = {"If-Match": "1", **rest.get("headers", {})}
        return company.call(self.service, self.method.upper(), path, **rest)


def addresses(company: Company) -> list[Address]:
    """Every writing operation of every service."""
    found = [
        Address(service=service, method=method, path=path, fields=fields_of(operation, document))
        for service in company.layout.services
        for document in [company.call(service, "GET", "/openapi.json").json()]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in WRITES
    ]
    assert {address.service for address in found} == {*company.layout.services} - ONLY_ANSWER
    return found


def fields_of(operation: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, str]:
    if "requestBody" not in operation:
        return {}
    text = json.dumps(operation["requestBody"])
    name = text.partition("#/components/schemas/")[2].partition('"')[0]
    properties = document["components"]["schemas"][name]["properties"]
    return {field: json.dumps(schema) for field, schema in properties.items()}


def assert_refused(answer: httpx.Response, *statuses: int) -> Mapping[str, Any]:
    """The one shape of a refusal; nothing of the inside shows."""
    assert answer.status_code in statuses, f"{answer.request.method} {answer.request.url}: {answer.text[:500]}"
    body: dict[str, Any] = answer.json()
    assert body["error"]
    assert body["message"]
    assert body["next"]
    for inside in ("Traceback", 'File "', "sqlalchemy", "/src/"):
        assert inside not in answer.text
    return body


@pytest.fixture
def targets(company: Company) -> Iterator[list[Address]]:
    """The addresses; afterwards every service must still be well."""
    yield addresses(company)
    assert all(map(company.is_well, company.layout.services))


def test_what_is_no_json_is_refused(company: Company, targets: list[Address]) -> None:
    malformed = [b"{", b'{"lines": [', b"\xff\xfe", b"{'note': 1}", b'{"note": NaN}', b"[" * 20_000, b"nonsense"]
    for address in targets:
        for content in malformed:
            answer = address.ask(company, content=content, headers={"Content-Type": "application/json"})
            if address.fields:
                assert_refused(answer, 422)
            else:
                assert answer.status_code < 500, answer.text


def test_a_body_of_another_kind_is_refused(company: Company, targets: list[Address]) -> None:
    kinds: list[Any] = [None, 1, "text", [], [{}], True]
    for address in [address for address in targets if address.fields]:
        for value in kinds:
            if value is None:  # an optional body may be null
                assert address.ask(company, json=value).status_code < 500
            else:
                assert_refused(address.ask(company, json=value), 422)


def test_unknown_fields_are_named(company: Company, targets: list[Address]) -> None:
    for address in [address for address in targets if address.fields]:
        body = assert_refused(address.ask(company, json={"surprise": 1}), 422)
        assert any(problem["where"] == "body.surprise" for problem in body["problems"]), body


def test_a_megabyte_is_read_and_one_byte_more_is_not(company: Company, targets: list[Address]) -> None:
    frame = len(json.dumps({"surprise": ""}))
    for address in [address for address in targets if address.fields]:
        largest = json.dumps({"surprise": "x" * (LIMIT - frame)}).encode()
        json_type = {"Content-Type": "application/json"}
        assert_refused(address.ask(company, content=largest, headers=json_type), 422)
        assert_refused(address.ask(company, content=largest + b" ", headers=json_type), 413)
        chunks = iter([largest, b" "])  # without an announced length
        assert_refused(address.ask(company, content=chunks, headers=json_type), 413)


def test_texts_with_nul_are_refused(company: Company, targets: list[Address]) -> None:
    tried = 0
    for address in targets:
        for field, schema in address.fields.items():
            if '"type": "string"' not in schema or '"pattern"' in schema:
                continue
            body = assert_refused(address.ask(company, json={field: "a\x00b"}), 422)
            assert any(problem["where"] == f"body.{field}" for problem in body["problems"]), body
            tried += 1
    assert tried > 5


def test_numbers_that_no_database_holds_are_refused(company: Company, targets: list[Address]) -> None:
    for address in targets:
        if "{" in address.path:
            for number in (HUGE, -1, 0, 2**63):
                assert_refused(address.ask(company, ids=number, json={}), 422)
        for field, schema in address.fields.items():
            if '"type": "integer"' in schema:
                for value in (HUGE, -1, 1.5, "1", "one", True, None, [1]):
                    is_optional = value is None and '"null"' in schema
                    if not is_optional:
                        assert_refused(address.ask(company, json={field: value}), 422)


def test_quantities_that_nobody_can_order_are_refused(company: Company) -> None:
    for quantity in (0, -1, 100, HUGE, 1.5, "1", "two", True, None):
        body = {"lines": [{"goods_id": 1, "quantity": quantity}]}
        assert_refused(company.call("order", "POST", "/api/v1/orders", user=ADMIN, json=body), 422)
    for goods_id in (0, -1, HUGE, 2**63):
        body = {"lines": [{"goods_id": goods_id, "quantity": 1}]}
        assert_refused(company.call("order", "POST", "/api/v1/orders", user=ADMIN, json=body), 422)


def test_tokens_that_are_none_are_refused(company: Company, targets: list[Address]) -> None:
    for address in [address for address in targets if address.path not in OPEN]:
        for token in wrong_tokens(company):
            headers = {"Authorization": token.encode("latin-1")} if token else {}
            answer = address.ask(company, user=0, json=None, headers=headers)
            assert_refused(answer, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def wrong_tokens(company: Company) -> list[str]:
    claims = {"sub": str(ADMIN), "admin": True, "exp": datetime.now(UTC) + timedelta(hours=1)}
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    payload = company.token(ADMIN, is_admin=True).split(".")[1]
    foreign = jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA")
    symmetric = jwt.encode(claims, "k" * 32, algorithm="HS256")
    key = company.keys.private.read_bytes()
    expired = jwt.encode({**claims, "exp": datetime.now(UTC) - timedelta(minutes=1)}, key, algorithm="EdDSA")
    endless = jwt.encode({"sub": str(ADMIN)}, key, algorithm="EdDSA")
    nobody = jwt.encode({**claims, "sub": str(HUGE)}, key, algorithm="EdDSA")
    tokens = [foreign, symmetric, expired, endless, nobody, f"{header}.{payload}.", "x", "a.b.c", "\u00e9" * 3]
    return ["", "Bearer", "Basic YTpi", *(f"Bearer {token}" for token in tokens)]
