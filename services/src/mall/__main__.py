"""`python -m mall <service>`: run one service until SIGTERM or SIGINT. `… replay …`: the past once more; `… rebuild`: a read model anew."""

from __future__ import annotations

import os
import sys

from mall import SERVICES

USAGE = 2
COMMANDS = ("replay", "rebuild")


def main(arguments: list[str]) -> int:
    """The exit code: 0 ended as asked, 2 usage, 3 settings."""
    name, *rest = arguments or [""]
    if name not in SERVICES or (rest and rest[0] not in COMMANDS):
        print(f"usage: python -m mall {{{'|'.join(SERVICES)}}} [replay … | rebuild …]", file=sys.stderr)
        return USAGE
    from mall.running import run  # noqa: PLC0415  # who mistypes a name does not wait for a web server and a Kafka client

    return run(name, rest, env=os.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
