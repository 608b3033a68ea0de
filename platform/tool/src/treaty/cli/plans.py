"""How plans are shown, saved and confirmed: the same for registry and topics."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from treaty.cli.asking import agreed
from treaty.cli.findings import plural
from treaty.cli.harmless import echo, echo_row
from treaty.cli.progress import working
from treaty.cli.project import config_option
from treaty.cli.talk import is_terminal

if TYPE_CHECKING:
    from treaty.ops.plan import Kind, Plan, Step

F = TypeVar("F", bound=Callable[..., Any])

SIGN = {
    "create": "+",
    "allow": "+",
    "register": "+",
    "set-level": "~",
    "alter-config": "~",
    "add-partitions": "~",
} | dict.fromkeys(("soft-delete", "permanent-delete", "delete-topic", "disallow"), "-")


def environment_option(command: F) -> F:
    """Adds ``--env NAME``."""
    option = click.option(
        "--env",
        "environment",
        metavar="NAME",
        default="local",
        show_default=True,
        help="[environment.NAME] of treaty.toml.",
    )
    return option(command)


def planning(command: F) -> F:
    """Adds what every plan takes: ``--env``, ``--out``, ``--config``, ``--debug``."""
    out = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for apply.")
    return environment_option(out(config_option(command)))


def applying(command: F) -> F:
    """Adds what every apply takes: the file ``PLAN``, ``--yes``, ``--reviewed``, ``--config``, ``--debug``."""
    file = click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path, dir_okay=False))
    yes = click.option("--yes", is_flag=True, help="Do not ask.")
    reviewed = click.option(
        "--reviewed",
        default="",
        metavar="HASH",
        help="Only if the steps are these: 12 digits or more that a plan printed.",
    )
    return file(yes(reviewed(config_option(command))))


def show(plan: Plan) -> None:
    """Steps and drift on stdout, the sum on stderr."""
    for step in plan.steps:
        echo_row(f"{step.id:3} {SIGN[step.action]} {step.action:14} {step.subject}  {summary(step)}")
    for row in plan.drift:
        echo_row(f"    ! drift          {row.subject} {row.what}")
    counts = f"{plural(len(plan.steps), 'step')}, {plural(len(plan.drift), 'drift')}"
    count = f"{counts}, plan {plan.steps_sha256[:12]}"
    echo(f"{plan.kind} of {plan.environment} ({plan.target}): {count}", err=True)


def summary(step: Step) -> str:
    """One step's change in a few words."""
    if step.action == "set-level":
        return f"{step.before or 'inherited'} → {step.after}"
    if step.action == "register":
        return str(step.after["event"]) + (f", after version {step.before}" if step.before else ", first version")
    if step.action == "soft-delete":
        return f"{len(step.before)} version{'s' * (len(step.before) > 1)}, by tombstone"
    if step.action == "permanent-delete":
        return "for good, by tombstone"
    if step.action == "delete-topic":
        return f"{step.before} partitions and all records, for good, by tombstone"
    if step.action in {"allow", "disallow"}:
        return ", ".join(operation.lower() for operation in (step.after or step.before)["operations"])
    if step.action == "create":
        return f"{step.after['partitions']} partitions, replication {step.after['replication']}"
    if step.action == "alter-config":
        return ", ".join(f"{key} {step.before.get(key)} → {value}" for key, value in step.after.items())
    return f"{step.before} → {step.after} partitions"


def save(plan: Plan, out: Path | None) -> None:
    """Writes the plan to ``out``, if one was named; whole, or not at all."""
    from treaty.ops.files import put

    if out is not None:
        put(out, plan.to_json())
        echo(f"Saved to {out}.\n  next: treaty {plan.kind} apply {out}", err=True)


def read(file: Path, kind: Kind, *, reviewed: str = "") -> Plan:
    """A saved plan of the right kind, and with ``reviewed`` of these very steps."""
    from treaty.errors import UsageError
    from treaty.ops.plan import Plan

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    plan = Plan.from_json(text)
    if plan.kind != kind:
        raise UsageError(f"{file} is a plan for {plan.kind}.", next_step=f"treaty {plan.kind} apply {file}")
    if reviewed:
        plan.require_reviewed(reviewed)
    return plan


def confirm(plan: Plan, *, yes: bool) -> None:
    """Asks before anything is changed; without a terminal only ``--yes`` will do."""
    if yes or not plan.steps:
        return
    if is_terminal(sys.stdin):
        show(plan)
    agreed(f"Do these {len(plan.steps)} steps?", yes=yes, dry_run=False)


def total(plan: Plan, changed: int) -> None:
    """What an apply came to, on stderr."""
    echo(f"{changed} of {plural(len(plan.steps), 'step')} changed something.", err=True)


@contextmanager
def progress(plan: Plan) -> Iterator[Callable[[Step, str], None]]:
    """Gives what tells one line for each finished step; after a failure the steps that are left are named too."""
    from treaty.errors import TreatyError

    done = set[int]()

    try:
        with working("Applying") as bar:

            def told(step: Step, outcome: str) -> None:
                done.add(step.id)
                bar.told(len(done), len(plan.steps))
                with bar.aside():
                    echo_row(f"{step.id:3} {step.action:14} {step.subject}  {outcome}")

            yield told
    except TreatyError:
        left = [step for step in plan.steps if step.id not in done]
        echo(f"{len(done)} of {plural(len(plan.steps), 'step')} done; left:", err=True)
        for step in left:
            echo_row(f"{step.id:3} {step.action:14} {step.subject}", err=True)
        raise
