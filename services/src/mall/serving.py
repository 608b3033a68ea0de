"""The HTTP server every service runs in."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

LARGEST_FRAME_BYTES = 65_536
PING_SECONDS = 20.0
GRACE_SECONDS = 10
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """Ends with exit code 0 when it is asked to: uvicorn's own raises the signal again, which looks like a crash."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the wish to end."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.end)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def end(self) -> None:
        """Take no more requests, let those under way end, stop the runtime, return."""
        self.should_exit = True


def server(app: FastAPI, *, host: str, port: int, trusted_proxies: Sequence[str] = ()) -> Server:
    """A server of `app`, ended by SIGTERM and SIGINT after at most ten seconds of grace.

    WebSocket frames over 64 kB end their connection with 1009, a ping goes out every 20 s. `trusted_proxies` (addresses) say
    in X-Forwarded-For who asks; from anybody else that header is not believed.
    """
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(trusted_proxies),  # uvicorn's default believes every client on this machine
            forwarded_allow_ips=list(trusted_proxies),
            timeout_graceful_shutdown=GRACE_SECONDS,
            ws_max_size=LARGEST_FRAME_BYTES,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
        )
    )
