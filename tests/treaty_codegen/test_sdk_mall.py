"""The committed SDK: fresh, alone in an empty environment, and byte for byte what another implementation writes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mall_events
from tests.treaty_codegen.strategies import values
from treaty_avro import compile_decoder, compile_encoder, fingerprint, incompatibilities, parse
from treaty_codegen import SdkSettings, compare, emit_sdk, event_type_of, load_catalog, publish, subject_of
from treaty_codegen.disk import Output

ROOT = Path(__file__).parents[2]
EVENTS: Mapping[str, Any] = mall_events.EVENTS


@pytest.fixture(scope="module")
def catalog() -> Any:
    """The catalog of the mall."""
    schemas = ROOT / "schemas"
    files = {path.relative_to(schemas).as_posix(): path.read_text("utf-8") for path in schemas.rglob("*.avsc")}
    return load_catalog(files, topics=(schemas / "topics.toml").read_text("utf-8"))


def test_the_committed_sdk_is_what_the_schemas_say(catalog: Any) -> None:
    settings_ = SdkSettings(version=mall_events.__version__)
    output = Output(folder=ROOT / "sdk", parts=("src", "pyproject.toml", "README.md"))
    changes = compare(output.files(), emit_sdk(catalog, settings_))
    assert changes == [], "run `treaty generate`"


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_carries_its_published_text_and_its_place(name: str, catalog: Any) -> None:
    event = EVENTS[name]
    topic = catalog.topic_of(name)
    published = publish(catalog.by_name[name])
    assert event.__avro_schema__ == published
    assert fingerprint(parse(event.__avro_schema__)) == fingerprint(parse(published))
    assert event.__topic__ == topic.name
    assert event.__subject__ == subject_of(topic, event=name)
    assert event.__event_type__ == event_type_of(topic, event=name)


def test_an_event_that_did_not_change_since_its_release_has_the_fingerprint_of_the_lock() -> None:
    locked = json.loads((ROOT / "schemas" / "schemas.lock").read_text("utf-8"))["events"]
    texts = {name: EVENTS[name].__avro_schema__ for name in locked if name in EVENTS}
    unchanged = [
        name for name, text in texts.items() if hashlib.sha256(text.encode()).hexdigest() == locked[name]["sha256"]
    ]
    assert unchanged, "a release without a single event of today"
    for name in unchanged:
        assert fingerprint(parse(texts[name])).hex() == locked[name]["fingerprint"], name


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_the_text_of_an_event_has_the_fingerprint_that_others_compute(name: str) -> None:
    text = EVENTS[name].__avro_schema__
    canonical = fastavro.schema.to_parsing_canonical_form(json.loads(text))
    assert fingerprint(parse(text)).hex() == fastavro.schema.fingerprint(canonical, "sha256")


def test_the_set_of_schemas_is_a_hash_over_the_texts_that_the_classes_carry() -> None:
    lines = [
        f"{name}\0{hashlib.sha256(EVENTS[name].__avro_schema__.encode()).hexdigest()}\n" for name in sorted(EVENTS)
    ]
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == mall_events.SCHEMA_SET


@pytest.mark.parametrize("name", sorted(EVENTS))
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_event_has_the_bytes_of_another_implementation(name: str, data: st.DataObject) -> None:
    event = EVENTS[name]
    text = event.__avro_schema__
    value = data.draw(values(parse(text).root))
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(text)), value)
    read = compile_decoder(event)(out.getvalue())
    assert compile_encoder(event)(read) == out.getvalue()
    again = fastavro.schemaless_reader(
        io.BytesIO(compile_encoder(event)(read)), fastavro.parse_schema(json.loads(text))
    )
    assert again == value


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_may_gain_and_lose_what_has_a_default(name: str) -> None:
    """Every event ends in note and operator; without them, both old and new readers understand both."""
    whole = json.loads(EVENTS[name].__avro_schema__)
    old, new = parse(json.dumps(whole)), parse(json.dumps({**whole, "fields": whole["fields"][:-2]}))
    assert incompatibilities(new, old) == incompatibilities(old, new) == []


def uv() -> str:
    """The installer; missing is a failure in CI only."""
    found = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".venv/tools/bin"))
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("uv is missing; `make setup` installs it")
    return found or pytest.skip("uv is missing; `make setup` installs it")


def test_the_wheel_alone_imports_every_event_and_is_fully_typed(tmp_path: Path) -> None:
    installer, sdk, venv = uv(), tmp_path / "sdk", tmp_path / "venv"
    shutil.copytree(ROOT / "sdk", sdk, ignore=shutil.ignore_patterns("__pycache__", "dist"))

    def run(*command: str, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True, cwd=sdk)
    (wheel,) = tmp_path.glob("*.whl")
    run(installer, "venv", "--python", sys.executable, str(venv))
    python = str(venv / "bin/python")
    run(installer, "pip", "install", "--no-index", "--no-deps", "--python", python, str(wheel))
    program = (
        "import sys, mall_events; assert not any('order' in name for name in sys.modules if 'mall' in name);"
        "print([mall_events.EVENTS[name].__name__ for name in mall_events.EVENTS])"
    )
    assert "OrderCreated" in run(python, "-I", "-W", "error", "-c", program)
    user = tmp_path / "user.py"
    user.write_text("from mall_events.order import TestEvent\n\nprint(TestEvent.__topic__)\n", "utf-8")
    mypy = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--python-executable",
        python,
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    run(*mypy, "--config-file", os.devnull, str(user))
    run(*mypy, "--config-file", os.devnull, "-p", "mall_events")
    pyright = [sys.executable, "-m", "basedpyright", "--warnings"]
    run(*pyright, "--pythonpath", python, str(user))
    # Asked about a package, it knows the environment from PATH alone; types of the standard library are not our matter.
    path = os.pathsep.join([str(venv / "bin"), os.environ["PATH"]])
    told = run(*pyright, "--verifytypes", "mall_events", "--ignoreexternal", env={**os.environ, "PATH": path})
    assert "Type completeness score: 100%" in told
