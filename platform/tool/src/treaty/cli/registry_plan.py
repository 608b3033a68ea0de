"""``treaty registry plan|apply``: make a registry hold what git says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from treaty.cli import plans
from treaty.cli.harmless import echo, echo_row
from treaty.cli.progress import working
from treaty.cli.project import load_settings

if TYPE_CHECKING:
    from treaty.ops.plan.registry import Blocked


@click.command()
@plans.planning
@click.option("--explain", is_flag=True, help="Name versions that need no step although their print differs, and why.")
def plan(config: Path | None, environment: str, out: Path | None, explain: bool) -> int:
    """Show what apply would do to make the registry hold what git says. Only asks; nothing is changed.

    \b
    treaty registry plan
    treaty registry plan --env prod --out plan.json

    Exit codes: 0 nothing but steps, 1 drift or a text that would break a reader, 2 usage, 3 unreachable.
    """
    from treaty.ops.registry import explain_registry, plan_registry
    from treaty.wiring import now, registry_of

    settings = load_settings(config)
    with registry_of(settings, environment) as http:
        with working("Asking the registry"):
            made, blocked = plan_registry(settings, http, environment=environment, today=now().date())
        plans.show(made)
        for subject, number, why in explain_registry(settings, http, environment=environment) if explain else ():
            echo_row(f"    = same           {subject} version {number} {why}")
    refuse(blocked)
    if not blocked:
        plans.save(made, out)
    return 1 if blocked or made.drift else 0


@click.command()
@plans.applying
@click.option("--no-lock", is_flag=True, help="Leave schemas.lock as it is: where git is only read.")
def apply(*, config: Path | None, plan_file: Path, yes: bool, reviewed: str, no_lock: bool) -> int:
    """Do exactly what PLAN says, then write the ids into schemas.lock. Run it again after a failure: done steps are skipped.

    \b
    treaty registry apply plan.json
    treaty registry apply plan.json --yes

    Exit codes: 0 done, 1 the registry moved or other steps were reviewed, 2 usage, 3 unreachable or refused.
    """
    from treaty.ops.applied import record
    from treaty.ops.lockfile import LOCK, read_lock
    from treaty.ops.registry_apply import apply_registry
    from treaty.wiring import registry_of

    settings = load_settings(config)
    made = plans.read(plan_file, "registry", reviewed=reviewed)
    if not no_lock:
        read_lock(settings.folder("schemas"))  # a lock that cannot be read stops here, before anything is changed
    plans.confirm(made, yes=yes)
    with registry_of(settings, made.environment) as http, plans.progress(made) as told:
        done = apply_registry(made, http, done=told)
    plans.total(made, done.changed)
    if not no_lock and record(settings, made, done.contents):
        file = (settings.folder("schemas") / LOCK).relative_to(settings.root).as_posix()
        echo(f"{file} has the ids of {made.environment}.\n  next: git add {file}, and commit", err=True)
    return 0


def refuse(blocked: tuple[Blocked, ...]) -> None:
    """Prints, on stderr, each text that would break a version, in the registry's own words."""
    for row in blocked:
        echo_row(f"{row.subject}: the new schema would break version {row.version}:", err=True)
        for message in row.messages:
            echo(f"  {message}", err=True)
    if blocked:
        click.echo("No plan was saved.\n  next: treaty breaking", err=True)
