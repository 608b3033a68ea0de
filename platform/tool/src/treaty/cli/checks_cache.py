"""``--no-cache``, and where what was judged before is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from treaty.config import Settings
    from treaty.ops.cache.drawer import Drawer

F = TypeVar("F", bound=Callable[..., Any])


def cache_option(command: F) -> F:
    """Adds ``--no-cache``."""
    return click.option("--no-cache", is_flag=True, help="Judge everything anew, and remember nothing.")(command)


def drawer_of(settings: Settings, *, no_cache: bool) -> Drawer | None:
    """What was judged before; None where nobody wants it."""
    return None if no_cache or not settings.get("checks", "cache") else drawer()


def drawer() -> Drawer | None:
    """The user's own: never in the project, where a branch could bring answers with it. None where the user has no home."""
    from treaty.local.machine import Machine
    from treaty.ops.cache.drawer import Drawer

    try:
        return Drawer(folder=Machine(env=os.environ).cache / "checks")
    except RuntimeError:
        return None
