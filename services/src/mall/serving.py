"""The HTTP server every service runs in."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

LARGEST_FRAME_BYTES = 65_536
PING_SECONDS = 20.0
GRACE_SECONDS = 10


def server(app: FastAPI, *, host: str, port: int) -> uvicorn.Server:
    """A server of `app`; SIGTERM and SIGINT end it after at most ten seconds of grace.

    WebSocket frames over 64 kB end their connection with 1009, a ping goes out every 20 s.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ws_max_size=LARGEST_FRAME_BYTES,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
        )
    )
