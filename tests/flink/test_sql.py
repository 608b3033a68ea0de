"""`ops/flink`: a real planner takes both jobs, and every column that they read is a field of the schema in git.

The engine's jars come by Maven (`ops/flink/pom.xml`, about 160 MB, once) into the cache; without Maven or Java 17 the planner does not run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from mall_events.analytics import AnalyticsRecorded
from tests.parts.backend import missing
from treaty.config import Settings
from treaty.local.errors import NoServer
from treaty.local.machine import Machine
from treaty.ops.dead_letters.body import frame
from treaty.ops.http import RegistryHttp
from treaty.ops.schemas import load_project
from treaty.registry.testing import registry
from treaty_avro import compile_generic, from_json, parse
from treaty_runtime.admin import Cluster
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing

ROOT = Path(__file__).resolve().parents[2]
FLINK = ROOT / "ops" / "flink"
JOBS = ("hot_goods", "failed_payments")
READS = {
    "recorded": ("analytics.events", "analytics/analytics_recorded.avsc"),
    "payment_succeeded": ("payment.success", "payment/payment_succeeded.avsc"),
    "payment_failed": ("payment.failed", "payment/payment_failed.avsc"),
}
TYPES = {"STRING": "string", "BIGINT": "long"}
BOUNDED = "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"
"""So that a job ends with what is there."""
OPENED = ("java.util", "java.lang", "java.time", "java.util.concurrent.atomic")
"""Packages of Java that Flink's own start script opens too."""


def tables() -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Columns with their types, and settings, of each table."""
    text = (FLINK / "tables.sql").read_text()
    found = re.findall(r"CREATE TABLE (\w+) \((.*?)\n\) WITH \((.*?)\n\);", text, re.DOTALL)
    return {
        name: (
            dict(re.findall(r"^  (\w+) (STRING|BIGINT),?$", columns, re.MULTILINE)),
            dict(re.findall(r"'([^']+)' = '([^']+)'", settings)),
        )
        for name, columns, settings in found
    }


@pytest.mark.parametrize("table", READS)
def test_a_source_reads_a_declared_topic_and_fields_of_its_event(table: str) -> None:
    columns, settings = tables()[table]
    topic, schema = READS[table]
    fields = {field["name"]: field["type"] for field in json.loads((ROOT / "schemas" / schema).read_text())["fields"]}
    assert settings["topic"] == topic
    assert f'[topic."{topic}"]' in (ROOT / "schemas" / "topics.toml").read_text()
    for column, kind in columns.items():
        declared = fields[column]
        assert (declared["type"] if isinstance(declared, dict) else declared) == TYPES[kind], column


def test_the_groups_of_the_page_can_be_declared_and_are_those_of_the_jobs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "guide" / "flink.md").read_text()
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    shutil.copy(ROOT / "treaty.toml", tmp_path)
    with (tmp_path / "schemas" / "topics.toml").open("a") as declared:
        declared.write("\n" + page.split("```toml\n")[1].partition("```")[0])
    topics = load_project(Settings.load(tmp_path / "treaty.toml", {}, start=tmp_path)).topics
    outside = {
        (topic.name, reader.group)
        for topic in topics.values()
        for reader in topic.consumers
        if reader.external is not None
    }
    assert outside == {(tables()[table][1]["topic"], tables()[table][1]["properties.group.id"]) for table in READS}


def test_only_results_that_are_no_events_leave_a_job() -> None:
    sinks = {name: settings for name, (_, settings) in tables().items() if name not in READS}
    assert set(sinks) == set(JOBS)
    assert {settings["connector"] for settings in sinks.values()} == {"filesystem"}


def run(jars: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What RunSql did with these words."""
    opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    java = [shutil.which("java") or "java", "-Xmx512m", "-XX:+UseSerialGC", *opens, "-cp", f"{jars}/*"]
    command = [*java, str(FLINK / "RunSql.java"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("job", JOBS)
def test_a_real_planner_takes_the_job(job: str, jars: Path) -> None:
    planned = run(jars, "--explain", str(FLINK / "tables.sql"), str(FLINK / f"{job}.sql"))
    assert planned.returncode == 0, planned.stderr
    assert "== Optimized Execution Plan ==" in planned.stdout
    assert f"Sink(table=[default_catalog.default_database.{job}]" in planned.stdout
    assert "WindowAggregate" in planned.stdout


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.timeout(900)
def test_a_real_engine_counts_what_is_in_a_real_topic(jars: Path, kafka: str, tmp_path: Path) -> None:
    topic = f"recorded-{uuid4().hex[:8]}"
    with registry() as url, RegistryHttp(url) as registered, Log(kafka) as log, Cluster(kafka) as cluster:
        cluster.create(topic, partitions=3, replication=1, config={})
        cluster.await_topics([topic])
        text = AnalyticsRecorded.__avro_schema__
        number = registered.register(f"{topic}-mall.analytics.AnalyticsRecorded", text)
        encode, _ = compile_generic(parse(text))
        for subject in ("goods:1", "goods:2", "goods:1", "search:7", "goods:1", "goods:3", "goods:2"):
            event = {"name": "clicked", "source": "web", "subject": subject, "event_time": "2026-03-01T12:00:30Z"}
            value = frame(number, encode(from_json(parse(text), json.dumps(event), style="plain")))
            log.append(Outgoing(topic=topic, key=subject.encode(), value=value))
        tables = tmp_path / "tables.sql"
        tables.write_text(
            (FLINK / "tables.sql")
            .read_text()
            .replace("kafka:9092", kafka)
            .replace("http://registry:8081", url)
            .replace("analytics.events", topic)
            .replace("/var/lib/flink/results", str(tmp_path))
            .replace("'scan.startup.mode' = 'group-offsets'", BOUNDED)
            # The end of one partition is the end of time: beside it, one that is slow must not pass for one without records.
            .replace("'table.exec.source.idle-timeout' = '10 s'", "'table.exec.source.idle-timeout' = '0 s'")
        )
        ran = run(jars, str(tables), str(FLINK / "hot_goods.sql"))
    assert ran.returncode == 0, ran.stderr
    files = [path for path in (tmp_path / "hot_goods").rglob("*") if path.is_file()]
    rows = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert sorted((row["place"], row["subject"], row["times"]) for row in rows) == [
        (1, "goods:1", 3),
        (2, "goods:2", 2),
        (3, "goods:3", 1),
    ]
    assert {row["window_start"] for row in rows} == {"2026-03-01 12:00:00"}


@pytest.fixture(scope="session")
def jars() -> Path:
    """The engine's jars, brought once by Maven."""
    maven = shutil.which("mvn")
    if maven is None or shutil.which("java") is None:
        fault = NoServer("Flink's jars come by Maven.", next_step="apt install maven default-jdk-headless")
        missing(fault, os.environ)
    folder = Machine(env=dict(os.environ)).cache / "flink" / "2.2.0"
    if not (folder / ".ok").exists():
        command = [maven, "-q", "-B", "-f", str(FLINK / "pom.xml"), "dependency:copy-dependencies"]
        subprocess.run(
            [*command, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"], check=True, timeout=600
        )  # fmt: skip
        (folder / ".ok").touch()
    return folder
