"""Generated classes at work: every feature goes to bytes and back, and the bytes are those of another implementation."""

from __future__ import annotations

import builtins
import copy
import dataclasses
import io
import json
import pickle
import typing
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import fastavro
import pydantic
import pydantic.json_schema
import pytest

from tests.treaty_codegen.features import FEATURES, Feature, array, enum, field, fixed, logical, map_, record
from tests.treaty_codegen.generated import imported, write_sdk
from tests.treaty_codegen.hard import HARD
from treaty_avro import compile_decoder, compile_encoder, example, parse
from treaty_codegen import SdkSettings, load_catalog, publish

SETTINGS = SdkSettings(package="generated_events", namespace="test")


@pytest.fixture
def generate(tmp_path: Path) -> Iterator[Any]:
    """A function from files to the imported package."""
    contexts = []

    def of(files: dict[str, str], topics: str | None = None) -> ModuleType:
        src = write_sdk(files, to=tmp_path, settings=SETTINGS, topics=topics)
        context = imported(src, package=SETTINGS.package)
        contexts.append(context)
        return context.__enter__()

    yield of
    for context in contexts:
        context.__exit__(None, None, None)


def class_of(schema: Any, generate: Any) -> Any:
    """The class of the only schema."""
    return generate({"thing.avsc": json.dumps(schema)}).EVENTS[f"{schema['namespace']}.{schema['name']}"]


