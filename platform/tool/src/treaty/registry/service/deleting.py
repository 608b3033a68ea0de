"""Deleting: softly first, for good second, and never what something refers to."""

from __future__ import annotations

from collections.abc import Callable

from treaty.registry.decisions import decide
from treaty.registry.decisions.decide import LATEST
from treaty.registry.decisions.merge import mode_in_scope
from treaty.registry.errors import ContextNotEmpty, SubjectNotFound, VersionNotFound
from treaty.registry.names import Name
from treaty.registry.service.retrying import in_write
from treaty.registry.stores.protocol import Search, Store, Writer


class Deleting:
    """Deletes of one registry. ``on_removed`` is told after something is gone for good."""

    def __init__(self, store: Store, *, now_ms: Callable[[], int], on_removed: Callable[[], None]) -> None:
        self._store, self._now_ms, self._on_removed = store, now_ms, on_removed

    def version(self, name: Name, number: int, *, permanent: bool) -> int:
        """Delete one version and answer its number; raises the 404 and 42206 family, ``ReadOnly``."""
        deleted = in_write(self._store, name, lambda writer: self._version(writer, name, number, permanent=permanent))
        if permanent:
            self._on_removed()
        return deleted

    def subject(self, name: Name, *, permanent: bool) -> tuple[int, ...]:
        """Delete a subject and answer the numbers of the versions that went; raises as ``version`` does."""
        deleted = in_write(self._store, name, lambda writer: self._subject(writer, name, permanent=permanent))
        if permanent:
            self._on_removed()
        return deleted

    def context(self, context: str) -> None:
        """Forget a context that has no version left, deleted ones included; raises ``ContextNotEmpty``."""

        def decided(writer: Writer) -> None:
            if writer.subjects(Search(context=context, deleted=True, limit=1)):
                raise ContextNotEmpty(context)
            writer.drop_context(context)

        in_write(self._store, Name(context, ""), decided)

    def _version(self, writer: Writer, name: Name, number: int, *, permanent: bool) -> int:
        versions = writer.versions(name)
        if number == LATEST:
            latest = writer.latest(name)
            if latest is None:
                raise VersionNotFound(number) if versions else SubjectNotFound(name)
            number = latest.number
        decision = decide.delete_version(
            name,
            number,
            mode=mode_in_scope(writer.mode, name),
            versions=versions,
            referrers=writer.referrers(name, number),
            permanent=permanent,
        )
        self._carry_out(writer, name, decision, permanent=permanent)
        return number

    def _subject(self, writer: Writer, name: Name, *, permanent: bool) -> tuple[int, ...]:
        decision = decide.delete_subject(
            name,
            mode=mode_in_scope(writer.mode, name),
            versions=writer.versions(name),
            referrers_of=lambda number: writer.referrers(name, number),
            permanent=permanent,
        )
        return self._carry_out(writer, name, decision, permanent=permanent)

    def _carry_out(
        self, writer: Writer, name: Name, decision: decide.Delete | decide.Refused, *, permanent: bool
    ) -> tuple[int, ...]:
        if isinstance(decision, decide.Refused):
            raise decision.error
        if not permanent:
            writer.mark_deleted(name, decision.numbers, at=self._now_ms())
            return decision.numbers
        # Highest first: a version may refer to a lower one of its own subject.
        writer.remove(name, sorted(decision.numbers, reverse=True))
        if not writer.versions(name):
            writer.set_config(name, None)
            writer.set_mode(name, None)
        writer.raise_generation()
        return decision.numbers
