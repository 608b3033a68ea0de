"""Run in a process of its own: ``python -m tests.treaty_codegen.adversarial_import CASES``, the folder of packages on the path.

Imports every class of every package, takes example events to bytes and back, and looks after each package whether anything
happened that no import of a class does: a file written, a program started, a builtin or a neighbour changed.
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
import importlib
import json
import os
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from treaty_avro import SchemaError, compile_decoder, compile_encoder, example

NEVER = (
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "ctypes.",
    "urllib.",
    "webbrowser.",
    "code.__new__",
    "input",
    "pty.",
)
"""Audit events that no import of a generated class raises; files may be read only."""
HARMLESS = ("os.listdir", "os.scandir")

WATCHED: tuple[Any, ...] = (builtins, dataclasses, enum, typing, sys.modules["treaty_avro"])


class Witness:
    """What happened, and what the watched modules held at the beginning."""

    def __init__(self) -> None:
        """Begin to listen; an audit hook stays until the process ends."""
        self.seen: list[str] = []
        self._before = [dict(vars(module)) for module in WATCHED]
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if (event.startswith(NEVER) and event not in HARMLESS) or (event == "open" and _writes(*arguments)):
            self.seen.append(f"{event}{arguments!r:.200}")

    def changes(self) -> Iterator[str]:
        """What is not as it was."""
        yield from self.seen
        for module, before in zip(WATCHED, self._before, strict=True):
            now = vars(module)
            names = sorted(name for name in {*before, *now} if before.get(name) is not now.get(name))
            yield from (f"{module.__name__}.{name} changed" for name in names if name != "__warningregistry__")


def _writes(_path: object, mode: str | None, flags: int) -> bool:
    """Whether a file is opened for more than reading; ``os.open`` gives no mode."""
    return bool(set(mode) & set("wax+") if mode else flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def classes(packages: list[str]) -> Iterator[type]:
    """Every public class of some packages, as a user imports it."""
    for name in packages:
        package = importlib.import_module(name)
        assert set(getattr(package, "__all__", ())) <= set(dir(package))
        for public in getattr(package, "__all__", ()):
            value = getattr(package, public)
            if isinstance(value, type):
                yield value


def check(event: Any, *, text: str) -> None:
    """An event has its text, requires what has no default, and examples of it come back from bytes."""
    assert event.__avro_schema__ == text
    required = [each["name"] for each in json.loads(text)["fields"] if "default" not in each]
    has_none = [
        each.name
        for each in dataclasses.fields(event)
        if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    ]
    assert has_none == [event.__avro_names__.get(name, name) for name in required]
    encode, decode = compile_encoder(event), compile_decoder(event)
    for seed in range(2):
        try:
            value = example(event, seed=seed)
        except SchemaError:
            return  # a type without a finite value
        data = encode(value)
        read: Any = decode(data)
        assert encode(read) == data
        assert type(read) is event


def main(path: str) -> None:
    """Each case: its packages, the text of each event, and the bytes (hex) of its neighbour."""
    witness = Witness()
    for packages, texts in json.loads(Path(path).read_text("utf-8")):
        events = importlib.import_module(packages[0]).EVENTS
        for class_ in classes(packages):
            typing.get_type_hints(class_)
        for name in events:
            check(events[name], text=texts[name])
        neighbour: Any = events["test.neighbour.Plain"]
        assert compile_encoder(neighbour)(neighbour(id=7)).hex() == "0e027800"
        assert repr(neighbour(id=7)) == "Plain(id=7, text='x', side=<Side.LEFT: 'LEFT'>)"
        found = list(witness.changes())
        assert not found, (packages[0], found)
    assert not hasattr(builtins, "treaty_was_here")


if __name__ == "__main__":
    main(sys.argv[1])
