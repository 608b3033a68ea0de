"""What an operator with the database at hand does: give and take credentials and grants. Each change is written down.

The name in the audit is the operator's on this machine; passwords and tokens are in no row and no message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from treaty.registry.access.audit import Entry, clean
from treaty.registry.access.directory import Roster, TokenRow
from treaty.registry.access.grants import Grant, Pattern, read_role
from treaty.registry.access.passwords import hashed
from treaty.registry.access.seal import Verdict
from treaty.registry.access.tokens import minted
from treaty.registry.guard.authentication import TOKEN_USER
from treaty.registry.stores.protocol import Store

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1_024
_LONGEST_NAME: Final = 255


class CannotDo(ValueError):
    """What was asked for cannot be done; the message says why, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Administration:
    """Changes of a store's directory in an operator's name. ``random``: that many random bytes; ``now``: aware time."""

    store: Store
    operator: str
    now: Callable[[], datetime]
    random: Callable[[int], bytes]

    def put_user(self, name: str, password: str) -> None:
        """Add a user, or give one another password; raises ``CannotDo``."""
        _require_name(name)
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise CannotDo(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
        stored = hashed(password, random=self.random)
        with self.store.roster() as roster:
            roster.put_user(name, stored)
            self._note(roster, "put-user", name)

    def remove_user(self, name: str) -> None:
        """Remove a user with its tokens and grants; raises ``CannotDo``."""
        with self.store.roster() as roster:
            if not roster.remove_user(name):
                raise CannotDo(f"There is no user {name!r}.")
            self._note(roster, "remove-user", name)

    def add_token(self, name: str, *, lifetime: timedelta | None) -> str:
        """A new token of a user, which is added where it is not known: its text, to be shown this once. ``CannotDo``."""
        _require_name(name)
        made, now = minted(random=self.random), self.now()
        row = TokenRow(made.id, name, made.sha256, now, None if lifetime is None else now + lifetime)
        with self.store.roster() as roster:
            roster.put_user(name, None)
            roster.add_token(row)
            self._note(roster, "add-token", f"{name} {made.id}")
        return made.text

    def remove_token(self, token_id: str) -> None:
        """Remove a token by its id; raises ``CannotDo``."""
        with self.store.roster() as roster:
            if not roster.remove_token(token_id):
                raise CannotDo("There is no token of that id; `treaty registry tokens list` shows the ids.")
            self._note(roster, "remove-token", token_id)

    def add_grant(self, to: str, role: str, pattern: str) -> None:
        """Give a role on a pattern to a user, ``jwt:SUBJECT`` or ``group:NAME``; raises ``BadGrant``, ``CannotDo``."""
        grant = _grant(to, role, pattern)
        with self.store.roster() as roster:
            roster.add_grant(grant)
            self._note(roster, "add-grant", f"{to} {role} {pattern}")

    def remove_grant(self, to: str, role: str, pattern: str) -> None:
        """Take a grant back; raises ``BadGrant``, ``CannotDo``."""
        grant = _grant(to, role, pattern)
        with self.store.roster() as roster:
            if not roster.remove_grant(grant):
                raise CannotDo("There is no such grant; `treaty registry grants list` shows them.")
            self._note(roster, "remove-grant", f"{to} {role} {pattern}")

    def verify_audit(self, *, expected: tuple[int, bytes] | None) -> Verdict:
        """Seal what waits, and walk along the chain; ``expected``: a position and the seal that was noted there."""
        self.store.seal()
        return self.store.walk_audit(expected=expected)

    def _note(self, roster: Roster, action: str, what: str) -> None:
        at = int(self.now().timestamp() * 1000)
        actor = clean(f"operator {self.operator}")
        roster.add_audit(Entry(at=at, actor=actor, source_ip="", request_id="", action=action, reason=clean(what)))


def _grant(to: str, role: str, pattern: str) -> Grant:
    if not to or len(to) > _LONGEST_NAME or not to.isprintable():
        raise CannotDo("A grant is to a user, to jwt:SUBJECT or to group:NAME.")
    return Grant(to, read_role(role), Pattern.parse(pattern))


def _require_name(name: str) -> None:
    if not name or name == TOKEN_USER or ":" in name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise CannotDo(f"A user's name is printable, has no colon and is not {TOKEN_USER!r}.")
