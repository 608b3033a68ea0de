"""Subject names with their context: ``orders-value`` in the default context, ``:.staging:orders-value`` in ``.staging``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from treaty.registry.errors import InvalidSubject

DEFAULT_CONTEXT: Final = "."
GLOBAL_CONTEXT: Final = ".__GLOBAL"
EVERY_CONTEXT: Final = "*"

MAX_SUBJECT_BYTES: Final = 255
_RESERVED: Final = frozenset({"", "*", "__GLOBAL", "__EMPTY"})


@dataclass(frozen=True, slots=True)
class Name:
    """A context and a subject in it; an empty ``subject`` is the context itself (its config, its mode)."""

    context: str
    subject: str

    @classmethod
    def parse(cls, text: str, *, within: str = DEFAULT_CONTEXT) -> Name:
        """Read ``:.ctx:subject``, ``:*:subject`` or ``subject``; a bare subject lies in the context ``within``.

        Source: confluentinc/schema-registry, ``QualifiedSubject``.
        """
        if text.startswith((":.", ":*:")):
            context, _, subject = text[1:].partition(":")
            return cls(context, subject)
        return cls(within, text)

    @property
    def prefix(self) -> str:
        """How the context prints before a subject: nothing for the default one, else ``:.ctx:``."""
        return "" if self.context == DEFAULT_CONTEXT else f":{self.context}:"

    @property
    def whole_context(self) -> Name:
        """The name of the context itself."""
        return Name(self.context, "")

    def __str__(self) -> str:
        return self.prefix + self.subject

    def __lt__(self, other: Name) -> bool:
        """In the order of how they print, which is the order of every list."""
        return str(self) < str(other)


TOP: Final = Name(DEFAULT_CONTEXT, "")
"""Where ``/config`` and ``/mode`` are kept."""

GLOBAL: Final = Name(GLOBAL_CONTEXT, "")
"""Config and mode for every context that has none."""


def require_subject(name: Name) -> Name:
    """The name itself, if a schema may be registered under it; else ``InvalidSubject``."""
    if name.subject in _RESERVED or name.context in (EVERY_CONTEXT, GLOBAL_CONTEXT) or not _is_printable(name):
        raise InvalidSubject(name)
    return name


def require_scope(name: Name) -> Name:
    """The name itself, if config or mode may be set for it (a subject, or a context); else ``InvalidSubject``."""
    if name.subject:
        return require_subject(name)
    if name.context == EVERY_CONTEXT or not _is_printable(name):
        raise InvalidSubject(name)
    return name


def _is_printable(name: Name) -> bool:
    text = f"{name.context}{name.subject}"
    if any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in text):
        return False
    try:
        return all(len(part.encode()) <= MAX_SUBJECT_BYTES for part in (name.context, name.subject))
    except UnicodeEncodeError:
        return False
