"""How the generator and its SDK grow: importing one event of many, and generating them. Ratios and differences in one run.

Made-up catalogs of 13 fields an event, 50 events a domain and topic, two shared types. Processor time throughout. Imports are
timed in processes of their own, turn about; the figure is the median over rounds of each round's difference or ratio. Run:
``make bench``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.report import Row
from treaty_avro import parse_files
from treaty_codegen import SdkSettings, emit_sdk, load_catalog

ROUNDS = 15
SMALL, LARGE, HUGE = 5, 500, 5_000
MOST_MORE_MS, MOST_OF_HAND, MOST_OF_PARSE, MOST_GENERATE_S, MOST_GROWTH = 15.0, 1.5, 5.0, 10.0, 12.0

TYPES: tuple[Any, ...] = (
    *(
        "string",
        "int",
        "long",
        "double",
        "boolean",
        "bytes",
        ["null", "string"],
        "shop.money.Amount",
        "shop.money.Currency",
    ),
    {"type": "array", "items": "string"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
    {"type": "string", "logicalType": "uuid"},
)

BY_HAND = """\
import dataclasses, datetime, decimal, enum, typing, uuid

class Currency(enum.Enum):
    UNKNOWN = "UNKNOWN"
    EUR = "EUR"

@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    units: int
    currency: Currency

