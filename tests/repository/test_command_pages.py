"""Every command is documented by its own help, word for word, and every console block in docs/cli is true."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from tests.cases.markdown import ROOT, Block, Case, cases, expect
from tests.treaty.cli.scratch import Scratch
from treaty.cli import COMMANDS, treaty

PAGES = ROOT / "docs" / "cli"


def paths_of(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    yield names
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from paths_of(child, *names, name)


def all_paths() -> list[tuple[str, ...]]:
    context = click.Context(treaty)
    return [
        path for name in COMMANDS if (command := treaty.get_command(context, name)) for path in paths_of(command, name)
    ]


def help_of(path: tuple[str, ...]) -> str:
    result = CliRunner().invoke(treaty, [*path, "--help"], prog_name="treaty", terminal_width=110)
    assert result.exit_code == 0, result.output
    return result.output


def help_blocks(name: str) -> Iterator[tuple[Case, Block]]:
    page = PAGES / f"{name}.md"
    for case in cases(page) if page.is_file() else ():
        for block in case.of("help"):
            yield case, block


@pytest.mark.snapshot
@pytest.mark.parametrize("path", all_paths(), ids=" ".join)
def test_every_command_has_its_help_on_its_page(path: tuple[str, ...]) -> None:
    wanted = " ".join(path)
    found = [(case, block) for case, block in help_blocks(path[0]) if block.argument == wanted]
    assert found, f"docs/cli/{path[0]}.md has no ```help {wanted} block"
    for case, block in found:
        expect(case, block, help_of(path))


def test_no_page_stands_without_its_command() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == set(COMMANDS)


def test_every_help_names_examples_and_exit_codes() -> None:
    for path in all_paths():
        text = help_of(path)
        assert "Exit codes:" in text, path
        assert text.count("  treaty ") + text.count("_treaty ") >= 2 or text.count("treaty ") >= 3, path


def console_cases() -> Iterator[tuple[Case, Block]]:
    for page in sorted(PAGES.glob("*.md")):
        for case in cases(page):
            yield from ((case, block) for block in case.of("console"))


@pytest.mark.snapshot
@pytest.mark.parametrize(("case", "block"), list(console_cases()), ids=lambda value: getattr(value, "place", None))
def test_a_console_block_prints_what_it_shows(case: Case, block: Block) -> None:
    command, *_ = block.text.splitlines()
    assert command.startswith("$ treaty "), f"{case.place}: a console block begins with `$ treaty …`"
    words = command.removeprefix("$ treaty ").split()
    done = Scratch(ROOT).run(*words)
    tail = f"exit {done.code}\n" if done.code else ""
    expect(case, block, f"{command}\n{done.out}{done.err}{tail}")
