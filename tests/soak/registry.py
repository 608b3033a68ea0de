"""Twenty-four hours of a registry in miniature: ``python -m tests.soak.registry --requests 500000`` (``make soak``).

Mixed requests against four processes on Postgres, while processes are killed at random and the database is restarted once;
``--minutes`` ends it earlier on a machine that has more to do.
It ends with counts and exit code 0, or with what was wrong and 1: an id given twice, an acknowledged write that is lost, a
5xx that is no 503 with Retry-After.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from math import inf
from pathlib import Path

import psycopg

from tests.parts.waiting import wait_until
from tests.soak.havoc import make_havoc
from tests.soak.ledger import Ledger
from tests.soak.traffic import Client, Line
from tests.soak.verdict import look_into_tables, read_back
from tests.treaty.registry.people import bearer
from tests.treaty.registry.running import running
from treaty.local.machine import Machine
from treaty.local.ports import free_port
from treaty.local.postgres import Postgres
from treaty.registry.names import TOP
from treaty.registry.stores.sql.store import open_store

CLIENTS = 12
WORKERS = 4
REQUESTS_A_KILL = 2_500
SHOWN = 20
EXPECTED = re.compile(r"^worker \d+ ended with (-9|3),|^The database .* does not answer|^\{.*\}$|^$")
"""What a server says of processes that are killed, and of ones that start while the database is away."""


def soak(folder: Path, *, requests: int, seed: int, minutes: float = inf) -> Ledger:
    """Run the traffic, until so many requests are answered or so much time is over, and answer what came of it."""
    machine, port = Machine(env=dict(os.environ)), free_port()

    def server() -> Postgres:
        return Postgres(folder / "postgres", machine=machine, port=port)

    database = [server().start()]
    url = database[0].url(driver="postgresql")
    try:
        headers, chance = prepared(url), random.Random(seed)  # which way the dice fall, not a secret

        def restart() -> None:
            database[0].stop()
            database[0] = server().start()

        ledger, said = Ledger(), list[str]()
        with running(said=said, database=url, workers=WORKERS) as (process, registry_port):
            line = Line(registry_port, headers)
            wait_until(lambda: is_ready(line), deadline=120)
            traffic = [
                Client(number, Line(registry_port, headers), ledger, random.Random(chance.random()))  # as above
                for number in range(CLIENTS)
            ]
            began = time.monotonic()

            def progress() -> float:
                return max(ledger.counts["requests"] / requests, (time.monotonic() - began) / (60 * minutes))

            threads = [threading.Thread(target=drive, args=(client, progress), daemon=True) for client in traffic]
            for thread in threads:
                thread.start()
            make_havoc(
                process.pid,
                ledger,
                requests_a_kill=min(requests, REQUESTS_A_KILL),
                restart=restart,
                chance=chance,
                progress=progress,
                is_over=lambda: not any(thread.is_alive() for thread in threads),
            )
            for thread in threads:
                thread.join()
            wait_until(lambda: is_ready(line), deadline=120)
            read_back(line, ledger)
        for words in said:
            if not EXPECTED.search(words):
                ledger.blame(f"the server said: {words.strip()}")
        ledger.counts.update(look_into_tables(url, ledger))
        ledger.counts["sealed entries of the audit"] = verified(url, ledger)
    finally:
        database[0].stop()
    return ledger


def prepared(url: str) -> Mapping[str, str]:
    """Tables, an administrator's token, and a registry that takes every schema."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
    store = open_store(url, migrate=True)
    headers = bearer(store, "soak", ("admin", "*"))
    with store.write(TOP) as writer:
        writer.set_config(TOP, {"compatibility": "NONE"})
    store.close()
    return headers


def verified(url: str, ledger: Ledger) -> int:
    """Walk along the audit's chain, which four processes have made while they were killed; how many entries it has."""
    with closing(open_store(url, migrate=False)) as store:
        store.seal()
        verdict = store.walk_audit()
    if verdict.broken:
        ledger.blame(f"the audit's chain: {verdict.broken}")
    return verdict.entries


def is_ready(line: Line) -> bool:
    """True if a process answers that it can serve."""
    answer = line.ask("GET", "/readyz")
    return answer is not None and answer[0] == 200


def drive(client: Client, progress: Callable[[], float]) -> None:
    """One client's thread: until all clients together have come to the end of the way."""
    while progress() < 1 and len(client.ledger.wrong) < SHOWN:
        client.step()


def main() -> int:
    """Read the size, run, say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500_000)
    parser.add_argument("--minutes", type=float, default=inf, help="end earlier if so much time is over")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time, printed")
    told = parser.parse_args()
    seed = told.seed or int.from_bytes(os.urandom(4), "big")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="treaty-soak-") as folder:
        Path(folder).chmod(0o755)  # the database's own user has to reach its folder in it
        ledger = soak(Path(folder), requests=told.requests, seed=seed, minutes=told.minutes)
    print(f"seed {seed}, {time.monotonic() - began:.0f} s")
    for what, count in sorted(ledger.counts.items()):
        print(f"{count:9} {what}")
    print(f"{len(ledger.texts):9} ids acknowledged, {len(ledger.wrong)} things wrong")
    for sentence in ledger.wrong[:SHOWN]:
        print(f"  {sentence}")
    return 1 if ledger.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
