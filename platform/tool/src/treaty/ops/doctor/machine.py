"""This machine: ports of services, and whether each is ready."""

from __future__ import annotations

from collections import Counter

from treaty.errors import TreatyError
from treaty.ops.doctor.addresses import refused
from treaty.ops.doctor.check import Said, Wrong
from treaty.ops.doctor.patient import Patient
from treaty.ops.http import readiness
from treaty_codegen.finding import Text


def ports(patient: Patient) -> Said:
    shared = [port for port, number in Counter(patient.services.values()).items() if number > 1]
    if shared:
        of = ", ".join(name for name, port in patient.services.items() if port == shared[0])
        raise Wrong(
            Text("port {port} is given to {services}", {"port": str(shared[0]), "services": of}),
            next_step=Text("give each a port of its own in [local] ports"),
        )
    strangers = ", ".join(f"{name} {port}" for name, port in patient.services.items() if is_foreign(port))
    if strangers:
        raise Wrong(
            Text("somebody else listens where a service belongs: {services}", {"services": strangers}),
            next_step=Text("end it, or move ours: treaty up --port NAME=PORT"),
        )
    if not patient.services:
        return Text("none on this machine")
    return Text("{count} services, each has its own", {"count": str(len(patient.services))})


def is_foreign(port: int) -> bool:
    """Whether something listens that is none of our services: it has no `/readyz`."""
    if refused("127.0.0.1", port) is not None:
        return False
    try:
        return not readiness(f"http://127.0.0.1:{port}/readyz")
    except TreatyError:
        return True


def service_ready(port: int) -> Said:
    states = readiness(f"http://127.0.0.1:{port}/readyz")
    bad = {name: state for name, state in states.items() if isinstance(state, str) and state != "ok"}
    if bad:
        raise Wrong(
            Text("not ready: {states}", {"states": ", ".join(f"{name}: {state}" for name, state in bad.items())}),
            next_step=Text("read .treaty/logs"),
        )
    return Text("port {port}, ready", {"port": str(port)})
