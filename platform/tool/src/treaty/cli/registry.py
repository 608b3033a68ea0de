"""``treaty registry``: serve one, and keep any equal to git."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from treaty.cli.family import Family
from treaty.cli.project import config_option, load_settings
from treaty.cli.registry_access import tokens, users
from treaty.cli.registry_backup import export, import_, migrate
from treaty.cli.registry_grants import audit, grants
from treaty.cli.registry_plan import apply, plan
from treaty.cli.registry_rebuild import rebuild


@click.group(name="registry", cls=Family)
def registry() -> None:
    """Serve a schema registry; plan and apply what it should hold.

    \b
    treaty registry serve
    treaty registry plan --out plan.json && treaty registry apply plan.json

    Exit codes: 0 clean, 1 drift or a moved registry, 2 usage, 3 unreachable or refused.
    """


for command in (plan, apply, export, import_, rebuild, migrate, users, tokens, grants, audit):
    registry.add_command(command)


@registry.command()
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default 8081; 0: any free one).")
@click.option("--database", help="sqlite:///FILE or postgresql+psycopg://… (default sqlite:///.treaty/registry.db).")
@click.option("--wire-profile", type=click.Choice(["8", "7"]), help="Answer like Confluent 8 (default) or 7.")
@click.option("--migrate", is_flag=True, help="Bring a Postgres database to this release's tables first.")
@click.option("--insecure-no-auth", is_flag=True, help="Allow another host than loopback without credentials.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that answer (default 1).")
@click.option("--tls-cert", type=click.Path(dir_okay=False), help="PEM file of the certificate and its chain.")
@click.option("--tls-key", type=click.Path(dir_okay=False), help="PEM file of its key.")
@click.option("--tls-ca", type=click.Path(dir_okay=False), help="Clients need a certificate of this authority.")
@click.option("--jwks", help="Where an issuer's keys are: https://… or a file. Needs the next two.")
@click.option("--jwt-issuer", help="Issuer (`iss`) whose JSON Web Tokens are let in.")
@click.option("--jwt-audience", help="Audience (`aud`) that they must name.")
@click.option("--rate-limit", help="What each principal may ask: 100/second, 6000/minute (default: anything).")
@click.option("--metrics-auth/--no-metrics-auth", default=None, help="Whether /metrics needs a login (default: no).")
@click.option("--cors-origin", "cors_origins", multiple=True, help="Let pages of this exact origin in; repeatable.")
@click.option("--forwarded-allow-ip", "forwarded_allow_ips", multiple=True, help="Believe this proxy; repeatable.")
@click.option("--max-body-bytes", type=click.IntRange(1), help="Larger requests are refused (default 1048576).")
@click.option("--max-schema-bytes", type=click.IntRange(1), help="Larger schemas are refused (default 524288).")
@click.option("--max-open-requests", type=click.IntRange(1), help="More at once are put off (default 1024).")
@click.option("--root-path", help="What a proxy leaves before every path, such as /registry.")
@config_option
def serve(config: Path | None, **flags: Any) -> int:
    """Serve a registry that any Confluent client can talk to.

    [registry] of treaty.toml and TREATY_REGISTRY__… know the same options; a flag wins.

    \b
    treaty registry serve
    treaty registry serve --database postgresql+psycopg://registry@localhost/registry --migrate --workers 4

    Exit codes: 0 stopped, 2 usage (another host without credentials), 3 port taken or database away.
    """
    from treaty.wiring import serve_registry

    return serve_registry(load_settings(config), {key: value for key, value in flags.items() if value != ()})
