"""A plugin of pytest that plants a wrong design before anything is collected.

``TREATY_TEST_DESIGN=no-inbox pytest -p tests.mutants.designs.planting TEST…``; ``TREATY_TEST_DESIGN_REPORT`` names a file that gets a
line of JSON for each phase of each test: what `killing` judges by.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.mutants.designs.catalogue import mutant
from tests.parts.waiting import NotSoYet

DESIGN, REPORT = "TREATY_TEST_DESIGN", "TREATY_TEST_DESIGN_REPORT"
BY_ITSELF = "by itself"
"""How a test fails that was not broken by something else."""


def pytest_configure() -> None:
    """Plants the design that the environment names; none without a name."""
    if name := os.environ.get(DESIGN):
        mutant(name).plant()


def pytest_report_header() -> list[str]:
    """What is wrong in this run."""
    name = os.environ.get(DESIGN)
    return [f"wrong design: {name}: {mutant(name).wrong}"] if name else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Writes down how each phase ended, and by what."""
    report = yield
    if path := os.environ.get(REPORT):
        error = "" if call.excinfo is None else told(call.excinfo.value)
        line = {"test": item.nodeid, "phase": report.when, "outcome": report.outcome, "error": error}
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    return report


def told(error: BaseException) -> str:
    """`BY_ITSELF` for a failed assertion or an exception that was expected and did not come; else the exception's name."""
    errors = list(leaves(error))
    return BY_ITSELF if all(map(is_by_itself, errors)) else ", ".join(type(each).__name__ for each in errors)


def is_by_itself(error: BaseException) -> bool:
    """A test that was stopped after its time fails by pytest's word too, and one that waited in vain by an assertion's."""
    if isinstance(error, pytest.fail.Exception):
        return str(error).startswith("DID NOT RAISE")
    return isinstance(error, AssertionError) and not isinstance(error, NotSoYet)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """What a group of exceptions consists of."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error
