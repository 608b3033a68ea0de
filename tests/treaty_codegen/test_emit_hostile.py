"""Names, docs, defaults, paths and keys made to look like code: they are text or refused, and nothing of them runs."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.treaty_codegen.features import field, fixed, record
from tests.treaty_codegen.generated import imported, write_sdk
from tests.treaty_codegen.hard import HOSTILE_DOCS
from tests.treaty_codegen.strategies import schemas, values
from tests.treaty_codegen.test_sdk import by_fastavro
from treaty_avro import SchemaError, compile_decoder, compile_encoder, parse
from treaty_codegen import CatalogError, EmitError, SdkSettings, emit_sdk, load_catalog

SETTINGS = SdkSettings(package="hostile_events", namespace="test")


def ran() -> bool:
    """Whether anything of a schema was executed; the hostile texts try to set this."""
    return hasattr(builtins, "treaty_was_here")


def quoted(text: str) -> str:
    """A TOML string; its escapes are JSON's, but for surrogate pairs."""
    return json.dumps(text, ensure_ascii=False)


def required(text: str) -> dict[str, Any]:
    """A schema without the fields that have a default."""
    whole = json.loads(text)
    return {**whole, "fields": [each for each in whole["fields"] if "default" not in each]}


@given(text=schemas(), data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_legal_schema_generates_imports_round_trips_and_fills_in_its_defaults(
    text: str, data: st.DataObject
) -> None:
    schema = parse(text)
    value = data.draw(values(schema.root))
    with TemporaryDirectory() as folder:
        src = write_sdk({"random.avsc": text}, to=Path(folder), settings=SETTINGS)
        with imported(src, package=SETTINGS.package) as package:
            (event,) = package.EVENTS.values()
            written = by_fastavro(event.__avro_schema__, value)
            assert compile_encoder(event)(compile_decoder(event)(written)) == written
            old = json.dumps(required(event.__avro_schema__))
            filled = compile_decoder(event, parse(old))(by_fastavro(old, value))
            names = [event.__avro_names__.get(each["name"], each["name"]) for each in json.loads(old)["fields"]]
            made = event(**{name: getattr(filled, name) for name in names})
            assert compile_encoder(event)(made) == compile_encoder(event)(filled)
    assert not ran()


@pytest.mark.parametrize("text", HOSTILE_DOCS)
def test_a_hostile_text_is_only_text_wherever_it_stands(text: str, tmp_path: Path) -> None:
    schema = record(
        field("a", "string", doc=text, default=text, treaty={"pii": text, "deprecated": {"since": text, "use": text}}),
        field("b", {"type": "map", "values": "string"}, default={text: text}, custom=text),
        field("c", {"type": "enum", "name": "E", "symbols": ["A"], "doc": text}, default="A"),
        field("d", {"type": "fixed", "name": "F", "size": 1, "doc": text}, default="x"),
        doc=text,
    )
    topics = f"""\
format = 1
[topic.things]
doc = {quoted(text)}
owner = {quoted(text)}
key = {quoted("{a}" + text.replace("{", "").replace("}", ""))}
events = ["test.things.Thing"]
"""
    src = write_sdk(
        {f"things/{text.replace('/', '')}.avsc": json.dumps(schema)}, to=tmp_path, settings=SETTINGS, topics=topics
    )
    with imported(src, package=SETTINGS.package) as package:
        event: Any = package.EVENTS["test.things.Thing"]
        assert event().a == text
        assert event().b == {text: text}
        assert event(a="k").__key__() == "k" + text.replace("{", "").replace("}", "")
        assert json.loads(event.__avro_schema__)["doc"] == text
    assert not ran()


@pytest.mark.parametrize(
    "name",
    ["a b", "a;import os", "a\nb", "a.b()", "é", "1a", "", "a-b", "__import__('os')", 'a"', "a\u200b"],
)
def test_a_name_that_is_no_avro_name_never_reaches_the_emitter(name: str) -> None:
    for schema in (
        record(name=name or " "),
        record((name, "int")),
        record(("x", {"type": "enum", "name": "E", "symbols": [name]})),
        record(namespace=f"test.{name}"),
    ):
        with pytest.raises(SchemaError):
            load_catalog({"a.avsc": json.dumps(schema)}, topics=None)


@pytest.mark.parametrize("name", ['x"', "x\\n", "a b", "../x", "x'; import os #"])
def test_a_topic_name_that_looks_like_code_is_refused(name: str) -> None:
    topics = f'format = 1\n[topic.{json.dumps(name)}]\ndoc = "."\nowner = "."\nevents = []\n'
    with pytest.raises(CatalogError, match="is not a topic name"):
        load_catalog({"a.avsc": json.dumps(record())}, topics=topics)


@pytest.mark.parametrize("path", ["a\nb.avsc", "\x1b[31m.avsc", "\u202e.avsc"])
def test_a_refusal_of_a_file_with_a_hostile_name_is_one_line_without_orders_to_the_terminal(path: str) -> None:
    for text in ("{", json.dumps(record(field("x", fixed("F", 2), default="abc")))):
        with pytest.raises((SchemaError, EmitError)) as caught:
            emit_sdk(load_catalog({path: text}, topics=None), SETTINGS)
        assert str(caught.value).isprintable()
        assert str(caught.value).startswith(path.encode("unicode_escape").decode())
        assert getattr(caught.value, "path", "") == path


@pytest.mark.parametrize("member", ["package", "distribution", "namespace"])
def test_settings_that_look_like_code_are_refused(member: str) -> None:
    broken: dict[str, Any] = {member: 'x"\nimport os'}
    with pytest.raises(EmitError):
        SdkSettings(**broken)


def test_a_version_that_looks_like_code_is_text(tmp_path: Path) -> None:
    version = '1"\nimport builtins; builtins.treaty_was_here = True\n"'
    src = write_sdk(
        {"a.avsc": json.dumps(record())}, to=tmp_path, settings=SdkSettings(package="hostile_events", version=version)
    )
    with imported(src, package="hostile_events") as package:
        assert package.__version__ == version
    assert not ran()
