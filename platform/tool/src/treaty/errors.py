"""What can go wrong in the tool, by whose it is. A class's docstring is its default sentence; its ``exit_code`` is class data."""

from __future__ import annotations

from typing import ClassVar


class TreatyError(Exception):
    """Something went wrong inside treaty. Please report it with the command and this text."""

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str | None = None, *, next_step: str | None = None) -> None:
        super().__init__(message or type(self).__doc__ or "")
        self.next_step = next_step


class UsageError(TreatyError):
    """The command or the configuration cannot be used as it is."""

    exit_code = 2


class EnvironmentFault(TreatyError):
    """Something outside is missing, unreachable or refused."""

    exit_code = 3
