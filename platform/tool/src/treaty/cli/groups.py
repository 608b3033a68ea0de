"""``treaty groups``: who reads what, how far, and from where it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from treaty.cli.asking import agreed, changing
from treaty.cli.family import Family
from treaty.cli.groups_control import pause, release, resume
from treaty.cli.harmless import echo
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, load_settings
from treaty.cli.tables import format_option, show_json, show_table
from treaty.errors import UsageError

if TYPE_CHECKING:
    from treaty.ops.group_offsets import Move, Standing
    from treaty.wiring import Connected
    from treaty_runtime.kafka.groups import GroupFacts

_FILE = click.Path(path_type=Path, dir_okay=False)
_TOPICS = click.option("--topic", "topics", multiple=True, help="Only this topic, also where nothing is committed yet.")


@click.group(name="groups", cls=Family)
def groups() -> None:
    """See consumer groups, their members and their lag; let them rest, move them to another place, let them go on.

    \b
    treaty groups list
    treaty groups lag notification-service
    treaty groups reset-offsets notification-service --to @-2h --reason "a handler was wrong" --dry-run

    Exit codes: 0 clean, 1 some members have not done it, 2 usage, 3 unreachable, nobody answers, or the group has members.
    """


@groups.command(name="list")
@format_option
@environment_option
@config_option
def list_groups(config: Path | None, environment: str, format_: str) -> int:
    """List all groups of the cluster with their state.

    \b
    treaty groups list
    treaty groups list --env prod --format json

    Exit codes: 0, 2 usage, 3 unreachable.
    """
    from treaty.wiring import cluster_log

    with cluster_log(load_settings(config), environment) as connected:
        states = connected.groups.states()
    if format_ == "json":
        show_json([{"group": name, "state": state} for name, state in states.items()])
    else:
        show_table(("GROUP", "STATE"), states.items())
    echo(f"{len(states)} groups.", err=True)
    return 0


@groups.command()
@click.argument("group")
@_TOPICS
@format_option
@environment_option
@config_option
def lag(config: Path | None, environment: str, format_: str, topics: tuple[str, ...], group: str) -> int:
    """Show how far GROUP has read each partition, how much is left, and which member reads it.

    \b
    treaty groups lag notification-service
    treaty groups lag notification-service --topic order-events --format json

    Exit codes: 0, 2 no such group, 3 unreachable.
    """
    from treaty.ops.group_offsets import standing
    from treaty.wiring import cluster_log

    with cluster_log(load_settings(config), environment) as connected:
        facts, rows = standing(group, connected.log, connected.groups, topics=topics)
    if format_ == "json":
        show_json(as_json(facts, rows))
    else:
        heads = ("TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER")
        show_table(heads, (line(row) for row in rows))
    told = f"{facts.state.lower()}, {len(facts.members)} members, {sum(row.lag for row in rows)} records behind"
    echo(f"{group}: {told}.", err=True)
    return 0


class Given(TypedDict):
    """The options of ``reset-offsets``."""

    environment: str
    yes: bool
    dry_run: bool
    topics: tuple[str, ...]
    to: str | None
    from_file: Path | None
    save: Path | None
    beyond_inbox: bool
    reason: str
    group: str


@groups.command(name="reset-offsets")
@click.argument("group")
@click.option("--to", metavar="PLACE", help="start, end, 1042, -100, @2026-11-21T08:00Z, @-2h or shift:-50.")
@click.option("--from-file", type=_FILE, help="The offsets that --save wrote: an undo.")
@click.option("--save", type=_FILE, help="Write the offsets of now there before anything is moved.")
@click.option(
    "--beyond-inbox", is_flag=True, help="Go back further than inboxes remember (192 h): effects happen again."
)
@click.option("--reason", required=True, help="Why; the journal keeps it.")
@_TOPICS
@changing
@environment_option
@config_option
def reset_offsets(config: Path | None, **given: Unpack[Given]) -> int:
    """Move GROUP to another place in its topics; its members must be released or stopped, the broker moves nobody who reads.

    A place outside of what a partition holds is clamped. Effects that an inbox remembers are not repeated.

    \b
    treaty groups reset-offsets order-view --to start --save before.json --reason rebuild --dry-run
    treaty groups reset-offsets order-view --to @-2h --topic order-events --reason "a handler was wrong"
    treaty groups reset-offsets order-view --from-file before.json --reason undo --yes

    Exit codes: 0 done, 2 usage, 3 unreachable, or the group has members.
    """
    from treaty.ops import group_offsets as ops
    from treaty.wiring import cluster_log, now

    group = given["group"]
    with cluster_log(load_settings(config), given["environment"]) as connected:
        rows, planned = _planned(connected, given)
        if given["save"] is not None:
            ops.keep_other_undo(rows, given["save"])
        _show(planned)
        too_old = ops.beyond_inbox(planned, now=now())
        if too_old and not given["beyond_inbox"]:
            raise UsageError(
                f"{too_old[0].partition} goes back further than inboxes remember.", next_step="--beyond-inbox"
            )
        question = f"Move {len(planned)} partitions of {group}?"
        if planned and agreed(question, yes=given["yes"], dry_run=given["dry_run"]):
            if given["save"] is not None:
                ops.save(rows, given["save"])
            ops.reset(group, planned, connected.groups)
            connected.journal.write(
                f"group {group}", "reset-offsets", at=now(), reason=given["reason"], to=given["to"] or "saved"
            )
            echo(f"{len(planned)} partitions moved.", err=True)
    return 0


def _planned(connected: Connected, given: Given) -> tuple[list[Standing], list[Move]]:
    from treaty.ops import group_offsets as ops
    from treaty.ops.seek import parse_seek
    from treaty.wiring import now

    to, file = given["to"], given["from_file"]
    if (to is None) == (file is None):
        raise UsageError("Where to?", next_step="say --to PLACE, or --from-file FILE")
    seek = parse_seek(to, now=now()) if to is not None else None
    offsets = ops.saved(file) if file is not None else {}
    topics = given["topics"] or sorted({partition.topic for partition in offsets})
    _, rows = ops.standing(given["group"], connected.log, connected.groups, topics=topics)
    if seek is None:
        return rows, ops.moves(rows, offsets, connected.log)
    return rows, ops.plan_reset(rows, seek, connected.log, connected.groups)


def _show(planned: list[Move]) -> None:
    heads = ("TOPIC", "PARTITION", "NOW", "NEW", "AGAIN", "TIME OF THE NEW PLACE", "")
    show_table(
        heads,
        (
            (
                move.partition.topic,
                move.partition.partition,
                "none" if move.before is None else move.before,
                move.after,
                move.again,
                f"{move.at:%Y-%m-%d %H:%M:%SZ}" if move.at else "the end",
                "clamped" if move.is_clamped else "",
            )
            for move in planned
        ),
    )
    again = sum(max(0, move.again) for move in planned)
    echo(f"{len(planned)} partitions, {again} records again; effects within 192 h are not repeated.", err=True)


def line(row: Standing) -> tuple[object, ...]:
    """One partition for people."""
    committed = "none" if row.committed is None else row.committed
    return (row.partition.topic, row.partition.partition, committed, row.span[1], row.lag, row.member or "nobody")


def as_json(facts: GroupFacts, rows: list[Standing]) -> dict[str, Any]:
    """A group for programs."""
    return {
        "group": facts.name,
        "state": facts.state,
        "members": [{"id": each.id, "client": each.client, "host": each.host} for each in facts.members],
        "lag": sum(row.lag for row in rows),
        "partitions": [
            {
                "topic": row.partition.topic,
                "partition": row.partition.partition,
                "committed": row.committed,
                "start": row.span[0],
                "end": row.span[1],
                "lag": row.lag,
                "member": row.member,
            }
            for row in rows
        ],
    }


groups.add_command(pause)
groups.add_command(release)
groups.add_command(resume)
