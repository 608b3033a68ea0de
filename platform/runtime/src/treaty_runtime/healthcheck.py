"""`python -m treaty_runtime.healthcheck URL`: exit 0 if the address answers 2xx within five seconds, for containers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT_SECONDS = 5


def main(arguments: Sequence[str]) -> int:
    """0 healthy, 1 not, 2 wrong usage; one sentence says why."""
    if len(arguments) != 1 or not arguments[0].startswith(("http://", "https://")):
        sys.stderr.write("Usage: python -m treaty_runtime.healthcheck http://127.0.0.1:8082/readyz\n")
        return 2
    try:
        with urlopen(arguments[0], timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # the scheme was checked above
            return 0 if 200 <= answer.status < 300 else 1
    except (URLError, OSError, ValueError) as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
