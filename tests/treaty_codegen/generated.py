"""Schemas to an importable package, for tests."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from treaty_codegen import SdkSettings, emit_sdk, load_catalog


def write_sdk(files: Mapping[str, str], *, to: Path, settings: SdkSettings, topics: str | None = None) -> Path:
    """Generate into a folder; answers its ``src``."""
    for path, data in emit_sdk(load_catalog(files, topics=topics), settings).items():
        target = to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return to / "src"


@contextmanager
def imported(src: Path, *, package: str) -> Iterator[ModuleType]:
    """The generated package, imported from a folder, and forgotten afterwards."""
    sys.path.insert(0, str(src))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(package)
    finally:
        sys.path.remove(str(src))
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
