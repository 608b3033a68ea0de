"""A real registry for tests: the whole HTTP surface on a ``MemoryStore``, on a free port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from treaty.registry.http.app import create_app
from treaty.registry.process.listening import listen
from treaty.registry.process.serving import config_of
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.protocol import Store

SHUTDOWN_SECONDS: Final = 5
"""Half of what a server has: tests are to end."""


@contextmanager
def registry(store: Store | None = None, *, settings: RegistrySettings | None = None, port: int = 0) -> Iterator[str]:
    """Run a registry in a thread and give its URL (``http://127.0.0.1:PORT``); port 0: any free one.

    It answers from the first moment: the socket listens before the URL is given, so nobody has to wait or to try again.
    """
    settings = settings or RegistrySettings()
    listening = listen("127.0.0.1", port)
    app = create_app(store or MemoryStore(), settings=settings)
    server = uvicorn.Server(config_of(app, settings, shutdown_seconds=SHUTDOWN_SECONDS))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="registry-server", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
