"""Where a service's database is: the same variable that the service reads, or a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def database_options(command: F) -> F:
    """Adds ``--database`` and ``--schema``. A flag is seen by everybody on the machine, so passwords belong into the variable."""
    schema = click.option("--schema", help="The service's schema on PostgreSQL, such as mall_order.")
    url = click.option(
        "--database",
        metavar="URL",
        envvar="DATABASE_URL",
        required=True,
        help="The service's database [default: the variable DATABASE_URL].",
    )
    return url(schema(command))
