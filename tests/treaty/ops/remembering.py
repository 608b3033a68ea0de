"""A project whose checks are remembered, and a mark by which a test sees that an answer was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.treaty.cli.scratch import Scratch
from treaty.config import Settings
from treaty.ops.against import Against
from treaty.ops.cache import checks
from treaty.ops.cache.drawer import Drawer
from treaty.ops.outcome import Outcome
from treaty_codegen.render import PRINTERS, Report

MARK: Final = "what was judged before"
TODAY: Final = date(2026, 12, 1)
RELEASES: Final = Against(names=("releases",))
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Remembering:
    """A project, and a drawer beside it."""

    scratch: Scratch
    drawer: Drawer

    def settings(self, env: Mapping[str, str] = NOTHING) -> Settings:
        return Settings.load(None, env, start=self.scratch.root)

    def lint(
        self, *, rules: tuple[str, ...] = (), only: tuple[str, ...] = (), env: Mapping[str, str] = NOTHING
    ) -> Outcome:
        return checks.lint(self.settings(env), drawer=self.drawer, rules=rules, only=only)

    def breaking(self, against: Against = RELEASES, *, today: date = TODAY) -> Outcome:
        return checks.breaking(self.settings(), against, today=today, drawer=self.drawer)

    def mark(self) -> None:
        """From now on an answer that is told again says so: it looked at ``MARK``."""
        for file in self.drawer.folder.iterdir():
            body = self.drawer.get(file.name)
            assert body is not None
            entry = json.loads(body)
            entry["outcome"]["looked_at"] = MARK
            self.drawer.put(file.name, json.dumps(entry).encode())


def beside(scratch: Scratch, folder: Path) -> Remembering:
    """What is remembered of a project, in a folder that is nobody else's."""
    return Remembering(scratch, Drawer(folder=folder / "checks"))


def printed(outcome: Outcome) -> list[str]:
    """An outcome as every format shows it."""
    report = Report(findings=outcome.findings, files=outcome.files)
    return [outcome.looked_at, *(printer(report) for printer in PRINTERS.values())]
