"""One serving process: its application, its socket, its end."""

from __future__ import annotations

import json
import signal
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from treaty.registry.http.app import create_app
from treaty.registry.observation import Changed, Failed, Record
from treaty.registry.process.connection import connection_of
from treaty.registry.process.tls import RENEWED_SECONDS, Certificate, TlsFiles
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.protocol import Store

SHUTDOWN_SECONDS: Final = 10


def store_of(settings: RegistrySettings) -> Store:
    """The store that the settings name; raises ``StartRefused``."""
    if settings.database == "memory:":
        return MemoryStore()
    # Late: who keeps everything in memory needs no database library.
    from treaty.registry.stores.sql.store import open_store  # noqa: PLC0415  # for the reason above

    return open_store(settings.database, migrate=settings.migrate)


def certificate_of(settings: RegistrySettings, *, say: Callable[[str], object]) -> Certificate | None:
    """The TLS certificate that the settings name; raises ``StartRefused``."""
    if not settings.tls_cert:
        return None
    authority = Path(settings.tls_ca) if settings.tls_ca else None
    files = TlsFiles(certificate=Path(settings.tls_cert), key=Path(settings.tls_key), authority=authority)
    return Certificate(files, say=say)


def config_of(
    app: ASGIApp,
    settings: RegistrySettings,
    *,
    certificate: Certificate | None = None,
    shutdown_seconds: int = SHUTDOWN_SECONDS,
) -> uvicorn.Config:
    """How uvicorn serves a registry, here and in tests; ``shutdown_seconds``: what is open has so long to be done at the end."""
    config = uvicorn.Config(
        app,
        http=connection_of(settings.limits),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whoever is not named here could write any address into the audit.
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        timeout_graceful_shutdown=shutdown_seconds,
        callback_notify=None if certificate is None else certificate.renew,
        timeout_notify=RENEWED_SECONDS,
    )
    config.load()
    config.ssl = None if certificate is None else certificate.context
    return config


def answer_until_told(
    settings: RegistrySettings,
    store: Store,
    listening: socket.socket,
    *,
    say: Callable[[str], object],
    metrics_folder: Path | None = None,
) -> None:
    """Answer on ``listening`` until SIGTERM or SIGINT, then finish what was begun and close the store.

    ``metrics_folder``: where several processes add up their metrics.
    """
    certificate = certificate_of(settings, say=say)
    app = create_app(store, settings=settings, observe=_teller(say), metrics_folder=metrics_folder)
    config = config_of(app, settings, certificate=certificate)
    server = uvicorn.Server(config)
    # uvicorn raises the signal again after it has stopped; with these the process then ends with our exit code.
    previous = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _teller(say: Callable[[str], object]) -> Callable[[Record], None]:
    def tell(record: Record) -> None:
        if isinstance(record, Changed):
            say(f"{json.dumps(record.line)}\n")
        elif isinstance(record, Failed):
            say(f"request {record.request_id} failed\n{''.join(traceback.format_exception(record.error))}")

    return tell


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """The server has stopped already."""
