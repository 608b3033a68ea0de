"""``treaty token``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings


@click.command()
@click.argument("user_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--admin", is_flag=True, help="A token with the claim `admin`.")
@click.option("--hours", type=click.IntRange(1, 24 * 365), default=12, show_default=True, help="How long it is valid.")
@config_option
def token(config: Path | None, user_id: int, admin: bool, hours: int) -> int:
    """Print a bearer token for USER_ID that the services of this project's local stack accept.

    \b
    curl -H "Authorization: Bearer $(treaty token 7)" localhost:8082/api/v1/orders
    treaty token 1 --admin

    Exit codes: 0, 2 usage.
    """
    from datetime import UTC, datetime, timedelta

    from treaty.local.keys import keys_in

    keys = keys_in(load_settings(config).root / ".treaty" / "keys")
    echo(keys.token(user_id, now=datetime.now(UTC), is_admin=admin, lifetime=timedelta(hours=hours)))
    return 0
