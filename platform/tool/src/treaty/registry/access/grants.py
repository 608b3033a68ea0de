"""Who may do what where: roles, patterns of names, and the one question that is asked of them. Pure.

Laws: each grant counts alone, so a role on one pattern never reaches the names of another; a higher role includes the lower
ones on its own pattern only; what no grant covers is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

from treaty.registry.names import GLOBAL, TOP, Name

EVERYTHING: Final = "*"
GROUP: Final = "group:"
"""How a grant names a group of people instead of one."""


class Role(IntEnum):
    """What somebody may do, each role with the rights of those below it.

    ``READER`` reads, looks up, checks compatibility. ``WRITER`` registers. ``MAINTAINER`` deletes softly and sets a subject's
    config. ``ADMIN`` deletes for good, sets modes, forces and imports; on everything also global config, mode, contexts, audit.
    """

    READER = 1
    WRITER = 2
    MAINTAINER = 3
    ADMIN = 4


class BadGrant(ValueError):
    """A role or a pattern that means nothing; the message says what to write."""


def read_role(text: str) -> Role:
    """The role of that name in any case; raises ``BadGrant``."""
    try:
        return Role[text.upper()]
    except KeyError as error:
        names = ", ".join(role.name.lower() for role in Role)
        raise BadGrant(f"There is no role {text!r}; write one of {names}.") from error


@dataclass(frozen=True, slots=True)
class Pattern:
    """Names: one subject, those with a prefix, all of a context, or everything.

    ``context`` None: every context. Written as ``orders-value``, ``orders-*``, ``:.staging:*``, ``:*:orders-*``, ``*``.
    """

    context: str | None
    subject: str
    is_prefix: bool

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern; ``*`` alone is everything, a prefix ends in one ``*``. Raises ``BadGrant``."""
        if text == EVERYTHING:
            return cls(None, "", is_prefix=True)
        name = Name.parse(text)
        subject = name.subject.removesuffix("*")
        if not text or "*" in subject or not name.subject:
            raise BadGrant(f"{text!r} is no pattern; write a subject, a prefix and *, or * for everything.")
        return cls(None if name.context == "*" else name.context, subject, is_prefix=name.subject.endswith("*"))

    def covers(self, name: Name) -> bool:
        """True if the name is meant. What holds for all contexts is covered by everything alone."""
        if name in (TOP, GLOBAL):
            return self.is_everything
        if self.context not in (None, name.context):
            return False
        return name.subject.startswith(self.subject) if self.is_prefix else name.subject == self.subject

    @property
    def is_everything(self) -> bool:
        """True for ``*``."""
        return self.context is None and self.is_prefix and not self.subject

    def __str__(self) -> str:
        if self.is_everything:
            return EVERYTHING
        # With its context always: a bare * would be everything, not everything of the default context.
        return f":{self.context or '*'}:{self.subject}{'*' if self.is_prefix else ''}"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role on a pattern, to a principal or (``group:NAME``) to a group."""

    to: str
    role: Role
    pattern: Pattern


@dataclass(frozen=True)
class Principal:
    """Somebody who has proved who they are, with the grants that count for them."""

    name: str
    grants: tuple[Grant, ...] = ()

    def may(self, role: Role, name: Name) -> bool:
        """True if one grant alone gives this role, or a higher one, on this name."""
        return any(grant.role >= role and grant.pattern.covers(name) for grant in self.grants)

    def may_everywhere(self, role: Role) -> bool:
        """True if one grant alone gives this role on everything."""
        return any(grant.role >= role and grant.pattern.is_everything for grant in self.grants)

    @cached_property
    def view(self) -> str:
        """What names a principal reads, as a key: the same for all that read the same; empty: everything."""
        if self.may_everywhere(Role.READER):
            return ""
        patterns = sorted(str(grant.pattern) for grant in self.grants)
        return hashlib.sha256("\0".join(patterns).encode()).hexdigest()


def granted(grants: Iterable[Grant], *, name: str, groups: Iterable[str] = ()) -> Principal:
    """The principal of that name with the grants given to it or to one of its groups."""
    own = {name, *(f"{GROUP}{group}" for group in groups)}
    return Principal(name, tuple(grant for grant in grants if grant.to in own))


ANYONE: Final = Principal("anonymous", (Grant("anonymous", Role.ADMIN, Pattern.parse(EVERYTHING)),))
"""Whoever asks a registry that has no credentials at all."""
