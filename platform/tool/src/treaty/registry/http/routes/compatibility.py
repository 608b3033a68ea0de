"""``/compatibility``: would a schema be let in."""

from __future__ import annotations

from typing import Final

from treaty.registry.http.call import Call, Route
from treaty.registry.rows import Json


def check_all(call: Call) -> Json:
    """Judge a schema against the versions that the subject's level asks for."""
    return _checked(call, None)


def check_one(call: Call) -> Json:
    """Judge a schema against one version."""
    return _checked(call, call.version)


def _checked(call: Call, version: int | None) -> Json:
    is_verbose = call.flag("verbose")
    judgement = call.service.judging.check(
        call.meant,
        call.schema_request(),
        version=version,
        normalize=call.flag("normalize"),
        verbose=is_verbose,
    )
    body: dict[str, Json] = {"is_compatible": judgement.is_compatible}
    return {**body, "messages": list(judgement.messages)} if is_verbose else body


ROUTES: Final = (
    Route("POST", "/compatibility/subjects/{subject}/versions", check_all),
    Route("POST", "/compatibility/subjects/{subject}/versions/{version}", check_one),
)
