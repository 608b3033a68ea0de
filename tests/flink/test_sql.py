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

import pytest

from treaty.local.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
FLINK = ROOT / "ops" / "flink"
JOBS = ("hot_goods", "failed_payments")
READS = {
    "recorded": ("analytics.events", "analytics/analytics_recorded.avsc"),
    "payment_succeeded": ("payment.success", "payment/payment_succeeded.avsc"),
    "payment_failed": ("payment.failed", "payment/payment_failed.avsc"),
}
TYPES = {"STRING": "string", "BIGINT": "long"}
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


def test_only_results_that_are_no_events_leave_a_job() -> None:
    sinks = {name: settings for name, (_, settings) in tables().items() if name not in READS}
    assert set(sinks) == set(JOBS)
    assert {settings["connector"] for settings in sinks.values()} == {"filesystem"}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("job", JOBS)
def test_a_real_planner_takes_the_job(job: str, jars: Path) -> None:
    java = shutil.which("java") or ""
    opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    files = [str(FLINK / "tables.sql"), str(FLINK / f"{job}.sql")]
    planned = subprocess.run(
        [java, "-Xmx512m", "-XX:+UseSerialGC", *opens, "-cp", f"{jars}/*", str(FLINK / "RunSql.java"), "--explain", *files],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert planned.returncode == 0, planned.stderr
    assert "== Optimized Execution Plan ==" in planned.stdout
    assert f"Sink(table=[default_catalog.default_database.{job}]" in planned.stdout
    assert "WindowTableFunction" in planned.stdout or "WindowAggregate" in planned.stdout


@pytest.fixture(scope="session")
def jars() -> Path:
    """The engine's jars, brought once by Maven."""
    maven = shutil.which("mvn")
    if maven is None or shutil.which("java") is None:
        pytest.skip("Flink's jars come by Maven: apt install maven default-jdk-headless")
    folder = Machine(env=dict(os.environ)).cache / "flink" / "2.2.0"
    if not (folder / ".ok").exists():
        command = [maven, "-q", "-B", "-f", str(FLINK / "pom.xml"), "dependency:copy-dependencies"]
        subprocess.run(
            [*command, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"], check=True, timeout=600
        )  # fmt: skip
        (folder / ".ok").touch()
    return folder
