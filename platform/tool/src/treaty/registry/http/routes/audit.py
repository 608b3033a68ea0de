"""``/treaty/v1/audit``: what was done, and what was refused."""

from __future__ import annotations

from typing import Final

from treaty.registry.http.call import Call, Route
from treaty.registry.rows import Json

_PAGE: Final = 1_000


def list_audit(call: Call) -> Json:
    """Entries, newest first; ``before``: only those with a smaller number, for the next page."""
    _, limit = call.page(most=_PAGE)
    entries = call.service.store.audit(before=call.number("before"), limit=limit)
    return [{"id": number, **entry.as_json()} for number, entry in entries]


ROUTES: Final = (Route("GET", "/treaty/v1/audit", list_audit),)
