"""The live inbox: `/ws?ticket=…`, then one frame `{"resume": <last sequence seen>}` from the client.

Law 1: from the first moment live notifications wait in the line's queue; the table's later rows are sent first, then what waits
above the last one sent. So each notification comes once, in order, without a gap.
Law 2: a connection ends with 1003 (not JSON), 1008 (policy: ticket, origin, frame) or 1013 (reader too slow).
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from mall.identity import LARGEST_ID
from mall.notification import store, tickets
from mall.notification.answers import notification_answer
from mall.notification.hub import Hub, Line
from mall.sockets import POLICY, TOO_SLOW, Closed, end_of, next_frame
from mall.work import Desk

PAGE = 100
routes = APIRouter()


@routes.websocket("/ws")
async def live_inbox(socket: WebSocket, ticket: str = "") -> None:
    """Serve one connection until either side ends it."""
    await socket.accept()
    desk: Desk = socket.app.state.desk
    hub: Hub = socket.app.state.hub
    try:
        user_id = await _admit(socket, desk, ticket)
        line = hub.join(user_id)
        try:
            await _serve(socket, desk, line)
        finally:
            hub.leave(line)
    except Closed as end:
        await socket.close(end.code, end.reason)
    except WebSocketDisconnect:
        return


async def _admit(socket: WebSocket, desk: Desk, ticket: str) -> int:
    origin = socket.headers.get("origin")
    if not _is_own(origin, host=socket.headers.get("host")) and origin not in socket.app.state.allowed_origins:
        raise Closed(POLICY, "origin not allowed")
    async with desk.open() as work:
        user_id = await tickets.redeem(work, ticket=ticket)
    if user_id is None:
        raise Closed(POLICY, "ticket unknown, used or expired")
    return user_id


def _is_own(origin: str | None, *, host: str | None) -> bool:
    try:
        return origin is None or urlsplit(origin).netloc == host
    except ValueError:
        return False  # such as http://[


async def _serve(socket: WebSocket, desk: Desk, line: Line) -> None:
    last_sent = await _send_missed(socket, desk, line.user_id, after=await _resume(socket))
    async with asyncio.TaskGroup() as parts:
        tasks = [
            parts.create_task(_send_live(socket, line, last_sent)),
            parts.create_task(end_of(socket)),
            parts.create_task(_watch(line)),
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        ends = [task.result() for task in done]
    raise ends[0]


async def _resume(socket: WebSocket) -> int:
    frame = await next_frame(socket)
    resume = frame.get("resume") if isinstance(frame, dict) else None
    if not isinstance(resume, int) or isinstance(resume, bool) or not 0 <= resume <= LARGEST_ID:
        raise Closed(POLICY, 'the first frame is {"resume": <sequence>}')
    return resume


async def _send_missed(socket: WebSocket, desk: Desk, user_id: int, *, after: int) -> int:
    while True:
        async with desk.look() as session:
            rows = await store.notifications(session, user_id=user_id, after_sequence=after, size=PAGE)
        for row in rows:
            shown = notification_answer(row).model_dump(mode="json", exclude={"notification_id", "read_at"})
            await socket.send_json(shown)
            after = row.sequence
        if len(rows) < PAGE:
            return after


async def _send_live(socket: WebSocket, line: Line, last_sent: int) -> Closed | WebSocketDisconnect:
    while True:
        notice = await line.queue.get()
        if notice.sequence > last_sent:
            last_sent = notice.sequence
            try:
                await socket.send_json({**asdict(notice), "at": notice.at.isoformat().replace("+00:00", "Z")})
            except WebSocketDisconnect as gone:
                return gone


async def _watch(line: Line) -> Closed:
    await line.is_full.wait()
    return Closed(TOO_SLOW, "read faster, or resume")
