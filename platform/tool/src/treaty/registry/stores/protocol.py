"""What every store can do. One conformance suite holds all of them to it.

Laws: a ``Reader`` is one consistent snapshot. A ``Writer`` sees everything committed before it began and nothing else can
change what it read under its locks until it is done; it commits when its block ends and leaves nothing when it raises.
``StoreConflict`` out of ``write`` means: decide again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from treaty.registry.access.audit import Entry
from treaty.registry.access.directory import Directory, Roster
from treaty.registry.access.seal import Verdict
from treaty.registry.names import Name
from treaty.registry.rows import Json, NewSchema, Referrer, SchemaRow, VersionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which versions or subjects are wanted. ``context`` None: all. ``prefix`` of the subject. ``limit`` < 0: no limit."""

    context: str | None = None
    prefix: str = ""
    deleted: bool = False
    deleted_only: bool = False
    latest_only: bool = False
    offset: int = 0
    limit: int = -1

    def matches(self, name: Name) -> bool:
        """True if a subject of that name lies where is looked."""
        return self.context in (None, name.context) and name.subject.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the store can serve, and what stands in the way (``{"database": "ok", "migrations": "behind: a < b"}``)."""

    ready: bool
    details: Mapping[str, str]


class Reader(Protocol):
    """Questions, all answered from one snapshot."""

    def version(self, name: Name, number: int) -> VersionRow | None:
        """One version, deleted or not."""

    def latest(self, name: Name) -> VersionRow | None:
        """The highest live version."""

    def versions(self, name: Name) -> Sequence[VersionRow]:
        """All versions, deleted ones too, ascending."""

    def schema(self, context: str, schema_id: int) -> SchemaRow | None:
        """The schema of an id."""

    def schemas(self, context: str, ids: Collection[int]) -> Mapping[int, SchemaRow]:
        """The schemas of many ids; unknown ones are left out."""

    def by_content(self, context: str, content_sha256: bytes) -> SchemaRow | None:
        """The first schema of the context with this content."""

    def by_guid(self, guid: str) -> Sequence[SchemaRow]:
        """Schemas with this guid, by context and id."""

    def referred(self, name: Name, number: int) -> SchemaRow | None:
        """The schema of a version, deleted or not, that another schema refers to: whoever may read that one may read this."""

    def provenance(self, name: Name, number: int) -> str:
        """What the registration of a version said of where it came from; "" for nothing, or no such version."""

    def users(self, context: str, schema_id: int) -> Sequence[VersionRow]:
        """Versions that have this schema, deleted ones too, by subject and number."""

    def resolving_to(self, name: Name, resolved_sha256: bytes) -> Sequence[VersionRow]:
        """Versions of the subject with this resolved hash, deleted ones too, newest first."""

    def referrers(self, name: Name, number: int | None = None) -> Sequence[Referrer]:
        """Schemas that refer to one version, or (None) to any version of the subject; by context and id."""

    def subjects(self, search: Search) -> Sequence[Name]:
        """Names of subjects, in the order of how they print."""

    def find(self, search: Search) -> Sequence[VersionRow]:
        """Versions, in the order of how their subjects print, then by number."""

    def contexts(self) -> Sequence[str]:
        """Names of the contexts that were ever registered into, and the default one."""

    def last_id(self, context: str) -> int:
        """The highest id given or imported so far; 0: none."""

    def last_version(self, name: Name) -> int:
        """The highest number that a version of the subject ever had, also if it is gone for good; 0: none."""

    def config(self, name: Name) -> Mapping[str, Json] | None:
        """Config members set for exactly this name."""

    def aliases(self) -> Mapping[Name, str]:
        """The ``alias`` of every config that names one, as it was set."""

    def mode(self, name: Name) -> str | None:
        """Mode set for exactly this name."""

    def counts(self) -> tuple[int, int]:
        """How many subjects with a live version, and how many schemas there are."""


class Writer(Reader, Protocol):
    """Questions and changes in one transaction."""

    def add_schema(self, context: str, schema: NewSchema) -> int:
        """Store a schema under its own or the context's next id, and answer that id. Lifts ``last_id`` to it."""

    def add_version(self, version: VersionRow, *, provenance: str = "") -> None:
        """Store a version of an existing schema."""

    def register(
        self, name: Name, number: int, schema: NewSchema, *, provenance: str = "", entry: Entry | None = None
    ) -> VersionRow:
        """Store a version, of the schema that has this content in the context already, or else of a new one.

        A schema with an id of its own is always new. ``entry`` is written down with the id that it then has: all in as few
        steps as the store can.
        """

    def mark_deleted(self, name: Name, numbers: Collection[int], *, at: int) -> None:
        """Soft-delete versions."""

    def restore(self, name: Name, number: int) -> None:
        """Take the soft delete of a version back."""

    def remove(self, name: Name, numbers: Collection[int]) -> None:
        """Remove versions for good, and schemas that no version has any more."""

    def set_config(self, name: Name, members: Mapping[str, Json] | None) -> None:
        """Replace the config of exactly this name; None removes it."""

    def set_mode(self, name: Name, mode: str | None) -> None:
        """Replace the mode of exactly this name; None removes it."""

    def clear_modes(self, context: str) -> None:
        """Remove the modes of all subjects of a context."""

    def drop_context(self, context: str) -> None:
        """Forget an empty context's subjects. Its ``last_id`` stays: an id never names two contents."""

    def raise_generation(self) -> None:
        """Tell caches everywhere that something they may hold is gone."""

    def add_audit(self, entry: Entry) -> None:
        """Write down who made this change; it stands if and only if the change does."""


class Store(Protocol):
    """A place for schemas."""

    shared: bool
    """True where other processes write too: then mutable things are read anew each time."""

    is_near: bool
    """True where a read waits for nobody: then threads that read only take the interpreter from each other."""

    def read(self) -> AbstractContextManager[Reader]:
        """One consistent snapshot."""

    def write(self, own: Name, others: Collection[Name] = ()) -> AbstractContextManager[Writer]:
        """A transaction that changes ``own`` (a subject; a context: all of it; ``TOP``, ``GLOBAL``: everything) and
        relies on ``others`` (subjects referred to). Raises ``StoreConflict``, ``StoreUnavailable``."""

    def generation(self) -> int:
        """A number that grows with each permanent delete and each change of an alias."""

    def signal(self) -> int | None:
        """A number that moves whenever the generation may have; costs no statement. None: nobody can tell, so ask."""

    def directory(self, known: Directory | None = None) -> Directory:
        """Everybody who may come in; ``known`` itself if nothing has changed since."""

    def roster(self) -> AbstractContextManager[Roster]:
        """A transaction that changes the directory."""

    def note(self, entries: Sequence[Entry]) -> None:
        """Write down what changed nothing: refusals."""

    def seal(self) -> None:
        """Chain up the entries that are not yet, so that it is seen if one is changed (``seal``)."""

    def walk_audit(self, *, expected: tuple[int, bytes] | None = None) -> Verdict:
        """What a walk along the chain of sealed entries finds."""

    def audit(self, *, before: int | None = None, limit: int = 100) -> Sequence[tuple[int, Entry]]:
        """Audit entries with their numbers, newest first; ``before``: only those with a smaller number."""

    def ready(self) -> Readiness:
        """Whether it can serve now."""

    def close(self) -> None:
        """Let go of connections."""
