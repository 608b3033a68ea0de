"""What a schema pull request costs: lint, breaking against ten releases and generate, as a multiple of parsing the same texts.

The catalogs of ``bench.sdk``, put in order; in each release one event in twenty lacks its last, optional field. Processor time of
the commands, each in a process of its own, starting Python included; parsing is timed in this process. All take turns, and the
least of three is what counts: other work on the machine only ever adds. Cold: nothing is remembered; warm: the same commands again,
with a cache that nobody else has.
Run: ``python -m bench workflow``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from bench.counts import traced
from bench.report import Row
from bench.sdk import processor, schemas, topics
from treaty.config import Settings
from treaty.ops.against import Against
from treaty.ops.baseline import set_document
from treaty.ops.check import run_breaking, run_lint
from treaty.ops.generate import generated
from treaty_avro import parse_files
from treaty_codegen import load_catalog
from treaty_codegen.old_set import OldSet, old_set

SMALL, LARGE, RELEASES, ROUNDS = 100, 1_000, 10, 3
MOST_OF_PARSE, MOST_GROWTH, MOST_WARM = 10.0, 12.0, 0.3
COMMANDS = (("lint",), ("breaking", "--against", "releases"), ("generate",))
SETTINGS = """[project]
namespace = "shop"
package = "shop_events"
"""


def measure() -> list[Row]:
    """Rows about all three commands together, and how they grow."""
    with tempfile.TemporaryDirectory() as folder:
        return list(rows(Path(folder)))


def rows(folder: Path) -> Iterator[Row]:
    """A row a command, then their sum."""
    texts = tidy(LARGE)
    parsing, rounds, again = [], [], []
    for events in (SMALL, LARGE):
        write_project(events, folder / str(events))
    for _ in range(ROUNDS):
        parsing.append(processor(lambda: parse_files(texts)))
        rounds.append({events: command_seconds(folder / str(events)) for events in (SMALL, LARGE)})
        again.append(warm_seconds(folder / str(LARGE), folder / "cache"))
    parsed = min(parsing)
    seconds = {
        events: {words[0]: min(each[events][words[0]] for each in rounds) for words in COMMANDS}
        for events in (SMALL, LARGE)
    }
    for name, spent in seconds[LARGE].items():
        yield Row(f"treaty {name}, {LARGE:,} schemas, {RELEASES} releases / parse them", f"{spent / parsed:.1f} ×")
    whole = sum(seconds[LARGE].values()) / parsed
    what = f"lint, breaking and generate, {LARGE:,} schemas, cold"
    yield Row(f"{what} / parse them", f"{whole:.1f} ×", f"≤ {MOST_OF_PARSE:.0f} ×", whole <= MOST_OF_PARSE)
    growth = sum(seconds[LARGE].values()) / sum(seconds[SMALL].values())
    yield Row(f"{what} / {SMALL}", f"{growth:.1f} ×", f"≤ {MOST_GROWTH:.0f} ×", growth <= MOST_GROWTH)
    warm = sum(min(each[words[0]] for each in again) for words in COMMANDS) / sum(seconds[LARGE].values())
    yield Row("the same again, warm / cold", f"{warm:.2f} ×", f"≤ {MOST_WARM} ×", warm <= MOST_WARM)


def command_seconds(project: Path) -> dict[str, float]:
    """Processor seconds of each command, by its first word; nothing is generated yet."""
    shutil.rmtree(project / "sdk", ignore_errors=True)
    return {words[0]: seconds(words, project, TREATY_CHECKS__CACHE="false") for words in COMMANDS}


def warm_seconds(project: Path, cache: Path) -> dict[str, float]:
    """The same with a cache that has heard each question; everything is generated."""
    for words in COMMANDS:
        seconds(words, project, TREATY_CACHE=str(cache))
    return {words[0]: seconds(words, project, TREATY_CACHE=str(cache)) for words in COMMANDS}


def seconds(words: tuple[str, ...], project: Path, **env: str) -> float:
    """Processor seconds of one command and its children."""
    before, told = os.times(), {**os.environ, **env}
    command = [sys.executable, "-m", "treaty", *words]
    done = subprocess.run(command, cwd=project, env=told, capture_output=True, check=False)
    after = os.times()
    assert done.returncode in {0, 1}, done.stderr.decode()
    return after.children_user - before.children_user + after.children_system - before.children_system


def steps(events: int, folder: Path) -> dict[str, int]:
    """Bytecode steps of each command on a project of so many events, and of parsing the same texts (``parse``); no start of Python.

    The same on any machine, within what threads and the system's answers do to it: `tests/treaty/ops/test_cost.py` holds the ratio.
    """
    project = folder / str(events)
    write_project(events, project)
    settings, against = Settings.load(None, {}, start=project), Against(names=("releases",))
    texts = tidy(events)
    work: dict[str, Callable[[], object]] = {
        "parse": lambda: parse_files(texts),
        "lint": lambda: run_lint(settings),
        "breaking": lambda: run_breaking(settings, against, today=date(2026, 1, 1)),
        "generate": lambda: write_generated(settings),
    }
    return {name: traced(call) for name, call in work.items()}


def write_generated(settings: Settings) -> None:
    """What ``treaty generate`` does."""
    for each in generated(settings):
        each.write(each.changes())


def write_project(events: int, project: Path) -> None:
    """Schemas that no rule has anything against, topics, settings and ten releases."""
    texts = tidy(events)
    for path, text in {**texts, "topics.toml": topics(events)}.items():
        write(project / "schemas" / path, text)
    write(project / "treaty.toml", SETTINGS)
    for number in range(RELEASES):
        version = f"1.{number}.0"
        older = {
            path: shorter(text) if place % 20 == number else text for place, (path, text) in enumerate(texts.items())
        }
        now = old_set(load_catalog(older, topics=topics(events)), label=f"release {version}")
        write(project / "schemas" / "releases" / version / "set.json", json.dumps(document(now, version)))


def tidy(events: int) -> dict[str, str]:
    """The schemas of ``bench.sdk`` with names, docs and defaults as the standard rules want them, and one optional field more."""
    made = {}
    for path, text in schemas(events).items():
        body = json.loads(text)
        body.setdefault("doc", "What several events are made of.")
        if body["type"] == "enum":
            body["default"] = body["symbols"][0]
        for field in body.get("fields", ()):
            field.setdefault("doc", "A part of it.")
            if field["type"] == ["null", "string"]:
                field["default"] = None
        if body["name"].startswith("Event"):
            body["fields"].append({"name": "note", "type": ["null", "string"], "doc": "For people.", "default": None})
        made[path.replace("event_", "event")] = json.dumps(body, indent=2)
    return made


def document(released: OldSet, version: str) -> dict[str, object]:
    """A released set as ``treaty release`` writes it."""
    return set_document(released, dict.fromkeys(released.events, "1.0.0"), version=version)


def shorter(text: str) -> str:
    """An event without its last field; other types as they are."""
    body = json.loads(text)
    if body["name"].startswith("Event"):
        body["fields"] = body["fields"][:-1]
    return json.dumps(body)


def write(path: Path, text: str) -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
