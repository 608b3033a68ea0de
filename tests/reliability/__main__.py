"""Long runs of what `make chaos` does in short: ``python -m tests.reliability consumers --records 100000 --kills 100``.

Each starts its own servers, ends with its counts and with exit code 0 or 1, and with ``--write`` replaces its row in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shlex import quote
from typing import get_args

from tests.e2e.company import running_company
from tests.reliability.company import CompanyKills
from tests.reliability.consumers import ConsumerKills
from tests.reliability.crossings import Crossings
from tests.reliability.doors import Mode
from tests.reliability.memory import Memory
from tests.reliability.outages import FAULTS, Outages
from tests.reliability.outcome import Outcome
from tests.reliability.page import write
from tests.reliability.parts import broker_servers, registry_with, servers
from tests.reliability.relays import RelayKills
from tests.reliability.service import event_on
from tests.reliability.stack import Stack
from tests.reliability.stops import Stops
from tests.reliability.wear import Wear
from treaty.local.layout import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done and for how long; as text: the options that say so. A run goes by some of them."""

    records: int = 0
    kills: int = 0
    seconds: float = 0.0
    minutes: float = 0.0
    every: float = 0.0
    only: str = ""
    mode: Mode | None = None
    database: Database | None = None

    def __str__(self) -> str:
        told = {name: value for name, value in asdict(self).items() if value}
        return "".join(
            f" --{name} {quote(value) if isinstance(value, str) else f'{value:.12g}'}" for name, value in told.items()
        )


FULL = {
    "consumers": Size(records=100_000, kills=100),
    "relays": Size(records=50_000, kills=100),
    "fenced": Size(records=50_000, kills=100),
    "doors": Size(kills=200),
    "stops": Size(kills=500),
    "outages": Size(seconds=120.0),
    "brokers": Size(kills=20, seconds=10.0),
    "memory": Size(records=1_000_000),
    "company": Size(minutes=10.0, every=5.0),
    "wear": Size(minutes=60.0, every=5.0),
}
"""The full size of each run."""


def run(name: str, folder: Path, *, size: Size, seed: int) -> Outcome:
    """The named run on servers of its own."""
    if name == "brokers":
        return broker_kills(folder, size=size, seed=seed)
    if name == "company":
        with running_company(folder, database="sqlite") as company:
            return CompanyKills(company, seconds=60 * size.minutes, every=size.every, seed=seed).run()
    if name == "wear":
        with running_company(folder, database=size.database or "sqlite") as company:
            return Wear(company, seconds=60 * size.minutes, every=size.every, seed=seed).run()
    with servers(folder, durable=name == "outages") as (kafka, postgres, redis):
        stack = Stack(bootstrap=kafka.bootstrap, database=postgres.url())
        if name == "consumers":
            return asyncio.run(ConsumerKills(stack, size.records, size.kills, seed).run())
        if name == "relays":
            return asyncio.run(RelayKills(stack, size.records, size.kills, seed).run())
        if name == "fenced":
            return asyncio.run(RelayKills(stack, size.records, size.kills, seed, fence="transaction").run())
        if name == "memory":
            return asyncio.run(Memory(stack, size.records, seed).run())
        if name == "stops":
            return asyncio.run(Stops(stack, size.kills, seed).run())
        with registry_with(event_on(stack.topic), event_on(stack.second_topic)) as port:
            if name == "doors":
                url = f"http://127.0.0.1:{port}"
                crossings = Crossings(
                    stack, redis.url, url, folder / "doors", seed, kills=size.kills, only=size.only,
                    mode=size.mode or "kill",
                )  # fmt: skip
                return asyncio.run(crossings.run())
            outages = Outages(
                stack,
                (kafka,),
                postgres=postgres.port,
                redis=redis.port,
                registry=port,
                seconds=size.seconds,
                seed=seed,
                faults=tuple(fault for fault in FAULTS if size.only in fault),
                name=f"outages{f', only {size.only}' * bool(size.only)}",
            )
            return asyncio.run(outages.run())


def broker_kills(folder: Path, *, size: Size, seed: int) -> Outcome:
    """Three brokers, of which one is killed again and again; the others go on, and it comes back."""
    with broker_servers(folder) as (nodes, postgres, redis):
        bootstrap = ",".join(node.bootstrap for node in nodes)
        stack = Stack(bootstrap=bootstrap, database=postgres.url(), replication=len(nodes))
        with registry_with(event_on(stack.topic)) as port:
            kills = ("broker killed",) * size.kills
            outages = Outages(
                stack, nodes, postgres=postgres.port, redis=redis.port, registry=port, seconds=size.seconds, seed=seed,
                faults=kills, name="one of three brokers killed",
            )  # fmt: skip
            return asyncio.run(outages.run())


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """The folder, new; or one that is gone afterwards."""
    if folder is not None:
        folder.mkdir()
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="treaty-reliability-") as temporary:
        yield Path(temporary)


def main() -> int:
    """Read what is wanted, run it, say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("run", choices=FULL)
    parser.add_argument("--records", type=int, default=0, help="events; 0: the run's full size")
    parser.add_argument("--kills", type=int, default=0, help="kills, or orderly ends; 0: the run's full size")
    parser.add_argument("--seconds", type=float, default=0, help="how long each outage lasts; 0: the run's full length")
    parser.add_argument("--minutes", type=float, default=0, help="how long the company works; 0: the run's full length")
    parser.add_argument(
        "--every",
        type=float,
        default=0,
        help="seconds between kills of the company's services, or between looks at them",
    )
    parser.add_argument(
        "--only", default="", help="strike only points, or let only those things happen, that have this in their names"
    )
    parser.add_argument("--mode", choices=get_args(Mode), help="what happens at a point of doors: killed, or stopped")
    parser.add_argument(
        "--database", choices=("sqlite", "postgres"), help="what the worn company's services keep their tables in"
    )
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time, printed")
    parser.add_argument("--keep", type=Path, help="leave data and logs in this folder, which must not exist yet")
    parser.add_argument("--write", action="store_true", help="replace the run's row in docs/reliability.md")
    told = parser.parse_args()
    seed = told.seed or secrets.randbelow(1 << 32)
    print(f"seed {seed}", flush=True)
    size = replace(FULL[told.run], **{name: value for name in asdict(Size()) if (value := getattr(told, name))})
    with kept(told.keep) as folder:
        outcome = run(told.run, folder, size=size, seed=seed)
    print(outcome)
    if told.write:
        write(outcome, command=f"python -m tests.reliability {told.run}{size}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
