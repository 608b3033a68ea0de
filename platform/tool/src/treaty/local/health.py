"""Asking a program over HTTP whether it is ready."""

from __future__ import annotations

import http.client
import json

from treaty.local.ports import LOOPBACK

BODY_BYTES = 4_194_304
"""Of an answer. The metrics of a service with many events and groups are hundreds of kilobytes; half of them could not be read at all."""


def is_ready(port: int, *, path: str = "/readyz", timeout: float = 3.0) -> bool:
    """Whether ``GET path`` on loopback answers 200. OSError while nobody listens."""
    return ask(port, path, timeout=timeout)[0] == http.HTTPStatus.OK


def complaint(port: int, *, path: str = "/readyz") -> str:
    """What a program that is not ready says about itself, in one line; empty when it says nothing."""
    try:
        status, body = ask(port, path, timeout=3.0)
    except OSError:
        return ""
    try:
        facts = json.loads(body)
    except ValueError:
        return f"{path} answers {status}"
    if not isinstance(facts, dict):
        return f"{path} answers {status}"
    checks = facts.get("checks", facts)
    bad = [f"{key}: {value}" for key, value in checks.items() if str(value).startswith("down")]
    return "; ".join(bad) or f"{path} answers {status}"


def ask(port: int, path: str, *, timeout: float) -> tuple[int, bytes]:
    """Status and body of one GET. OSError when there is no answer."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(BODY_BYTES)
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()
