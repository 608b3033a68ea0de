"""Everybody the registry knows, as one value: passwords' hashes, tokens, grants. It is read whole and replaced whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from treaty.registry.access.audit import Entry
from treaty.registry.access.grants import Grant


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A static token as it is kept: whose it is, the SHA-256 of its text, until when (None: for ever)."""

    id: str
    principal: str
    sha256: bytes
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """All principals with their credentials and grants. ``version`` grows with each change."""

    version: int = 0
    passwords: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    """Name to hash; None for a principal that has tokens only."""
    tokens: Mapping[str, TokenRow] = field(default_factory=dict, repr=False)
    grants: tuple[Grant, ...] = ()

    @property
    def has_credentials(self) -> bool:
        """True if anybody can log in by name or token."""
        return bool(self.tokens) or any(self.passwords.values())

    @property
    def was_ever_changed(self) -> bool:
        """True from the first user, token or grant on, also when the last of them is gone."""
        return self.version > 0


class Roster(Protocol):
    """Changes of the directory, in one transaction."""

    def put_user(self, name: str, password_hash: str | None) -> None:
        """Add a principal, or give it another password; None: it has tokens only, and a password it had stays."""

    def remove_user(self, name: str) -> bool:
        """Remove a principal with its tokens and grants; False if there is none."""

    def add_token(self, token: TokenRow) -> None:
        """Add a token of a principal that is there."""

    def remove_token(self, token_id: str) -> bool:
        """Remove a token; False if there is none."""

    def add_grant(self, grant: Grant) -> None:
        """Add a grant; one that is there already stays."""

    def remove_grant(self, grant: Grant) -> bool:
        """Remove a grant; False if there is none."""

    def add_audit(self, entry: Entry) -> None:
        """Write down who made this change."""
