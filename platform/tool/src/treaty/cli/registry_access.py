"""``treaty registry users|tokens|grants|audit``: who may come in, what they may do, and what was done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from treaty.cli.family import Family
from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings
from treaty.cli.talk import aloud, is_terminal

if TYPE_CHECKING:
    from treaty.registry.guard.administration import Administration

F = TypeVar("F", bound=Callable[..., Any])


def options(command: F) -> F:
    """Adds ``--database``, ``--config`` and ``--debug``."""
    return config_option(click.option("--database", help="The registry's database (default: as for serve).")(command))


@contextmanager
def administration(config: Path | None, database: str | None) -> Iterator[Administration]:
    """The registry's directory, opened; what cannot be done becomes a usage error."""
    from treaty.errors import UsageError
    from treaty.registry.access.grants import BadGrant
    from treaty.registry.guard.administration import CannotDo
    from treaty.wiring import registry_administration

    try:
        with registry_administration(load_settings(config), database) as opened:
            yield opened
    except (CannotDo, BadGrant) as error:
        raise UsageError(str(error)) from error


@click.group(cls=Family)
def users() -> None:
    """Add, list and remove those who log in by name and password.

    \b
    treaty registry users add ann
    treaty registry users list

    Exit codes: 0 done, 2 usage, 3 the database is away.
    """


@users.command(name="add")
@click.argument("name")
@click.option(
    "--password-file", type=click.Path(path_type=Path, dir_okay=False), help="Read the password there, do not ask."
)
@options
def add_user(name: str, password_file: Path | None, config: Path | None, database: str | None) -> None:
    """Add NAME, or give NAME another password. It may do nothing until it gets a grant.

    \b
    treaty registry users add ann
    treaty registry users add ann --password-file /run/secrets/ann

    Exit codes: 0 done, 2 usage (a password too short, no terminal to ask at), 3 the database is away.
    """
    password = asked_password() if password_file is None else password_in(password_file)
    with administration(config, database) as opened:
        opened.put_user(name, password)
    echo(f"{name} can log in.\n  next: treaty registry grants add {name} writer 'orders-*'", err=True)


@users.command(name="list")
@options
def list_users(config: Path | None, database: str | None) -> None:
    """List users; those with tokens only are marked.

    \b
    treaty registry users list
    treaty registry users list --database sqlite:///registry.db

    Exit codes: 0, 2 usage, 3 the database is away.
    """
    with administration(config, database) as opened:
        for name, password in sorted(opened.store.directory().passwords.items()):
            echo(name if password else f"{name}  (tokens only)")


@users.command(name="remove")
@click.argument("name")
@options
def remove_user(name: str, config: Path | None, database: str | None) -> None:
    """Remove NAME with its tokens and grants; every server has forgotten it a second later.

    \b
    treaty registry users remove ann
    treaty registry users remove ann --database sqlite:///registry.db

    Exit codes: 0 done, 2 no such user, 3 the database is away.
    """
    with administration(config, database) as opened:
        opened.remove_user(name)


@click.group(cls=Family)
def tokens() -> None:
    """Add, list and remove tokens for programs.

    \b
    treaty registry tokens add ci --days 90
    treaty registry tokens list

    Exit codes: 0 done, 2 usage, 3 the database is away.
    """


@tokens.command(name="add")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is valid (default: until it is removed).")
@options
def add_token(name: str, days: int | None, config: Path | None, database: str | None) -> None:
    """Make a token of NAME and print it: this is the only time it is shown.

    \b
    treaty registry tokens add ci --days 90 > /run/secrets/registry-token
    treaty registry grants add ci writer 'orders-*'

    Exit codes: 0 done, 2 usage, 3 the database is away.
    """
    from datetime import timedelta

    with administration(config, database) as opened:
        echo(opened.add_token(name, lifetime=None if days is None else timedelta(days=days)))


@tokens.command(name="list")
@options
def list_tokens(config: Path | None, database: str | None) -> None:
    """List tokens: id, whose, since when, until when. Never the token.

    \b
    treaty registry tokens list
    treaty registry tokens list --database sqlite:///registry.db

    Exit codes: 0, 2 usage, 3 the database is away.
    """
    with administration(config, database) as opened:
        for token in sorted(opened.store.directory().tokens.values(), key=lambda each: each.created_at):
            until = "for ever" if token.expires_at is None else f"until {token.expires_at:%Y-%m-%d}"
            echo(f"{token.id}  {token.principal}  since {token.created_at:%Y-%m-%d}  {until}")


@tokens.command(name="remove")
@click.argument("token_id", metavar="ID")
@options
def remove_token(token_id: str, config: Path | None, database: str | None) -> None:
    """Remove the token with ID; every server refuses it a second later.

    \b
    treaty registry tokens list
    treaty registry tokens remove 0123456789abcdef

    Exit codes: 0 done, 2 no such token, 3 the database is away.
    """
    with administration(config, database) as opened:
        opened.remove_token(token_id)


def asked_password() -> str:
    """A password typed twice; without a terminal a usage error that names the option."""
    from treaty.errors import UsageError

    if not is_terminal(sys.stdin):
        raise UsageError("There is no terminal to ask for a password.", next_step="give --password-file FILE")
    with aloud():
        answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def password_in(file: Path) -> str:
    """The password in a file."""
    from treaty.wiring import read_secret

    return read_secret(file)
