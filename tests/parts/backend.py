"""Where tests get their servers from: an address given by hand, or the programs of the local stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from treaty.errors import TreatyError
from treaty.local.errors import LocalFault
from treaty.local.jars import locked_jars
from treaty.local.java import find_java
from treaty.local.machine import Machine
from treaty.local.postgres import find_postgres
from treaty.local.redis import find_redis


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """How one server is had: ``address`` given by hand, else a local program, described by ``why``."""

    name: str
    why: str
    address: str | None = None


def choose(name: str, machine: Machine) -> Backend:
    """The backend of ``kafka``, ``postgres`` or ``redis``; ``TREATY_TEST_<NAME>`` names a server by hand."""
    variable = f"TREATY_TEST_{name.upper()}"
    if address := machine.env.get(variable):
        return Backend(name=name, why=f"{address} ({variable})", address=address)
    try:
        return Backend(name=name, why=f"local {LOOKS[name](machine)}")
    except TreatyError as error:
        return Backend(name=name, why=f"missing: {error}")


def look_kafka(machine: Machine) -> str:
    java = find_java(machine)
    return f"Kafka {locked_jars().kafka} on Java {java.version} ({java.program})"


LOOKS: Mapping[str, Callable[[Machine], Path | str]] = {
    "kafka": look_kafka,
    "postgres": find_postgres,
    "redis": find_redis,
}


def missing(fault: LocalFault, env: Mapping[str, str]) -> None:
    """A real part is not to be had: skip at home, fail where ``CI`` is true."""
    sentence = f"{fault} Next: {fault.next_step}"
    if env.get("CI", "").lower() in ("1", "true"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
