"""A change of schemas is rolled out while events flow: old and new members of a group side by side, old and new writers too."""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.treaty_runtime.relaying import until
from tests.treaty_runtime.test_runtime_kafka import _create
from treaty_runtime.event import Context, Envelope
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.kafka.log import Log
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings

pytestmark = [pytest.mark.kafka, pytest.mark.long, pytest.mark.timeout(300)]

EACH = 4
"""Events of each kind that each writer writes in each step."""

LETTERS = {"type": "enum", "name": "Letter", "symbols": ["A", "B"]}
Fields = Sequence[Mapping[str, Any]]
# What a reader with the second schema can read that was written with the first one.
BACKWARD: dict[str, tuple[Fields, Fields]] = {
    "FieldAddedWithDefault": ([], [{"name": "note", "type": "string", "default": ""}]),
    "FieldRemoved": ([{"name": "note", "type": "string"}], []),
    "NumberWidened": ([{"name": "total", "type": "int"}], [{"name": "total", "type": "long"}]),
    "MadeOptional": ([{"name": "note", "type": "string"}], [{"name": "note", "type": ["null", "string"]}]),
    "SymbolAdded": (
        [{"name": "letter", "type": LETTERS}],
        [{"name": "letter", "type": {**LETTERS, "symbols": ["A", "B", "C"]}}],
    ),
    "Renamed": ([{"name": "total", "type": "int"}], [{"name": "sum", "type": "int", "aliases": ["total"]}]),
}
FULL: dict[str, tuple[Fields, Fields]] = {
    "DefaultAdded": ([], [{"name": "note", "type": "string", "default": "none"}]),
    "DefaultRemoved": ([{"name": "note", "type": "string", "default": "none"}], []),
    "Reordered": (
        [{"name": "a", "type": "int"}, {"name": "b", "type": "string"}],
        [{"name": "b", "type": "string"}, {"name": "a", "type": "int"}],
    ),
    "SymbolWithDefault": (
        [{"name": "letter", "type": {**LETTERS, "default": "A"}}],
        [{"name": "letter", "type": {**LETTERS, "symbols": ["A", "B", "C"], "default": "A"}}],
    ),
}
VALUES: dict[str, Any] = {"note": "x", "total": 7, "sum": 7, "a": 1, "b": "y"}


@dataclass
class Rollout:
    """A topic with its registry, two generations of classes, and what was written and read."""

    kafka: str
    registry: str
    topic: str
    generations: tuple[dict[str, type[Any]], dict[str, type[Any]]]
    written: int = 0
    read: Counter[str] = field(default_factory=Counter)

    def register(self, generation: int) -> None:
        """Before the first process of a generation starts. The registry's own verdict has to allow it."""
        for each in self.generations[generation].values():
            body = {"schema": each.__avro_schema__}
            httpx.post(f"{self.registry}/subjects/{each.__subject__}/versions", json=body).raise_for_status()

    def member(self, generation: int) -> Runtime:
        """A process of the group as it was before (0) or is after (1) the change."""
        classes, handlers = self.generations[generation], Handlers()
        for each in classes.values():
            self._handle(handlers, each)
        group = Group(f"{self.topic}-readers", handlers, dead_letter=f"{self.topic}-dead", has_retry_topics=False)
        return self._runtime(classes, [group])

    def writer(self, generation: int) -> Runtime:
        """A process that only writes."""
        return self._runtime(self.generations[generation], [])

    async def write(self, *writers: tuple[int, Runtime]) -> None:
        """Some events of each kind from each writer, in turns; returns when all that was ever written is read."""
        sent = [
            runtime.publisher.publish(_made(cls), key=f"{name}-{number}")
            for number in range(EACH)
            for generation, runtime in writers
            for name, cls in self.generations[generation].items()
        ]
        self.written += len(await asyncio.gather(*sent))
        await until(lambda: self.read.total() >= self.written)

    def dead(self) -> int:
        """How many dead letters there are."""
        with Log(self.kafka) as log:
            return sum(1 for _ in log.read(log.spans([f"{self.topic}-dead"])))

    def _handle(self, handlers: Handlers, cls: type[Any]) -> None:
        @handlers.on(cls)
        async def count(_event: Any, context: Context) -> None:
            envelope: Envelope[Any] = context.envelope
            self.read[str(envelope.id)] += 1

    def _runtime(self, classes: dict[str, type[Any]], groups: list[Group]) -> Runtime:
        return Runtime(
            service="roll",
            settings=KafkaSettings(brokers=self.kafka, registry_urls=(self.registry,)),
            events={each.__avro_fullname__: each for each in classes.values()},
            groups=groups,
        )


