"""``treaty outbox``: what waits to be published, and what to do about what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from treaty.cli.database_options import database_options
from treaty.cli.family import Family
from treaty.cli.harmless import echo
from treaty.cli.outbox_repair import discard, reconcile, retry
from treaty.cli.outbox_resend import resend
from treaty.cli.project import debug_option
from treaty.cli.tables import format_option, show_json, show_table

if TYPE_CHECKING:
    from treaty_runtime.publish.outbox_desk import FailedStaged, LiveRelay, TopicCount


@click.group(name="outbox", cls=Family)
def outbox() -> None:
    """See what a service's outbox holds, and mend what the broker refused.

    \b
    treaty outbox status --database sqlite:///.treaty/data/order.db
    treaty outbox retry --key order-42
    treaty outbox discard 01890a5d-ac96-774b-bcce-b302099a8057 --reason "too large for ever"

    Exit codes: 0 clean, 1 the broker refused rows, 2 usage, 3 the database is away or has no such tables.
    """


@outbox.command()
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many refused rows.")
@format_option
@database_options
@debug_option
def status(*, limit: int, format_: str, database: str, schema: str | None) -> int:
    """Show what waits by topic, who relays, and each row that the broker refused with what waits behind it.

    \b
    treaty outbox status
    DATABASE_URL=postgresql://… treaty outbox status --schema mall_order --format json

    Exit codes: 0, 1 the broker refused rows, 2 usage, 3 the database is away.
    """
    from treaty.wiring import on_database
    from treaty_runtime.publish.outbox_desk import OutboxDesk

    async def ask(engine: Any) -> tuple[list[TopicCount], list[LiveRelay], list[FailedStaged]]:
        desk = OutboxDesk(engine)
        return await desk.topics(), await desk.relays(), await desk.failed(limit=limit)

    topics, relays, failed = on_database(database, schema, ask)
    if format_ == "json":
        show_json(as_json(topics, relays, failed))
    else:
        tell(topics, relays, failed)
    pending = sum(each.pending for each in topics)
    echo(f"{pending} rows wait, {len(failed)} refused, {len(relays)} relays at work.", err=True)
    return 1 if failed else 0


def tell(topics: list[TopicCount], relays: list[LiveRelay], failed: list[FailedStaged]) -> None:
    """Three tables, each only where it has rows."""
    from treaty_runtime.wire.masking import masked

    show_table(
        ("TOPIC", "WAITING", "REFUSED", "OLDEST"),
        ((each.topic, each.pending, each.failed, f"{each.oldest:%Y-%m-%d %H:%M:%SZ}") for each in topics),
    )
    show_table(
        ("RELAY", "LANES", "SEEN"), ((each.owner, each.lanes, f"{each.seen:%Y-%m-%d %H:%M:%SZ}") for each in relays)
    )
    show_table(
        ("REFUSED", "TOPIC", "KEY", "EVENT", "WHY", "ATTEMPTS", "BEHIND"),
        (
            (
                each.row.id,
                each.row.topic,
                masked(each.row.key),
                each.row.type,
                f"{each.code} {each.error}",
                each.attempts,
                each.behind,
            )
            for each in failed
        ),
    )


def as_json(topics: list[TopicCount], relays: list[LiveRelay], failed: list[FailedStaged]) -> dict[str, Any]:
    """The same for programs."""
    from treaty_runtime.wire.masking import masked

    return {
        "topics": [
            {"topic": each.topic, "pending": each.pending, "failed": each.failed, "oldest": each.oldest.isoformat()}
            for each in topics
        ],
        "relays": [{"owner": each.owner, "lanes": each.lanes, "seen": each.seen.isoformat()} for each in relays],
        "failed": [
            {
                "id": str(each.row.id),
                "topic": each.row.topic,
                "key": masked(each.row.key),
                "type": each.row.type,
                "code": each.code,
                "error": each.error,
                "attempts": each.attempts,
                "failed_at": each.failed_at.isoformat(),
                "is_overtaken": each.is_overtaken,
                "behind": each.behind,
            }
            for each in failed
        ],
    }


outbox.add_command(retry)
outbox.add_command(discard)
outbox.add_command(reconcile)
outbox.add_command(resend)
