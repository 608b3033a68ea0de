"""One process: a service until it is asked to end, or a command beside the running service."""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
from collections.abc import Mapping, Sequence

from mall import SERVICES
from mall.logs import set_up
from mall.rebuilding import rebuild
from mall.replaying import replay
from mall.serving import server
from mall.settings import InvalidSettings

ENDED, ENVIRONMENT = 0, 3
COMMANDS = {"replay": replay, "rebuild": rebuild}
NEW_OBJECTS = 5_000
"""So many more than before are looked through: with Python's own number, 700, each batch of rows or records is, a dozen times."""


def run(name: str, arguments: Sequence[str], *, env: Mapping[str, str]) -> int:
    """The exit code: 0 ended as asked, 3 settings, or the command's own. ``arguments``: a command and what it is told, or none."""
    set_up(name)
    try:
        if arguments:
            return COMMANDS[arguments[0]](name, arguments[1:], env=env)
        asyncio.run(_serve(name, env))
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return ENVIRONMENT
    return ENDED


async def _serve(name: str, env: Mapping[str, str]) -> None:
    app, settings = importlib.import_module(SERVICES[name]).create(env)
    set_aside_what_is_loaded()
    listening = server(app, host=settings.host, port=settings.port, trusted_proxies=settings.trusted_proxies)
    await listening.serve()


def set_aside_what_is_loaded() -> None:
    """What was loaded until now is never garbage: it is not looked through for some any more, and what is new less often.

    Collected once more afterwards: Python looks through its oldest objects when a quarter as many came since as were there the last
    time, and without this those that are set aside would count for long.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(NEW_OBJECTS)
