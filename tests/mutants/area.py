"""An area of the code whose every line must matter: which modules, which tests judge them, which page explains what survives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.guards import Guard

ROOT: Final = Path(__file__).resolve().parents[2]
_ALL: Final = 1 << 20
_HEADING: Final = re.compile(r"#+ `([a-z_.]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A package of the product and the folder of its tests.

    ``modules``: module → its tests, the quickest killers first. ``faulted``: those in which every small fault is planted.
    ``processor_seconds``: after so many, a mutant's tests are taken to hang; of their own, not of the clock, as a busy machine must
    not kill what only waits for its turn. ``drops_statements``: statements are left out as well. ``slow``: parts of the names of tests
    that are left to the second run. ``most_explained``: so many of a hundred faults may survive in a module, however good the reasons.
    """

    name: str
    package: Path
    tests: str
    modules: Mapping[str, tuple[str, ...]]
    faulted: frozenset[str]
    page: Path
    guards: tuple[Guard, ...] = ()
    processor_seconds: int
    drops_statements: bool = False
    most_explained: int = 100
    slow: tuple[str, ...] = ()

    def source(self, module: str) -> str:
        """The module's text as it is."""
        return self.package.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")

    def imported(self, module: str) -> str:
        """The name under which Python knows the module."""
        return f"{self.package.name}.{module}"

    def imported_test(self, name: str) -> str:
        """The name under which Python knows a module of its tests."""
        return f"{self.tests.replace('/', '.')}.{name.removesuffix('.py')}"

    def is_enough(self, *, planted: int, explained: int) -> bool:
        """Whether few enough of a module's faults survive; in whole numbers, as a tenth of ten is not one in binary."""
        return 100 * explained <= self.most_explained * planted

    @property
    def packages(self) -> frozenset[str]:
        """Top-level names of what may import a module of the area."""
        return frozenset(
            {self.package.name, "tests", "treaty", "treaty_runtime", "treaty_codegen", "mall_events", "mall"}
        )

    def explained(self, module: str) -> Counter[str]:
        """The survivors of the module that the page gives a reason for, and how many of each name.

        That is the first cell of a row, in back quotes. A row below a heading that names a module is for one mutant of that module;
        any other for all mutants of its name.
        """
        found: Counter[str] = Counter()
        section: str | None = None
        for row in self.page.read_text(encoding="utf-8").splitlines() if self.page.exists() else ():
            if row.startswith("#"):
                named = _HEADING.fullmatch(row)
                section = named[1] if named is not None else None
            elif row.startswith("| `") and section in {None, module}:
                found[row.split("`", 2)[1].replace("\\|", "|")] += 1 if section is not None else _ALL
        return found
