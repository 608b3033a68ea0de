"""One request as a route sees it, and what the route gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from treaty.registry.access.grants import Role
from treaty.registry.decisions.decide import LATEST
from treaty.registry.decisions.request import SchemaRequest, require_object, schema_request
from treaty.registry.errors import InvalidVersion, NotFound
from treaty.registry.guard.guarded import Guard
from treaty.registry.http.bodies import View
from treaty.registry.names import EVERY_CONTEXT, Name
from treaty.registry.rows import Json, SchemaRow
from treaty.registry.service import RegistryService
from treaty.registry.settings import WireProfile
from treaty.registry.stores.protocol import Search
from treaty.registry.wire.incoming import json_of
from treaty.registry.wire.paths import Query, segment_text

_INT32: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is more than a JSON value. ``text``: sent as it is. ``is_immutable``: may be remembered."""

    value: Json = None
    text: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    is_immutable: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request: where it goes, what it asks, what it brings."""

    service: RegistryService
    params: Mapping[str, str]
    query: Query
    body: bytes
    provenance: str
    guard: Guard

    @property
    def profile(self) -> WireProfile:
        """Which Confluent version is answered like."""
        return self.service.settings.wire_profile

    @property
    def subject(self) -> Name:
        """The subject of the path."""
        return Name.parse(segment_text(self.params["subject"]))

    @property
    def meant(self) -> Name:
        """The subject that is meant by the one of the path: its alias, if it has one."""
        return self._followed(self.subject)

    @property
    def version(self) -> int:
        """The version of the path; raises ``InvalidVersion``."""
        return read_version(segment_text(self.params["version"]))

    @property
    def schema_id(self) -> int:
        """The id of the path; raises ``NotFound`` if it is no 32-bit integer."""
        number = _integer(self.params["id"])
        if number is None or not -_INT32 - 1 <= number <= _INT32:
            raise NotFound
        return number

    @property
    def near(self) -> Name | None:
        """The subject that is meant by the query's ``subject``."""
        text = self.text("subject")
        return self._followed(Name.parse(text)) if text else None

    @property
    def aliases(self) -> Mapping[Name, Name]:
        """What stands for what, of the names that the visitor may read: no other one may be found out by where it leads."""
        principal = self.guard.visitor.principal
        return {name: meant for name, meant in self.service.aliases.all().items() if principal.may(Role.READER, name)}

    def text(self, key: str) -> str | None:
        """The first value of a query member."""
        return next((value for name, value in self.query if name == key), None)

    def all(self, key: str) -> list[str]:
        """All values of a repeated query member, in order."""
        return [value for name, value in self.query if name == key]

    def flag(self, key: str) -> bool:
        """A boolean of the query: ``true`` in any case, else false."""
        return (self.text(key) or "").lower() == "true"

    def page(self, *, most: int = -1) -> tuple[int, int]:
        """``offset`` and ``limit`` of the query; limit -1: unlimited. Raises ``NotFound`` if one is no integer."""
        offset, limit = self._number("offset", 0), self._number("limit", most)
        is_usual = limit < 1 or (most > 0 and limit > most)
        return max(offset, 0), most if is_usual else limit

    def search(self, usual: str, *, most: int = -1) -> Search:
        """Where ``subjectPrefix`` (or else ``usual``) leads, with ``deleted`` and the page; raises ``NotFound`` like ``page``."""
        sent = self.text("subjectPrefix")
        wanted = Name.parse(usual if sent is None else sent)
        offset, limit = self.page(most=most)
        return Search(
            context=None if wanted.context == EVERY_CONTEXT else wanted.context,
            prefix=wanted.subject,
            deleted=self.flag("deleted"),
            offset=offset,
            limit=limit,
        )

    def schema_request(self) -> SchemaRequest:
        """The body, read as a schema."""
        return schema_request(json_of(self.body), limits=self.service.settings.limits)

    def view(self, schema: SchemaRow) -> View:
        """How the query wants the schema to be shown: ``format``, ``referenceFormat``, ``findTags``."""
        tags = self.all("findTags")
        return View(
            text=self.service.reading.inlined(schema) if self.text("format") == "resolved" else None,
            qualified=self.text("referenceFormat") == "qualified",
            tags=self.service.reading.tagged(schema, tags) if tags else (),
        )

    def members(self) -> Mapping[str, Json]:
        """The body, a JSON object."""
        return require_object(json_of(self.body))

    def number(self, key: str) -> int | None:
        """An integer of the query; None if it is not given. Raises ``NotFound`` for what is no integer."""
        return None if self.text(key) is None else self._number(key, 0)

    def _followed(self, name: Name) -> Name:
        is_read = self.guard.visitor.principal.may(Role.READER, name)
        return self.service.aliases.followed(name) if is_read else name

    def _number(self, key: str, default: int) -> int:
        text = self.text(key)
        number = default if text is None else _integer(text)
        if number is None:
            raise NotFound
        return number


Handler: TypeAlias = Callable[[Call], "Json | Reply"]


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a path template and the function that answers; an id in the path is text until the function reads it.

    ``place``: where the function runs. *hands*: beside the other requests' ones; *watch*: in threads of its path, once for all who
    wait, which asks the store how it is; *loop*: at once, which asks nobody.
    """

    method: str
    path: str
    handler: Handler
    place: Literal["hands", "watch", "loop"] = "hands"


def read_version(text: str) -> int:
    """A version number, or ``LATEST``; raises ``InvalidVersion``."""
    trimmed = text.strip()
    number = LATEST if trimmed.lower() == "latest" else _integer(trimmed)
    if number is None or (number != LATEST and not 1 <= number <= _INT32):
        raise InvalidVersion(text)
    return number


def _integer(text: str) -> int | None:
    digits = text[1:] if text[:1] in ("-", "+") else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
