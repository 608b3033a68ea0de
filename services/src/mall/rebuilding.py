"""`python -m mall <service> rebuild`: its read model anew from the topics, in a process beside the running service."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Mapping, Sequence

from mall import REBUILDS
from mall.database import AWAY, first_line
from mall.rebuilt import RebuildBroken, RebuildRefused, Rebuilt
from treaty_runtime.errors import TreatyError

DONE, REFUSED, USAGE, ENVIRONMENT = 0, 1, 2, 3


def rebuild(name: str, arguments: Sequence[str], *, env: Mapping[str, str]) -> int:
    """The exit code: 0 swapped, 1 refused, 2 usage, 3 Kafka, the registry or the database refuses or is away."""
    if name not in REBUILDS:
        print(f"{name} has no read model to make anew; these have: {', '.join(REBUILDS)}.", file=sys.stderr)
        return USAGE
    asked = _parser(name).parse_args(arguments)
    try:
        rebuilt: Rebuilt = asyncio.run(
            importlib.import_module(REBUILDS[name]).rebuild(env, despite_failures=asked.despite_failures)
        )
    except RebuildRefused as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    except (RebuildBroken, TreatyError) as error:
        print(error, file=sys.stderr)
        return ENVIRONMENT
    except AWAY as error:
        print(
            f"The database, Kafka or the disk was away ({first_line(error)}): the old read model stays; rebuild again when it is back.",
            file=sys.stderr,
        )
        return ENVIRONMENT
    for change in rebuilt.changes:
        print(change)
    print(f"{rebuilt.events} records read: the read model of {name} is the new one.")
    return DONE


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m mall {name} rebuild",
        description=(
            "Make the read model anew from the topics, beside the one in use and the running service; compare, and swap in one "
            "step. What the topics no longer tell stays. Killed at any moment, the old one stays."
        ),
    )
    parser.add_argument("--despite-failures", action="store_true", help="swap although records could not be handled")
    return parser
