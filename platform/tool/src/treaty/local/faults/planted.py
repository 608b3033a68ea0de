"""What a fault is, where it is planted, and what is known of it afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from treaty.local import rest
from treaty.local.errors import StartFailed
from treaty.local.keys import ADMIN_USER_ID, Keys

T = TypeVar("T")
PAUSE_SECONDS = 0.2
DATA = Path(".treaty") / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One fault in the stack. All members but ``story`` are command lines for a shell, in order, run from the project's folder.

    ``look``: what shows it. ``mend``: what ends it. ``proof``: what shows that it is over.
    """

    name: str
    story: str
    look: tuple[str, ...]
    mend: tuple[str, ...]
    proof: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The running stack: its project's folder, addresses, the demo users' keys, and the clock."""

    root: Path
    brokers: str
    registry: str
    services: Mapping[str, str]
    keys: Keys
    now: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    patience: float = 60.0

    def call(self, service: str, method: str, path: str, *, user: int, body: Mapping[str, Any] | None = None) -> Any:
        """The body of a good answer to a request of a demo user; None for any other answer."""
        token = self.keys.token(user, now=self.now(), is_admin=user == ADMIN_USER_ID)
        answer = rest.call(self.services[service], method, f"/api/v1{path}", token=token, body=body)
        return answer.body if answer.is_ok else None

    def database(self, service: str) -> tuple[str, str | None]:
        """Address and schema of a service's database."""
        if "postgres" in self.services:
            return f"postgresql+psycopg://treaty@{self.services['postgres']}/postgres", f"mall_{service}"
        return f"sqlite:///{self.root / DATA / service}.db", None

    def database_options(self, service: str) -> str:
        """The same as options of a command that is run in the project's folder."""
        url, schema = self.database(service)
        relative = url.replace(f"{self.root}/", "")
        return f"--database {relative}" + (f" --schema {schema}" if schema else "")

    def until(self, ask: Callable[[], T | None], *, what: str) -> T:
        """The first answer that is one. Raises ``StartFailed`` after ``patience`` seconds."""
        end = time.monotonic() + self.patience
        while (answer := ask()) is None:
            if time.monotonic() > end:
                raise StartFailed(f"{what} within {self.patience:g} seconds.", next_step="treaty doctor")
            time.sleep(PAUSE_SECONDS)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault by its name; ``needs`` are the services that have to run for it."""

    name: str
    says: str
    needs: tuple[str, ...]
    plant: Callable[[Site], Planted]
