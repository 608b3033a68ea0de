"""Where tests get their servers from: an address given by hand, the programs of the local stack, or containers.

``TREATY_TEST_STACK=auto|local|containers``; ``TREATY_TEST_KAFKA``, ``…_POSTGRES``, ``…_REDIS`` name a server by hand.
``auto`` takes the local programs, and asks for a container engine only where one is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

import pytest

from tests.parts import containers
from treaty.local.errors import LocalFault
from treaty.local.jars import locked_jars
from treaty.local.java import find_java
from treaty.local.machine import Machine
from treaty.local.postgres import find_postgres
from treaty.local.redis import find_redis

NAMES = ("kafka", "postgres", "redis")
STACKS = ("auto", "local", "containers")
Engine = Callable[[], tuple[bool, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """How one server is had, and why so. ``fault``: what is missing, when it is not to be had at all."""

    kind: Literal["address", "local", "container", "missing"]
    why: str
    address: str = ""
    fault: LocalFault | None = None


def choose(name: str, machine: Machine, *, engine: Engine = containers.engine) -> Backend:
    """The backend of ``kafka``, ``postgres`` or ``redis``."""
    variable = f"TREATY_TEST_{name.upper()}"
    if address := machine.env.get(variable):
        return Backend(kind="address", why=f"{address} ({variable})", address=address)
    stack = machine.env.get("TREATY_TEST_STACK", "auto")
    if stack == "containers":
        return Backend(kind="container", why=f"{engine()[1]} (TREATY_TEST_STACK)")
    try:
        return Backend(kind="local", why=f"local {LOOKS[name](machine)}")
    except LocalFault as fault:
        if stack == "auto" and engine()[0]:
            return Backend(kind="container", why=f"{engine()[1]}, since: {fault}")
        return Backend(kind="missing", why=f"missing: {fault}", fault=fault)


def refusal(machine: Machine, *, engine: Engine = containers.engine) -> str | None:
    """Why the wish of TREATY_TEST_STACK cannot be fulfilled: a wish is never skipped in silence."""
    stack = machine.env.get("TREATY_TEST_STACK", "auto")
    if stack not in STACKS:
        return f"TREATY_TEST_STACK={stack} is none of {', '.join(STACKS)}"
    if stack == "containers" and not engine()[0]:
        return f"TREATY_TEST_STACK=containers, but {engine()[1]}"
    return None


def look_kafka(machine: Machine) -> str:
    java = find_java(machine)
    return f"Kafka {locked_jars().kafka} on Java {java.version} ({java.program})"


LOOKS: Mapping[str, Callable[[Machine], Path | str]] = {
    "kafka": look_kafka,
    "postgres": find_postgres,
    "redis": find_redis,
}


def missing(fault: LocalFault, env: Mapping[str, str]) -> NoReturn:
    """A real part is not to be had: skip at home, fail where ``CI`` is true."""
    sentence = f"{fault} Next: {fault.next_step}"
    if env.get("CI", "").lower() in ("1", "true"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
