"""What this machine offers: its environment, the cache folder, and programs by name."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A frozen copy of the environment; ``env`` is also what children inherit."""

    env: Mapping[str, str] = field(repr=False)  # it may hold secrets

    @property
    def home(self) -> Path:
        """Home folder of the user."""
        return Path(self.env["HOME"]) if self.env.get("HOME") else Path.home()

    @property
    def cache(self) -> Path:
        """Where jars and archives are kept between runs: ``TREATY_CACHE``, else ``$XDG_CACHE_HOME/treaty``."""
        if named := self.env.get("TREATY_CACHE"):
            return Path(named).absolute()
        base = self.env.get("XDG_CACHE_HOME")
        return (Path(base) if base else self.home / ".cache") / "treaty"

    def named(self, variable: str) -> Path | None:
        """The path that an environment variable names, if it is set."""
        value = self.env.get(variable)
        return Path(value) if value else None

    def which(self, program: str) -> Path | None:
        """A program on this environment's PATH."""
        found = shutil.which(program, path=self.env.get("PATH", ""))
        return Path(found) if found else None

    def wheel(self, module: str) -> Path | None:
        """Folder of an installed package. It is found, not imported: some run code that we do not want."""
        spec = importlib.util.find_spec(module)
        places = spec.submodule_search_locations if spec else None
        return Path(next(iter(places))) if places else None
