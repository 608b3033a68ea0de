"""`python -m mall <service>`: run one service until SIGTERM or SIGINT. `… replay …`: the past once more; `… rebuild`: a read model anew."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys

from mall import SERVICES
from mall.logs import set_up
from mall.rebuilding import rebuild
from mall.replaying import replay
from mall.serving import server
from mall.settings import InvalidSettings

USAGE, ENVIRONMENT = 2, 3
COMMANDS = {"replay": replay, "rebuild": rebuild}


async def run(name: str) -> None:
    """Run a service of `SERVICES`."""
    app, settings = importlib.import_module(SERVICES[name]).create(os.environ)
    listening = server(app, host=settings.host, port=settings.port, trusted_proxies=settings.trusted_proxies)
    await listening.serve()


def main(arguments: list[str]) -> int:
    """The exit code: 0 ended as asked, 2 usage, 3 settings."""
    name, *rest = arguments or [""]
    if name not in SERVICES or (rest and rest[0] not in COMMANDS):
        print(f"usage: python -m mall {{{'|'.join(SERVICES)}}} [replay … | rebuild …]", file=sys.stderr)
        return USAGE
    set_up(name)
    try:
        if rest:
            return COMMANDS[rest[0]](name, rest[1:], env=os.environ)
        asyncio.run(run(name))
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return ENVIRONMENT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
