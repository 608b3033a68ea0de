"""Run by other Pythons: ``python -m tests.treaty_codegen.other_python CASES``, with nothing installed but what the path gives.

Imports each generated package, takes fastavro's bytes to events and back, and generates everything once more. Prints the
digest of what it generated.
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import pickle
import sys
import typing
from pathlib import Path
from typing import Any

from tests.treaty_codegen.features import FEATURES
from tests.treaty_codegen.hard import HARD
from treaty_avro import compile_decoder, compile_encoder
from treaty_codegen import SdkSettings, emit_sdk, load_catalog


def settings(number: int) -> SdkSettings:
    """A package for each feature."""
    return SdkSettings(package=f"feature_{number}", namespace="test")


def digest() -> str:
    """SHA-256 over every file of every feature's SDK."""
    found = hashlib.sha256()
    for number, feature in enumerate((*FEATURES, *HARD)):
        for path, data in emit_sdk(load_catalog(feature.files, topics=None), settings(number)).items():
            found.update(f"{path}\0{len(data)}\0".encode() + data)
    return found.hexdigest()


def check(event: Any, *, text: str, values: list[str]) -> None:
    """One event class against its published text and the bytes (hex) of values."""
    assert event.__avro_schema__ == text
    for class_ in event.__avro_types__().values():
        typing.get_type_hints(class_)
    encode, decode = compile_encoder(event), compile_decoder(event)
    for value in values:
        read: Any = decode(bytes.fromhex(value))
        assert encode(read).hex() == value
        assert pickle.loads(pickle.dumps(read)) == read  # noqa: S301  # our own bytes
        assert copy.deepcopy(read) == read
        assert type(read) is event


def main(path: str) -> None:
    """All cases of a file: lists of package, full name, text, values."""
    for package, name, text, values in json.loads(Path(path).read_text("utf-8")):
        check(importlib.import_module(package).EVENTS[name], text=text, values=values)
    assert not hasattr(importlib.import_module("builtins"), "treaty_was_here")
    print(digest())


if __name__ == "__main__":
    main(sys.argv[1])
