"""A schema registry in memory that can be taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from treaty_avro import Schema, parse
from treaty_runtime.errors import RegistryUnavailable, SchemaNotRegistered, UnknownSchemaId
from treaty_runtime.event import Event, published_text


@dataclass(frozen=True, slots=True)
class MemoryVersion:
    """A registered version."""

    subject: str
    version: int
    text: str

    @property
    def schema(self) -> Schema:
        """The writer's schema."""
        return parse(self.text, rules="stored")


class MemoryRegistry:
    """Answers whatever a ``Runtime`` asks of a registry.

    ``register`` gives ids from 1 on; ``registers_by_itself`` does so at the first question.
    """

    def __init__(self, *, registers_by_itself: bool = False) -> None:
        self._by_subject: dict[tuple[str, str], int] = {}
        self._texts: dict[int, str] = {}
        self._subjects: dict[int, set[str]] = {}
        self._registers_by_itself = registers_by_itself
        self.is_away = False
        self.questions = 0

    def register(self, subject: str, text: str) -> int:
        """The id of a text under a subject, the same for the same text under any."""
        known = next((schema_id for schema_id, other in self._texts.items() if other == text), None)
        schema_id = known if known is not None else len(self._texts) + 1
        self._texts[schema_id] = text
        self._by_subject[subject, text] = schema_id
        self._subjects.setdefault(schema_id, set()).add(subject)
        return schema_id

    async def id_of(self, event: type[Event]) -> int:
        """Id of a class; ``SchemaNotRegistered`` if it has none."""
        self._answer()
        key = (event.__subject__, published_text(event))
        if key not in self._by_subject and self._registers_by_itself:
            self.register(*key)
        if key not in self._by_subject:
            raise SchemaNotRegistered(event.__avro_fullname__, event.__subject__)
        return self._by_subject[key]

    async def writer(self, schema_id: int) -> Schema:
        """The schema of an id; ``UnknownSchemaId`` if there is none."""
        self._answer()
        if schema_id not in self._texts:
            raise UnknownSchemaId(f"The registry does not know schema id {schema_id}.")
        return parse(self._texts[schema_id], rules="stored")

    async def subjects(self, schema_id: int) -> frozenset[str]:
        """Subjects of an id."""
        self._answer()
        return frozenset(self._subjects.get(schema_id, ()))

    async def subjects_anew(self, schema_id: int, *, topic: str) -> frozenset[str]:  # noqa: ARG002  # the protocol's
        """The same: what is registered here is known at once."""
        return await self.subjects(schema_id)

    async def live_versions(self, subject: str) -> Sequence[MemoryVersion]:
        """What was registered under a subject, in order."""
        self._answer()
        texts = [text for name, text in self._by_subject if name == subject]
        return [MemoryVersion(subject, number, text) for number, text in enumerate(texts, 1)]

    async def close(self) -> None:
        """Nothing to end."""

    def _answer(self) -> None:
        self.questions += 1
        if self.is_away:
            raise RegistryUnavailable
