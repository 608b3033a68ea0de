"""The doctor names what is wrong and what to do next, and one fault does not hide the others."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Barrier, Event

import httpx
import pytest

from tests.cases.markdown import ROOT
from treaty.config import Settings
from treaty.ops import http
from treaty.ops.doctor import CHECKS, Check, Patient, Wrong, addresses, examine, made
from treaty.ops.doctor.addresses import MOST_ADVERTISED, of_broker, reach
from treaty.ops.http import RegistryHttp, RegistryUnreachable, ServiceUnreachable, readiness
from treaty.ops.registry import plan_registry
from treaty.ops.registry_apply import apply_registry
from treaty.ops.schemas import load_project
from treaty.ops.topics import apply_topics, plan_topics
from treaty.registry.testing import registry
from treaty_runtime.admin import Cluster
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing

EVENT = '{"type": "record", "namespace": "mall", "name": "OrderPaid", "fields": [{"name": "order_id", "type": "long"}]}'
TOPICS = """format = 1
[topic."{topic}"]
doc = "d"
owner = "@o"
key = "order_id"
events = ["mall.OrderPaid"]
producers = ["order"]
[topic."{topic}".consumer."{group}"]
service = "order"
[service.order]
owner = "@o"
code = ""
dead_letter = "{letters}"
retry = ["10s"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The mall's project, in a folder of its own without a repository and with ports where nobody listens."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    shutil.copytree(ROOT / "sdk", tmp_path / "sdk", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs/catalog", tmp_path / "docs/catalog")
    text = (ROOT / "treaty.toml").read_text(encoding="utf-8")
    (tmp_path / "treaty.toml").write_text(text, encoding="utf-8")
    return Settings.load(tmp_path / "treaty.toml", {}, start=tmp_path)


@pytest.fixture
def url() -> Iterator[str]:
    with registry() as address:
        yield address


def moved(settings: Settings, port: int) -> Settings:
    """The same project with the order service on another port."""
    file = settings.root / "treaty.toml"
    file.write_text(re.sub(r"order = \d+", f"order = {port}", file.read_text(encoding="utf-8")), encoding="utf-8")
    return Settings.load(file, {}, start=settings.root)


def placed(settings: Settings, *, registry: str, brokers: str) -> Settings:
    """The same project, whose environment ``compose`` is somewhere else."""
    known = {"REGISTRY": registry, "BROKERS": brokers}
    env = {f"TREATY_ENVIRONMENT_COMPOSE__{name}": value for name, value in known.items()}
    return Settings.load(settings.root / "treaty.toml", env, start=settings.root)


def rows(patient: Patient) -> dict[str, Check]:
    return {row.name: row for row in examine(patient)}


def row(name: str, patient: Patient) -> Check:
    """One row alone, where the others are not asked about."""
    return made(name, partial(CHECKS[name], patient))


def patient_of(
    settings: Settings, *, url: str, brokers: str, environment: str = "compose", seconds: float = 60.0
) -> Patient:
    """``seconds``: how long a broker may take to answer, which is for nothing where none is."""
    return Patient(
        settings=settings,
        environment=environment,
        registry=partial(RegistryHttp, url),
        cluster=partial(Cluster, brokers, timeout=seconds),
    )


def test_what_is_away_fails_and_the_rest_is_still_looked_at(settings: Settings, url: str, port: int) -> None:
    brokers = f"127.0.0.1:{port}"
    there = placed(settings, registry=url, brokers=brokers)
    found = rows(patient_of(there, url=url, brokers=brokers, seconds=1))
    assert list(found) == list(CHECKS)
    # The registry runs here, and a server that gets no processor for long tells an old time.
    assert {name for name, row in found.items() if row.state == "failed"} - {"clock"} == {
        "git",
        "TCP",
        "broker",
        "advertised",
        "topics",
        "groups",
        "subjects",
    }
    assert all(row.next_step for row in found.values() if row.state == "failed")
    assert str(port) in str(found["broker"].detail)
    assert found["subjects"].next_step == "treaty registry plan --env compose"
    told = {str(found[name].detail) for name in ("advertised", "topics", "groups")}
    assert told == {"not looked at: broker does not answer"}, "who is away is waited for once"


def test_a_registry_that_is_away_is_waited_for_once(settings: Settings, url: str, port: int) -> None:
    found = rows(patient_of(settings, url=f"http://127.0.0.1:{port}", brokers=f"127.0.0.1:{port}", seconds=1))
    assert "does not answer" in str(found["registry"].detail)
    told = {str(found[name].detail) for name in ("subjects", "clock")}
    assert told == {"not looked at: registry does not answer"}


def test_what_was_applied_is_well(settings: Settings, url: str, port: int) -> None:
    with RegistryHttp(url) as http:
        plan, _ = plan_registry(settings, http, environment="compose")
        apply_registry(plan, http, done=lambda *_: None)
    assert row("subjects", patient_of(settings, url=url, brokers=f"127.0.0.1:{port}")).state == "ok"


def test_a_stale_sdk_and_a_broken_schema_are_named(settings: Settings, url: str, port: int) -> None:
    patient = patient_of(settings, url=url, brokers=f"127.0.0.1:{port}", seconds=1)
    (settings.root / "sdk/src/mall_events/order/__init__.py").write_text("# edited\n", encoding="utf-8")
    assert row("SDK", patient).next_step == "treaty generate"
    (settings.root / "schemas/order/order_paid.avsc").write_text("{", encoding="utf-8")
    found = rows(patient)
    assert found["schemas"].next_step == "treaty lint"
    assert found["registry"].state == "ok"


def test_clocks_that_differ_ports_given_twice_and_strangers_are_named(
    settings: Settings, url: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    brokers = f"127.0.0.1:{port}"
    for apart in (timedelta(minutes=2), -timedelta(minutes=2)):
        monkeypatch.setattr(RegistryHttp, "clock", lambda _self, apart=apart: datetime.now(UTC) - apart)
        clock = row("clock", patient_of(settings, url=url, brokers=brokers))
        assert (clock.state, bool(re.search(r"1\d\d s apart", str(clock.detail)))) == ("failed", True)
    patient = patient_of(moved(settings, 8083), url=url, brokers=brokers, environment="local")
    assert "port 8083 is given to order, goods" in str(row("ports", patient).detail)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.2)
        found = row("ports", patient_of(moved(settings, taken), url=url, brokers=brokers, environment="local"))
    assert f"somebody else listens where a service belongs: order {taken}" in str(found.detail)


def test_a_name_that_is_not_known_is_told_from_an_address_that_does_not_answer(port: int) -> None:
    with pytest.raises(Wrong, match="a name that is not known here"):
        reach("kafka.invalid:9092")
    with pytest.raises(Wrong, match="does not answer from here"):
        reach(f"127.0.0.1:{port}")
    for address in ("kafka..internal:9092", f"{'k' * 64}:9092", f"127.0.0.1:{'9' * 20}", "kafka:"):
        with pytest.raises(Wrong, match="which is no address") as caught:
            reach(address)
        assert "advertised.listeners" in str(caught.value.advice)


class Advertising(Cluster):
    """A cluster whose brokers advertise what a test says."""

    def __init__(self, *addresses: str) -> None:
        super().__init__("127.0.0.1:1")
        self._addresses = addresses

    def brokers(self) -> list[str]:
        return list(self._addresses)


def test_addresses_that_are_advertised_are_tried_at_once_each_once_and_only_so_many(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    at_once = Barrier(MOST_ADVERTISED)

    def meet(address: str) -> None:
        tried.append(address)
        at_once.wait(timeout=60)

    monkeypatch.setattr(addresses, "reach", meet)
    monkeypatch.setattr(addresses, "TOGETHER_SECONDS", 60.0)
    patient = patient_of(settings, url="http://127.0.0.1:1", brokers="127.0.0.1:1")
    many = [f"kafka-{number % 60}:9092" for number in range(120)]
    found = row("advertised", replace(patient, cluster=partial(Advertising, *many)))
    assert found.state == "ok", found
    assert sorted(tried) == sorted(many[:MOST_ADVERTISED])
    assert str(found.detail).endswith("kafka-49:9092; 10 more were not looked at")


def test_an_address_that_says_nothing_until_the_deadline_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Event()
    monkeypatch.setattr(addresses, "reach", lambda _address: held.wait(timeout=60))
    monkeypatch.setattr(addresses, "TOGETHER_SECONDS", 0.0)
    patient = patient_of(settings, url="http://127.0.0.1:1", brokers="127.0.0.1:1")
    found = row("advertised", replace(patient, cluster=partial(Advertising, "kafka:9092")))
    held.set()
    assert (found.state, str(found.detail)) == (
        "failed",
        "Kafka advertises kafka:9092, which does not answer from here: timed out after 0 s",
    )


def test_an_answer_that_no_check_knows_is_one_row_and_not_the_end() -> None:
    def strange() -> str:
        raise RecursionError("too\ndeep\x1b" + "!" * 5_000)

    found = made("clock", strange)
    assert found.state == "failed"
    assert str(found.detail).startswith("ended by what was not expected: RecursionError: too\\ndeep\\x1b!!!")
    assert len(str(found.detail)) < 300
    assert "report this row" in str(found.next_step)


@pytest.mark.parametrize("date", ["Sun, 06 Nov 1994 08:49:37 -0000", "Sun, 06 Nov 1994 08:49:37", ""])
def test_a_registrys_time_without_a_zone_is_utc_and_none_is_said_to_be_none(date: str) -> None:
    with clocked(date) as http:
        if date:
            assert http.clock() == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
        else:
            with pytest.raises(RegistryUnreachable, match="no time in its header Date"):
                http.clock()


@pytest.mark.parametrize("year", ["99999999999", "9" * 30])
def test_a_registrys_time_in_no_year_is_no_time(year: str) -> None:
    with clocked(f"Sun, 06 Nov {year} 08:49:37 GMT") as http, pytest.raises(RegistryUnreachable, match="no time"):
        http.clock()


def clocked(date: str) -> RegistryHttp:
    """A registry that tells this time."""
    answer = httpx.Response(200, headers={"Date": date}, json={"mode": "READWRITE"})
    return RegistryHttp("http://registry", transport=httpx.MockTransport(lambda _: answer))


def test_a_service_that_answers_json_without_a_floor_is_no_ready_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, text="[" * 100_000))
    with pytest.raises(ServiceUnreachable):
        readiness("http://127.0.0.1:1/readyz")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kafka:9092", "kafka:9092"),
        ("kafka", "kafka:9092"),
        ("SASL_SSL://kafka:9094", "kafka:9094"),
        ("[::1]:9093", "[::1]:9093"),
        ("", "None"),
        (":9092", "None"),
        ("kafka:port", "None"),
        (f"kafka:{'9' * 5_000}", "None"),
    ],
)
def test_an_address_of_a_broker_is_read_as_kafkas_clients_read_it(text: str, told: str) -> None:
    assert str(of_broker(text)) == told


