"""``serve``: the registry as a process, or as several."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from treaty.registry.errors import StartRefused, StoreUnavailable, store_fault
from treaty.registry.process.listening import listen
from treaty.registry.process.serving import answer_until_told, certificate_of, store_of
from treaty.registry.process.workers import supervise
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.protocol import Store


def serve(settings: RegistrySettings, *, say: Callable[[str], object] = sys.stderr.write) -> int:
    """Run the registry until SIGTERM or SIGINT; answers the exit code: 0 stopped, 2 refused, 3 no database or no port.

    ``say`` gets one line when it listens, one when it does not, and the details of errors of ours.
    """
    try:
        settings.require_sense()
        certificate_of(settings, say=say)
        with ExitStack() as opened:
            store = store_of(settings)
            opened.callback(store.close)
            settings.require_credentials(are_there=_has_credentials(store))
            listening = _listening(settings)
            opened.pop_all()
    except StartRefused as refused:
        say(f"{refused}\n")
        return refused.exit_code
    host, port = listening.getsockname()[:2]
    scheme = "https" if settings.tls_cert else "http"
    say(f"treaty registry listens on {scheme}://{f'[{host}]' if ':' in host else host}:{port}\n")
    if settings.workers > 1:
        # The tables are at our revision now; workers only have to find them so.
        store.close()
        return supervise(replace(settings, migrate=False), listening, say=say)
    answer_until_told(settings, store, listening, say=say)
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
        raise StartRefused(f"The database does not answer: {store_fault(error)}", exit_code=3) from error
