"""The registry's HTTP surface as one table, written by hand: it gives the order and can be jumped to. No rule lives here."""

from __future__ import annotations

from typing import Final

from treaty.registry.http.call import Route
from treaty.registry.http.routes import (
    audit,
    compatibility,
    config,
    contexts,
    health,
    metadata,
    mode,
    own,
    schemas,
    subjects,
)

ROUTES: Final[tuple[Route, ...]] = (
    *health.ROUTES,
    *metadata.ROUTES,
    *schemas.ROUTES,
    *subjects.ROUTES,
    *compatibility.ROUTES,
    *config.ROUTES,
    *mode.ROUTES,
    *contexts.ROUTES,
    *own.ROUTES,
    *audit.ROUTES,
)
