"""Long runs of what `make chaos` does in short: ``python -m tests.reliability consumers --records 100000 --kills 100``.

Each starts its own servers, ends with its counts and with exit code 0 or 1, and with ``--write`` replaces its row in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.consumers import ConsumerKills
from tests.reliability.memory import Memory
from tests.reliability.outages import Outages
from tests.reliability.outcome import Outcome
from tests.reliability.page import write
from tests.reliability.parts import broker_servers, registry_with, servers
from tests.reliability.relays import RelayKills
from tests.reliability.service import event_on
from tests.reliability.stack import Stack
from tests.reliability.stops import Stops

RECORDS = {"consumers": 100_000, "relays": 50_000, "stops": 0, "outages": 0, "brokers": 0, "memory": 1_000_000}
KILLS = {"consumers": 100, "relays": 100, "stops": 500, "outages": 0, "brokers": 20, "memory": 0}

SECONDS = {"consumers": 0.0, "relays": 0.0, "stops": 0.0, "outages": 120.0, "brokers": 10.0, "memory": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done, and how long outages last; as text: the options that say so."""

    records: int
    kills: int
    seconds: float

    def __str__(self) -> str:
        parts = (("records", self.records), ("kills", self.kills), ("seconds", self.seconds))
        return "".join(
            f" --{name} {value:g}" if name == "seconds" else f" --{name} {value}" for name, value in parts if value
        )


def run(name: str, folder: Path, *, size: Size, seed: int) -> Outcome:
    """The named run on servers of its own."""
    if name == "brokers":
        return broker_kills(folder, size=size, seed=seed)
    with servers(folder, durable=name == "outages") as (kafka, postgres, redis):
        stack = Stack(bootstrap=kafka.bootstrap, database=postgres.url())
        if name == "consumers":
            return asyncio.run(ConsumerKills(stack, size.records, size.kills, seed).run())
        if name == "relays":
            return asyncio.run(RelayKills(stack, size.records, size.kills, seed).run())
        if name == "memory":
            return asyncio.run(Memory(stack, size.records, seed).run())
        if name == "stops":
            return asyncio.run(Stops(stack, size.kills, seed).run())
        with registry_with(event_on(stack.topic)) as port:
            outages = Outages(
                stack,
                (kafka,),
                postgres=postgres.port,
                redis=redis.port,
                registry=port,
                seconds=size.seconds,
                seed=seed,
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


def main() -> int:
    """Read what is wanted, run it, say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("run", choices=RECORDS)
    parser.add_argument("--records", type=int, default=0, help="events; 0: the run's full size")
    parser.add_argument("--kills", type=int, default=0, help="kills, or orderly ends; 0: the run's full size")
    parser.add_argument("--seconds", type=float, default=0, help="how long each outage lasts; 0: the run's full length")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time, printed")
    parser.add_argument("--write", action="store_true", help="replace the run's row in docs/reliability.md")
    told = parser.parse_args()
    seed = told.seed or secrets.randbelow(1 << 32)
    print(f"seed {seed}", flush=True)
    size = Size(
        records=told.records or RECORDS[told.run],
        kills=told.kills or KILLS[told.run],
        seconds=told.seconds or SECONDS[told.run],
    )
    with tempfile.TemporaryDirectory(prefix="treaty-reliability-") as folder:
        outcome = run(told.run, Path(folder), size=size, seed=seed)
    print(outcome)
    if told.write:
        write(outcome, command=f"python -m tests.reliability {told.run}{size}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
