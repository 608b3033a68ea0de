"""``treaty outbox retry|discard|reconcile``: what changes an outbox."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from uuid import UUID

import click

from treaty.cli.asking import agreed, changing
from treaty.cli.database_options import database_options
from treaty.cli.harmless import echo
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, debug_option, load_settings
from treaty.cli.tables import show_table
from treaty.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from treaty_runtime.publish.outbox_desk import Staged


class Given(TypedDict):
    """What ``retry`` and ``discard`` both ask for."""

    database: str
    schema: str | None
    yes: bool
    dry_run: bool
    keys: tuple[str, ...]
    ids: tuple[UUID, ...]


_IDS = click.argument("ids", metavar="[ID]...", nargs=-1, type=UUID)
_KEYS = click.option("--key", "keys", multiple=True, help="The refused rows of this key.")


class Retrying(Given):
    """The options of ``retry``."""

    topics: tuple[str, ...]


@click.command()
@_IDS
@_KEYS
@click.option("--topic", "topics", multiple=True, help="The refused rows of this topic.")
@changing
@database_options
@debug_option
def retry(**given: Unpack[Retrying]) -> int:
    """Let the relay try refused rows again: those with an event ID, of a key or of a topic. Rows behind them wait for the outcome.

    \b
    treaty outbox retry 01890a5d-ac96-774b-bcce-b302099a8057
    treaty outbox retry --key order-42 --dry-run
    treaty outbox retry --topic order-events

    Exit codes: 0 done, 1 no such row, 2 usage, 3 the database is away.
    """
    from treaty.wiring import on_database
    from treaty_runtime.publish.outbox_desk import OutboxDesk

    rows = _found(given, topics=given["topics"])
    if not rows or not agreed(f"Retry these {len(rows)} rows?", yes=given["yes"], dry_run=given["dry_run"]):
        return 0 if rows else 1
    positions = [row.position for row in rows]
    done = on_database(given["database"], given["schema"], lambda engine: OutboxDesk(engine).retry(positions))
    echo(f"{len(done)} of {len(rows)} were refused, and are tried again.", err=True)
    return 0 if done else 1


class Discarding(Given):
    """The options of ``discard``."""

    environment: str
    reason: str


@click.command()
@_IDS
@_KEYS
@click.option("--reason", required=True, help="Why; the journal keeps it.")
@changing
@database_options
@environment_option
@config_option
def discard(config: Path | None, **given: Unpack[Discarding]) -> int:
    """Remove rows for good: their events are never published. The journal keeps who did it, why, and which event it was.

    With an event ID also a row that was never refused; with --key only the refused ones.

    \b
    treaty outbox discard 01890a5d-ac96-774b-bcce-b302099a8057 --reason "the topic is gone" --dry-run
    treaty outbox discard --key order-42 --reason "too large for ever" --yes

    Exit codes: 0 done, 1 no such row, 2 usage, 3 the database or Kafka is away.
    """
    from treaty.wiring import cluster_log, now, on_database
    from treaty_runtime.publish.outbox_desk import OutboxDesk

    rows = _found(given)
    if not rows or not agreed(f"Discard these {len(rows)} events?", yes=given["yes"], dry_run=given["dry_run"]):
        return 0 if rows else 1
    with cluster_log(load_settings(config), given["environment"]) as connected:
        for row in rows:  # noted first: a row that is gone without a trace could never be asked about
            told = f"{row.topic} {row.type} {row.id}"
            connected.journal.write(f"outbox {row.id}", "discard", at=now(), reason=given["reason"], event=told)
    positions = [row.position for row in rows]
    done = on_database(given["database"], given["schema"], lambda engine: OutboxDesk(engine).drop(positions))
    echo(f"{len(done)} of {len(rows)} removed.", err=True)
    return 0


@click.command()
@changing
@database_options
@environment_option
@config_option
def reconcile(
    config: Path | None, *, environment: str, database: str, schema: str | None, yes: bool, dry_run: bool
) -> int:
    """After a database was restored: remove the rows whose events are on their topics already, before the relay starts.

    Without it they would be sent a second time; inboxes would drop them, other readers would not.

    \b
    treaty outbox reconcile --dry-run
    treaty outbox reconcile --env prod --schema mall_order --yes

    Exit codes: 0 done, 2 usage, 3 the database or Kafka is away, or a relay is at work.
    """
    from treaty.ops.outbox import KafkaRecords, all_rows, already_sent
    from treaty.wiring import cluster_log, on_database
    from treaty_runtime.publish.outbox_desk import OutboxDesk

    if relays := on_database(database, schema, lambda engine: OutboxDesk(engine).relays()):
        raise EnvironmentFault(
            f"{relays[0].owner} is relaying: what it sends meanwhile would be missed.",
            next_step="stop the service, and wait ten seconds",
        )
    rows = on_database(database, schema, lambda engine: all_rows(OutboxDesk(engine)))
    with cluster_log(load_settings(config), environment) as connected:
        sent = already_sent(rows, KafkaRecords(connected.log, connected.groups))
    _show(sent)
    echo(f"{len(sent)} of {len(rows)} rows are on their topics already.", err=True)
    if sent and agreed(f"Remove these {len(sent)} rows?", yes=yes, dry_run=dry_run):
        positions = [row.position for row in sent]
        done = on_database(database, schema, lambda engine: OutboxDesk(engine).drop(positions))
        echo(f"{len(done)} removed.", err=True)
    return 0


def _found(given: Given, *, topics: tuple[str, ...] = ()) -> list[Staged]:
    from treaty.wiring import on_database
    from treaty_runtime.publish.outbox_desk import OutboxDesk

    if not given["ids"] and not given["keys"] and not topics:
        ways = "name event ids, a --key or a --topic" if "topics" in given else "name event ids, or a --key"
        raise UsageError("Which rows?", next_step=ways)

    async def find(engine: Any) -> list[Staged]:
        return await OutboxDesk(engine).find(ids=given["ids"], keys=given["keys"], topics=topics)

    rows = on_database(given["database"], given["schema"], find)
    _show(rows)
    if not rows:
        click.echo("No such row waits: it was sent, or is in another database.", err=True)
    return rows


def _show(rows: list[Staged]) -> None:
    from treaty_runtime.wire.masking import masked

    heads = ("ID", "TOPIC", "KEY", "EVENT", "STAGED")
    show_table(
        heads, ((row.id, row.topic, masked(row.key), row.type, f"{row.created_at:%Y-%m-%d %H:%M:%SZ}") for row in rows)
    )
