"""How cost grows with the number of events, in counts that no machine's load changes; seconds are in ``bench/sdk.py``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from bench.sdk import schemas, topics, write_sdk
from tests.treaty_codegen.generated import imported
from treaty_codegen import SdkSettings, emit_sdk, load_catalog

SMALL, LARGE = 20, 200


def calls(events: int) -> int:
    """Calls of the generator's own functions that loading and emitting so many events takes."""
    files, declared = schemas(events), topics(events)
    settings = SdkSettings(package="events", distribution="events", namespace="shop")
    count = 0

    def seen(frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call" and "/treaty_codegen/" in frame.f_code.co_filename  # type: ignore[attr-defined]  # a frame

    sys.setprofile(seen)
    try:
        emit_sdk(load_catalog(files, topics=declared), settings)
    finally:
        sys.setprofile(None)
    return count


def test_ten_times_the_events_take_ten_times_the_work() -> None:
    few, many = calls(SMALL), calls(LARGE)
    assert few > 1_000
    assert many / few <= LARGE / SMALL


def test_importing_one_event_loads_the_same_modules_however_many_there_are(tmp_path: Path) -> None:
    loaded = set()
    for events in (5, 60):
        write_sdk(events, to=tmp_path)
        with imported(tmp_path, package=f"events_{events}"):
            importlib.import_module(f"events_{events}.domain_0").Event0  # noqa: B018  # the access loads the class
            loaded.add(
                tuple(sorted(name.partition(".")[2] for name in sys.modules if name.startswith(f"events_{events}")))
            )
    (modules,) = loaded
    assert "domain_0._event_0" in modules
    assert "domain_0._event_1" not in modules
