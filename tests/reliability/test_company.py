"""The whole company with one service after the other killed, at a size for every day; and that its witness finds what is wrong."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.e2e.company import running_company
from tests.parts.backend import missing
from tests.reliability import witness
from tests.reliability.company import CompanyKills
from tests.reliability.spoiling import ASKED_BY_NOBODY, FOUND, spoil
from tests.reliability.told import Telling
from treaty.local.errors import NoJars, NoJava, NoServer
from treaty.local.machine import Machine

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(3000),
    pytest.mark.xdist_group("reliability"),
]
SECONDS, EVERY = 40.0, 4.0


def test_a_company_whose_services_die_one_after_the_other_loses_and_doubles_nothing(
    tmp_path_factory: pytest.TempPathFactory, machine: Machine
) -> None:
    seed = int(os.environ.get("TREATY_RELIABILITY_SEED") or secrets.randbelow(1 << 32))
    print(f"TREATY_RELIABILITY_SEED={seed}")
    folder: Path = tmp_path_factory.mktemp("company")
    try:
        with running_company(folder, database="sqlite") as company:
            outcome = CompanyKills(company, seconds=SECONDS, every=EVERY, seed=seed).run()
            print(outcome)
            assert not outcome.wrong
            telling = Telling(company)
            spoil(telling)
            found = {
                sentence.partition(":")[0] for sentence in witness.faults(company, telling, mailed=(ASKED_BY_NOBODY,))
            }
    except (NoJava, NoJars, NoServer) as fault:
        missing(fault, machine.env)
    assert found == FOUND
