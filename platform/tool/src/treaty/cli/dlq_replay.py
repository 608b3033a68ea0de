"""``treaty dlq replay``."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack
from uuid import uuid4

import click

from treaty.cli.asking import agreed, changing
from treaty.cli.dlq_options import fingerprint_option, places_argument, topics_option
from treaty.cli.harmless import echo
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, load_settings
from treaty.cli.tables import show_table
from treaty.errors import UsageError

if TYPE_CHECKING:
    from treaty.ops.dead_letters.replay import Pace, ReplayPlan, Report
    from treaty_runtime.event import Place


CANARY_SECONDS = 120


class Given(TypedDict):
    """The options as they were given."""

    environment: str
    topics: tuple[str, ...]
    yes: bool
    dry_run: bool
    reason: str
    wait: int | None
    canary: bool
    rate: int
    is_all: bool
    fingerprint: str | None
    places: tuple[Place, ...]


@click.command()
@places_argument
@fingerprint_option
@click.option("--all", "is_all", is_flag=True, help="All letters that wait.")
@click.option("--rate", type=int, default=20, show_default=True, help="Records a second, 1 to 500.")
@click.option("--canary", is_flag=True, help="Send one, see it processed, then the rest.")
@click.option(
    "--wait",
    type=click.IntRange(0),
    metavar="SECONDS",
    help="Wait so long for outcomes [default: 0; with --canary 120].",
)
@click.option("--reason", default="", help="Why; the journal keeps it.")
@changing
@topics_option
@environment_option
@config_option
def replay(config: Path | None, **given: Unpack[Given]) -> int:
    """Send letters back to the group that gave them up, oldest first, with the same key, value and event id.

    Only that group sees them. What it has handled after all is dropped by its inbox, so a replay that was killed is simply run again.
    It looks once a second, at the latest after fifty letters, and stops by itself when five in a row have failed again. A record is
    replayed three times at most.

    \b
    treaty dlq replay dlq.order/0/17 --dry-run
    treaty dlq replay --fingerprint 3f9a1c22b7e0 --canary
    treaty dlq replay --all --rate 100 --wait 60 --yes

    Exit codes: 0 sent, 1 stopped, refused or failed again, 2 usage, 3 unreachable, or no retry topic.
    """
    from treaty.ops.dead_letters import replay as ops
    from treaty.wiring import dead_letters_of

    pace = _pace(given)
    with dead_letters_of(load_settings(config), given["environment"], topics=given["topics"]) as dead_letters:
        letters = dead_letters.look()  # first: of what comes meanwhile the standings tell too
        known = dead_letters.standings()
        plan = ops.choose(letters, known, places=given["places"], fingerprint=given["fingerprint"])
        _show(plan)
        question = f"Replay these {len(plan.letters)}?"
        if not plan.letters or not agreed(question, yes=given["yes"], dry_run=given["dry_run"]):
            return 1 if plan.refused else 0
        report = ops.replay(
            plan,
            dead_letters,
            run=str(uuid4()),
            reason=given["reason"],
            pace=pace,
            is_canary=given["canary"],
            told=lambda letter, place: echo(f"{letter.place} → {place}", err=True),
        )
    return _told(report, plan)


def _pace(given: Given) -> Pace:
    from treaty.ops.dead_letters.replay import Pace
    from treaty.wiring import now

    if sum((bool(given["places"]), given["fingerprint"] is not None, given["is_all"])) != 1:
        raise UsageError("Which letters?", next_step="name places, a --fingerprint, or --all")
    seconds = given["wait"] if given["wait"] is not None else CANARY_SECONDS if given["canary"] else 0
    return Pace(rate=given["rate"], wait=timedelta(seconds=seconds), now=now, sleep=time.sleep)


def _show(plan: ReplayPlan) -> None:
    heads = ("PLACE", "TO", "KEY", "EVENT", "ID", "REPLAY")
    show_table(
        heads,
        (
            (
                letter.place,
                f"retry.{letter.group}.0s",
                letter.key or "no key",
                letter.event_type,
                letter.event_id,
                letter.replays + 1,
            )
            for letter in plan.letters
        ),
    )
    for refused in plan.refused:
        echo(f"{refused.letter.place} is left: {refused.why}", err=True)
    echo(f"{len(plan.letters)} to replay, {len(plan.refused)} left.", err=True)


def _told(report: Report, plan: ReplayPlan) -> int:
    from treaty.ops.dead_letters.states import State

    failed = report.count(State.FAILED_AGAIN)
    told = ", ".join(f"{report.count(state)} {state}" for state in State if report.count(state))
    echo(f"{len(report.sent)} of {len(plan.letters)} sent: {told}.", err=True)
    if report.stopped:
        echo(f"Stopped: {report.stopped}.\n  next: treaty dlq list", err=True)
    return 1 if report.stopped or failed or plan.refused else 0