@pytest.fixture
def rollout(
    kafka: str, registry: str, unique: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Rollout]:
    """Registers both generations and generates their classes."""

    def made(kinds: Mapping[str, tuple[Fields, Fields]], *, level: str, is_mirrored: bool = False) -> Rollout:
        topic = unique("roll")
        monkeypatch.syspath_prepend(tmp_path)
        httpx.put(f"{registry}/config", json={"compatibility": level}).raise_for_status()
        pairs = {name: pair[::-1] if is_mirrored else pair for name, pair in kinds.items()}
        first, second = (
            _generation(
                tmp_path, f"{level.lower()}{number}", {name: pair[number] for name, pair in pairs.items()}, topic
            )
            for number in range(2)
        )
        run = Rollout(kafka, registry, topic, (first, second))
        run.register(0)
        return run

    return made


@pytest.mark.parametrize(("kinds", "level"), [(BACKWARD, "BACKWARD"), (FULL, "FULL")], ids=["backward", "full"])
async def test_readers_first(rollout: Callable[..., Rollout], kinds: Any, level: str) -> None:
    run = rollout(kinds, level=level)
    await _create(run.kafka, run.topic, f"{run.topic}-dead")
    async with run.writer(0) as old:
        async with run.member(0):
            await run.write((0, old))
            run.register(1)  # an old reader that started now would not be ready: it could not read what may come
            async with run.member(1):
                await run.write((0, old))
        async with run.writer(1) as new, run.member(1):
            await run.write((0, old), (1, new))
            await run.write((1, new))
    assert (len(run.read), run.dead()) == (run.written, 0)


async def test_writers_first_with_readers_that_follow(rollout: Callable[..., Rollout]) -> None:
    run = rollout(FULL, level="FULL")
    await _create(run.kafka, run.topic, f"{run.topic}-dead")
    run.register(1)
    async with run.writer(0) as old, run.writer(1) as new:
        async with run.member(0):
            await run.write((0, old), (1, new))
            async with run.member(1):
                await run.write((0, old), (1, new))
        async with run.member(1):
            await run.write((1, new))
    assert (len(run.read), run.dead()) == (run.written, 0)


async def test_writers_first_with_readers_that_stay(rollout: Callable[..., Rollout]) -> None:
    run = rollout(BACKWARD, level="FORWARD", is_mirrored=True)
    await _create(run.kafka, run.topic, f"{run.topic}-dead")
    run.register(1)
    async with run.writer(0) as old, run.writer(1) as new, run.member(0):
        await run.write((0, old))
        await run.write((0, old), (1, new))
        await run.write((1, new))
    assert (len(run.read), run.dead()) == (run.written, 0)


def _generation(folder: Path, package: str, kinds: Mapping[str, Fields], topic: str) -> dict[str, type[Any]]:
    files = []
    for name, fields in kinds.items():
        file = folder / package / f"{name}.avsc"
        file.parent.mkdir(exist_ok=True)
        # Each event has a Letter of its own: a name means one schema in a package.
        own = json.loads(json.dumps(fields).replace('"Letter"', f'"{name}Letter"'))
        order = {"name": "order_id", "type": "string"}
        file.write_text(
            json.dumps({"type": "record", "name": name, "namespace": "roll", "fields": [order, *own]}), encoding="utf-8"
        )
        files.append(str(file))
    sdk = f"{package}_events"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "treaty_codegen",
            *files,
            "--out",
            str(folder / sdk),
            "--package",
            sdk,
            "--namespace",
            "roll",
        ],
        check=True,
    )
    found = [path.parent for path in (folder / sdk).rglob("__init__.py") if path.parent.name == sdk]
    sys.path.insert(0, str(found[0].parent))
    module = importlib.import_module(sdk)
    classes = {name: getattr(module, name) for name in kinds}
    for name, cls in classes.items():
        cls.__topic__, cls.__subject__ = topic, f"{topic}-roll.{name}"
    return classes


def _made(cls: type[Any]) -> Any:
    values = {name: VALUES[name] for name in cls.__slots__ if name in VALUES}
    if "letter" in cls.__slots__:
        values["letter"] = next(iter(cls.__avro_types__()[f"roll.{cls.__name__}Letter"]))
    return cls(order_id="o-1", **values)
