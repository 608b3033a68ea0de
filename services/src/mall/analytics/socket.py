"""The live screen: `/ws/live`, then one frame `{"token": <an admin's token>}`; a frame of counters follows each second.

Law: the token comes in a frame, for addresses stand in logs. Close codes: 1003 not JSON, 1008 policy.
"""

from __future__ import annotations

import asyncio
import json

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from mall.analytics.board import Board
from mall.errors import MallError
from mall.identity import Identities

NOT_JSON, POLICY = 1003, 1008
EVERY_SECONDS, HELLO_SECONDS = 1.0, 10.0
routes = APIRouter()


@routes.websocket("/ws/live")
async def live_screen(socket: WebSocket) -> None:
    """Send the live counters each second until either side ends it."""
    await socket.accept()
    board: Board = socket.app.state.board
    try:
        fault = await _admit(socket)
        if fault:
            await socket.close(*fault)
            return
        hearing = asyncio.create_task(_hear(socket))
        try:
            while not hearing.done():
                await socket.send_text((await board.live()).model_dump_json())
                await asyncio.wait([hearing], timeout=EVERY_SECONDS)
        finally:
            hearing.cancel()
    except WebSocketDisconnect:
        return


async def _admit(socket: WebSocket) -> tuple[int, str] | None:
    identities: Identities = socket.app.state.identities
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            hello = json.loads(await socket.receive_text())
        identities.of(f"Bearer {hello['token']}").require_admin()
    except (ValueError, KeyError, TypeError):
        return NOT_JSON, 'the first frame is {"token": ...}'
    except (MallError, TimeoutError):
        return POLICY, "an admin's token is needed"
    return None


async def _hear(socket: WebSocket) -> None:
    """Nothing more is expected; reading finds the end."""
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        return
