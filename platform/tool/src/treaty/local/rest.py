"""Calls to the services' REST API, for the demo: one request, one answer, never an exception."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status (0: none came), the body as JSON, and how long it took."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_ok(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    @property
    def is_refusal(self) -> bool:
        """Whether the service said no for a reason of its own rules, such as "out of stock"."""
        return 400 <= self.status < 500


def call(
    base: str,
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> Answer:
    """One request; ``key`` is its Idempotency-Key."""
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if key:
        headers["Idempotency-Key"] = key
    if body is not None:
        headers["Content-Type"] = "application/json"
    began = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        return Answer(status=answer.status, body=mapping(content), seconds=time.perf_counter() - began)
    except (OSError, http.client.HTTPException):
        return Answer(status=0, seconds=time.perf_counter() - began)
    finally:
        connection.close()


def mapping(content: bytes) -> Mapping[str, Any]:
    """A JSON object; empty for anything else."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
