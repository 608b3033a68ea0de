"""The command ``treaty``. Commands load when they are called, so that ``treaty --help`` stays fast."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import NoReturn

import click

from treaty.cli.family import unknown

COMMANDS: dict[str, tuple[str, str]] = {
    "lint": ("treaty.cli.lint:lint", "check schemas and topics for style and safety"),
    "fmt": ("treaty.cli.fmt:fmt", "put schema files into the one layout"),
    "breaking": ("treaty.cli.breaking:breaking", "find changes that would break a reader or a meaning"),
    "ci": ("treaty.cli.ci:ci", "make every check of a schema pull request, and write its comment"),
    "diff": ("treaty.cli.diff:diff", "show what changed between any two sides, without a verdict"),
    "generate": ("treaty.cli.generate:generate", "write the typed Python classes of all events"),
    "catalog": ("treaty.cli.catalog:catalog", "make the catalogue of events as a site, or serve it"),
    "release": ("treaty.cli.release:release", "lock the current schemas as a released set"),
    "changelog": ("treaty.cli.changelog:changelog", "print what changed since a release"),
    "cache": ("treaty.cli.cache:cache", "see how much earlier checks left to remember, or forget it"),
    "explain": ("treaty.cli.explain:explain", "show the page of a rule"),
    "waive": ("treaty.cli.waive:waive", "print the table that accepts a breaking change"),
    "readers": ("treaty.cli.readers:readers", "show which line of which service reads a field"),
    "owners": ("treaty.cli.owners:owners", "print who owns which schema file, for CODEOWNERS"),
    "registry": ("treaty.cli.registry:registry", "serve a registry; plan and apply its contents"),
    "topics": ("treaty.cli.topics:topics", "plan, apply and list topics"),
    "messages": ("treaty.cli.messages:messages", "hold retained records against the schemas"),
    "dlq": ("treaty.cli.dlq:dlq", "look at dead letters, mend them, replay them"),
    "replay": ("treaty.cli.replay:replay", "run the past through a service's handlers again"),
    "groups": ("treaty.cli.groups:groups", "see who reads what and how far, move offsets"),
    "outbox": ("treaty.cli.outbox:outbox", "see what waits to be published, mend what cannot be"),
    "delay": ("treaty.cli.delay:delay", "look at delayed jobs, retry and cancel them"),
    "up": ("treaty.cli.up:up", "start the local stack and the services"),
    "down": ("treaty.cli.down:down", "end the local stack"),
    "demo": ("treaty.cli.demo:demo", "the local stack with steady traffic and a live view"),
    "fault": ("treaty.cli.fault:fault", "plant a fault in the running stack, to find and mend it"),
    "token": ("treaty.cli.token:token", "print a demo user's token for the services"),
    "doctor": ("treaty.cli.doctor:doctor", "look for what is wrong, from the project outwards"),
    "settings": ("treaty.cli.settings:settings", "print every setting and where it came from"),
    "completion": ("treaty.cli.completion:completion", "print the completion script of a shell"),
}
"""Name to (place, one line of help), in the order of ``--help``: by hand, so that the order tells a story."""


class LazyGroup(click.Group):
    """Knows the names and one-liners of all commands, and imports one only to run it."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All names in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; an unknown name fails with the nearest one, but not while a shell completes a line."""
        if cmd_name not in COMMANDS:
            if ctx.resilient_parsing:
                return None
            ctx.fail(unknown(cmd_name, COMMANDS, of="treaty"))
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101  # a wrong entry of our own table
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of ``--help``, from the table alone: nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="treaty")
def treaty() -> None:
    """Schema-governed events for Kafka: the Avro schemas in git are the treaty between producers and consumers.

    \b
    treaty lint && treaty breaking     what a schema pull request runs
    treaty up                          a real Kafka, registry and the services, on this machine

    Exit codes: 0 clean, 1 findings or drift, 2 usage, 3 environment, 4 a bug.
    """


def main() -> NoReturn:
    """Runs the command line; ends the process with an exit code of ``outcome`` (0 to 4, 130 for Ctrl-C)."""
    from treaty.cli.language import asked_for
    from treaty.cli.outcome import run

    # Schemas are many small objects that stay until the end; looking through them again and again for what may go
    # takes a fifth of the time of a check.
    gc.set_threshold(100_000, 20, 20)
    debug = "--debug" in sys.argv or bool(os.environ.get("TREATY_DEBUG"))
    sys.exit(run(treaty, debug=debug, lang=asked_for(sys.argv)))
