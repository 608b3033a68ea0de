"""Schemas as a registry has them, for bytes that lie in topics: by id, and the newest of a subject."""

from __future__ import annotations

from dataclasses import dataclass

from treaty.errors import EnvironmentFault
from treaty.ops.http import RegistryHttp, part
from treaty_avro import AvroError, Schema, parse

_ABSENT = (40401, 40402, 40403)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a subject with its id and schema."""

    subject: str
    version: int
    schema_id: int
    schema: Schema


class Registered:
    """Asks each question once."""

    def __init__(self, registry: RegistryHttp) -> None:
        self._registry = registry
        self._schemas: dict[int, Schema | None] = {}

    def by_id(self, schema_id: int) -> Schema | None:
        """The schema of an id with what it refers to; None if the registry does not know it."""
        if schema_id not in self._schemas:
            self._schemas[schema_id] = self._fetch(schema_id)
        return self._schemas[schema_id]

    def subjects(self, schema_id: int) -> list[str]:
        """Subjects that have this id, sorted."""
        path = f"/schemas/ids/{schema_id}/versions?deleted=true"
        rows = self._registry.call("GET", path, absent=_ABSENT, kind=list) or []
        return sorted({str(row["subject"]) for row in rows})

    def newest(self, subject: str) -> Version | None:
        """The newest live version of a subject; None if it has none."""
        body = self._registry.call("GET", f"/subjects/{part(subject)}/versions/latest", absent=_ABSENT)
        if body is None:
            return None
        schema = self.by_id(int(body["id"]))
        if schema is None:
            return None
        return Version(subject=subject, version=int(body["version"]), schema_id=int(body["id"]), schema=schema)

    def _fetch(self, schema_id: int) -> Schema | None:
        path = f"/schemas/ids/{schema_id}"
        body = self._registry.call("GET", path, absent=_ABSENT)
        if body is not None and body.get("references"):
            body = self._registry.call("GET", f"{path}?format=resolved", absent=_ABSENT)
        if body is None:
            return None
        try:
            return parse(str(body["schema"]), rules="stored", path=f"schema id {schema_id}")
        except (AvroError, KeyError) as error:
            raise EnvironmentFault(f"Schema id {schema_id} of the registry is no Avro schema: {error}") from error
