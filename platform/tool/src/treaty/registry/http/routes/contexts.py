"""``/contexts``: separate lines of ids in one registry."""

from __future__ import annotations

from typing import Final

from treaty.registry.errors import ContextHasColon
from treaty.registry.http.call import Call, Reply, Route
from treaty.registry.rows import Json
from treaty.registry.wire.paths import segment_text


def list_contexts(call: Call) -> Json:
    """Names of contexts, sorted."""
    prefix = call.text("contextPrefix") or ""
    offset, limit = call.page()
    names = [name for name in call.service.reading.contexts() if name.startswith(prefix)]
    return names[offset : None if limit < 0 else offset + limit]


def delete_context(call: Call) -> Reply:
    """Forget an empty context."""
    context = segment_text(call.params["context"])
    bare = context.removeprefix(":").removesuffix(":")
    if ":" in bare:
        raise ContextHasColon(context)
    call.service.deleting.context(f".{bare.removeprefix('.')}")
    return Reply(status=204)


ROUTES: Final = (
    Route("GET", "/contexts", list_contexts),
    Route("DELETE", "/contexts/{context}", delete_context),
)
