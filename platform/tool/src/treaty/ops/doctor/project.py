"""The project itself: versions, settings, git, schemas, generated classes."""

from __future__ import annotations

import platform
from importlib.metadata import version

from treaty.ops import generate, git
from treaty.ops.check import run_lint
from treaty.ops.doctor.check import Said, Wrong
from treaty.ops.doctor.patient import Patient
from treaty_codegen.finding import Severity, Text


def versions(_patient: Patient) -> Said:
    python = platform.python_version()
    return f"treaty {version('treaty')}, Python {python}, confluent-kafka {version('confluent-kafka')}"


def project(patient: Patient) -> Said:
    patient.settings.of_environment(patient.environment)
    return Text("{folder}, environment {name}", {"folder": str(patient.settings.root), "name": patient.environment})


def repository(patient: Patient) -> Said:
    commit = git.head(patient.settings.root)
    if not commit:
        raise Wrong(Text("no git repository, or no commit yet"), next_step="git init && git commit")
    return commit[:12] + ("+dirty" if commit.endswith("+dirty") else "")


def schemas(patient: Patient) -> Said:
    outcome = run_lint(patient.settings)
    errors = [finding for finding in outcome.findings if finding.severity is Severity.ERROR]
    if errors:
        first = str(errors[0].at)
        raise Wrong(
            Text("{count} errors, first at {place}", {"count": str(len(errors)), "place": first}),
            next_step="treaty lint",
        )
    return outcome.looked_at


def sdk(patient: Patient) -> Said:
    folders = list(generate.generated(patient.settings))
    changes, files = sum(len(each.changes()) for each in folders), sum(len(each.wanted) for each in folders)
    if changes:
        raise Wrong(
            Text(
                "{stale} of {files} files are not what the schemas give", {"stale": str(changes), "files": str(files)}
            ),
            next_step="treaty generate",
        )
    return Text("{files} files, fresh", {"files": str(files)})
