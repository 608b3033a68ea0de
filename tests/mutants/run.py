"""Plants faults in an area, one after another, and runs its tests on each: what survives is not tested.

``python -m tests.mutants.run [--guards|--faults] [area, module or module:line…]``, in a process of its own for each mutant. A survivor
that the area's page explains is counted apart; any other ends the run with 1, as does a module of which more survive than its area allows.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.area import ROOT, Area
from tests.mutants.decisions import DECISIONS
from tests.mutants.directly import Outcome, outcome
from tests.mutants.engine import ENGINE
from tests.mutants.loaded import load_below
from tests.mutants.operators import mutants

AREAS: Final = (ENGINE, DECISIONS)
CLOCK_SECONDS: Final = 600
"""For what waits and does nothing."""
MEMORY_BYTES: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Job:
    """A module's source with a fault, and the fault's name; ``line`` 0: a guard, or none."""

    area: Area
    module: str
    name: str
    source: str
    line: int = 0


class _Planted(importlib.abc.MetaPathFinder):
    """Loads one module from another file."""

    def __init__(self, name: str, path: Path) -> None:
        self._name, self._path = name, path

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """The planted file for the module in question, nothing for all others."""
        return importlib.util.spec_from_file_location(fullname, self._path) if fullname == self._name else None


def guards(area: Area, modules: Sequence[str]) -> Iterator[Job]:
    """The guards of these modules, each switched off; one whose text is gone must be mended here."""
    for guard in area.guards:
        if guard.module in modules:
            source = area.source(guard.module)
            if source.count(guard.old) != 1:
                raise SystemExit(f"{guard.module}.py does not hold once: {guard.old!r}; mend tests/mutants/guards.py")
            yield Job(area, guard.module, f"guard {guard.name}", source.replace(guard.old, guard.new))


def faults(area: Area, modules: Sequence[str]) -> Iterator[Job]:
    """Every small fault of those of these modules whose every line must matter."""
    for module in modules:
        if module in area.faulted:
            for each in mutants(area.source(module), drops_statements=area.drops_statements):
                yield Job(area, module, each.what, each.source, each.line)


@dataclass(slots=True)
class Run:
    """A job in a child process, since when."""

    job: Job
    pid: int
    began: float


def survivors(todo: Sequence[Job], *, workers: int) -> Iterator[Job]:
    """Those on which no test fails and that neither hang nor die, as they are found."""
    # One thread: a fork beside threads can leave the child with a lock that nobody holds.
    waiting = list(reversed(todo))
    running: list[Run] = []
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(_started(waiting.pop()))
        time.sleep(0.02)  # whichever of them ends first
        for run in list(running):
            has_passed = _passed(run)
            if has_passed is not None:
                running.remove(run)
                sys.stderr.write(f"\r{len(todo) - len(waiting) - len(running)} of {len(todo)} begun or done ")
            if has_passed:
                yield run.job


def _started(job: Job) -> Run:
    pid = os.fork()
    if pid == 0:
        os._exit(_tested(job))
    return Run(job, pid, time.monotonic())


def _passed(run: Run) -> bool | None:
    """None while the tests run."""
    ended, status = os.waitpid(run.pid, os.WNOHANG)
    if not ended and time.monotonic() - run.began > CLOCK_SECONDS:
        os.kill(run.pid, signal.SIGKILL)
    return status == 0 if ended else None


def _tested(job: Job) -> int:
    """In the child: the tests with the fault in place, as plain calls first; 0 if they pass."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    area = job.area
    resource.setrlimit(resource.RLIMIT_CPU, (area.processor_seconds, area.processor_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{job.module}.py")
        path.write_text(job.source, encoding="utf-8")
        sys.meta_path.insert(0, _Planted(area.imported(job.module), path))
        undecided = []
        for name in area.modules[job.module]:
            match outcome(area.imported_test(name), without=area.slow):
                case Outcome.FAILED:
                    return 1
                case Outcome.UNDECIDED:
                    undecided.append(f"{area.tests}/{name}")
        # Hypothesis came before pytest could rewrite it; its asserts are not ours.
        options = ["-x", "-q", "--noconftest", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"]
        options += ["--hypothesis-seed=0", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        return int(pytest.main([*options, *undecided])) if undecided else 0


def judged(area: Area, todo: Sequence[Job], *, workers: int, is_part: bool) -> bool:
    """Print survivors as they are found, then the counts; whether each has its explanation, and they are few.

    ``is_part``: only some lines were asked for, so that shares say nothing.
    """
    explained, still_open = Counter[str](), Counter[str]()
    modules = Counter(job.module for job in todo)
    for module in modules:
        tests = [area.imported_test(name) for name in area.modules[module]]
        load_below(area.imported(module), tests=tests, packages=area.packages)
        # Without a fault the tests must pass, else every mutant would seem to be killed.
        if not list(survivors([Job(area, module, "no fault", area.source(module))], workers=1)):
            names = " ".join(f"{area.tests}/{name}" for name in area.modules[module])
            raise SystemExit(f"tests fail without a fault in {module}; run `make test TESTS='{names}'` first")
        known = area.explained(module)
        for job in survivors([job for job in todo if job.module == module], workers=workers):
            is_known = known[job.name] > 0
            known[job.name] -= is_known
            (explained if is_known else still_open)[module] += 1
            sys.stdout.write(f"{'explained' if is_known else 'SURVIVED'} {module}:{job.line}: {job.name}\n")
            sys.stdout.flush()
        _told(module, modules[module], explained[module], still_open[module])
    _told(area.name, len(todo), explained.total(), still_open.total())
    is_enough = all(area.is_enough(planted=count, explained=explained[module]) for module, count in modules.items())
    return not still_open and (is_enough or is_part)


def _told(name: str, count: int, explained: int, still_open: int) -> None:
    killed = count - explained - still_open
    share = f"{killed / count:.1%}"
    sys.stdout.write(f"{name}: {count} mutants, {killed} killed ({share}), {explained} explained, {still_open} open\n")
    sys.stdout.flush()


def main() -> int:
    """Judge the areas one after the other; 1 if a survivor has no explanation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="area, module or module:line", help="all areas unless one is named")
    parser.add_argument("--guards", action="store_true", help="only guards that are switched off by name")
    parser.add_argument("--faults", action="store_true", help="only small faults")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    unknown = {name.partition(":")[0] for name in chosen.names} - {
        name for area in AREAS for name in (area.name, *area.modules)
    }
    if unknown:
        parser.error(f"no area and no module of one: {', '.join(sorted(unknown))}")
    os.chdir(ROOT)
    is_sound, is_part = True, any(":" in name for name in chosen.names)
    for area in AREAS:
        is_whole = not chosen.names or area.name in chosen.names
        wanted = set(area.modules if is_whole else chosen.names)
        modules = [module for module in area.modules if module in {name.partition(":")[0] for name in wanted}]
        todo = [] if chosen.faults else list(guards(area, modules))
        todo += [] if chosen.guards else list(faults(area, modules))
        todo = [job for job in todo if wanted & {job.module, f"{job.module}:{job.line}"}]
        if todo:
            is_sound &= judged(area, todo, workers=chosen.workers, is_part=is_part)
    return 0 if is_sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
