"""kafbat UI, unchanged, in front of our registry: what its pages for schemas and topics do, by the API that they use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import psycopg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.parts.waiting import wait_until
from tests.treaty.registry.kafbat import Kafbat, needs_kafbat, running_kafbat
from tests.treaty.registry.people import administration
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

pytestmark = [needs_kafbat, pytest.mark.long, pytest.mark.timeout(1200), pytest.mark.xdist_group("kafbat")]
KINDS = ["sqlite", "sqlite, password", "sqlite, profile 7", "postgres", "postgres, password"]
WHO, PASSWORD = "kafbat", "a long word: of/our own%"
PAID = json.dumps({"type": "record", "name": "Paid", "fields": [{"name": "id", "type": "string"}]})
NOTED = PAID[:-2] + ', {"name": "note", "type": "string", "default": ""}]}'
BROKEN = PAID[:-2] + ', {"name": "note", "type": "string"}]}'


@dataclass(frozen=True, slots=True)
class House:
    """Registries behind one kafbat UI, by kind: its address, and who is let in; one broker for all."""

    client: httpx.Client
    registries: Mapping[str, str]
    broker: str


@pytest.fixture(scope="module")
def house(kafka: str, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One process of kafbat UI with a cluster for each kind of registry."""
    folder = tmp_path_factory.mktemp("kafbat")
    with ExitStack() as stack:
        found: dict[str, str] = {}
        for kind in KINDS:
            number = len(found)
            url = f"sqlite:///{folder}/{number}.db" if "sqlite" in kind else database(stack, postgres_server, number)
            store = open_store(url, migrate=True)
            stack.callback(store.close)
            if "password" in kind:
                operator = administration(store)
                operator.put_user(WHO, PASSWORD)
                operator.add_grant(WHO, "admin", "*")
            settings = RegistrySettings(wire_profile="7" if "profile 7" in kind else "8")
            found[kind] = stack.enter_context(registry(store, settings=settings))
        clusters = {named(kind): cluster(kind, url, kafka) for kind, url in found.items()}
        yield House(stack.enter_context(running_kafbat(folder, clusters)), found, kafka)


def database(stack: ExitStack, server: str, number: int) -> str:
    """A new database that goes when the stack is left."""
    base, name = server.rpartition("/")[0], f"kafbat_{number}"
    connection = stack.enter_context(psycopg.connect(server.replace("+psycopg", ""), autocommit=True))
    connection.execute(f'CREATE DATABASE "{name}"')
    stack.callback(connection.execute, f'DROP DATABASE "{name}" WITH (FORCE)')
    return f"{base}/{name}"


def named(kind: str) -> str:
    return kind.replace(", ", "-").replace(" ", "-")


def cluster(kind: str, url: str, broker: str) -> Mapping[str, str]:
    """Settings of a cluster, by the names of kafbat UI's handbook."""
    given = {"bootstrapServers": broker, "schemaRegistry": url}
    who = {"schemaRegistryAuth.username": WHO, "schemaRegistryAuth.password": PASSWORD}
    return given | who if "password" in kind else given


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def kafbat(house: House, kind: str) -> Kafbat:
    return Kafbat(house.client, named(kind))


def create(kafbat: Kafbat, subject: str, schema: str, *references: Mapping[str, object]) -> dict[str, object]:
    body = {"subject": subject, "schema": schema, "schemaType": "AVRO", "references": list(references)}
    made: dict[str, object] = kafbat.told("POST", "/schemas", body)
    return made


def listed(kafbat: Kafbat, search: str) -> dict[str, dict[str, object]]:
    page = kafbat.told("GET", "/schemas", search=search, perPage="100")
    return {each["subject"]: each for each in page["schemas"]}


def test_schemas_are_made_listed_and_their_versions_compared(kafbat: Kafbat) -> None:
    made = create(kafbat, "paid-value", PAID)
    assert (made["version"], made["schemaType"], made["compatibilityLevel"]) == ("1", "AVRO", "BACKWARD")
    assert create(kafbat, "paid-value", PAID)["id"] == made["id"]
    newer = create(kafbat, "paid-value", NOTED)
    assert newer["version"] == "2"
    assert listed(kafbat, "paid-")["paid-value"]["version"] == "2"
    assert kafbat.told("GET", "/schemas/paid-value/latest")["id"] == newer["id"]
    versions = kafbat.told("GET", "/schemas/paid-value/versions")
    assert [each["version"] for each in versions] == ["1", "2"]
    assert [json.loads(each["schema"]) for each in versions] == [json.loads(PAID), json.loads(NOTED)]
    assert json.loads(kafbat.told("GET", "/schemas/paid-value/versions/1")["schema"]) == json.loads(PAID)


