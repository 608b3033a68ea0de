"""The brokers: do they answer, and are topics and groups as git says?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from treaty.ops.doctor.check import Said, as_git_says
from treaty.ops.doctor.patient import Patient
from treaty.ops.plan.environment import within
from treaty.ops.schemas import load_project
from treaty.ops.services import groups_of
from treaty.ops.topics import plan_topics
from treaty_codegen.finding import Text

WORDS: Final = {
    (False, False): Text("{count} groups, none behind"),
    (False, True): Text("{count} groups, none behind; not started here: {absent}"),
    (True, False): Text("{count} groups; behind: {behind}"),
    (True, True): Text("{count} groups; behind: {behind}; not started here: {absent}"),
}
"""By whether a group is behind, and whether somebody does not run here."""


def broker(patient: Patient) -> Said:
    with patient.cluster() as cluster:
        count = len(cluster.brokers())
        return Text("{bootstrap} answers; brokers: {count}", {"bootstrap": cluster.bootstrap, "count": str(count)})


def topics(patient: Patient) -> Said:
    with patient.cluster() as cluster:
        plan = plan_topics(patient.settings, cluster, environment=patient.environment)
    return as_git_says(plan, next_step=f"treaty topics plan{patient.option}")


def groups(patient: Patient) -> Said:
    catalog, absent = within(load_project(patient.settings), patient.environment), patient.not_run
    lags: dict[str, int] = {}
    with patient.cluster() as cluster:
        for group, read in groups_of(catalog, without=absent).items():
            lags[group] = sum(cluster.lags(group, read).values())
    behind = ", ".join(f"{group} {lag}" for group, lag in lags.items() if lag)
    told = {"count": str(len(lags)), "behind": behind, "absent": ", ".join(absent)}
    return replace(WORDS[bool(behind), bool(absent)], arguments=told)
