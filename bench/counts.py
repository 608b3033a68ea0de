"""What the engine's work costs, counted instead of timed: the same figures under any load, held by ``make test``.

Two counts. *Steps* are CPython's bytecode instructions: any machine counts the same, but each minor version has its own, and
what C functions do is not seen. *Instructions* are the processor's, counted by valgrind's cachegrind: they see everything,
and belong to one build of CPython. ``python -m bench.counts`` prints both as ``bench/counts.toml`` holds them.
"""

from __future__ import annotations

import gc
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeAlias

from bench.pairs import pairs
from bench.shapes import SHAPES, events
from treaty_avro import compile_decoder, compile_encoder, incompatibilities, parse

FIGURES: Final = Path(__file__).with_suffix(".toml")
_FRAME: Final = b"\x00\x00\x00\x00\x01"
_EVENTS, _PAIRS, _WARM = 64, 12, 4
_SHORT, _LONG = 1, 3
"""Two lengths of a run: their difference has no start, no import and no warming up in it."""

Job: TypeAlias = tuple[Callable[[Any], object], list[Any]]


def jobs() -> dict[str, Job]:
    """What is counted, by name: a function, and what it is called with."""
    found: dict[str, Job] = {}
    for name, cls, _ in SHAPES:
        values = events(cls, _EVENTS, random.Random(1))  # noqa: S311  # the same events each run
        encode: Any = compile_encoder(cls, prefix=_FRAME)
        found[f"encode {name}"] = (encode, values)
        found[f"decode {name}"] = (_behind_frame(compile_decoder(cls)), list(map(encode, values)))
    texts = list(pairs(_PAIRS, random.Random(1)))  # noqa: S311  # the same pairs each run
    found["parse"] = (parse, [text for pair in texts for text in pair])
    found["check"] = (
        lambda pair: incompatibilities(*pair),
        [(parse(reader), parse(writer)) for reader, writer in texts],
    )
    return found


def _behind_frame(decode: Any) -> Callable[[bytes], object]:
    return lambda data: decode(data, len(_FRAME))


def version() -> str:
    """Whose steps these are: ``CPython 3.11``."""
    return f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor}"


def build() -> str:
    """Whose instructions these are: version, compiler, machine, and whether it was built with profiles."""
    kind = "optimized" if "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "") else "plain"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {platform.python_compiler()}, {platform.machine()}, {kind}"


def steps() -> dict[str, int]:
    """Bytecode instructions for each value, by job; the functions' own, and those of all that they call in Python."""
    return {name: round(_steps(job) / len(job[1])) for name, job in jobs().items()}


def _steps(job: Job) -> int:
    _run(job, _WARM)
    return traced(lambda: _run(job, 1))


def traced(work: Callable[[], object]) -> int:
    """Bytecode instructions of a call and of all that it calls in Python, in this thread."""
    counted = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal counted
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counted += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


def _run(job: Job, rounds: int) -> None:
    function, values = job
    for _ in range(rounds):
        for value in values:
            function(value)


def instructions(valgrind: str) -> dict[str, int]:
    """The processor's instructions for each value, by job; ``valgrind`` is the program's path."""
    tool = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run(
        [*tool, sys.executable, "-m", "bench.counts", "--under-valgrind"],
        cwd=FIGURES.parent.parent,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    totals = {
        pid: int(count.replace(",", "")) for pid, count in re.findall(r"==(\d+)== I +refs: +([\d,]+)", done.stderr)
    }
    runs = [line.split("\t") for line in done.stdout.splitlines()]
    spent = {(name, rounds): totals[pid] for pid, name, rounds in runs}
    sizes = {name: len(values) * (_LONG - _SHORT) for name, (_, values) in jobs().items()}
    return {name: round((spent[name, str(_LONG)] - spent[name, str(_SHORT)]) / size) for name, size in sizes.items()}


def _forked() -> None:
    """Each job at both lengths, each in a child that goes on with the parent's count: all is loaded only once."""
    all_jobs = jobs()
    for job in all_jobs.values():
        _run(job, _WARM)
    gc.freeze()
    for name, job in all_jobs.items():
        for rounds in (_SHORT, _LONG):
            pid = os.fork()
            if pid == 0:
                _run(job, rounds)
                os._exit(0)
            os.waitpid(pid, 0)
            print(pid, name, rounds, sep="\t", flush=True)


def judged(measured: Mapping[str, int], recorded: Mapping[str, int]) -> list[str]:
    """What differs by more than 5 %, as sentences: dearer is a loss, cheaper asks to lower the entry."""
    told = []
    for name in sorted(measured.keys() | recorded.keys()):
        now, then = measured.get(name), recorded.get(name)
        if now is None or then is None:
            told.append(f"{name}: {now} measured, {then} recorded; add or remove the entry in bench/counts.toml")
        elif now > then * 1.05:
            told.append(
                f"{name}: {now:,}, {now / then - 1:.0%} more than the {then:,} of bench/counts.toml; find out why"
            )
        elif now < then * 0.95:
            told.append(
                f"{name}: {now:,}, {1 - now / then:.0%} less than the {then:,} of bench/counts.toml; lower the entry"
            )
    return told


def _printed(title: str, counts: Mapping[str, int]) -> str:
    return f"[{title}]\n" + "".join(f'"{name}" = {count:_}\n' for name, count in counts.items())


def main(words: list[str]) -> None:
    """Print the figures of this Python; the processor's only where valgrind is installed."""
    if words == ["--under-valgrind"]:
        _forked()
        return
    print(_printed(f'steps."{version()}"', steps()))
    valgrind = shutil.which("valgrind")
    if valgrind:
        print(_printed(f'instructions."{build()}"', instructions(valgrind)), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
