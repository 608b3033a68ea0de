"""Plants one wrong design after another, each in a process of its own, and says whether its tests fail with it.

``python -m tests.mutants.designs.killing [NAME…]`` prints a line for each, and first for no design: there every test must pass.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.mall.payment import shop  # noqa: F401  # loaded once, before the forks
from tests.mutants.designs.catalogue import NAMES, mutant
from tests.mutants.designs.planting import BY_ITSELF, DESIGN, REPORT

ROOT: Final = Path(__file__).resolve().parents[3]
NONE: Final = "no wrong design"
KILLED, UNHURT = "killed", "all tests pass"
OPTIONS: Final = (
    *("-q", "-p", "tests.mutants.designs.planting", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # what was loaded before the forks asserts nothing of ours
)


@dataclass(frozen=True, slots=True)
class Phase:
    """How the set-up, the call or the end of a test went; ``error``: by what it failed."""

    test: str
    phase: str
    outcome: str
    error: str


def verdicts(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`NONE` with `UNHURT`, then each name with `KILLED`; or why not, and what pytest said."""
    tests = [test for name in names for test in mutant(name).tests]
    yield NONE, _ran("", list(dict.fromkeys(tests)), judged=unhurt)
    for name in names:
        yield name, _ran(name, mutant(name).tests, judged=killed)


def killed(tests: Sequence[str], phases: Sequence[Phase], code: int) -> str:
    """`KILLED` if each test failed in its own call, by itself, and nothing else failed."""
    if code != pytest.ExitCode.TESTS_FAILED:
        return f"pytest ended with {code}"
    for test in tests:
        calls = [phase for phase in phases if phase.test == test and phase.phase == "call"]
        if not calls:
            return f"{test} did not run"
        if calls[0].outcome != "failed":
            return f"{test} {calls[0].outcome}"
        if calls[0].error != BY_ITSELF:
            return f"{test} failed by {calls[0].error}"
    broken = [phase for phase in phases if phase.phase != "call" and phase.outcome == "failed"]
    return f"the {broken[0].phase} of {broken[0].test} failed by {broken[0].error}" if broken else KILLED


def unhurt(tests: Sequence[str], phases: Sequence[Phase], code: int) -> str:
    """`UNHURT` if each test ran and passed: what fails without a wrong design shows nothing with one."""
    passed = {phase.test for phase in phases if phase.phase == "call" and phase.outcome == "passed"}
    if missing := [test for test in tests if test not in passed]:
        return f"{missing[0]} does not pass without a wrong design"
    return UNHURT if code == pytest.ExitCode.OK else f"pytest ended with {code}"


def _ran(name: str, tests: Sequence[str], *, judged: Callable[[Sequence[str], Sequence[Phase], int], str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        report, output = Path(folder, "report"), Path(folder, "output")
        pid = os.fork()
        if pid == 0:
            os._exit(_in_child(name, tests, report=report, output=output))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
        verdict = judged(tests, [Phase(**json.loads(line)) for line in lines], code)
        return (
            verdict
            if verdict in {KILLED, UNHURT}
            else f"{verdict}\n{output.read_text(encoding='utf-8', errors='replace')}"
        )


def _in_child(name: str, tests: Sequence[str], *, report: Path, output: Path) -> int:
    to = os.open(output, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(to, 1)
    os.dup2(to, 2)
    os.environ |= {DESIGN: name, REPORT: str(report)}
    return int(pytest.main([*OPTIONS, *tests]))


def main(names: Sequence[str]) -> int:
    """Prints a line for each; 1 if one is not killed, or a test fails without any."""
    os.chdir(ROOT)
    is_blind = False
    for name, verdict in verdicts(names or NAMES):
        sys.stdout.write(f"{name}: {verdict}\n")
        sys.stdout.flush()
        is_blind |= verdict != (UNHURT if name == NONE else KILLED)
    return int(is_blind)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
