"""Every wrong design is found by the tests that it names, and by their own assertions."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.mutants.designs.catalogue import NAMES, mutant
from tests.mutants.designs.killing import KILLED, NONE, ROOT, UNHURT, Phase, killed, unhurt
from tests.mutants.designs.mutant import Swap
from tests.mutants.designs.planting import BY_ITSELF, told
from tests.parts.waiting import eventually, wait_until

SET_UP, CALL = Phase("a", "setup", "passed", ""), Phase("a", "call", "failed", BY_ITSELF)


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.timeout(1_800)
def test_each_wrong_design_fails_its_tests_which_pass_without_it(postgres_server: str, redis_server: str) -> None:
    servers = {"TREATY_TEST_POSTGRES": postgres_server, "TREATY_TEST_REDIS": redis_server}
    command = [sys.executable, "-m", "tests.mutants.designs.killing"]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | servers, stdout=subprocess.PIPE, text=True, check=False)
    wanted = [f"{NONE}: {UNHURT}", *(f"{name}: {KILLED}" for name in NAMES)]
    assert ended.stdout.splitlines() == wanted, ended.stdout
    assert ended.returncode == 0


@pytest.mark.parametrize(
    ("phases", "code", "verdict"),
    [
        ([SET_UP, CALL], 1, KILLED),
        ([SET_UP, Phase("a", "call", "passed", "")], 0, "pytest ended with 0"),
        ([], 4, "pytest ended with 4"),
        ([Phase("b", "call", "failed", BY_ITSELF)], 1, "a did not run"),
        ([SET_UP, Phase("a", "call", "passed", ""), Phase("b", "call", "failed", BY_ITSELF)], 1, "a passed"),
        ([SET_UP, Phase("a", "call", "failed", "ImportError")], 1, "a failed by ImportError"),
        ([SET_UP, Phase("a", "call", "failed", "NotSoYet")], 1, "a failed by NotSoYet"),
        ([Phase("a", "setup", "failed", "OperationalError")], 1, "a did not run"),
        ([SET_UP, CALL, Phase("a", "teardown", "failed", "OSError")], 1, "the teardown of a failed by OSError"),
    ],
)
def test_only_a_test_that_fails_by_its_own_assertion_kills(phases: list[Phase], code: int, verdict: str) -> None:
    assert killed(["a"], phases, code) == verdict


def test_a_test_that_is_skipped_or_fails_without_a_wrong_design_shows_nothing() -> None:
    passed = Phase("a", "call", "passed", "")
    assert unhurt(["a"], [SET_UP, passed], 0) == UNHURT
    assert unhurt(["a"], [Phase("a", "setup", "skipped", "Skipped")], 0).startswith("a does not pass")
    assert unhurt(["a"], [SET_UP, CALL], 1).startswith("a does not pass")
    assert unhurt(["a"], [passed], 1) == "pytest ended with 1"


def test_a_missed_exception_counts_as_an_assertion_and_a_time_out_does_not() -> None:
    fail = pytest.fail.Exception
    assert told(AssertionError("x")) == BY_ITSELF
    assert told(fail("DID NOT RAISE <class 'ValueError'>")) == BY_ITSELF
    assert told(fail("Timeout (>300.0s) from pytest-timeout.")) == "Failed"
    assert told(ExceptionGroup("x", [AssertionError("y"), ExceptionGroup("z", [KeyError("k")])])) == (
        "AssertionError, KeyError"
    )


async def test_who_waited_in_vain_failed_by_no_assertion_of_its_own() -> None:
    with pytest.raises(AssertionError) as by_call:
        wait_until(lambda: False, deadline=0)
    with pytest.raises(AssertionError) as by_loop:
        await eventually(lambda: False, deadline=0)
    assert told(by_call.value) == told(by_loop.value) == "NotSoYet"


def test_an_object_that_the_product_no_longer_has_cannot_be_swapped() -> None:
    class Product:
        table: dict[str, int] = {}  # noqa: RUF012  # nobody changes it

    for owner in (Product, Product.table):
        with pytest.raises(LookupError, match="mend the mutant"):
            Swap(owner, "gone", None).make()
    with pytest.raises(ValueError, match="no-such is none of mark-before-ack, "):
        mutant("no-such")