@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event0:
{fields}
"""
"""The same event as somebody would write it, in one module, without its schema."""

TIMED = """\
import sys, time
begin = time.process_time()
{statement}
print(time.process_time() - begin, len(sys.modules))
"""


def schemas(events: int) -> dict[str, str]:
    """Schema texts by path: so many events, and the types that they share."""
    currency = {"type": "enum", "name": "Currency", "namespace": "shop.money", "symbols": ["UNKNOWN", "EUR"]}
    fields = [{"name": "units", "type": "long"}, {"name": "currency", "type": "shop.money.Currency"}]
    amount = {"type": "record", "name": "Amount", "namespace": "shop.money", "fields": fields}
    made = {"money/currency.avsc": json.dumps(currency), "money/amount.avsc": json.dumps(amount)}
    for number in range(events):
        domain = f"domain_{number // 50}"
        made[f"{domain}/event_{number}.avsc"] = json.dumps(
            {
                "type": "record",
                "name": f"Event{number}",
                "namespace": f"shop.{domain}",
                "doc": f"What happened the {number}th time.",
                "fields": [
                    {"name": f"field_{n}", "type": type_, "doc": f"What the field number {n} says, with its unit."}
                    for n, type_ in enumerate(TYPES)
                ],
            },
            indent=2,
        )
    return made


def topics(events: int) -> str:
    """``topics.toml``: a topic a domain."""
    lines = ["format = 1"]
    for first in range(0, events, 50):
        names = [f"shop.domain_{first // 50}.Event{number}" for number in range(first, min(first + 50, events))]
        lines += [
            f"[topic.domain-{first // 50}]",
            'doc = "Events of a domain."',
            'owner = "@shop/team"',
            'key = "field_0"',
        ]
        lines += [f"events = {json.dumps(names)}"]
    return "\n".join(lines) + "\n"


def measure() -> list[Row]:
    """Rows about importing, emitting, and the command."""
    with tempfile.TemporaryDirectory() as folder:
        return [*importing(Path(folder)), *emitting(), *generating(Path(folder))]


def importing(folder: Path) -> Iterator[Row]:
    """One event of a large SDK against one of a small SDK and one by hand."""
    for events in (SMALL, LARGE):
        write_sdk(events, to=folder)
    (folder / "by_hand.py").write_text(BY_HAND.format(fields=fields_by_hand()), "utf-8")
    statements = {name: f"from events_{name}.domain_0 import Event0" for name in (SMALL, LARGE)}
    candidates = [statements[SMALL], statements[LARGE], "from by_hand import Event0"]
    for statement in candidates:
        timed(statement, folder)  # writes the byte code
    more, ratios, modules = [], [], set()
    for number in range(ROUNDS):
        order = candidates if number % 2 else candidates[::-1]
        seconds = {}
        for statement in order:
            seconds[statement], count = timed(statement, folder)
            modules.add((statement, count))
        small, large, by_hand = (seconds[statement] for statement in candidates)
        more.append((large - small) * 1000)
        ratios.append(large / by_hand)
    counts = {count for statement, count in modules if statement in candidates[:2]}
    added, ratio = statistics.median(more), statistics.median(ratios)
    what = f"import one event of {LARGE}"
    yield Row(f"{what}, more than of {SMALL}", f"{added:+.1f} ms", f"≤ {MOST_MORE_MS:.0f} ms", added <= MOST_MORE_MS)
    yield Row(f"{what} / a module by hand", f"{ratio:.2f} ×", f"≤ {MOST_OF_HAND} ×", ratio <= MOST_OF_HAND)
    yield Row(f"{what}: modules loaded more than of {SMALL}", str(max(counts) - min(counts)), "0", len(counts) == 1)


def emitting() -> Iterator[Row]:
    """Parsing and emitting, as functions."""
    files, settings = schemas(1_000), SdkSettings(package="events", distribution="events", namespace="shop")
    catalog = load_catalog(files, topics=topics(1_000))
    ratio = statistics.median(
        processor(lambda: emit_sdk(catalog, settings)) / processor(lambda: parse_files(files)) for _ in range(5)
    )
    yield Row(
        "emit the SDK of 1,000 events / parse them",
        f"{ratio:.1f} ×",
        f"≤ {MOST_OF_PARSE:.0f} ×",
        ratio <= MOST_OF_PARSE,
    )


def generating(folder: Path) -> Iterator[Row]:
    """The command, cold: a process of its own, nothing on disk yet."""
    large, huge = (generate_seconds(events, folder / f"project_{events}") for events in (LARGE, HUGE))
    what = f"treaty generate, {LARGE} events, cold"
    yield Row(what, f"{large:.1f} s", f"≤ {MOST_GENERATE_S:.0f} s", large <= MOST_GENERATE_S)
    growth = huge / large
    yield Row(
        f"treaty generate, {HUGE:,} events / {LARGE}",
        f"{growth:.1f} ×",
        f"≤ {MOST_GROWTH:.0f} ×",
        growth <= MOST_GROWTH,
    )


def generate_seconds(events: int, folder: Path) -> float:
    """Processor seconds of one run in a new project, its children's included."""
    for path, text in {**schemas(events), "topics.toml": topics(events)}.items():
        target = folder / "schemas" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    settings = '[project]\nnamespace = "shop"\nschemas = "schemas"\nsdk = "sdk"\npackage = "shop_events"\ncatalog = "catalog"\n'
    (folder / "treaty.toml").write_text(settings, "utf-8")
    before = os.times()
    subprocess.run([sys.executable, "-m", "treaty", "generate"], check=True, capture_output=True, cwd=folder)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def write_sdk(events: int, *, to: Path) -> None:
    """An SDK called ``events_<number>`` in a folder that goes on the path."""
    settings = SdkSettings(package=f"events_{events}", distribution="events", namespace="shop")
    for path, data in emit_sdk(load_catalog(schemas(events), topics=topics(events)), settings).items():
        if path.parts[0] == "src":
            target = to / path.relative_to("src")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def fields_by_hand() -> str:
    """The fields of an event, with the annotations that a person would write."""
    known = ["str", "int", "int", "float", "bool", "bytes", "str | None", "Amount", "Currency", "list[str]"]
    known += ["datetime.datetime", "decimal.Decimal", "uuid.UUID"]
    return "\n".join(f"    field_{number}: {known[number]}" for number in range(len(TYPES)))


def timed(statement: str, folder: Path) -> tuple[float, int]:
    """Processor seconds that a statement takes in a new process, and how many modules are loaded after it."""
    program = TIMED.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=folder)
    seconds, modules = done.stdout.split()
    return float(seconds), int(modules)


def processor(work: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    begin = time.process_time()
    work()
    return time.process_time() - begin
