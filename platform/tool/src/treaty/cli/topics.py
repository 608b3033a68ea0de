"""``treaty topics``: keep a cluster's topics equal to git."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from treaty.cli import plans
from treaty.cli.family import Family
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings
from treaty.cli.rows import Rows, cell, row_options, show_rows


@click.group(name="topics", cls=Family)
def topics() -> None:
    """Plan and apply topics; list what git declares and derives.

    \b
    treaty topics list
    treaty topics plan --out plan.json && treaty topics apply plan.json

    Exit codes: 0 clean, 1 drift or a moved cluster, 2 usage, 3 unreachable or refused.
    """


@topics.command(name="list")
@plans.environment_option
@row_options
@config_option
def list_topics(*, config: Path | None, environment: str, format_: str, output: Path | None) -> int:
    """List all topics that git declares, and the retry and dead-letter topics that follow from them.

    \b
    treaty topics list
    treaty topics list --env prod --format json

    Exit codes: 0, 2 usage (no such environment).
    """
    from treaty.ops.topics import listed

    found = listed(load_settings(config), environment=environment)
    width = max(map(len, found), default=0)
    rows = Rows(
        name="topics",
        rows=[{"name": name, **asdict(state)} for name, state in found.items()],
        columns=("name", "partitions", "replication", "config"),
        text=(
            f"{name:{width}}  {state.partitions} partitions  replication {state.replication}  {cell(state.config)}"
            for name, state in found.items()
        ),
        summary={"environment": environment, "topics": len(found)},
    )
    show_rows(rows, format_=format_, output=output)
    return 0


@topics.command()
@plans.planning
@click.option("--allow-repartition", is_flag=True, help="Plan more partitions where git says so; keys move.")
@click.option("--all", "shows_internal", is_flag=True, help="Show Kafka's own topics and those of tools (_…) too.")
def plan(
    *, config: Path | None, environment: str, out: Path | None, allow_repartition: bool, shows_internal: bool
) -> int:
    """Show what apply would do to make the cluster's topics as git says. Only asks; nothing is changed.

    \b
    treaty topics plan
    treaty topics plan --env prod --out plan.json

    Exit codes: 0 nothing but steps, 1 drift, 2 usage, 3 unreachable.
    """
    from treaty.ops.topics import plan_topics
    from treaty.wiring import cluster_of, now

    settings = load_settings(config)
    with working("Asking the cluster"), cluster_of(settings, environment) as cluster:
        made = plan_topics(
            settings,
            cluster,
            environment=environment,
            may_repartition=allow_repartition,
            shows_internal=shows_internal,
            today=now().date(),
        )
    plans.show(made)
    plans.save(made, out)
    return 1 if made.drift else 0


@topics.command()
@plans.applying
def apply(config: Path | None, plan_file: Path, yes: bool, reviewed: str) -> int:
    """Do exactly what PLAN says. The same plan can be run again after a failure: done steps are skipped.

    \b
    treaty topics apply plan.json
    treaty topics apply plan.json --yes

    Exit codes: 0 done, 1 the cluster moved or other steps were reviewed, 2 usage, 3 unreachable or refused.
    """
    from treaty.ops.topics import apply_topics
    from treaty.wiring import cluster_of

    settings = load_settings(config)
    made = plans.read(plan_file, "topics", reviewed=reviewed)
    plans.confirm(made, yes=yes)
    with cluster_of(settings, made.environment) as cluster, plans.progress(made) as told:
        changed = apply_topics(made, cluster, done=told)
    plans.total(made, changed)
    return 0
