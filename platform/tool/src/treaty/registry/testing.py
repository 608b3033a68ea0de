"""A real registry for tests: the whole HTTP surface on a ``MemoryStore``, on a free port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from treaty.registry.http.app import create_app
from treaty.registry.process.connection import connection_of
from treaty.registry.process.listening import listen
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.protocol import Store


@contextmanager
def registry(store: Store | None = None, *, settings: RegistrySettings | None = None, port: int = 0) -> Iterator[str]:
    """Run a registry in a thread and give its URL (``http://127.0.0.1:PORT``); port 0: any free one.

    It answers from the first moment: the socket listens before the URL is given, so nobody has to wait or to try again.
    """
    settings = settings or RegistrySettings()
    listening = listen("127.0.0.1", port)
    app = create_app(store or MemoryStore(), settings=settings)
    config = uvicorn.Config(
        app,
        http=connection_of(settings.limits),
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="registry-server", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
