"""The live inbox on a real port: each notification once, in order, without a gap; on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mall.notification.hub import QUEUE, Push
from tests.mall.counter import Clock
from tests.mall.notification.conftest import Office
from tests.mall.notification.test_domain import BUYER, CREATED, MESSAGE, PAID
from tests.parts.waiting import DEADLINE, eventually


async def ticket(office: Office, user: int = BUYER) -> str:
    answer = await office.counter.call("POST", "/api/v1/ws-tickets", user=user)
    assert answer.status_code == 201
    return str(answer.json()["ticket"])


@asynccontextmanager
async def connected(office: Office, *, resume: int | None = 0, **options: Any) -> AsyncIterator[ClientConnection]:
    address = f"ws://{office.address}/ws?ticket={await ticket(office)}"
    async with connect(address, open_timeout=DEADLINE, ping_timeout=None, **options) as connection:
        if resume is not None:
            await connection.send(json.dumps({"resume": resume}))
        yield connection


async def received(connection: ClientConnection, count: int) -> list[tuple[int, str]]:
    async with asyncio.timeout(DEADLINE):
        frames = [json.loads(await connection.recv()) for _ in range(count)]
    assert all(set(frame) == {"sequence", "kind", "title", "body", "link", "at"} for frame in frames)
    return [(frame["sequence"], frame["kind"]) for frame in frames]


async def close_code(connection: ClientConnection) -> int | None:
    async with asyncio.timeout(DEADLINE):
        with suppress(ConnectionClosed):
            async for _ in connection:  # what was sent before the end must be read to get to it
                pass
    return connection.close_code


async def test_what_was_missed_comes_first_and_then_what_happens(office: Office) -> None:
    await office.tell(CREATED, PAID)
    async with connected(office, resume=1) as connection:
        assert await received(connection, 1) == [(2, "order_paid")]
        await office.tell(replace(CREATED, order_id=2))
        await office.push()
        assert await received(connection, 1) == [(3, "order_created")]


async def test_what_happens_before_the_client_resumes_is_neither_lost_nor_repeated(office: Office) -> None:
    async with connected(office, resume=None) as connection:
        await eventually(lambda: office.hub.connections == 1)
        await office.tell(CREATED)
        await office.push()
        await office.tell(PAID)
        await connection.send('{"resume": 0}')
        assert await received(connection, 2) == [(1, "order_created"), (2, "order_paid")]
        await office.push()
        await office.tell(replace(CREATED, order_id=2))
        await office.push()
        assert await received(connection, 1) == [(3, "order_created")]


async def test_two_screens_of_one_user_both_hear_and_others_do_not(office: Office) -> None:
    async with connected(office) as first, connected(office) as second:
        await office.tell(MESSAGE, CREATED)
        await office.push()
        for connection in (first, second):
            assert await received(connection, 1) == [(1, "order_created")]


async def test_a_connection_that_ends_is_forgotten(office: Office) -> None:
    async with connected(office):
        await eventually(lambda: office.hub.connections == 1)
    await eventually(lambda: office.hub.connections == 0)


async def test_a_ticket_opens_one_connection_and_not_for_long(office: Office, clock: Clock) -> None:
    used, late = await ticket(office), await ticket(office)
    async with connect(f"ws://{office.address}/ws?ticket={used}", open_timeout=DEADLINE):
        await eventually(lambda: office.hub.connections == 1)
    clock.move(seconds=30)
    for refused in (used, late, "nonsense", ""):
        async with connect(f"ws://{office.address}/ws?ticket={refused}", open_timeout=DEADLINE) as connection:
            assert await close_code(connection) == 1008


@pytest.mark.parametrize(
    ("origin", "is_welcome"), [("https://shop.test", True), ("https://evil.test", False), ("http://[", False)]
)
async def test_a_browser_comes_from_a_known_page(office: Office, origin: str, is_welcome: bool) -> None:
    await office.tell(CREATED)
    async with connected(office, resume=None, origin=origin) as connection:
        if is_welcome:
            await connection.send('{"resume": 0}')
            assert await received(connection, 1) == [(1, "order_created")]
        else:
            assert await close_code(connection) == 1008


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("hello", 1003),
        (b"\x00\x01", 1003),
        ("[" * 60_000, 1003),
        ('{"resume": "1"}', 1008),
        ('{"resume": -1}', 1008),
        ('{"resume": true}', 1008),
        ("[1]", 1008),
        (json.dumps({"resume": 0, "padding": "x" * 70_000}), 1009),
    ],
)
async def test_a_frame_that_is_not_a_resume_ends_the_connection(office: Office, frame: str | bytes, code: int) -> None:
    async with connected(office, resume=None) as connection:
        await connection.send(frame)
        assert await close_code(connection) == code


async def test_a_second_frame_ends_the_connection(office: Office) -> None:
    async with connected(office) as connection:
        await connection.send('{"resume": 0}')
        assert await close_code(connection) == 1008


async def test_a_reader_that_is_too_slow_is_sent_away_to_resume(office: Office, clock: Clock) -> None:
    async with connected(office, resume=None) as connection:
        await eventually(lambda: office.hub.connections == 1)
        for sequence in range(1, QUEUE + 2):
            office.hub.push(BUYER, Push(sequence=sequence, kind="k", title="t", body="b", link=None, at=clock()))
        await connection.send('{"resume": 0}')
        assert await close_code(connection) == 1013
