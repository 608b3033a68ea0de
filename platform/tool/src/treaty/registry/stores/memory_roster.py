"""``MemoryRoster``: changes of a directory in dictionaries."""

from __future__ import annotations

from treaty.registry.access.audit import Entry
from treaty.registry.access.directory import Directory, TokenRow
from treaty.registry.access.grants import Grant


class MemoryRoster:
    """A copy of a directory that is being changed; ``made`` gives the new one."""

    def __init__(self, directory: Directory) -> None:
        self._version = directory.version
        self._passwords, self._tokens = dict(directory.passwords), dict(directory.tokens)
        self._grants = list(directory.grants)
        self.entries: list[Entry] = []

    def put_user(self, name: str, password_hash: str | None) -> None:
        self._passwords[name] = password_hash or self._passwords.get(name)

    def remove_user(self, name: str) -> bool:
        if name not in self._passwords:
            return False
        del self._passwords[name]
        self._tokens = {key: token for key, token in self._tokens.items() if token.principal != name}
        self._grants = [grant for grant in self._grants if grant.to != name]
        return True

    def add_token(self, token: TokenRow) -> None:
        self._tokens[token.id] = token

    def remove_token(self, token_id: str) -> bool:
        return self._tokens.pop(token_id, None) is not None

    def add_grant(self, grant: Grant) -> None:
        if grant not in self._grants:
            self._grants.append(grant)

    def remove_grant(self, grant: Grant) -> bool:
        is_there = grant in self._grants
        self._grants = [each for each in self._grants if each != grant]
        return is_there

    def add_audit(self, entry: Entry) -> None:
        self.entries.append(entry)

    def made(self) -> Directory:
        """The directory as it is now."""
        return Directory(
            version=self._version + 1, passwords=self._passwords, tokens=self._tokens, grants=tuple(self._grants)
        )
