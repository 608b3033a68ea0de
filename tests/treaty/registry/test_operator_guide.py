"""The operator's guide names every setting, limit and command as they are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict

import click
import pytest

from tests.cases.markdown import ROOT
from treaty.cli import treaty
from treaty.config import DEFAULTS
from treaty.registry.access.grants import Role
from treaty.registry.guard.authentication import HASHES_AT_ONCE, HASHES_WAITING
from treaty.registry.guard.trail import MOST_A_FLUSH
from treaty.registry.metrics import Metrics
from treaty.registry.settings import LIMITS, Limits, RegistrySettings

GUIDE = (ROOT / "docs/registry/operator.md").read_text(encoding="utf-8")


def commands() -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL):
        yield from (line for line in block.splitlines() if line.startswith("treaty "))


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_every_command_of_the_guide_can_be_run(line: str) -> None:
    words = shlex.split(line)[1:]
    context = treaty.make_context("treaty", words)
    while isinstance(context.command, click.Group):
        # From the parent's context, as on the command line: a command keeps what it once took from it.
        name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None, line
        context = command.make_context(name, rest, parent=context)


def test_every_setting_stands_in_the_guide() -> None:
    table = GUIDE.partition("| key | default |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])))
    assert named == set(DEFAULTS["registry"])
    assert named <= set(RegistrySettings.__dataclass_fields__) | set(LIMITS)


def test_defaults_of_the_tool_are_those_of_the_server() -> None:
    told = {key: tuple(value) if isinstance(value, list) else value for key, value in DEFAULTS["registry"].items()}
    assert RegistrySettings.told(told) == RegistrySettings()


def test_every_limit_stands_in_the_guide() -> None:
    section = GUIDE.partition("## Limits")[2].partition("\n## ")[0]
    for name, value in asdict(Limits()).items():
        assert re.search(rf"\b{value:,.0f}\b", section), name
    assert f"| {HASHES_AT_ONCE}; {HASHES_WAITING} |" in section
    assert f"{MOST_A_FLUSH:,} a second" in GUIDE


def test_every_role_and_metric_of_the_guide_is_one() -> None:
    assert set(re.findall(r"^\| `(\w+)` \| (?:read,|and) ", GUIDE, re.MULTILINE)) == {
        role.name.lower() for role in Role
    }
    shown = Metrics().exposition(subjects=0, schemas=0)
    for metric in set(re.findall(r"schema_registry_\w+", GUIDE)):
        assert metric.removesuffix("_bucket") in shown, metric
