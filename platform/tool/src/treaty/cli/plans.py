"""How plans are shown, saved and confirmed: the same for registry and topics."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from treaty.errors import UsageError
from treaty.ops.plan import Kind, Plan, Step

SIGN = {"create": "+", "register": "+", "set-level": "~", "alter-config": "~", "add-partitions": "~"} | dict.fromkeys(
    ("soft-delete", "permanent-delete"), "-"
)


def show(plan: Plan) -> None:
    """Steps and drift on stdout, the sum on stderr."""
    for step in plan.steps:
        click.echo(f"{step.id:3} {SIGN[step.action]} {step.action:14} {step.subject}  {summary(step)}")
    for row in plan.drift:
        click.echo(f"    ! drift          {row.subject} {row.what}")
    total = f"{len(plan.steps)} steps, {len(plan.drift)} drifts, plan {plan.sha256[:12]}"
    click.echo(f"{plan.kind} of {plan.environment} ({plan.target}): {total}", err=True)


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
    if step.action == "create":
        return f"{step.after['partitions']} partitions, replication {step.after['replication']}"
    if step.action == "alter-config":
        return ", ".join(f"{key} {step.before.get(key)} → {value}" for key, value in step.after.items())
    return f"{step.before} → {step.after} partitions"


def save(plan: Plan, out: Path | None) -> None:
    """Writes the plan to ``out``, if one was named."""
    if out is not None:
        out.write_text(plan.to_json(), encoding="utf-8")
        click.echo(f"Saved to {out}.\n  next: treaty {plan.kind} apply {out}", err=True)


def read(file: Path, kind: Kind) -> Plan:
    """A saved plan of the right kind."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    plan = Plan.from_json(text)
    if plan.kind != kind:
        raise UsageError(f"{file} is a plan for {plan.kind}.", next_step=f"treaty {plan.kind} apply {file}")
    return plan


def confirm(plan: Plan, *, yes: bool) -> None:
    """Asks before anything is changed; without a terminal only ``--yes`` will do."""
    if yes or not plan.steps:
        return
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask on.", next_step="say --yes")
    show(plan)
    click.confirm(f"Do these {len(plan.steps)} steps?", abort=True)


def told(step: Step, outcome: str) -> None:
    """One line for one finished step."""
    click.echo(f"{step.id:3} {step.action:14} {step.subject}  {outcome}")
