"""`treaty fault`: each planted fault is there, each printed command runs as it stands, and afterwards the fault is over."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.e2e.company import Company
from tests.parts.waiting import wait_until
from treaty.config import variable_of
from treaty.local.faults.stuck_payment import SETTING, TOO_SMALL, TOPIC
from treaty_runtime.admin import Cluster

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]


class Shell:
    """A shell in the project's folder."""

    def __init__(self, company: Company, env: Mapping[str, str] = MappingProxyType({})) -> None:
        self._folder = company.layout.root
        commands = str(Path(sys.executable).parent)
        self.env = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", **env}

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and standard output of a command line, or what it complains of."""
        ended = subprocess.run(  # noqa: S602  # what is printed is for a shell
            command, shell=True, cwd=self._folder, env=self.env, capture_output=True, text=True, check=False, timeout=280
        )  # fmt: skip
        return ended.returncode, ended.stdout or ended.stderr


class Newcomer(Shell):
    """Somebody there who knows nothing but what is printed."""

    def __init__(self, company: Company, fault: str) -> None:
        super().__init__(company)
        code, said = self.run(f"treaty fault {fault} --format json")
        assert code == 0, said
        self.planted: dict[str, Any] = json.loads(said)
        self.env |= self.planted["environment"]

    def look(self) -> list[tuple[int, str]]:
        """What shows the fault."""
        return [self.run(command) for command in self.planted["look"]]

    def mend(self) -> None:
        """Runs what is printed to end it; a plan says by its exit code that there is something to do."""
        for command in self.planted["mend"]:
            code, said = self.run(command)
            assert code in ((0, 1) if " plan " in command else (0,)), f"{command}: {said}"

    def proof(self) -> list[tuple[int, str]]:
        """What shows that it is over."""
        return [self.run(command) for command in self.planted["proof"]]


def test_a_poison_message_is_a_dead_letter_that_is_edited_and_replayed(company: Company) -> None:
    newcomer = Newcomer(company, "poison-message")
    (listed, letters), (_, shown) = newcomer.look()
    assert (listed, "wellcome" in shown) == (1, True), letters
    newcomer.mend()

    def mail() -> bool:
        (code, _), (sent, _) = newcomer.proof()
        return (code, sent) == (0, 0)

    wait_until(mail, 300)


def test_a_stuck_payment_comes_through_when_what_was_refused_is_tried_again(company: Company) -> None:
    newcomer = Newcomer(company, "stuck-payment")
    (_, status), (code, outbox) = newcomer.look()
    assert json.loads(status)["status"] == "CREATED"
    assert (code, "saga.payment.start" in outbox) == (1, True), outbox
    newcomer.mend()

    def paid() -> bool:
        (code, _), (_, status) = newcomer.proof()
        return code == 0 and json.loads(status)["status"] == "SUCCEEDED"

    wait_until(paid, 300)


def made(company: Company) -> list[int]:
    """How many orders and goods there are."""
    return [len(company.rows("order", "SELECT id FROM orders")), len(company.rows("goods", "SELECT id FROM goods"))]


def test_a_limit_that_an_ended_fault_left_behind_is_told_and_put_back_by_what_is_printed(company: Company) -> None:
    addresses = {"brokers": company.layout.brokers, "registry": company.layout.registry_url}
    shell = Shell(company, {variable_of("local", name): address for name, address in addresses.items()})
    with Cluster(company.layout.brokers) as cluster:
        cluster.alter(TOPIC, {SETTING: TOO_SMALL})
        wait_until(lambda: cluster.topics()[TOPIC].config[SETTING] == TOO_SMALL)
        assert re.search("^failed +topics", shell.run("treaty doctor")[1], re.MULTILINE)
        assert TOPIC in shell.run("treaty topics plan")[1]
        before = made(company)
        code, refused = shell.run("treaty fault stuck-payment")
        assert (code, "an earlier stuck-payment was ended in the middle" in refused) == (3, True), refused
        assert made(company) == before, "who is refused leaves nothing behind"
        code, said = shell.run(refused.partition("next: ")[2].strip())
        assert code == 0, said
        wait_until(lambda: cluster.topics()[TOPIC].config[SETTING] != TOO_SMALL)


def test_a_drifted_subject_is_git_s_again_and_refuses_what_it_took(company: Company) -> None:
    newcomer = Newcomer(company, "drifted-subject")
    (code, plan), (sick, doctor) = newcomer.look()
    assert (code, sick) == (1, 1), doctor
    assert "NONE → FULL_TRANSITIVE" in plan
    assert "neither in git nor in a release" in plan
    newcomer.mend()
    assert [code for code, _ in newcomer.proof()] == [0]
    assert newcomer.run("treaty registry plan --out plan.json")[0] == 0
    assert json.loads((company.layout.root / "plan.json").read_text())["steps"] == []
