"""Very many of one thing: names that all want to be the same, branches, parts of a key and of a namespace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.treaty_codegen.features import record
from tests.treaty_codegen.generated import imported
from treaty_codegen import CatalogError, EmitError, SdkSettings, emit_sdk, load_catalog
from treaty_codegen.layout import MAX_DEPTH
from treaty_codegen.names import public_name

SETTINGS = SdkSettings(package="many_events", distribution="many-events", namespace="many")
TOPIC = 'format = 1\n[topic.t]\ndoc = "d"\nowner = "o"\nevents = ["many.Event"]\n'
EVENT = record(("id", "long"), namespace="many", name="Event")


def emitted(files: dict[str, object], *, topics: str | None = None) -> dict[str, bytes]:
    texts = {path: json.dumps(schema) for path, schema in files.items()}
    sdk = emit_sdk(load_catalog(texts, topics=topics), SETTINGS)
    return {str(path): content for path, content in sdk.items()}


def imported_events(files: dict[str, bytes], folder: Path) -> list[type]:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    with imported(folder / "src", package="many_events") as package:
        return [package.EVENTS[name] for name in package.EVENTS]


def test_a_name_that_many_want_stays_short_and_the_same() -> None:
    taken: set[str] = set()
    for number in range(300):
        taken.add(public_name("event", taken=taken, of=f"many.n{number}.Event"))
    assert len(taken) == 300
    assert max(map(len, taken)) == len("event_") + 8
    assert {"event", "event_", "event_______"} < taken
    assert "event________" not in taken, "from the ninth on, digits tell them apart"


def test_three_hundred_files_may_have_one_name(tmp_path: Path) -> None:
    """`order_paid/schema.avsc`, `order_sent/schema.avsc` and so on, as some keep them."""
    files: dict[str, object] = {
        f"e{number}/schema.avsc": record(("x", "int"), namespace="many", name=f"E{number}") for number in range(300)
    }
    made = emitted(files)
    assert max(len(path.rpartition("/")[2]) for path in made) < 100
    assert len(imported_events(made, tmp_path)) == 300


def test_packages_that_differ_in_case_only_keep_names_that_systems_take() -> None:
    letters = "abcdefghi"
    spelt = [
        "".join(each.upper() if number >> place & 1 else each for place, each in enumerate(letters))
        for number in range(400)
    ]
    inner = [(f"f{number}", record(namespace=f"many.{name}", name="R")) for number, name in enumerate(spelt)]
    made = emitted({"event.avsc": record(*inner, namespace="many", name="Event")})
    folders = {path.split("/")[2].casefold() for path in made if path.count("/") == 3}
    assert len(folders) == 400
    assert max(map(len, folders)) < 100


def test_classes_of_one_name_in_many_namespaces_keep_short_names(tmp_path: Path) -> None:
    inner = [(f"f{number}", record(namespace=f"many.n{number}.b", name="R")) for number in range(300)]
    made = emitted({"event.avsc": record(*inner, namespace="many", name="Event")})
    assert len(made["src/many_events/_event.py"]) < 300 * 400
    (event,) = imported_events(made, tmp_path)
    assert len(event.__annotations__) > 300


def test_a_union_of_thousands_is_a_class_like_any_other(tmp_path: Path) -> None:
    branches = [{"type": "fixed", "name": f"F{number}", "size": 1} for number in range(1500)]
    made = emitted({"event.avsc": record(("u", ["null", *branches]), namespace="many", name="Event")})
    (event,) = imported_events(made, tmp_path)
    assert event.__annotations__["u"].startswith("_typing.Union[F0, F1, ")
    assert event.__annotations__["u"].endswith(", F1499, None]")


def test_a_namespace_deeper_than_folders_can_be_is_refused() -> None:
    deep = ".".join(["many", *["a"] * (MAX_DEPTH + 1)])
    with pytest.raises(EmitError, match=f"event.avsc:1: a namespace of {MAX_DEPTH + 1} parts; at most {MAX_DEPTH}"):
        emitted({"event.avsc": {**EVENT, "namespace": deep}})
    assert emitted({"event.avsc": {**EVENT, "namespace": deep.removesuffix(".a")}})


def test_a_key_of_thousands_of_parts_is_refused() -> None:
    with pytest.raises(EmitError, match="has 4000 parts; a key has at most 100"):
        emitted({"event.avsc": EVENT}, topics=f'{TOPIC}key = "{"a{id}" * 2000}"\n')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{TOPIC}partitions = {'9' * 5000}\n", "topics.toml: a number has thousands of digits"),
        (f"{TOPIC}{'a.' * 20000}a = 1\n", "topics.toml:6: a name of more than 100 parts"),
        (f"{TOPIC}[{'a.' * 20000}a]\n", "topics.toml:6: a name of more than 100 parts"),
        (f"{TOPIC}config = {{ {'a.' * 20000}a = 1 }}\n", "topics.toml:6: a name of more than 100 parts"),
        (TOPIC.replace("format = 1", "format = true"), "topics.toml:1: `format` is not 1"),
    ],
)
def test_a_hostile_topics_toml_is_refused(text: str, says: str) -> None:
    with pytest.raises(CatalogError) as refused:
        emitted({"event.avsc": EVENT}, topics=text)
    assert says in str(refused.value)


def test_many_dots_in_texts_are_no_deep_name() -> None:
    assert emitted({"event.avsc": EVENT}, topics=TOPIC.replace('"d"', f'"{"." * 500}"'))


@pytest.mark.parametrize(
    "text",
    [
        TOPIC.replace("many.Event", "x" * 300_000),
        f"{TOPIC}{'y' * 300_000} = 1\n",
        f'{TOPIC}key = "{"{" * 300_000}"\n',
        f'{TOPIC}[topic."{"z" * 300_000}"]\n',
        f'{TOPIC}subject = "{"s" * 300_000}"\n',
        f'{TOPIC}retention = "{"r" * 300_000}"\n',
    ],
)
def test_a_refusal_is_a_line_that_a_person_can_read(text: str) -> None:
    with pytest.raises(CatalogError) as refused:
        emitted({"event.avsc": EVENT}, topics=text)
    assert len(str(refused.value)) < 1_000
