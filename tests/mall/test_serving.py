"""Who asks, as the server sees it: a header counts only from a proxy that was named."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI, Request

from mall.serving import server
from tests.parts.waiting import DEADLINE, eventually


@pytest.mark.parametrize(
    ("trusted", "seen"), [((), "127.0.0.1"), (("192.0.2.1",), "127.0.0.1"), (("127.0.0.1",), "203.0.113.7")]
)
async def test_only_a_named_proxy_says_who_asks(trusted: tuple[str, ...], seen: str, port: int) -> None:
    app = FastAPI()

    @app.get("/")
    async def who(request: Request) -> str:
        return request.client.host if request.client else ""

    listening = server(app, host="127.0.0.1", port=port, trusted_proxies=trusted)
    serving = asyncio.create_task(listening.serve())
    await eventually(lambda: listening.started)
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/", headers={"X-Forwarded-For": "203.0.113.7"})
    listening.should_exit = True
    await serving
    assert answer.json() == seen


def test_a_connection_is_asked_every_twenty_seconds_whether_anybody_is_there() -> None:
    config = server(FastAPI(), host="127.0.0.1", port=0).config
    assert (config.ws_ping_interval, config.ws_ping_timeout) == (20, 20)
