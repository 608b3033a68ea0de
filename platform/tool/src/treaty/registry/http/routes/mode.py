"""``/mode``: who may write at all."""

from __future__ import annotations

from typing import Final

from treaty.registry.http.call import Call, Route
from treaty.registry.names import TOP, Name
from treaty.registry.rows import Json


def read_mode(call: Call) -> Json:
    """The mode of a subject, a context, or everything."""
    return {"mode": call.service.governing.mode(_place(call), in_scope=call.flag("defaultToGlobal"))}


def write_mode(call: Call) -> Json:
    """Set a mode."""
    mode = call.service.governing.set_mode(_place(call), call.members().get("mode", ""), force=call.flag("force"))
    return {"mode": mode}


def delete_mode(call: Call) -> Json:
    """Remove a mode and answer the old one."""
    return {"mode": call.service.governing.drop_mode(_place(call), recursive=call.flag("recursive"))}


def _place(call: Call) -> Name:
    return call.subject if "subject" in call.params else TOP


ROUTES: Final = tuple(
    Route(method, path, handler)
    for path in ("/mode", "/mode/{subject}")
    for method, handler in (("GET", read_mode), ("PUT", write_mode), ("DELETE", delete_mode))
)
