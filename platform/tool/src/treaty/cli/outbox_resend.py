"""``treaty outbox resend``."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

import click

from treaty.cli.asking import agreed, changing
from treaty.cli.database_options import database_options
from treaty.cli.harmless import echo
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, load_settings
from treaty.cli.tables import show_table
from treaty.errors import UsageError


class Given(TypedDict):
    """The options as they were given."""

    environment: str
    database: str
    schema: str | None
    yes: bool
    dry_run: bool
    reason: str
    topic: str | None
    since: str


@click.command()
@click.option("--since", required=True, metavar="TIME", help="From when on: @2026-11-21T08:00Z, or @-2h.")
@click.option("--topic", help="Only events of this topic.")
@click.option("--reason", required=True, help="Why; the journal keeps it.")
@changing
@database_options
@environment_option
@config_option
def resend(config: Path | None, **given: Unpack[Given]) -> int:
    """Stage once more what was sent since a time, in its order and with its event ids: after a topic lost records.

    Only services that keep what they sent (`Runtime(outbox_keep=…)`) have anything to resend. Inboxes drop what they know.

    \b
    treaty outbox resend --since @-2h --reason "the topic was deleted" --dry-run
    treaty outbox resend --since @2026-11-21T08:00Z --topic order-events --reason "a broker lost its disk" --yes

    Exit codes: 0 done, 1 nothing was sent since then, 2 usage, 3 the database or Kafka is away.
    """
    from treaty.ops.seek import Kind, parse_seek
    from treaty.wiring import cluster_log, now, on_database
    from treaty_runtime.publish.sent import SentDesk

    since, topic = parse_seek(given["since"], now=now()), given["topic"]
    if since.kind is not Kind.TIME or since.at is None:
        raise UsageError(f"`{given['since']}` is no time.", next_step="write @2026-11-21T08:00Z or @-2h")
    at = since.at
    found = on_database(given["database"], given["schema"], lambda engine: SentDesk(engine).counts(at, topic=topic))
    show_table(
        ("TOPIC", "EVENTS", "FIRST SENT", "LAST SENT"),
        (
            (each.topic, each.events, f"{each.first:%Y-%m-%d %H:%M:%SZ}", f"{each.last:%Y-%m-%d %H:%M:%SZ}")
            for each in found
        ),
    )
    total = sum(each.events for each in found)
    echo(f"{total} events were sent since {at:%Y-%m-%d %H:%M:%SZ} and are kept.", err=True)
    if not total or not agreed(f"Send these {total} events again?", yes=given["yes"], dry_run=given["dry_run"]):
        return 0 if total else 1
    with cluster_log(load_settings(config), given["environment"]) as connected:
        told = f"{total} events of {topic or 'all topics'} since {at.isoformat()}"
        connected.journal.write("outbox resend", "resend", at=now(), reason=given["reason"], event=told)
    rows = on_database(given["database"], given["schema"], lambda engine: SentDesk(engine).resend(at, topic=topic))
    echo(f"{rows} staged again.", err=True)
    return 0
