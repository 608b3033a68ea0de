"""Shared types as subjects of their own: registered first, referred to, judged whole; and found by every client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.treaty_codegen.generated import imported
from treaty.cli import treaty
from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.baseline import RELEASES, SET, set_document
from treaty.ops.generate import generated
from treaty.ops.http import RegistryHttp, RegistryMoved, RegistryUnreachable
from treaty.ops.lockfile import read_lock
from treaty.ops.plan import Plan, Step
from treaty.ops.plan.registry import Blocked
from treaty.ops.registry import plan_registry
from treaty.ops.registry_apply import apply_registry
from treaty.ops.schemas import load_project
from treaty.registry.testing import registry
from treaty_avro import compile_encoder
from treaty_codegen.old_set import old_set
from treaty_runtime.wire.registry import RegistryClient

TODAY = date(2026, 12, 1)
CURRENCY = (
    '{"type": "enum", "namespace": "mall", "name": "Currency", "symbols": ["UNKNOWN", "CNY"], "default": "UNKNOWN"}'
)
LINE = """{"type": "record", "namespace": "mall.order", "name": "OrderLine", "doc": "d", "fields": [
  {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
  {"name": "currency", "type": "mall.Currency"}%s]}"""
EVENT = """{"type": "record", "namespace": "mall.order", "name": "%s", "doc": "d", "fields": [
  {"name": "order_id", "type": "long", "doc": "d"},
  {"name": "lines", "type": {"type": "array", "items": "OrderLine"}}, {"name": "paid_in", "type": "mall.Currency"}]}"""
TOPICS = """format = 1
[topic."order-events"]
doc = "d"
owner = "@o"
key = "order_id"
compatibility = "BACKWARD"
events = ["mall.order.OrderPaid"]
[topic."order-news"]
doc = "d"
owner = "@o"
key = "order_id"
compatibility = "FORWARD_TRANSITIVE"
events = ["mall.order.OrderSeen"]
"""
PAID, SEEN = "order-events-mall.order.OrderPaid", "order-news-mall.order.OrderSeen"
NOTE = ', {"name": "note", "type": ["null", "string"], "default": null}'


@pytest.fixture
def url() -> Iterator[str]:
    with registry() as url:
        yield url


@pytest.fixture
def http(url: str) -> Iterator[RegistryHttp]:
    with RegistryHttp(url) as http:
        yield http


@pytest.fixture
def project(tmp_path: Path, url: str) -> Path:
    """Two events on two topics with a shared record, which holds a shared enum that they hold themselves too."""
    (tmp_path / "schemas" / "order").mkdir(parents=True)
    schemas = tmp_path / "schemas"
    (schemas / "currency.avsc").write_text(CURRENCY, encoding="utf-8")
    (schemas / "order/order_line.avsc").write_text(LINE % "", encoding="utf-8")
    for name, file in (("OrderPaid", "order_paid"), ("OrderSeen", "order_seen")):
        (schemas / f"order/{file}.avsc").write_text(EVENT % name, encoding="utf-8")
    (schemas / "topics.toml").write_text(TOPICS, encoding="utf-8")
    told = f"""[project]
namespace = "mall"
package = "referring_events"
references = "registry"
[environment.local]
registry = "{url}"
"""
    (tmp_path / "treaty.toml").write_text(told, encoding="utf-8")
    return tmp_path


def settings_of(project: Path, *, form: str = "registry") -> Settings:
    return Settings.load(project / "treaty.toml", {"TREATY_PROJECT__REFERENCES": form}, start=project)


def planned(project: Path, http: RegistryHttp, *, form: str = "registry") -> tuple[Plan, tuple[Blocked, ...]]:
    return plan_registry(settings_of(project, form=form), http, environment="local", today=TODAY)


def apply(project: Path, http: RegistryHttp, *, form: str = "registry") -> Plan:
    made, blocked = planned(project, http, form=form)
    assert blocked == ()
    apply_registry(made, http, done=lambda *_: None)
    assert planned(project, http, form=form)[0].steps == ()
    return made


def done_by(made: Plan) -> list[tuple[str, str]]:
    return [(step.action, step.subject) for step in made.steps]


def newest(http: RegistryHttp, subject: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = http.call("GET", f"/subjects/{subject}/versions/latest")
    return found


def test_shared_types_come_first_and_are_kept_as_strictly_as_all_events_that_hold_them(
    project: Path, http: RegistryHttp
) -> None:
    made = apply(project, http)
    assert done_by(made) == [
        (action, subject)
        for subject in ("mall.Currency", "mall.order.OrderLine", PAID, SEEN)
        for action in ("set-level", "register")
    ]
    levels = {step.subject: step.after for step in made.steps if step.action == "set-level"}
    assert levels["mall.Currency"] == levels["mall.order.OrderLine"] == "FULL_TRANSITIVE"
    assert (levels[PAID], levels[SEEN]) == ("BACKWARD", "FORWARD_TRANSITIVE")
    line = {"name": "mall.order.OrderLine", "subject": "mall.order.OrderLine", "version": 1}
    currency = {"name": "mall.Currency", "subject": "mall.Currency", "version": 1}
    assert newest(http, PAID)["references"] == [currency, line]
    assert newest(http, "mall.order.OrderLine")["references"] == [currency]
    assert json.loads(newest(http, PAID)["schema"])["fields"][1]["type"]["items"] == "OrderLine"


def test_a_changed_shared_type_is_a_new_version_of_it_and_of_every_dependent(project: Path, http: RegistryHttp) -> None:
    release(project)
    apply(project, http)
    (project / "schemas/order/order_line.avsc").write_text(LINE % NOTE, encoding="utf-8")
    made, blocked = planned(project, http)
    assert blocked == ()
    assert done_by(made) == [("register", name) for name in ("mall.order.OrderLine", PAID, SEEN)]
    saved = Plan.from_json(made.to_json())
    apply_registry(saved, http, done=lambda *_: None)
    references = {each["name"]: each["version"] for each in newest(http, SEEN)["references"]}
    assert references == {"mall.Currency": 1, "mall.order.OrderLine": 2}
    again, _ = planned(project, http)
    assert (again.steps, again.drift) == ((), ()), "what was released is known, the shared type within it too"


def test_a_shared_type_that_would_break_one_event_is_blocked_with_it(project: Path, http: RegistryHttp) -> None:
    apply(project, http)
    needed = ', {"name": "note", "type": "string"}'
    (project / "schemas/order/order_line.avsc").write_text(LINE % needed, encoding="utf-8")
    _, blocked = planned(project, http)
    assert [row.subject for row in blocked] == ["mall.order.OrderLine", PAID], "OrderSeen is only read forward"


def test_a_shared_type_may_break_where_no_event_that_holds_it_does(project: Path, http: RegistryHttp) -> None:
    needed = ', {"name": "note", "type": "string"}'
    place, topics = project / "schemas/order/order_line.avsc", project / "schemas/topics.toml"
    place.write_text(LINE % needed, encoding="utf-8")
    topics.write_text(TOPICS.partition('[topic."order-news"]')[0], encoding="utf-8")
    apply(project, http)
    place.write_text(LINE % "", encoding="utf-8")
    apply(project, http)
    # An int of that name breaks the first version, which only the new event's level, and so the type's, looks back to.
    place.write_text(LINE % ', {"name": "note", "type": "int", "default": 0}', encoding="utf-8")
    topics.write_text(TOPICS.replace("FORWARD_TRANSITIVE", "BACKWARD_TRANSITIVE"), encoding="utf-8")
    line = "mall.order.OrderLine"
    lifted = [step.after for step in apply(project, http).steps if (step.action, step.subject) == ("set-level", line)]
    assert lifted == ["BACKWARD_TRANSITIVE", "NONE", "BACKWARD_TRANSITIVE"], "in sight of the plan"


@pytest.mark.parametrize("first", ["inline", "registry"])
def test_moving_between_the_forms_registers_no_event_anew_and_leaves_no_drift(
    project: Path, http: RegistryHttp, first: str
) -> None:
    second = {"inline": "registry", "registry": "inline"}[first]
    apply(project, http, form=first)
    before = newest(http, PAID)
    moved = apply(project, http, form=second)
    assert not [step for step in moved.steps if step.subject in {PAID, SEEN}]
    assert planned(project, http, form=second)[0].drift == ()
    assert newest(http, PAID) == before
    (project / "schemas/order/order_line.avsc").write_text(LINE % NOTE, encoding="utf-8")
    apply(project, http, form=second)
    assert bool(newest(http, PAID).get("references")) == (second == "registry")


@pytest.mark.parametrize("last", ["mall.Currency", "mall.order.OrderLine", PAID])
def test_the_same_plan_runs_on_after_a_failure(project: Path, http: RegistryHttp, last: str) -> None:
    made, _ = planned(project, http)

    def stop(step: Step, _: str) -> None:
        if (step.action, step.subject) == ("register", last):
            raise RegistryUnreachable("cut")

    with pytest.raises(RegistryUnreachable):
        apply_registry(made, http, done=stop)
    apply_registry(made, http, done=lambda *_: None)
    assert planned(project, http)[0].steps == ()


MARK = '{"type": "enum", "namespace": "mall", "name": "Mark", "symbols": ["UNKNOWN"], "default": "UNKNOWN"}'
STAMP = """{"type": "record", "namespace": "mall", "name": "Stamp", "doc": "d", "fields": [
  {"name": "mark", "type": "Mark"}, {"name": "currency", "type": "Currency"}]}"""
STAMPED = EVENT.replace('"name": "paid_in", "type": "mall.Currency"', '"name": "stamp", "type": "mall.Stamp"')


def bury(project: Path, *, event: str = "", types: str = "") -> None:
    """``OrderSeen``, its topic and the two types that it alone held are gone; tombstones of both kinds, with the days given."""
    for file in ("order/order_seen", "mark", "stamp"):
        (project / f"schemas/{file}.avsc").unlink(missing_ok=True)
    names = {
        'topic = "order-news"\nevent = "mall.order.OrderSeen"': event,
        'type = "mall.Mark"': types,
        'type = "mall.Stamp"': types,
    }
    stones = [
        f'[[removed]]\n{name}\nreason = "r"\napproved_by = "@o"\n{days}\n' for name, days in names.items() if days
    ]
    kept = TOPICS.partition('[topic."order-news"]')[0]
    (project / "schemas/topics.toml").write_text(kept + "".join(stones), encoding="utf-8")


def test_tombstones_take_shared_types_last_and_only_when_nothing_refers_to_them(
    project: Path, http: RegistryHttp
) -> None:
    for file, text in (("mark", MARK), ("stamp", STAMP), ("order/order_seen", STAMPED % "OrderSeen")):
        (project / f"schemas/{file}.avsc").write_text(text, encoding="utf-8")
    apply(project, http)
    gone = [SEEN, "mall.Stamp", "mall.Mark"]
    bury(project)
    made = apply(project, http)
    assert {action for action, _ in done_by(made)} == {"set-level"}, "one event fewer asks for less"
    assert {row.subject for row in made.drift} == {*gone}
    soft = "soft_after = 2026-01-01"
    bury(project, types=soft)
    assert planned(project, http)[0].steps == (), "a version refers to them that no tombstone covers"
    good = f"{soft}\npermanent_after = 2026-02-01"
    bury(project, event=soft, types=good)
    made = apply(project, http)
    assert (done_by(made), made.drift) == ([("soft-delete", SEEN)], ()), (
        "what is only soft-deleted refers to them still"
    )
    bury(project, event=good, types=soft)
    assert done_by(apply(project, http)) == [("permanent-delete", SEEN), ("soft-delete", "mall.Stamp")]
    bury(project, event=good, types=good)
    done = [("permanent-delete", "mall.Stamp"), ("soft-delete", "mall.Mark"), ("permanent-delete", "mall.Mark")]
    assert done_by(apply(project, http)) == done
    assert (http.deleted_subjects(), "mall.Currency" in http.subjects()) == ([], True)


def test_a_shared_type_waits_in_its_grave_for_an_older_version_of_an_event_that_lives(
    project: Path, http: RegistryHttp
) -> None:
    apply(project, http)
    for file, name in (("order_paid", "OrderPaid"), ("order_seen", "OrderSeen")):
        text = (EVENT % name).replace('"items": "OrderLine"', '"items": "string"')
        (project / f"schemas/order/{file}.avsc").write_text(text, encoding="utf-8")
    (project / "schemas/order/order_line.avsc").unlink()
    stone = '[[removed]]\ntype = "mall.order.OrderLine"\nreason = "r"\napproved_by = "@o"\nsoft_after = 2026-01-01\n'
    (project / "schemas/topics.toml").write_text(TOPICS.replace("FORWARD_TRANSITIVE", "NONE") + stone, encoding="utf-8")
    topics = (project / "schemas/topics.toml").read_text(encoding="utf-8").replace("BACKWARD", "NONE")
    (project / "schemas/topics.toml").write_text(topics, encoding="utf-8")
    made = apply(project, http)
    assert "soft-delete" not in {action for action, _ in done_by(made)}
    assert "mall.order.OrderLine" in http.subjects()


@pytest.mark.parametrize("has_list", [True, False])
def test_a_shared_type_waits_in_its_grave_for_a_soft_deleted_version_of_an_event_that_lives(
    project: Path, http: RegistryHttp, url: str, has_list: bool
) -> None:
    apply(project, http)
    for name in (PAID, SEEN):
        http.set_level(name, "NONE")
        http.register(name, '{"type": "record", "name": "Other", "fields": []}')
        http.call("DELETE", f"/subjects/{name}/versions/1", kind=int)
    line = "mall.order.OrderLine"
    http.delete(line)
    for file in ("order/order_paid", "order/order_seen", "order/order_line"):
        (project / f"schemas/{file}.avsc").unlink()
    days = "soft_after = 2026-01-01\npermanent_after = 2026-02-01"
    stone = f'[[removed]]\ntype = "{line}"\nreason = "r"\napproved_by = "@o"\n{days}\n'
    (project / "schemas/topics.toml").write_text(f"format = 1\n{stone}", encoding="utf-8")
    real = httpx.HTTPTransport()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/schemas" and not has_list:
            return httpx.Response(404, json={"error_code": 404, "message": "HTTP 404 Not Found"})
        return real.handle_request(request)

    with RegistryHttp(url, transport=httpx.MockTransport(answer)) as other:
        assert done_by(apply(project, other)) == [], "the registry would refuse it, and everything after it"
        for name in (PAID, SEEN):
            http.call("DELETE", f"/subjects/{name}/versions/1", params={"permanent": "true"}, kind=int)
        assert done_by(apply(project, other)) == [("permanent-delete", line)]


def test_a_tombstone_of_a_shared_type_that_git_still_publishes_is_drift(project: Path, http: RegistryHttp) -> None:
    stone = '[[removed]]\ntype = "mall.Currency"\nreason = "r"\napproved_by = "@o"\nsoft_after = 2026-01-01\n'
    (project / "schemas/topics.toml").write_text(TOPICS + stone, encoding="utf-8")
    made = apply(project, http)
    assert [str(row.subject) for row in made.drift] == ["mall.Currency"]
    assert "still wants" in made.drift[0].what
    assert "soft-delete" not in {action for action, _ in done_by(made)}
    inline = apply(project, http, form="inline")
    assert inline.drift == (), "where it has no subject of its own any more, its subject may well go"


def test_a_version_that_is_not_there_to_be_referred_to_is_a_moved_registry(project: Path, http: RegistryHttp) -> None:
    made, _ = planned(project, http)
    cut = [step for step in made.steps if step.subject != "mall.Currency"]
    body = {name: getattr(made, name) for name in made.__dataclass_fields__}
    with pytest.raises(RegistryMoved, match=r"mall\.Currency"):
        apply_registry(Plan(**{**body, "steps": tuple(cut)}), http, done=lambda *_: None)


async def test_a_record_of_a_generated_class_is_read_by_confluents_client(
    project: Path, http: RegistryHttp, url: str
) -> None:
    apply(project, http)
    (sdk,) = generated(settings_of(project))
    for path, data in sdk.wanted.items():
        target = project / "sdk" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    with imported(project / "sdk/src", package="referring_events") as events:
        paid = events.EVENTS["mall.order.OrderPaid"]
        assert paid.__avro_references__ == ("mall.order.OrderLine", "mall.Currency")
        line = paid.__avro_types__()["mall.order.OrderLine"]
        cny = paid.__avro_types__()["mall.Currency"]("CNY")
        event = paid(order_id=7, lines=[line(price=Decimal("12.34"), currency=cny)], paid_in=cny)
        client = RegistryClient([url])
        schema_id = await client.id_of(paid)
        writer = await client.writer(schema_id)
        await client.close()
        assert writer.name == "mall.order.OrderPaid"
        data = b"\0" + schema_id.to_bytes(4, "big") + compile_encoder(paid)(event)
    assert schema_id == newest(http, PAID)["id"]
    with SchemaRegistryClient({"url": url}) as confluent:
        read = AvroDeserializer(confluent)(data, SerializationContext("order-events", MessageField.VALUE))
    assert read == {
        "order_id": 7,
        "lines": [{"price": Decimal("12.34"), "currency": "CNY"}],
        "paid_in": "CNY",
    }


def test_an_empty_registry_is_rebuilt_in_the_form_and_under_the_ids_that_were_applied(
    project: Path, http: RegistryHttp
) -> None:
    release(project)
    for text in (LINE % "", LINE % NOTE):
        (project / "schemas/order/order_line.avsc").write_text(text, encoding="utf-8")
        run(project, "registry", "plan", "--out", str(project / "plan.json"))
        run(project, "registry", "apply", str(project / "plan.json"), "--yes")
    rows = read_lock(project / "schemas").environments["local"]
    assert [each.name for each in rows[PAID][1].references] == ["mall.Currency", "mall.order.OrderLine"]
    assert planned(project, http)[0].drift == ()
    before = listed(http)
    with registry() as other, RegistryHttp(other) as empty:
        told = (project / "treaty.toml").read_text(encoding="utf-8")
        address = next(line for line in told.splitlines() if line.startswith("registry = "))
        (project / "treaty.toml").write_text(told.replace(address, f'registry = "{other}"'), encoding="utf-8")
        run(project, "registry", "rebuild")
        assert listed(empty) == before


def listed(http: RegistryHttp) -> list[Mapping[str, Any]]:
    rows = http.call("GET", "/schemas", params={"subjectPrefix": ""}, kind=list)
    return [{key: row.get(key) for key in ("subject", "version", "id", "schema", "references")} for row in rows]


def release(project: Path) -> None:
    """Keeps the published texts of the events as a release does: shared types lie within them."""
    texts = old_set(load_project(settings_of(project)), label="1.0.0")
    document = set_document(texts, dict.fromkeys(texts.events, "1.0.0"), version="1.0.0")
    folder = project / "schemas" / RELEASES / "1.0.0"
    folder.mkdir(parents=True)
    (folder / SET).write_text(json.dumps(document), encoding="utf-8")


def run(project: Path, *words: str) -> None:
    done = CliRunner().invoke(treaty, [*words, "--config", str(project / "treaty.toml")])
    assert done.exit_code == 0, done.output


def test_a_word_that_names_no_form_is_refused(project: Path, http: RegistryHttp) -> None:
    with pytest.raises(UsageError, match=r"`inline` or `registry`, not `both`"):
        planned(project, http, form="both")
