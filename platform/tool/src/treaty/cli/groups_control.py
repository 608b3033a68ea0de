"""``treaty groups pause|release|resume``: commands to the members of a running group."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

import click

from treaty.cli.asking import agreed, changing
from treaty.cli.harmless import echo
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, load_settings
from treaty.cli.tables import show_table

F = TypeVar("F", bound=Callable[..., Any])


class Given(TypedDict):
    """The options as they were given."""

    environment: str
    yes: bool
    dry_run: bool
    minutes: int
    reason: str
    group: str


def ordering(command: F) -> F:
    """Adds the options of all three."""
    options = (
        click.argument("group"),
        click.option("--reason", required=True, help="Why; the journal keeps it."),
        click.option(
            "--minutes",
            type=click.IntRange(1, 1440),
            default=30,
            show_default=True,
            help="A group that was paused or released goes on by itself after that.",
        ),
        changing,
        environment_option,
        config_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@ordering
def pause(config: Path | None, **given: Unpack[Given]) -> int:
    """Let the members of GROUP fetch nothing more; they stay in the group, and finish what they have in memory.

    \b
    treaty groups pause notification-service --reason "the mail server is overloaded" --minutes 10
    treaty groups pause notification-service --reason "the same" --yes

    Exit codes: 0 all have, 1 some have not, 2 usage, 3 unreachable, or nobody answers.
    """
    return order("pause", config, given)


@click.command()
@ordering
def release(config: Path | None, **given: Unpack[Given]) -> int:
    """Let the members of GROUP finish what they run, commit, and leave it; their processes stay up. Then offsets can be moved.

    \b
    treaty groups release order-view --reason "read again from yesterday"
    treaty groups release order-view --reason "the same" --minutes 5 --yes

    Exit codes: 0 all have, 1 some have not, 2 usage, 3 unreachable, or nobody answers.
    """
    return order("release", config, given)


@click.command()
@ordering
def resume(config: Path | None, **given: Unpack[Given]) -> int:
    """Let the members of GROUP read on, after a pause or a release.

    \b
    treaty groups resume order-view --reason "offsets are moved"
    treaty groups resume order-view --reason "the same" --yes

    Exit codes: 0 all have, 1 some have not, 2 usage, 3 unreachable, or nobody answers.
    """
    return order("resume", config, given)


def order(action: str, config: Path | None, given: Given) -> int:
    """What the three do: show, ask, tell, and wait for the answers."""
    from treaty.ops.group_control import Remote
    from treaty.wiring import cluster_log, now

    group = given["group"]
    with cluster_log(load_settings(config), given["environment"]) as connected:
        journal = connected.journal
        remote = Remote(connected.cluster, connected.log, connected.groups, by=journal.by, now=now, sleep=time.sleep)
        echo(f"{group} has {remote.members(group)} members.", err=True)
        if not agreed(f"{action.title()} them?", yes=given["yes"], dry_run=given["dry_run"]):
            return 0
        told = remote.order(group, action, reason=given["reason"], lasts=timedelta(minutes=given["minutes"]))
        journal.write(f"group {group}", action, at=now(), reason=given["reason"])
    show_table(("MEMBER", "STATE", "DETAIL"), ((each.member, each.state, each.detail) for each in told.answers))
    done = sum(answer.state == "done" for answer in told.answers)
    echo(f"{action}: {done} of {max(told.expected, len(told.answers))} members have done it.", err=True)
    return 0 if told.is_done else 1
