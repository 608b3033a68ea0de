"""One company for all end-to-end tests of a worker; it takes half a minute to start, so it is shared.

A worker runs them in one go (`xdist_group`), and ends the company after the last of them: ten idle services would take a fifth of a
core from all other tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.company import Company, running_company
from tests.parts.backend import missing
from treaty.local.errors import NoJars, NoJava, NoServer
from treaty.local.machine import Machine

HERE = Path(__file__).parent
_open: list[ExitStack] = []


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    is_worker = hasattr(item.config, "workerinput")  # else other modules may stand between
    if is_worker and nextitem is not None and HERE not in nextitem.path.parents:
        while _open:
            _open.pop().close()


@pytest.fixture(scope="session", params=["sqlite"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, machine: Machine
) -> Iterator[Company]:
    """A company on SQLite files; a test that wants another database parametrizes this fixture indirectly."""
    folder = tmp_path_factory.mktemp(f"company-{request.param}")
    try:
        with ExitStack() as ends:
            company = ends.enter_context(running_company(folder, database=request.param))
            _open.append(ends)
            yield company
    except (NoJava, NoJars, NoServer) as fault:  # whatever else keeps it from starting is a failure
        missing(fault, machine.env)


def no_longer_wanted(company: Company) -> int:
    """Gives back what earlier tests ordered and left unpaid: it would time out in the middle of another; answers how many."""
    left = company.rows("order", "SELECT id, buyer_id FROM orders WHERE status = 0")
    for row in left:
        company.call(
            "order", "POST", f"/api/v1/orders/{row.id}/cancel", user=row.buyer_id
        )  # not while a payment holds it
    return len(left)


@pytest.fixture
def company(running: Company) -> Iterator[Company]:
    """The company with nothing left to do; afterwards all its processes must still be there."""
    running.settle()
    if no_longer_wanted(running):
        running.settle()
    yield running
    gone = [part.name for part in running.stack.parts if not part.process.is_alive]
    for name in gone:
        running.restart(name)  # for the tests to come
    assert not gone, f"ended: {gone}; logs: {running.layout.folder / 'logs'}"
