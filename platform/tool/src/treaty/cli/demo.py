"""``treaty demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from treaty.cli.project import config_option, load_settings
from treaty.cli.up import layout_of, machine_and_view, stack_options


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1), help="End by itself after so many seconds of traffic.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 200), default=6.0, show_default=True, help="Requests a second, on average."
)
@click.option("--seed", type=int, help="Draw the same people and things again.")
@click.option(
    "--open/--no-open",
    "opens",
    default=None,
    help="Open the quick-test page in a browser (default: on a desktop's terminal).",
)
@stack_options
@config_option
def demo(config: Path | None, seconds: float | None, rate: float, seed: int | None, **options: Any) -> int:
    """Start the local stack with steady, realistic traffic through the services, and watch it.

    \b
    treaty demo
    treaty demo --seconds 60 --rate 20 --fresh

    Exit codes: 0 ended as asked, 2 usage, 3 something is missing, taken or does not start, 130 Ctrl-C while starting, or twice.
    """
    from datetime import UTC, datetime
    from random import Random

    from treaty.errors import UsageError
    from treaty.local.demo import DRIVEN, Demo
    from treaty.local.page import open_page
    from treaty.local.stack import running_stack
    from treaty.local.supervision import supervise
    from treaty.ops.schemas import load_project

    settings = load_settings(config)
    layout = layout_of(settings, options)
    if lacking := DRIVEN - layout.ports.keys():
        raise UsageError(f"The demo drives services that this project does not have: {', '.join(sorted(lacking))}.")
    machine, view = machine_and_view()
    opens = options["opens"] if options["opens"] is not None else view.console.is_terminal
    show = Demo(
        load_project(settings),
        rng=Random(seed),  # noqa: S311  # people, not secrets
        rate=rate,
        seconds=seconds,
        now=lambda: datetime.now(UTC),
        show_page=lambda url: opens and open_page(url, machine.env),
    )
    return supervise(
        lambda pause: running_stack(
            layout, settings=settings, machine=machine, view=view, fresh=options["fresh"], pause=pause
        ),
        within=show.run,
        view=view,
    )
