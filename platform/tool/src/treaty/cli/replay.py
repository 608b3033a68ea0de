"""``treaty replay``: the past once more through a service's handlers."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TypedDict, Unpack

import click

from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings
from treaty.errors import EnvironmentFault, UsageError


class Given(TypedDict):
    """The options as they were given."""

    service: str
    group: str | None
    topics: tuple[str, ...]
    start: str
    end: str
    external: bool
    beyond_inbox: bool
    dry_run: bool


@click.command()
@click.argument("service")
@click.option("--from", "start", required=True, metavar="SEEK", help="start, 1042, -100, @2026-11-21T08:00Z, @-2h.")
@click.option("--to", "end", default="end", show_default=True, metavar="SEEK", help="Where to end.")
@click.option("--topic", "topics", multiple=True, help="Only this topic, as often as wished.")
@click.option("--group", help="Which of the service's groups [default: its first].")
@click.option("--external", is_flag=True, help="Call handlers too that act outside of the database.")
@click.option("--beyond-inbox", is_flag=True, help="Also what the inbox does not remember: effects may happen twice.")
@click.option("--dry-run", is_flag=True, help="Only print the command.")
@config_option
def replay(config: Path | None, **given: Unpack[Given]) -> int:
    """Run records of the past through a service's handlers, in a process of its own beside the running service.

    The process is the service's own, `[local] service` of treaty.toml with `replay` behind it, and has this shell's variables
    (KAFKA_BROKERS, DATABASE_URL …). It joins no group; what the inbox knows is left out. To send dead letters back: treaty dlq replay.

    \b
    treaty replay order --from @-2h
    treaty replay order --topic order-events --from @2026-11-21T08:00Z --to @2026-11-21T09:00Z
    treaty replay order --from start --beyond-inbox --dry-run

    Exit codes: 0 all handled, 1 some failed, 2 usage, 3 something is away or refuses.
    """
    from treaty.local.services import command
    from treaty.ops.seek import Kind, parse_seek
    from treaty.wiring import now

    template = str(load_settings(config).get("local", "service"))
    if not template:
        raise UsageError(
            "treaty.toml names no command of services.", next_step='write [local] service = "python -m shop {service}"'
        )
    for text in (given["start"], given["end"]):
        if parse_seek(text, now=now()).kind is Kind.SHIFT:
            raise UsageError("A replay has no place of its own to shift from.", next_step="name an offset or a time")
    words = [*command(template, given["service"]), "replay", *_options(given)]
    if given["dry_run"]:
        echo(" ".join(words))
        return 0
    code = subprocess.run(words, check=False).returncode  # noqa: S603  # the project's own command, no shell
    if code < 0:
        raise EnvironmentFault(
            f"The service was ended by signal {-code}.",
            next_step="run it again: what the inbox remembers is not repeated",
        )
    return code


def _options(given: Given) -> list[str]:
    words = ["--from", given["start"], "--to", given["end"]]
    for topic in given["topics"]:
        words += ["--topic", topic]
    if given["group"]:
        words += ["--group", given["group"]]
    flags = {"--external": given["external"], "--beyond-inbox": given["beyond_inbox"]}
    return words + [flag for flag, is_given in flags.items() if is_given]
