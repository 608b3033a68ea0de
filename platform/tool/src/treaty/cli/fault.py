"""``treaty fault``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treaty.cli.harmless import echo, echo_json
from treaty.cli.project import config_option, load_settings

if TYPE_CHECKING:
    from treaty.config import Settings
    from treaty.local.faults.planted import Fault, Planted, Site

ENVIRONMENT = "local"


@click.command()
@click.argument("name", required=False)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@config_option
def fault(config: Path | None, name: str | None, format_: str) -> int:
    """Plant the fault NAME in the running local stack, and print the commands that show it and those that mend it.

    Without NAME it lists the faults. Only the stack that `treaty up` or `treaty demo` runs for this project is touched.

    \b
    treaty fault
    treaty fault poison-message
    treaty fault stuck-payment --format json

    Exit codes: 0 planted, or listed, 2 usage, 3 no stack runs, or it does not take the fault.
    """
    from dataclasses import asdict

    from treaty.local.faults import FAULTS
    from treaty.wiring import told_as_ours

    if name is None:
        for known in FAULTS:
            echo(f"{known.name:16} {known.says}")
        return 0
    chosen = named(name, FAULTS)
    settings = load_settings(config)
    with told_as_ours():
        site = site_of(settings, chosen)
        planted = chosen.plant(site)
    exports = elsewhere(settings, site)
    if format_ == "json":
        echo_json({**asdict(planted), "environment": exports})
    else:
        show(planted, exports)
    return 0


def named(name: str, faults: tuple[Fault, ...]) -> Fault:
    """The fault of a name; ``UsageError`` for an unknown one, with the nearest."""
    from treaty.config import nearest
    from treaty.errors import UsageError

    names = [known.name for known in faults]
    if name not in names:
        raise UsageError(f"There is no fault `{name}`{nearest(name, names)}", next_step="treaty fault")
    return faults[names.index(name)]


def site_of(settings: Settings, chosen: Fault) -> Site:
    """The running stack of the project. Raises ``StartFailed`` when none runs, or without a service that the fault needs."""
    import os
    from datetime import UTC, datetime

    from treaty.local.errors import StartFailed
    from treaty.local.faults.planted import Site
    from treaty.local.keys import keys_in
    from treaty.local.state import StateFile

    folder = settings.root / ".treaty"
    state = StateFile(folder).read()
    addresses = {part.name: part.address for part in state.alive()} if state else {}
    absent = [part for part in ("kafka", "registry", *chosen.needs) if part not in addresses]
    if absent:
        raise StartFailed(f"No {' or '.join(absent)} runs for this project.", next_step="treaty demo")
    return Site(
        root=settings.root,
        brokers=addresses["kafka"],
        registry=addresses["registry"],
        services=addresses,
        keys=keys_in(folder / "keys"),
        now=lambda: datetime.now(UTC),
        entropy=os.urandom,
    )


def elsewhere(settings: Settings, site: Site) -> Mapping[str, str]:
    """Variables that lead the printed commands to this stack, where it is not where ``[environment.local]`` says."""
    from treaty.config import variable_of

    said = settings.of_environment(ENVIRONMENT)
    found = {"brokers": site.brokers, "registry": site.registry}
    return {variable_of(ENVIRONMENT, key): value for key, value in found.items() if said.get(key) != value}


def show(planted: Planted, exports: Mapping[str, str]) -> None:
    """The story, then the commands, each on a line of its own."""
    echo(f"{planted.name}: {planted.story}")
    blocks = (("Look:", planted.look), ("Mend:", planted.mend), ("It is over when these say so:", planted.proof))
    if exports:
        click.echo("\nThis stack is not on the usual ports; first:")
        for name, value in exports.items():
            echo(f"  export {name}={value}")
    for head, commands in blocks:
        echo(f"\n{head}")
        for command in commands:
            echo(f"  {command}")