def test_a_schema_is_checked_and_what_breaks_is_refused(kafbat: Kafbat) -> None:
    create(kafbat, "checked-value", PAID)
    body = {"subject": "checked-value", "schemaType": "AVRO"}
    assert kafbat.told("POST", "/schemas/checked-value/check", {**body, "schema": NOTED}) == {"isCompatible": True}
    assert kafbat.told("POST", "/schemas/checked-value/check", {**body, "schema": BROKEN}) == {"isCompatible": False}
    refused = kafbat.ask("POST", "/schemas", {**body, "schema": BROKEN})
    # Its own code for the registry's 409; what the registry says to 422 is shown as it is.
    assert (refused.is_client_error, refused.json()["code"]) == (True, 4006), refused.text
    invalid = kafbat.ask("POST", "/schemas", {**body, "schema": "{"})
    assert invalid.is_client_error, invalid.text
    assert "Invalid schema of type AVRO" in invalid.json()["message"]
    assert kafbat.told("GET", "/schemas/checked-value/latest")["version"] == "1"


def test_levels_are_changed_for_one_subject_and_for_all(kafbat: Kafbat) -> None:
    create(kafbat, "levelled-value", PAID)
    create(kafbat, "plain-value", PAID)
    kafbat.told("PUT", "/schemas/levelled-value/compatibility", {"compatibility": "FULL"})
    kafbat.told("PUT", "/schemas/compatibility", {"compatibility": "FORWARD_TRANSITIVE"})
    assert kafbat.told("GET", "/schemas/compatibility") == {"compatibility": "FORWARD_TRANSITIVE"}
    assert kafbat.told("GET", "/schemas/levelled-value/latest")["compatibilityLevel"] == "FULL"
    assert kafbat.told("GET", "/schemas/plain-value/latest")["compatibilityLevel"] == "FORWARD_TRANSITIVE"
    kafbat.told("PUT", "/schemas/compatibility", {"compatibility": "BACKWARD"})


def test_versions_and_subjects_are_deleted(kafbat: Kafbat) -> None:
    for schema in (PAID, NOTED, PAID.replace("Paid", "Settled")):
        kafbat.told("PUT", "/schemas/gone-value/compatibility", {"compatibility": "NONE"})
        create(kafbat, "gone-value", schema)
    kafbat.told("DELETE", "/schemas/gone-value/versions/1")
    kafbat.told("DELETE", "/schemas/gone-value/latest")
    assert [each["version"] for each in kafbat.told("GET", "/schemas/gone-value/versions")] == ["2"]
    kafbat.told("DELETE", "/schemas/gone-value")
    assert "gone-value" not in listed(kafbat, "gone-")
    assert kafbat.ask("GET", "/schemas/gone-value/latest").status_code == 404


def test_references_and_names_that_are_encoded_are_kept(kafbat: Kafbat) -> None:
    create(kafbat, "a/b%c d", PAID)
    bill = json.dumps({"type": "record", "name": "Bill", "fields": [{"name": "paid", "type": "Paid"}]})
    reference = {"name": "Paid", "subject": "a/b%c d", "version": 1}
    assert create(kafbat, "bill-value", bill, reference)["references"] == [reference]
    assert kafbat.told("GET", "/schemas/bill-value/latest")["references"] == [reference]
    # In its own paths kafbat UI refuses an encoded slash and percent sign, so such a name is listed, and not opened.
    assert listed(kafbat, "a/b")["a/b%c d"]["version"] == "1"


def test_a_topic_s_records_are_read_and_written_by_their_schemas(
    house: House, kafbat: Kafbat, kind: str, unique: Callable[[str], str]
) -> None:
    topic = unique("paid")
    admin = AdminClient({"bootstrap.servers": house.broker})  # a topic is only made while its client lives
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(60)
    auth = {"basic.auth.user.info": f"{WHO}:{PASSWORD}"} if "password" in kind else {}
    client = SchemaRegistryClient({"url": house.registries[kind], **auth})
    producer = Producer({"bootstrap.servers": house.broker})
    for schema, value in ((PAID, {"id": "p-1"}), (NOTED, {"id": "p-2", "note": "thanks"})):
        context = SerializationContext(topic, MessageField.VALUE)
        producer.produce(topic, value=AvroSerializer(client, schema)(value, context), key=b"k")
    assert producer.flush(60) == 0
    wait_until(lambda: kafbat.ask("GET", f"/topics/{topic}").status_code == 200)
    # Its serializer takes the subject's latest schema; the member was renamed between its releases.
    text = '{"id": "p-3", "note": "by hand"}'
    body = {"partition": 0, "key": "k", "content": text, "value": text}
    kafbat.told("POST", f"/topics/{topic}/messages", {**body, "keySerde": "String", "valueSerde": "SchemaRegistry"})
    shown = wait_until(lambda: [found for found in [kafbat.messages(topic)] if len(found) >= 3])[0]
    assert {each["valueSerde"] for each in shown} == {"SchemaRegistry"}
    assert [json.loads(each.get("content") or each["value"]) for each in shown] == [
        {"id": "p-1"},
        {"id": "p-2", "note": "thanks"},
        {"id": "p-3", "note": "by hand"},
    ]