def test_a_name_is_told_with_the_setting_that_has_it_and_an_address_needs_none(settings: Settings, url: str) -> None:
    brokers = "127.0.0.1:9092,kafka.invalid:9092"
    lost = row("DNS", patient_of(placed(settings, registry=url, brokers=brokers), url=url, brokers=brokers))
    assert str(lost.detail).startswith(
        "kafka.invalid, of `brokers` in [environment.compose], is a name that is not known here: "
    )
    assert str(lost.next_step) == (
        "let DNS or /etc/hosts know kafka.invalid, or set `brokers` to a name that they know"
    )
    known = placed(settings, registry="http://localhost:1", brokers="127.0.0.1:9092")
    assert str(row("DNS", patient_of(known, url=url, brokers=brokers)).detail).startswith("127.0.0.1, localhost → ")


def test_a_port_that_takes_no_connection_is_named_and_so_is_what_to_do(settings: Settings, url: str, port: int) -> None:
    there = placed(settings, registry=url, brokers=f"127.0.0.1:{port}")
    closed = row("TCP", patient_of(there, url=url, brokers=""))
    assert str(closed.detail) == f"no connection to 127.0.0.1:{port} (Connection refused)"
    assert str(closed.next_step) == f"start it, or let firewalls pass 127.0.0.1:{port} from here"
    with socket.create_server(("127.0.0.1", 0)) as broker:
        address = f"127.0.0.1:{broker.getsockname()[1]}"
        open_ = row("TCP", patient_of(placed(settings, registry=url, brokers=address), url=url, brokers=""))
    assert (open_.state, str(open_.detail)) == ("ok", f"{address}, {url.removeprefix('http://')}")


