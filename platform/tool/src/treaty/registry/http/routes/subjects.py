"""``/subjects``: register, look up, read, delete."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from treaty.registry.access.grants import Role
from treaty.registry.http.bodies import registered_body, version_body
from treaty.registry.http.call import Call, Reply, Route
from treaty.registry.rows import Json
from treaty.registry.service.found import Versioned
from treaty.registry.service.registering import How

_PROVENANCE: Final = re.compile(r"[ -~]{0,512}")


def list_subjects(call: Call) -> Json:
    """Names of subjects, sorted."""
    search = replace(call.search(":*:"), deleted_only=call.flag("deletedOnly"))
    return [str(name) for name in call.service.reading.subjects(search)]


def look_up(call: Call) -> Json:
    """The version of a subject that has this schema."""
    found = call.service.registering.look_up(
        call.meant, call.schema_request(), normalize=call.flag("normalize"), deleted=call.flag("deleted")
    )
    return _version(call, found)


def delete_subject(call: Call) -> Json:
    """Delete a subject, softly or for good."""
    return list(call.service.deleting.subject(call.meant, permanent=call.flag("permanent")))


def list_versions(call: Call) -> Json:
    """The version numbers of a subject."""
    as_negative = call.flag("deletedAsNegative")
    rows = call.service.reading.versions(
        call.meant, deleted=call.flag("deleted") or as_negative, deleted_only=call.flag("deletedOnly")
    )
    offset, limit = call.page()
    numbers = [-row.number if as_negative and row.deleted else row.number for row in rows]
    return numbers[offset : None if limit < 0 else offset + limit]


def register(call: Call) -> Json:
    """Register a schema."""
    request = call.schema_request()
    if request.id is not None:
        call.guard.require(Role.ADMIN, call.meant)
    found, _ = call.service.registering.register(
        call.meant,
        request,
        how=How(
            normalize=call.flag("normalize"),
            force=call.flag("force"),
            provenance=call.provenance if _PROVENANCE.fullmatch(call.provenance) else "",
        ),
    )
    return registered_body(found, profile=call.profile)


def read_version(call: Call) -> Json:
    """One version."""
    number = call.version
    return _version(call, call.service.reading.version(call.meant, number, deleted=call.flag("deleted")))


def read_version_text(call: Call) -> Reply:
    """The schema of one version, alone."""
    number = call.version
    found = call.service.reading.version(call.meant, number, deleted=call.flag("deleted"))
    return Reply(text=call.view(found.schema).text or found.schema.content.text)


def list_referrers(call: Call) -> Json:
    """Ids of the schemas that refer to a version."""
    number = call.version
    ids = call.service.reading.referrer_ids(call.meant, number, deleted=call.flag("deleted"))
    offset, limit = call.page(most=1000)
    return list(ids[offset : offset + limit])


def delete_version(call: Call) -> Json:
    """Delete one version, softly or for good."""
    number = call.version
    return call.service.deleting.version(call.meant, number, permanent=call.flag("permanent"))


def latest_with_metadata(call: Call) -> Json:
    """The newest version whose metadata has the given properties."""
    pairs = list(zip(call.all("key"), call.all("value"), strict=False))
    return _version(call, call.service.reading.latest_with(call.meant, pairs, deleted=call.flag("deleted")))


def _version(call: Call, found: Versioned) -> Json:
    return version_body(found, profile=call.profile, view=call.view(found.schema))


ROUTES: Final = (
    Route("GET", "/subjects", list_subjects),
    Route("POST", "/subjects/{subject}", look_up),
    Route("DELETE", "/subjects/{subject}", delete_subject),
    Route("GET", "/subjects/{subject}/versions", list_versions),
    Route("POST", "/subjects/{subject}/versions", register),
    Route("GET", "/subjects/{subject}/metadata", latest_with_metadata),
    Route("GET", "/subjects/{subject}/versions/{version}", read_version),
    Route("DELETE", "/subjects/{subject}/versions/{version}", delete_version),
    Route("GET", "/subjects/{subject}/versions/{version}/schema", read_version_text),
    Route("GET", "/subjects/{subject}/versions/{version}/referencedby", list_referrers),
)
