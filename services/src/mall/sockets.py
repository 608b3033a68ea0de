"""What the WebSockets of services share: frames of JSON, and how a connection ends (codes of RFC 6455, 7.4.1)."""

from __future__ import annotations

import json

from fastapi import WebSocket, WebSocketDisconnect

NOT_JSON, POLICY, TOO_SLOW = 1003, 1008, 1013


class Closed(Exception):
    """The connection ends with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


async def next_frame(socket: WebSocket) -> object:
    """What the client says next. Raises Closed for what is no JSON text, and WebSocketDisconnect when it says no more."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    try:
        frame: object = json.loads(message.get("text") or "")
    except (ValueError, RecursionError):
        raise Closed(NOT_JSON, "frames are JSON texts") from None
    return frame


async def end_of(socket: WebSocket) -> Closed | WebSocketDisconnect:
    """How the connection ends from the client's side, once it has said the one thing that it has to say."""
    try:
        await next_frame(socket)
    except (Closed, WebSocketDisconnect) as end:
        return end
    return Closed(POLICY, "one frame is all a client sends")
