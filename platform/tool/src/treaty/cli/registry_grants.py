"""``treaty registry grants|audit``: what the registry's users may do, and what they did."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.family import Family
from treaty.cli.harmless import echo, echo_json
from treaty.cli.registry_access import administration, options


@click.group(cls=Family)
def grants() -> None:
    """Give and take roles (reader, writer, maintainer, admin) on names.

    A pattern is a subject, a prefix and *, or * for everything; `:.staging:*` is all of a context.

    \b
    treaty registry grants add ann writer 'orders-*'
    treaty registry grants add group:platform admin '*'

    Exit codes: 0 done, 2 usage, 3 the database is away.
    """


@grants.command(name="add")
@click.argument("to")
@click.argument("role")
@click.argument("pattern")
@options
def add_grant(to: str, role: str, pattern: str, config: Path | None, database: str | None) -> None:
    """Give ROLE on PATTERN to TO: a user, jwt:SUBJECT or group:NAME of an issuer.

    \b
    treaty registry grants add ann writer 'orders-*'
    treaty registry grants add group:platform admin '*'

    Exit codes: 0 done, 2 usage, 3 the database is away.
    """
    with administration(config, database) as opened:
        opened.add_grant(to, role, pattern)


@grants.command(name="list")
@options
def list_grants(config: Path | None, database: str | None) -> None:
    """List grants: to whom, role, pattern.

    \b
    treaty registry grants list
    treaty registry grants list --database sqlite:///registry.db

    Exit codes: 0, 2 usage, 3 the database is away.
    """
    with administration(config, database) as opened:
        for grant in opened.store.directory().grants:
            echo(f"{grant.to}  {grant.role.name.lower()}  {grant.pattern}")


@grants.command(name="remove")
@click.argument("to")
@click.argument("role")
@click.argument("pattern")
@options
def remove_grant(to: str, role: str, pattern: str, config: Path | None, database: str | None) -> None:
    """Take ROLE on PATTERN back from TO.

    \b
    treaty registry grants list
    treaty registry grants remove ann writer 'orders-*'

    Exit codes: 0 done, 2 no such grant, 3 the database is away.
    """
    with administration(config, database) as opened:
        opened.remove_grant(to, role, pattern)


@click.group(cls=Family)
def audit() -> None:
    """List who did what and what was refused; check that nobody has changed the list.

    \b
    treaty registry audit list
    treaty registry audit verify

    Exit codes: 0, 1 the list was changed, 2 usage, 3 the database is away.
    """


@audit.command(name="list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@options
def list_audit(limit: int, config: Path | None, database: str | None) -> None:
    """List entries as JSON lines, newest first.

    \b
    treaty registry audit list
    treaty registry audit list --limit 1000 | jq 'select(.outcome == "refused")'

    Exit codes: 0, 2 usage, 3 the database is away.
    """
    with administration(config, database) as opened:
        for number, entry in opened.store.audit(limit=limit):
            echo_json({"id": number, **entry.as_json()})


@audit.command()
@click.option("--noted", metavar="POSITION:SEAL", help="What an earlier verify printed: it must still be in the chain.")
@options
def verify(noted: str | None, config: Path | None, database: str | None) -> int:
    """Walk along the chain of sealed entries and print its end, to be noted where the database's users cannot write.

    \b
    treaty registry audit verify
    treaty registry audit verify --noted 1234:9f86d081884c7d65…

    Exit codes: 0 nothing was changed, 1 something was, 2 usage, 3 the database is away.
    """
    from treaty.errors import UsageError

    position, _, seal = (noted or "0:00").partition(":")
    try:
        expected = None if noted is None else (int(position), bytes.fromhex(seal))
    except ValueError as error:
        raise UsageError("--noted takes what an earlier verify printed, POSITION:SEAL.") from error
    with administration(config, database) as opened:
        verdict = opened.verify_audit(expected=expected)
    echo(f"{verdict.position}:{verdict.head.hex()}")
    echo(verdict.broken or f"{verdict.entries} sealed entries are as they were written.", err=True)
    return 1 if verdict.broken else 0
