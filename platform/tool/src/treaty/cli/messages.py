"""``treaty messages``: what lies in the topics, beside the schemas of today."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.family import Family
from treaty.cli.harmless import echo
from treaty.cli.plans import environment_option
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings


@click.group(name="messages", cls=Family)
def messages() -> None:
    """Hold retained records against the schemas of the working tree.

    \b
    treaty messages check order-events
    treaty messages check order-events --env prod --sample 10000

    Exit codes: 0 clean, 1 a record fails or means something else, 2 usage, 3 unreachable or refused.
    """


@messages.command()
@click.argument("topic")
@click.option(
    "--sample", type=click.IntRange(1), default=1000, show_default=True, help="About so many records, evenly spread."
)
@click.option(
    "--from",
    "start",
    default="start",
    show_default=True,
    metavar="PLACE",
    help="Only records from here on: an offset (1042), the last of each partition (-100), or a time (@-7d, @2026-11-21T08:00Z).",
)
@environment_option
@config_option
def check(config: Path | None, environment: str, topic: str, sample: int, start: str) -> int:
    """Read retained records of TOPIC as the schemas of the working tree would. Nothing is committed, no value is shown.

    \b
    treaty messages check order-events
    treaty messages check order-events --env prod --sample 10000 --from @-7d

    Exit codes: 0 every record is read as it was meant, 1 one is not, 2 usage (no such topic), 3 unreachable or refused.
    """
    from treaty.ops.messages import Since, check_messages
    from treaty.ops.registered import Registered
    from treaty.ops.schemas import load_project
    from treaty.ops.seek import parse_seek
    from treaty.wiring import cluster_log, now, registry_of

    settings, seek = load_settings(config), parse_seek(start, now=now())
    catalog = load_project(settings)
    with (
        working("Reading records") as bar,
        registry_of(settings, environment) as registry,
        cluster_log(settings, environment) as connected,
    ):
        since = Since(seek=seek, offsets_at=connected.groups.offsets_at)
        reports = check_messages(
            catalog, connected.log, Registered(registry), topic=topic, sample=sample, since=since, progress=bar.told
        )
    for report in reports:
        read = f"{report.read} read, {report.failed} failed, {report.changed} with another meaning"
        echo(f"{report.event}: {read}")
        for reason, place in report.faults.items():
            echo(f"  first at {place}: {reason}")
    looked = sum(report.read + report.failed for report in reports)
    echo(f"Looked at {looked} records of {topic}.", err=True)
    return 0 if all(report.is_clean for report in reports) else 1
