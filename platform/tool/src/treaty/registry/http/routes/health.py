"""Is it up, can it serve, what has it done."""

from __future__ import annotations

from typing import Final

from treaty.registry.http.call import Call, Reply, Route
from treaty.registry.rows import Json


def healthz(_call: Call) -> Json:
    """The process answers."""
    return {"status": "ok"}


def readyz(call: Call) -> Reply:
    """The store can serve."""
    readiness = call.service.store.ready()
    return Reply(dict(readiness.details), status=200 if readiness.ready else 503)


def master_available(call: Call) -> Reply:
    """The same in the words of older clients."""
    is_ready = call.service.store.ready().ready
    return Reply({"master_available": is_ready}, status=200 if is_ready else 503)


ROUTES: Final = (
    Route("GET", "/healthz", healthz, "loop"),
    Route("GET", "/readyz", readyz, "watch"),
    Route("GET", "/master_available", master_available, "watch"),
)
