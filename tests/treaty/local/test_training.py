"""The class-data archive is made once and used from then on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from treaty.local.class_data import archive_flags
from treaty.local.fetch import fetch
from treaty.local.jars import locked_jars
from treaty.local.java import find_java
from treaty.local.kafka import FLAGS, Kafka
from treaty.local.machine import Machine
from treaty.local.training import train

pytestmark = pytest.mark.long


def flags_of(machine: Machine) -> list[str]:
    return archive_flags(machine, find_java(machine), FLAGS, locked_jars().class_path(fetch(machine)))


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_the_archive_is_made_once_and_the_next_broker_starts_with_it(machine: Machine, tmp_path: Path) -> None:
    shutil.copytree(fetch(machine), tmp_path / "kafka" / locked_jars().kafka)
    fresh = Machine(env={**machine.env, "TREATY_CACHE": str(tmp_path)})
    assert flags_of(fresh) == []
    file = train(fresh)
    made = file.stat().st_mtime_ns
    assert train(fresh).stat().st_mtime_ns == made
    assert str(file) in flags_of(fresh)[0]
    server = Kafka(tmp_path / "broker", machine=fresh).start()
    assert str(file).encode() in Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
    assert server.stop(seconds=90) == 0
    assert [path.suffix for path in sorted(file.parent.iterdir())] == [file.suffix, ".lock"]