def by_fastavro(text: str, value: Any) -> bytes:
    """The bytes of a value, by the other implementation."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(text)), value)
    return out.getvalue()


@pytest.mark.parametrize("feature", [*FEATURES, *HARD], ids=lambda feature: feature.name)
def test_a_feature_survives_bytes_pickle_copies_and_pydantic(feature: Feature, generate: Any) -> None:
    event = generate(feature.files).EVENTS[feature.event]
    assert event.__avro_schema__ == publish(load_catalog(feature.files, topics=None).by_name[feature.event])
    for class_ in event.__avro_types__().values():
        typing.get_type_hints(class_)
    adapter = pydantic.TypeAdapter(event)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", pydantic.json_schema.PydanticJsonSchemaWarning
        )  # defaults that JSON has no word for
        described = adapter.json_schema()
    assert described
    encode, decode = compile_encoder(event), compile_decoder(event)
    for value in feature.values:
        data = by_fastavro(event.__avro_schema__, value)
        read = decode(data)
        assert type(read) is event
        assert encode(read) == data
        assert pickle.loads(pickle.dumps(read)) == read  # noqa: S301  # our own bytes
        assert copy.deepcopy(read) == read
        assert adapter.validate_python(read) == read
        assert (
            adapter.validate_python({each.name: getattr(read, each.name) for each in dataclasses.fields(event)}) == read
        )
        assert repr(read).startswith(f"{event.__name__}(")


@pytest.mark.parametrize("feature", [*FEATURES, *HARD], ids=lambda feature: feature.name)
def test_a_default_in_python_is_what_a_reader_fills_in(feature: Feature, generate: Any) -> None:
    """The emitter writes defaults as source, the codec builds them as values: two ways to one event."""
    event = generate(feature.files).EVENTS[feature.event]
    text = event.__avro_schema__
    without_defaults = [each for each in json.loads(text)["fields"] if "default" not in each]
    writer = json.dumps({**json.loads(text), "fields": without_defaults})
    value = feature.values[0] if feature.values else {}
    filled = compile_decoder(event, parse(writer))(by_fastavro(writer, value))
    attributes = [event.__avro_names__.get(each["name"], each["name"]) for each in without_defaults]
    made = event(**{attribute: getattr(filled, attribute) for attribute in attributes})
    assert filled == made
    assert compile_encoder(event)(filled) == compile_encoder(event)(made)


def test_nothing_of_a_hostile_schema_has_run() -> None:
    """Comes after the tests above in this file, and again in the tests of hostile schemas."""
    assert not hasattr(builtins, "treaty_was_here")


def test_importing_the_package_imports_no_event(generate: Any) -> None:
    import sys

    package = generate(FEATURES[0].files)
    assert FEATURES[0].event in package.EVENTS
    assert list(package.EVENTS) == [FEATURES[0].event]
    assert "generated_events.things._feature" not in sys.modules
    assert package.EVENTS[FEATURES[0].event].__name__ == "Thing"
    assert "generated_events.things._feature" in sys.modules


def test_a_misspelt_name_is_an_attribute_error(generate: Any) -> None:
    import importlib

    generate(FEATURES[0].files)
    things = importlib.import_module("generated_events.things")
    assert things.Thing is things.Thing
    assert "Thing" in dir(things)
    with pytest.raises(AttributeError, match=r"'generated_events\.things' has no attribute 'Thin'"):
        _ = things.Thin


def test_records_are_frozen_have_slots_and_take_keywords_only(generate: Any) -> None:
    event = class_of(record(("x", "int")), generate)
    one = event(x=1)
    assert one == event(x=1)
    assert hash(one) == hash(event(x=1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.x = 2
    with pytest.raises(TypeError):
        event(1)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument"):
        event()
    assert not hasattr(one, "__dict__")


def test_optional_without_default_is_required_and_keeps_its_order(generate: Any) -> None:
    event = class_of(record(("x", ["null", "int"])), generate)
    with pytest.raises(TypeError):
        event()
    assert compile_encoder(event)(event(x=None)) == b"\x00"


@pytest.mark.parametrize("name", ["mro", "__doc__", "__module__", "__name__", "__dict__", "register", "fields"])
def test_a_field_named_like_what_classes_have_is_still_required(name: str, generate: Any) -> None:
    event = class_of(record((name, "int")), generate)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument"):
        event()
    assert compile_encoder(event)(event(**{event.__avro_names__.get(name, name): 1})) == b"\x02"


def test_personal_data_stays_out_of_the_repr(generate: Any) -> None:
    event = class_of(
        record(
            field("mail", "string", treaty={"pii": "email"}),
            field("phone", ["null", "string"], default=None, treaty={"pii": "phone"}),
            field("tags", {"type": "array", "items": "string"}, default=["s3cret"], treaty={"pii": "content"}),
            ("x", "int"),
        ),
        generate,
    )
    assert repr(event(mail="a@b", phone="s3cret", x=1)) == "Thing(x=1)"


def test_defaults_are_fresh_for_each_event(generate: Any) -> None:
    event = class_of(record(field("x", {"type": "array", "items": "int"}, default=[1])), generate)
    event().x.append(2)
    assert event().x == [1]


def test_a_fixed_refuses_another_length_and_pydantic_takes_bytes(generate: Any) -> None:
    event = class_of(record(("seal", fixed("Seal", 2))), generate)
    seal = event.__avro_types__()["test.things.Seal"]
    with pytest.raises(ValueError, match=r"test\.things\.Seal takes 2 bytes, got 3"):
        seal(b"abc")
    adapter = pydantic.TypeAdapter(event)
    made = adapter.validate_python({"seal": b"ab"})
    assert made == event(seal=seal(b"ab"))
    assert type(made.seal) is seal
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python({"seal": b"abc"})


def test_an_event_is_a_body_of_a_web_api(generate: Any) -> None:
    event = class_of(
        record(("total", logical("bytes", "decimal", precision=5, scale=2)), ("side", enum("Side", "LEFT"))), generate
    )
    made = pydantic.TypeAdapter(event).validate_json('{"total": "1.50", "side": "LEFT"}')
    assert made.total == Decimal("1.50")
    assert made.side.value == "LEFT"


@pytest.mark.parametrize("references", ["inline", "registry"])
def test_types_of_other_files_are_shared_whether_published_within_or_by_reference(
    references: Any, tmp_path: Path
) -> None:
    line = record(("goods", "int"), ("kind", "test.shared.Kind"), name="Line", namespace="test.shared")
    order = record(("lines", array("test.shared.Line")), ("seal", ["null", "test.shared.Seal"]), name="Order")
    shared = [line, enum("Kind", "A", "B", namespace="test.shared"), fixed("Seal", 3, namespace="test.shared")]
    files = {f"{each['name']}.avsc": json.dumps(each) for each in (*shared, order)}
    settings = SdkSettings(package="generated_events", namespace="test", references=references)
    with imported(write_sdk(files, to=tmp_path, settings=settings), package="generated_events") as package:
        event = package.EVENTS["test.things.Order"]
        names = ("test.shared.Line", "test.shared.Seal")
        assert event.__avro_references__ == (names if references == "registry" else ())
        for seed in range(5):
            value = example(event, seed=seed)
            assert compile_decoder(event)(compile_encoder(event)(value)) == value


def test_values_that_have_no_class_may_be_files_of_their_own(generate: Any) -> None:
    """They make no module; what uses them imports the shared duration all the same."""
    shared = [
        logical(fixed("Span", 12), "duration", namespace="test.shared"),
        logical(fixed("Money", 8), "decimal", precision=9, scale=2, namespace="test.shared"),
        logical(fixed("Id", 16), "uuid", namespace="test.shared"),
    ]
    order = record(*((each["name"], f"test.shared.{each['name']}") for each in shared), name="Order")
    package = generate({f"{each['name']}.avsc": json.dumps(each) for each in (*shared, order)})
    event = package.EVENTS["test.things.Order"]
    assert event.__avro_types__()["test.shared.Span"] is package.Duration
    value = example(event, seed=1)
    assert compile_decoder(event)(compile_encoder(event)(value)) == value


def test_a_key_is_text_whatever_the_fields_are_called(generate: Any) -> None:
    topics = (
        'format = 1\n[topic.things]\ndoc = "."\nowner = "@t"\nkey = "{str}:{side}"\nevents = ["test.things.Thing"]\n'
    )
    schema = record(("str", "int"), ("side", enum("side", "A")), ("more", map_("side")))
    event = generate({"thing.avsc": json.dumps(schema)}, topics).EVENTS["test.things.Thing"]
    side = event.__avro_types__()["test.things.side"]
    assert event(str=7, side=side.A, more={}).__key__() == "7:A"
