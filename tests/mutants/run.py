"""Plants faults in the engine, one after another, and runs its tests on each: what survives is not tested.

``python -m tests.mutants.run [--guards|--faults] [module…]``, in a process of its own for each mutant. A survivor that
``docs/avro/mutants.md`` explains is counted apart; any other ends the run with 1.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fastavro  # noqa: F401  # loaded once, before the forks
import hypothesis.strategies  # noqa: F401  # the same
import pytest

from tests.mutants.directly import failure
from tests.mutants.guards import GUARDS
from tests.mutants.operators import mutants

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "platform/avro/src/treaty_avro"
EXPLAINED: Final = ROOT / "docs/avro/mutants.md"
MODULES: Final = {
    "compat.checker": (
        "test_compat.py",
        "test_resolve_limits.py",
        "test_compat_levels.py",
        "test_public_suites.py",
        "test_resolve.py",
        "test_resolve_unions.py",
    ),
    "plan.resolve": (
        "test_resolve.py",
        "test_resolve_unions.py",
        "test_resolve_limits.py",
        "test_public_suites.py",
        "test_codec_classes.py",
        "test_codec.py",
    ),
    "values.wire": (
        "test_wire.py",
        "test_quick_ways.py",
        "test_wire_guard.py",
        "test_codec.py",
        "test_codec_classes.py",
        "test_codec_witness.py",
    ),
    "straightline.emit_decode": ("test_wire_guard.py", "test_codec.py", "test_codec_witness.py"),
    "straightline.read_scalars": ("test_wire_guard.py", "test_codec.py", "test_codec_witness.py"),
    "straightline.depth": ("test_wire_guard.py", "test_codec.py"),
    "interpret.decoding": ("test_wire_guard.py", "test_codec.py", "test_codec_witness.py"),
}
"""Module → its tests, the quickest killers first."""
FAULTED: Final = ("compat.checker", "plan.resolve", "values.wire")
SLOW: Final = ("too_wide", "that_differ_in_every_field", "both_back_ends_agree", "malls_events", "wide_records")
"""Parts of the names of tests that are left to the second run."""
PROCESSOR_SECONDS: Final = 60
"""Of its own, not of the clock: a busy machine must not kill what only waits for its turn."""
MEMORY_BYTES: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Job:
    """A module's source with a fault, and the fault's name."""

    module: str
    name: str
    source: str


class _Planted(importlib.abc.MetaPathFinder):
    """Loads one module of the package from another file."""

    def __init__(self, module: str, path: Path) -> None:
        self._module, self._path = f"treaty_avro.{module}", path

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """The planted file for the module in question, nothing for all others."""
        return importlib.util.spec_from_file_location(fullname, self._path) if fullname == self._module else None


def _source(module: str) -> str:
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")


def guards(modules: Sequence[str]) -> Iterator[Job]:
    """The guards of these modules, each switched off; one whose text is gone must be mended here."""
    for guard in GUARDS:
        if guard.module in modules:
            source = _source(guard.module)
            if source.count(guard.old) != 1:
                raise SystemExit(f"{guard.module}.py does not hold once: {guard.old!r}; mend tests/mutants/guards.py")
            yield Job(guard.module, f"guard {guard.name}", source.replace(guard.old, guard.new))


def faults(modules: Sequence[str]) -> Iterator[Job]:
    """Every small fault of those of these modules whose every line must matter."""
    for module in modules:
        if module in FAULTED:
            for each in mutants(_source(module)):
                yield Job(module, each.what, each.source)


@dataclass(slots=True)
class Run:
    """A job in a child process: the quick tests first, as plain calls, and only if they pass all that touch the module."""

    job: Job
    is_quick: bool
    pid: int


def survivors(todo: Sequence[Job], *, workers: int) -> Iterator[Job]:
    """Those on which no test fails and that neither hang nor die, as they are found."""
    # One thread: a fork beside threads can leave the child with a lock that nobody holds.
    waiting = [(job, True) for job in reversed(todo)]
    running: list[Run] = []
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(_started(*waiting.pop()))
        time.sleep(0.02)  # whichever of them ends first
        for run in list(running):
            passed = _passed(run)
            if passed is not None:
                running.remove(run)
                sys.stderr.write(f"\r{len(todo) - len(waiting) - len(running)} of {len(todo)} begun or done ")
            if passed and run.is_quick:
                waiting.append((run.job, False))
            elif passed:
                yield run.job


def _started(job: Job, is_quick: bool) -> Run:  # the pair is the queue's entry
    pid = os.fork()
    if pid == 0:
        os._exit(_tested(job, is_quick=is_quick))
    return Run(job, is_quick, pid)


def _passed(run: Run) -> bool | None:
    """None while the tests run."""
    ended, status = os.waitpid(run.pid, os.WNOHANG)
    return status == 0 if ended else None


def _tested(job: Job, *, is_quick: bool) -> int:
    """In the child: the tests with the fault in place; 0 if they pass."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{job.module}.py")
        path.write_text(job.source, encoding="utf-8")
        sys.meta_path.insert(0, _Planted(job.module, path))
        names = MODULES[job.module]
        if is_quick:
            modules = [f"tests.treaty_avro.{name.removesuffix('.py')}" for name in names]
            return int(any(failure(module, without=SLOW) is not None for module in modules))
        # Hypothesis came before pytest could rewrite it; its asserts are not ours.
        options = ["-x", "-q", "--noconftest", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"]
        options += ["--hypothesis-seed=0", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        return int(pytest.main([*options, *(f"tests/treaty_avro/{name}" for name in names)]))


def explained() -> set[str]:
    """The survivors that the page gives a reason for: the first cell of each row, in back quotes."""
    rows = EXPLAINED.read_text(encoding="utf-8").splitlines() if EXPLAINED.exists() else []
    return {row.split("`", 2)[1].replace("\\|", "|") for row in rows if row.startswith("| `")}


def main() -> int:
    """Print survivors as they are found, then the counts; 1 if a survivor has no explanation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(MODULES))
    parser.add_argument("--guards", action="store_true", help="only guards that are switched off by name")
    parser.add_argument("--faults", action="store_true", help="only small faults")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    os.chdir(ROOT)
    todo = [] if chosen.faults else list(guards(chosen.modules))
    todo += [] if chosen.guards else list(faults(chosen.modules))
    # Without a fault the tests must pass, else every mutant would seem to be killed.
    sound = [Job(module, "no fault", _source(module)) for module in dict.fromkeys(job.module for job in todo)]
    if len(list(survivors(sound, workers=chosen.workers))) < len(sound):
        raise SystemExit("the tests fail without a fault; run `make test TESTS=tests/treaty_avro` first")
    known = explained()
    found = []
    for job in survivors(todo, workers=chosen.workers):
        found.append(job)
        told = "explained" if job.name in known else "SURVIVED"
        sys.stdout.write(f"{told} {job.module}: {job.name}\n")
        sys.stdout.flush()
    open_ones = [job for job in found if job.name not in known]
    killed_count = len(todo) - len(found)
    sys.stdout.write(
        f"{len(todo)} mutants, {killed_count} killed, {len(found) - len(open_ones)} explained, {len(open_ones)} open\n"
    )
    return 1 if open_ones else 0


if __name__ == "__main__":
    raise SystemExit(main())
