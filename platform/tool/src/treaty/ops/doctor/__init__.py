"""What is wrong here? One row per check, from the project outwards; each failed one names the next command.

A check looks and never mends. A fault in one does not keep the others from being made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from treaty.ops.doctor import addresses, cluster, contents, machine, project
from treaty.ops.doctor.check import Check, Said, Wrong, made, not_made
from treaty.ops.doctor.patient import Patient

__all__ = ["CHECKS", "Check", "Patient", "Wrong", "examine", "made"]

CHECKS: Final[Mapping[str, Callable[[Patient], Said]]] = {
    "versions": project.versions,
    "project": project.project,
    "git": project.repository,
    "schemas": project.schemas,
    "SDK": project.sdk,
    "DNS": addresses.names,
    "TCP": addresses.ports,
    "broker": cluster.broker,
    "advertised": addresses.advertised,
    "topics": cluster.topics,
    "groups": cluster.groups,
    "registry": contents.registry,
    "subjects": contents.subjects,
    "clock": contents.clock,
    "ports": machine.ports,
}
"""Name to check, in the order in which a fault explains the next ones."""


NEEDS: Final[Mapping[str, str]] = {
    "advertised": "broker",
    "topics": "broker",
    "groups": "broker",
    "subjects": "registry",
    "clock": "registry",
}
"""Check to the one whose silence says all there is to say of it."""


def examine(patient: Patient) -> Iterator[Check]:
    """Every check in turn, so that a terminal can show each as it is made."""
    away: dict[str, Check] = {}
    for name, look in CHECKS.items():
        if NEEDS.get(name) in away:
            yield not_made(name, needs=away[NEEDS[name]])
            continue
        row = made(name, partial(look, patient), environment=patient.environment)
        if row.is_away:
            away[name] = row
        yield row
    for service, port in patient.services.items():
        yield made(f"service {service}", partial(machine.service_ready, port))
