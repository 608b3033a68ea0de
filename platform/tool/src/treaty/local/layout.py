"""Where everything of one local stack is: its folders under ``.treaty/``, its ports, its addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from treaty.errors import UsageError
from treaty.local.ports import LOOPBACK, free_port

PORTS: Mapping[str, int] = {
    "kafka": 40093, "registry": 8081, "redis": 40379, "postgres": 40432, "smtp": 40125, "mail": 40025,
}  # fmt: skip
"""The ports on which the compose file publishes the same servers (``ops/``)."""

Database = Literal["sqlite", "postgres"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """``root`` is the project's folder; ``services`` are those of topics.toml that are started, in its order.

    ``left_out``: those that nobody runs here, so that their groups have no reader.
    """

    root: Path
    services: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    service_command: str = ""
    database: Database = "sqlite"
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """What the stack writes; not in git."""
        return self.root / ".treaty"

    @property
    def data(self) -> Path:
        """What is kept between runs: topics, databases, keys of Redis, the registry's contents."""
        return self.folder / "data"

    @property
    def mail(self) -> Path:
        """Received mail, one file each."""
        return self.folder / "mail"

    @property
    def keys(self) -> Path:
        """The key pair for tokens."""
        return self.folder / "keys"

    def log(self, name: str) -> Path:
        """The log file of one part."""
        return self.folder / "logs" / f"{name}.log"

    @property
    def brokers(self) -> str:
        """Kafka for clients."""
        return f"{LOOPBACK}:{self.ports['kafka']}"

    @property
    def registry_url(self) -> str:
        """The registry for clients."""
        return f"http://{LOOPBACK}:{self.ports['registry']}"

    def service_url(self, service: str) -> str:
        """A service for people and for the demo's traffic."""
        return f"http://localhost:{self.ports[service]}"

    def names(self) -> list[str]:
        """Everything that gets a port in this layout."""
        servers = [name for name in PORTS if name != "postgres" or self.database == "postgres"]
        return [*servers, *self.services]


def ports_for(
    services: tuple[str, ...], *, configured: Mapping[str, int], by_hand: Mapping[str, int]
) -> dict[str, int]:
    """The port of every server and service: by hand, else of ``[local.ports]``, else the default, else a free one.

    0 by hand means a free one. Raises ``UsageError`` for a name that is neither, or a port that is no number of one.
    """
    known = [*PORTS, *services]
    for name, port in (*configured.items(), *by_hand.items()):
        if port not in range(65_536):  # it may be of another type too: treaty.toml is a person's
            raise UsageError(f"`{port}` is no port for {name}; give a number from 0 to 65535.")
    for name in by_hand:
        if name not in known:
            raise UsageError(f"There is no `{name}` in this stack.", next_step=f"the names are {', '.join(known)}")
    wanted = {name: {**PORTS, **configured, **by_hand}.get(name, 0) for name in known}
    return {name: port or free_port() for name, port in wanted.items()}
