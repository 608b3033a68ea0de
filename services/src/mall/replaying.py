"""`python -m mall <service> replay`: records of the past through the service's handlers, in a process beside the running service."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mall import SERVICES
from mall.database import AWAY, first_line
from treaty_runtime.errors import TreatyError
from treaty_runtime.runtime import Runtime
from treaty_runtime.seek import Seek, parse_seek
from treaty_runtime.sql import database
from treaty_runtime.wiring.replaying import ReplayReport

DONE, FAILED, USAGE, ENVIRONMENT = 0, 1, 2, 3


def replay(name: str, arguments: Sequence[str], *, env: Mapping[str, str]) -> int:
    """The exit code: 0 all handled, 1 some failed, 2 usage, 3 Kafka, the registry or the database refuses or is away."""
    asked = _parser(name).parse_args(arguments)
    try:
        start, end = (parse_seek(text, now=datetime.now(UTC)) for text in (asked.start, asked.end))
    except TreatyError as error:
        print(f"{error} {type(error).__doc__}", file=sys.stderr)
        return USAGE
    try:
        report = asyncio.run(_replay(name, asked, start, end, env))
    except TreatyError as error:
        print(error, file=sys.stderr)
        return ENVIRONMENT
    except AWAY as error:
        print(
            f"The database, Kafka or the disk was away ({first_line(error)}): replay again when it is back; what was handled "
            "is known to the inbox.",
            file=sys.stderr,
        )
        return ENVIRONMENT
    for place, why in report.failures:
        print(f"{place}: {why}", file=sys.stderr)
    print(
        f"{report.seen} records: {report.handled} handled, {report.duplicates} known already, "
        f"{report.skipped} skipped, {report.failed} failed."
    )
    return FAILED if report.failed else DONE


async def _replay(name: str, asked: argparse.Namespace, start: Seek, end: Seek, env: Mapping[str, str]) -> ReplayReport:
    app, _ = importlib.import_module(SERVICES[name]).create(env)
    runtime: Runtime = app.state.runtime
    try:
        if runtime.sql is not None:
            await database.check(runtime.sql.sessions.kw["bind"])
        return await runtime.replay(
            asked.group or runtime.groups[0].name,
            start=start,
            end=end,
            topics=asked.topic or (),
            external="run" if asked.external else "skip",
            beyond_inbox=asked.beyond_inbox,
        )
    finally:
        await runtime.stop()
        if runtime.sql is not None:
            await runtime.sql.sessions.kw["bind"].dispose()


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m mall {name} replay", description="Handle records of the past again."
    )
    parser.add_argument("--group", help="which of the service's groups (default: its first)")
    parser.add_argument("--topic", action="append", help="only this topic, as often as wished")
    parser.add_argument(
        "--from", dest="start", required=True, metavar="SEEK", help="start, 1042, -100, @2026-11-21T08:00Z, @-2h"
    )
    parser.add_argument("--to", dest="end", default="end", metavar="SEEK", help="end, or as above (default: end)")
    parser.add_argument("--external", action="store_true", help="call handlers too that act outside of the database")
    parser.add_argument("--beyond-inbox", action="store_true", help="also what the inbox does not remember any more")
    return parser