@pytest.fixture
def small(tmp_path: Path, kafka: str, unique: Callable[[str], str]) -> Settings:
    """A project of one topic and one reader, under names that nobody else on the shared broker has."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/order_paid.avsc").write_text(EVENT, encoding="utf-8")
    topics = TOPICS.format(topic=unique("orders"), group=unique("view"), letters=unique("letters"))
    (tmp_path / "schemas/topics.toml").write_text(topics, encoding="utf-8")
    (tmp_path / "treaty.toml").write_text(f'[environment.compose]\nbrokers = "{kafka}"\n', encoding="utf-8")
    return Settings.load(tmp_path / "treaty.toml", {}, start=tmp_path)


@pytest.mark.kafka
def test_a_broker_that_answers_is_well_missing_topics_are_counted_and_a_group_behind_is_named(
    small: Settings, url: str, kafka: str
) -> None:
    patient = patient_of(small, url=url, brokers=kafka)
    for name in ("TCP", "broker", "advertised"):
        found = row(name, patient)
        assert (found.state, kafka.rpartition(":")[2] in str(found.detail)) == ("ok", True), found

    found = row("topics", patient)  # the topics of other tests are drift
    assert str(found.detail).startswith("4 steps and "), "the topic, its dead letters and two retry topics are missing"
    assert (found.state, found.next_step) == ("failed", "treaty topics plan --env compose")
    (topic,) = load_project(small).topics.values()
    (group,) = (consumer.group for consumer in topic.consumers)
    with Cluster(kafka) as cluster, Log(kafka) as log:
        apply_topics(plan_topics(small, cluster, environment="compose"), cluster, done=lambda *_: None)
        assert str(row("topics", patient).detail).startswith(("as git says", "0 steps and "))
        assert str(row("groups", patient).detail) == "1 groups, none behind"
        for _ in range(5):
            log.append(Outgoing(topic=topic.name, key=None, value=b"{}", partition=0))
    assert str(row("groups", patient).detail) == f"1 groups; behind: {group} 5"


@pytest.mark.kafka
def test_services_that_do_not_run_here_are_named_and_not_waited_for(settings: Settings, url: str, kafka: str) -> None:
    text = (settings.root / "treaty.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("services =")]
    (settings.root / "treaty.toml").write_text("\n".join([*lines, 'services = ["order"]']), encoding="utf-8")
    mine = Settings.load(settings.root / "treaty.toml", {}, start=settings.root)
    found = rows(patient_of(mine, url=url, brokers=kafka, environment="local"))
    assert str(found["groups"].detail).startswith("3 groups, ")
    assert "; not started here: goods, chat, " in str(found["groups"].detail)
    assert [name for name in found if name.startswith("service ")] == ["service order"]
