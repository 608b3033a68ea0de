"""The registry: does it answer, is it as git says, and has it our time?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from treaty.ops.doctor.check import Said, Wrong, as_git_says
from treaty.ops.doctor.patient import Patient
from treaty.ops.registry import plan_registry
from treaty_codegen.finding import Text

SKEW_SECONDS: Final = 5.0
"""Times in events and time-outs are compared between machines; what an hour's answer may be late is far less."""


def registry(patient: Patient) -> Said:
    with patient.registry() as http:
        told = {"host": http.host, "mode": http.mode()}
        if told["mode"] != "READWRITE":
            raise Wrong(Text("{host} is in mode {mode}", told), next_step=Text("an administrator sets the mode back"))
        return Text("{host} answers, mode {mode}", told)


def subjects(patient: Patient) -> Said:
    with patient.registry() as http:
        plan, blocked = plan_registry(patient.settings, http, environment=patient.environment)
    return as_git_says(plan, is_blocked=bool(blocked), next_step=f"treaty registry plan{patient.option}")


def clock(patient: Patient) -> Said:
    with patient.registry() as http:
        before, theirs, after = datetime.now(UTC), http.clock(), datetime.now(UTC)
    # An answer that took long was given at some moment between: only what lies outside is a difference of clocks.
    skew = max(before - theirs, theirs - after).total_seconds()
    if skew > SKEW_SECONDS:
        raise Wrong(
            Text("this clock and that of {host} are {seconds} s apart", {"host": http.host, "seconds": f"{skew:.0f}"}),
            next_step=Text("let both follow NTP (timedatectl)"),
        )
    return Text("as that of {host}", {"host": http.host})
