"""Fixtures for a service's own tests: `pytest_plugins = ["treaty_runtime.testing.fixtures"]` in its `conftest.py`.

Needs pytest (`treaty-runtime[testing]`). Tests that await need pytest-asyncio or anyio, as any asynchronous test does.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from treaty_runtime.testing.chaos import Chaos, ChaosUnavailable
from treaty_runtime.testing.harness import Harness


@pytest.fixture
def treaty_harness() -> type[Harness]:
    """The harness, to be made with the handlers under test: `async with treaty_harness(handlers) as harness`."""
    return Harness


@pytest.fixture
def kafka_chaos() -> Iterator[Chaos]:
    """A cluster of one mock broker that misbehaves on demand; clients connect to `kafka_chaos.bootstrap`."""
    try:
        with Chaos() as cluster:
            yield cluster
    except ChaosUnavailable as missing:
        pytest.skip(str(missing))
