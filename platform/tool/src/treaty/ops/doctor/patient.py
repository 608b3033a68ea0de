"""What is examined: a project, and how to reach one of its environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from treaty.config import Settings
from treaty.errors import TreatyError
from treaty.ops.http import RegistryHttp
from treaty.ops.schemas import load_project
from treaty.ops.services import left_out
from treaty_runtime.admin import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A project, and how to reach one of its environments."""

    settings: Settings
    environment: str
    registry: Callable[[], RegistryHttp]
    cluster: Callable[[], Cluster]

    @property
    def services(self) -> Mapping[str, int]:
        """Services that run on this machine, with their ports; only the local environment has any."""
        if self.environment != "local":
            return {}
        try:
            absent = self.not_run
        except TreatyError:
            absent = ()  # the checks of schemas and groups say what is wrong
        return {name: port for name, port in self.settings.get("local", "ports").items() if name not in absent}

    @property
    def not_run(self) -> tuple[str, ...]:
        """Declared services that nobody runs on this machine; of other environments nothing is known."""
        if self.environment != "local":
            return ()
        return left_out(self.settings, declared=load_project(self.settings).services)

    @property
    def option(self) -> str:
        """What a next command needs so that it means the same environment."""
        return "" if self.environment == "local" else f" --env {self.environment}"
