"""The hour of the whole company at a size for every day: nothing is wrong but what was planted, a service that leaks."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.e2e.company import running_company
from tests.parts.backend import missing
from tests.reliability.wear import Wear
from treaty.local.errors import NoJars, NoJava, NoServer
from treaty.local.machine import Machine

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(3000),
    pytest.mark.xdist_group("reliability"),
]
SECONDS, EVERY = 30.0, 1.5
LEAKY = "search"
LEAK = """
import os, threading, time

def leak(kept=[]):
    while True:
        kept.append((open(os.devnull), os.urandom(1 << 18)))
        time.sleep(0.1)

threading.Thread(target=leak, daemon=True).start()
"""
"""What Python runs at the start of a process that finds it."""


def test_a_service_that_leaks_is_found_in_a_company_at_steady_work(
    tmp_path_factory: pytest.TempPathFactory, machine: Machine
) -> None:
    seed = int(os.environ.get("TREATY_RELIABILITY_SEED") or secrets.randbelow(1 << 32))
    print(f"TREATY_RELIABILITY_SEED={seed}")
    folder: Path = tmp_path_factory.mktemp("company")
    start, mall = folder / "start", folder / "mall"
    start.mkdir()
    mall.mkdir()
    (start / "sitecustomize.py").write_text(LEAK)
    try:
        with running_company(mall, database="sqlite") as company:
            company.stop(LEAKY)
            company.told(LEAKY, PYTHONPATH=str(start))
            company.restart(LEAKY)
            company.settle()
            outcome = Wear(company, seconds=SECONDS, every=EVERY, seed=seed).run()
    except (NoJava, NoJars, NoServer) as fault:
        missing(fault, machine.env)
    print(outcome)
    for what in ("memory", "descriptors"):
        assert any(sentence.startswith(f"{what}: {LEAKY} ") for sentence in outcome.wrong), outcome
    # A first minute is no trend: whatever grows or waits in it may be the beginning.
    grown = ("memory: ", "descriptors: ", "answers: ", "outbox: ")
    assert not [sentence for sentence in outcome.wrong if not sentence.startswith(grown)], outcome
