"""Config and mode: what holds for a subject, a context, everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from treaty.registry.decisions.decide import Refused, enter_import
from treaty.registry.decisions.merge import (
    IMPORT,
    OVERRIDE,
    READONLY,
    READWRITE,
    config_in_scope,
    is_read_only,
    mode_in_scope,
    with_level,
)
from treaty.registry.errors import (
    InvalidMode,
    ReadOnly,
    SubjectConfigNotFound,
    SubjectModeNotFound,
    SubjectNotFound,
)
from treaty.registry.names import GLOBAL, TOP, Name, require_scope
from treaty.registry.rows import Json
from treaty.registry.service.retrying import in_write
from treaty.registry.stores.protocol import Search, Store, Writer

_MODES: Final = frozenset({READWRITE, READONLY, OVERRIDE, IMPORT})


class Governing:
    """Config and mode of one registry. ``on_ended`` is told after something that may be remembered is so no more."""

    def __init__(self, store: Store, *, on_ended: Callable[[], None]) -> None:
        self._store, self._on_ended = store, on_ended

    def config(self, name: Name, *, in_scope: bool) -> Mapping[str, Json]:
        """The config of a name, or (``in_scope``) the one that holds for it; raises ``SubjectConfigNotFound``."""
        with self._store.read() as reader:
            if in_scope:
                return config_in_scope(reader.config, name)
            config = reader.config(name)
        if config is None and name not in (TOP, GLOBAL):
            raise SubjectConfigNotFound(name)
        return with_level(config or {})

    def set_config(self, name: Name, change: Mapping[str, Json | None]) -> Mapping[str, Json]:
        """Merge a change into a name's config and answer what is stored; raises ``InvalidSubject``, ``ReadOnly``."""
        require_scope(name)

        def decided(old: Mapping[str, Json] | None) -> Mapping[str, Json]:
            return {key: value for key, value in {**(old or {}), **change}.items() if value is not None}

        _, stored = self._replace(name, decided)
        return stored or {}

    def drop_config(self, name: Name) -> Mapping[str, Json]:
        """Remove a name's config and answer the old one; raises ``SubjectNotFound``, ``ReadOnly``."""

        def decided(old: Mapping[str, Json] | None) -> None:
            if old is None and name not in (TOP, GLOBAL):
                raise SubjectNotFound(name)

        old, _ = self._replace(name, decided)
        return with_level(old or {})

    def mode(self, name: Name, *, in_scope: bool) -> str:
        """The mode of a name, or (``in_scope``) the one that holds for it; raises ``SubjectModeNotFound``."""
        with self._store.read() as reader:
            if in_scope:
                return mode_in_scope(reader.mode, name)
            mode = reader.mode(name)
        if mode is None and name not in (TOP, GLOBAL):
            raise SubjectModeNotFound(name)
        return mode or READWRITE

    def set_mode(self, name: Name, sent: Json, *, force: bool) -> str | None:
        """Set a name's mode, or (None) remove it.

        Raises ``InvalidMode``, ``InvalidSubject``, ``ImportIntoExistingSubjects``, ``ReferenceExists``.
        """
        require_scope(name)
        if sent is None:
            in_write(self._store, name, lambda writer: writer.set_mode(name, None))
            return None
        if not isinstance(sent, str) or sent.upper() not in _MODES:
            raise InvalidMode
        mode = sent.upper()

        def decided(writer: Writer) -> bool:
            entering = mode == IMPORT and mode_in_scope(writer.mode, name) != IMPORT and not force
            removed = entering and _empty_for_import(writer, name)
            writer.set_mode(name, mode)
            return removed

        if in_write(self._store, name, decided):
            self._on_ended()
        return mode

    def drop_mode(self, name: Name, *, recursive: bool) -> str | None:
        """Remove a name's mode and answer the old one; raises ``SubjectNotFound``.

        ``recursive``: its context's subjects' too; then there need not be an own one, and None is answered where there was none.
        """

        def decided(writer: Writer) -> str | None:
            mode = writer.mode(name)
            if mode is None and name not in (TOP, GLOBAL) and not recursive:
                raise SubjectNotFound(name)
            writer.set_mode(name, None)
            if recursive and not name.subject:
                writer.clear_modes(name.context)
            return READWRITE if mode is None and name in (TOP, GLOBAL) else mode

        return in_write(self._store, name, decided)

    def _replace(
        self, name: Name, decide: Callable[[Mapping[str, Json] | None], Mapping[str, Json] | None]
    ) -> tuple[Mapping[str, Json] | None, Mapping[str, Json] | None]:
        """Put what ``decide`` makes of a config in its place; answers both, the old one first."""

        def decided(writer: Writer) -> tuple[Mapping[str, Json] | None, Mapping[str, Json] | None, bool]:
            _require_writable(writer, name)
            old = writer.config(name)
            new = decide(old)
            writer.set_config(name, new)
            redirects = (old or {}).get("alias") != (new or {}).get("alias")
            if redirects:
                writer.raise_generation()
            return old, new, redirects

        old, new, redirects = in_write(self._store, name, decided)
        if redirects:
            self._on_ended()
        return old, new


def _require_writable(writer: Writer, name: Name) -> None:
    if is_read_only(mode_in_scope(writer.mode, name)):
        raise ReadOnly(name, name.prefix)


def _empty_for_import(writer: Writer, name: Name) -> bool:
    """Remove soft-deleted versions in scope; True if there were any."""
    context = None if name == GLOBAL else name.context
    every = writer.find(Search(context=context, prefix=name.subject, deleted=True))
    rows = [row for row in every if not name.subject or row.name == name]
    decision = enter_import(
        live_subjects=any(not row.deleted for row in rows),
        deleted=rows,
        is_referred=lambda row: bool(writer.referrers(row.name, row.number)),
    )
    if isinstance(decision, Refused):
        raise decision.error
    for row in reversed(decision):
        writer.remove(row.name, [row.number])
    if decision:
        writer.raise_generation()
    return bool(decision)
