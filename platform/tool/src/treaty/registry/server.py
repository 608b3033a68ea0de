"""``serve``: the registry as a process."""

from __future__ import annotations

import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

import uvicorn

from treaty.registry.app import create_app
from treaty.registry.errors import StartRefused, StoreUnavailable
from treaty.registry.listening import listen
from treaty.registry.memory import MemoryStore
from treaty.registry.observation import Failed, Record
from treaty.registry.settings import RegistrySettings
from treaty.registry.store import Store

SHUTDOWN_SECONDS = 10


def serve(settings: RegistrySettings, *, say: Callable[[str], object] = sys.stderr.write) -> int:
    """Run the registry until SIGTERM or SIGINT; answers the exit code: 0 stopped, 2 refused, 3 no database or no port.

    ``say`` gets one line when it listens, one when it does not, and the details of errors of ours.
    """
    try:
        settings.require_sense()
        with ExitStack() as opened:
            store = _store(settings)
            opened.callback(store.close)
            settings.require_credentials(are_there=_has_credentials(store))
            listening = _listening(settings)
            opened.pop_all()
    except StartRefused as refused:
        say(f"{refused}\n")
        return refused.exit_code
    app = create_app(store, settings=settings, observe=_teller(say))
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=SHUTDOWN_SECONDS)
    )
    # uvicorn raises the signal again after it has stopped; with these the process then ends with our exit code.
    previous = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)}
    host, port = listening.getsockname()[:2]
    say(f"treaty registry listens on http://{f'[{host}]' if ':' in host else host}:{port}\n")
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0


def _listening(settings: RegistrySettings) -> socket.socket:
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        raise StartRefused(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Stop what uses the port, or choose another with --port.",
            exit_code=3,
        ) from error


def _has_credentials(store: Store) -> bool:
    try:
        return store.directory().has_credentials
    except StoreUnavailable as error:
        raise StartRefused(f"The database does not answer: {error.__cause__}", exit_code=3) from error


def _store(settings: RegistrySettings) -> Store:
    if settings.database == "memory:":
        return MemoryStore()
    # Late: who keeps everything in memory needs no database library.
    from treaty.registry.sql.store import open_store  # noqa: PLC0415  # for the reason above

    return open_store(settings.database, migrate=settings.migrate)


def _teller(say: Callable[[str], object]) -> Callable[[Record], None]:
    def tell(record: Record) -> None:
        if isinstance(record, Failed):
            say(f"request {record.request_id} failed\n{''.join(traceback.format_exception(record.error))}")

    return tell


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """The server has stopped already."""
