"""The live screen: `/ws/live`, then one frame `{"token": <an admin's token>}`; a frame of counters follows each second.

Law: the token comes in a frame, for addresses stand in logs. Close codes: 1003 not JSON, 1008 policy (token, frame).
"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from mall.analytics.board import Board
from mall.errors import MallError
from mall.identity import Identities
from mall.sockets import POLICY, Closed, end_of, next_frame

EVERY_SECONDS, HELLO_SECONDS = 1.0, 10.0
routes = APIRouter()


@routes.websocket("/ws/live")
async def live_screen(socket: WebSocket) -> None:
    """Send the live counters each second until either side ends it."""
    await socket.accept()
    board: Board = socket.app.state.board
    try:
        await _admit(socket)
        await _serve(socket, board)
    except Closed as end:
        await socket.close(end.code, end.reason)
    except WebSocketDisconnect:
        return


async def _admit(socket: WebSocket) -> None:
    identities: Identities = socket.app.state.identities
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            hello = await next_frame(socket)
    except TimeoutError:
        raise Closed(POLICY, f"no frame came within {HELLO_SECONDS:g} seconds") from None
    token = hello.get("token") if isinstance(hello, dict) else None
    if not isinstance(token, str):
        raise Closed(POLICY, 'the first frame is {"token": <text>}')
    try:
        identities.of(f"Bearer {token}").require_admin()
    except MallError:
        raise Closed(POLICY, "an admin's token is needed") from None


async def _serve(socket: WebSocket, board: Board) -> None:
    hearing = asyncio.create_task(end_of(socket))
    try:
        while not hearing.done():
            await socket.send_text((await board.live()).model_dump_json())
            await asyncio.wait([hearing], timeout=EVERY_SECONDS)
    finally:
        hearing.cancel()
    raise hearing.result()
