"""``treaty doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from treaty.cli.harmless import echo_row
from treaty.cli.language import chosen
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, load_settings
from treaty.cli.rows import Rows, row_options, show_rows

if TYPE_CHECKING:
    from treaty.config import Settings
    from treaty.ops.doctor import Check
    from treaty_codegen.finding import Text


@click.command(name="doctor")
@environment_option
@row_options
@click.option("--publish", metavar="TOPIC", help="Publish a test event into this topic too, and read it back.")
@config_option
def doctor(*, config: Path | None, environment: str, format_: str, output: Path | None, publish: str | None) -> int:
    """Look for what is wrong, from the project outwards: schemas, SDK, broker, topics, groups, registry, services.

    \b
    treaty doctor
    treaty doctor --publish order-events
    treaty doctor --env prod --format jsonl

    Exit codes: 0 all is well, 1 a check failed (it names the next command), 2 usage.
    """
    found = []
    is_shown_at_once = format_ == "text" and output is None
    for row in checks(load_settings(config), environment, publish):
        found.append(row)
        if is_shown_at_once:
            for line in lines(row):
                echo_row(line)
    states = [row.state for row in found]
    if not is_shown_at_once:
        rows = Rows(
            name="checks",
            rows=[row.as_json() for row in found],
            columns=("state", "name", "detail", "next_step"),
            text=(line for row in found for line in lines(row)),
            summary={state: states.count(state) for state in ("ok", "failed")},
        )
        show_rows(rows, format_=format_, output=output)
    return 1 if "failed" in states else 0


def checks(settings: Settings, environment: str, publish: str | None) -> Iterator[Check]:
    """Every check as it is made, the test event last: it needs what the others look at."""
    from treaty.ops.doctor import Patient, examine, made
    from treaty.wiring import cluster_of, registry_of

    yield from examine(
        Patient(
            settings=settings,
            environment=environment,
            registry=partial(registry_of, settings, environment),
            cluster=partial(cluster_of, settings, environment),
        )
    )
    if publish is not None:
        yield made(f"publish {publish}", partial(published, settings, environment, publish))


def lines(row: Check) -> Iterator[str]:
    """A row for people: names and states are never translated, what is said of them is."""
    yield f"{row.state:7} {row.name:22} {told(row.detail)}"
    if row.next_step:
        yield f"{'':30} {chosen().say('next')}: {told(row.next_step)}"


def told(said: Text | str) -> str:
    """A sentence of ours in the language that was asked for; a command, and others' words, as they are."""
    return said if isinstance(said, str) else str(chosen().text(said))


def published(settings: Settings, environment: str, topic: str) -> str:
    """Where a test event lies that was published and read back."""
    from treaty.ops.plan.environment import within
    from treaty.ops.quick_test import publish_test
    from treaty.ops.registered import Registered
    from treaty.ops.schemas import load_project
    from treaty.wiring import cluster_log, registry_of

    with registry_of(settings, environment) as registry, cluster_log(settings, environment) as connected:
        sent = publish_test(
            topic,
            within(load_project(settings), environment),
            registered=Registered(registry),
            log=connected.log,
            event_id=uuid4(),
            now=datetime.now(UTC),
            note="treaty doctor",
        )
    place = f"{sent.place.topic}/{sent.place.partition}/{sent.place.offset}"
    return f"{sent.event_type} read back from {place}, key {sent.key}, event id {sent.event_id}"
