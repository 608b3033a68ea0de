"""``treaty delay``: look at delayed jobs, retry and cancel them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from treaty.cli.asking import agreed, changing
from treaty.cli.database_options import database_options
from treaty.cli.family import Family
from treaty.cli.harmless import echo
from treaty.cli.project import debug_option
from treaty.cli.tables import format_option, show_json, show_table
from treaty.errors import UsageError

if TYPE_CHECKING:
    from treaty_runtime.delay.job_desk import JobDesk, JobRow

F = TypeVar("F", bound=Callable[..., Any])


class Given(TypedDict):
    """The options of ``retry`` and ``cancel``."""

    database: str
    schema: str | None
    yes: bool
    dry_run: bool
    is_all: bool
    queue: str
    ids: tuple[str, ...]


@click.group(name="delay", cls=Family)
def delay() -> None:
    """Look at the delayed jobs of a service, try failed ones again, and cancel what shall not run.

    \b
    treaty delay list --database sqlite:///.treaty/data/order.db
    treaty delay retry order-timeout 42
    treaty delay cancel order-timeout 42

    Exit codes: 0 clean, 1 failed jobs wait, or a job is not so, 2 usage, 3 the database is away or has no such tables.
    """


@delay.command(name="list")
@click.argument("queue", required=False)
@click.option(
    "--state",
    type=click.Choice(["waiting", "failed", "done"]),
    multiple=True,
    help="Only these states [default: waiting, failed].",
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many of a state.")
@format_option
@database_options
@debug_option
def list_jobs(
    queue: str | None, *, state: tuple[str, ...], limit: int, format_: str, database: str, schema: str | None
) -> int:
    """List jobs of QUEUE, or of all queues, those due first at the front. Payloads are not shown.

    \b
    treaty delay list
    treaty delay list order-timeout --state failed
    DATABASE_URL=postgresql://… treaty delay list --schema mall_order --format json

    Exit codes: 0, 1 failed jobs wait for an operator, 2 usage, 3 the database is away.
    """
    from treaty.wiring import on_database
    from treaty_runtime.delay.job_desk import JobDesk, JobState

    async def ask(engine: Any) -> tuple[list[JobRow], int]:
        desk = JobDesk(engine)
        wanted = [JobState(name) for name in state or ("failed", "waiting")]
        rows = [row for each in wanted for row in await desk.jobs(each, queue=queue, limit=limit)]
        failed = sum(count.failed for count in await desk.counts() if queue in {None, count.queue})
        return rows, failed

    rows, failed = on_database(database, schema, ask)
    if format_ == "json":
        show_json([as_json(row) for row in rows])
    else:
        heads = ("QUEUE", "ID", "STATE", "DUE", "ATTEMPTS", "BYTES")
        told = (
            (row.queue, row.id, state_words(row), f"{row.due:%Y-%m-%d %H:%M:%SZ}", row.attempts, row.payload_bytes)
            for row in rows
        )
        show_table(heads, told)
    echo(f"{len(rows)} jobs, {failed} failed.", err=True)
    return 1 if failed else 0


def changes(command: F) -> F:
    """Adds what ``retry`` and ``cancel`` share."""
    options = (
        click.argument("queue"),
        click.argument("ids", metavar="[ID]...", nargs=-1),
        click.option("--all", "is_all", is_flag=True, help="All failed jobs of the queue."),
        changing,
        database_options,
        debug_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@delay.command()
@changes
def retry(**given: Unpack[Given]) -> int:
    """Make failed jobs of QUEUE due now, with all their attempts before them. Workers see them within a minute.

    \b
    treaty delay retry order-timeout 42
    treaty delay retry order-timeout --all --dry-run

    Exit codes: 0 done, 1 a named job has not failed, 2 usage, 3 the database is away.
    """
    return change("retry", given)


@delay.command()
@changes
def cancel(**given: Unpack[Given]) -> int:
    """Remove jobs of QUEUE that have not run. One that runs at this moment is left.

    With --all those that failed; waiting ones only by their ids.

    \b
    treaty delay cancel order-timeout 42 --dry-run
    treaty delay cancel order-timeout --all --yes

    Exit codes: 0 done, 1 a named job is not there or has run, 2 usage, 3 the database is away.
    """
    return change("cancel", given)


def change(act: str, given: Given) -> int:
    """What ``retry`` and ``cancel`` do: find, show, ask, act."""
    from treaty.wiring import on_database
    from treaty_runtime.delay.job_desk import JobDesk, JobState

    if bool(given["ids"]) == given["is_all"]:
        raise UsageError("Which jobs?", next_step="name their ids, or say --all for those that failed")
    states = [JobState.FAILED] if act == "retry" or given["is_all"] else [JobState.WAITING, JobState.FAILED]

    async def find(engine: Any) -> list[str]:
        desk, ids = JobDesk(engine), given["ids"] or None
        return [found for state in states for found in await desk.find(given["queue"], ids=ids, state=state)]

    async def act_on(desk: JobDesk, ids: list[str]) -> list[str]:
        return await (desk.retry if act == "retry" else desk.cancel)(given["queue"], ids=ids)

    found = on_database(given["database"], given["schema"], find)
    show_table(("QUEUE", "ID"), ((given["queue"], each) for each in found))
    missing = [each for each in given["ids"] if each not in found]
    for each in missing:
        echo(f"{each} is left: it is not {' or '.join(states)}.", err=True)
    if found and agreed(f"{act.title()} these {len(found)} jobs?", yes=given["yes"], dry_run=given["dry_run"]):
        done = on_database(given["database"], given["schema"], lambda engine: act_on(JobDesk(engine), found))
        echo(f"{len(done)} of {len(found)} done.", err=True)
    return 1 if missing else 0


def state_words(row: JobRow) -> str:
    """The state, and whether its time has come."""
    return f"{row.state}, late" if row.is_late else str(row.state)


def as_json(row: JobRow) -> dict[str, Any]:
    """A job for programs."""
    return {
        "queue": row.queue,
        "id": row.id,
        "state": str(row.state),
        "due": row.due.isoformat(),
        "is_late": row.is_late,
        "attempts": row.attempts,
        "payload_bytes": row.payload_bytes,
        "failed_at": row.failed_at.isoformat() if row.failed_at else None,
        "done_at": row.done_at.isoformat() if row.done_at else None,
    }
