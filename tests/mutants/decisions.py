"""The runtime's decisions: what happens to a record, when it is tried again, what its headers say; no clock, no thread, no I/O."""

from __future__ import annotations

from typing import Final

from tests.mutants.area import ROOT, Area

_DISPATCH: Final = (
    "test_lanes.py",
    "test_dispatch.py",
    "test_dispatch_failures.py",
    "test_care.py",
    "test_holding.py",
    "test_rewound.py",
    "test_trial.py",
)
_HEADERS: Final = ("test_headers.py", "test_deadletter.py", "test_replay_copy.py")
_MODULES: Final = {
    "retry": ("test_retry.py", "test_dispatch_failures.py"),
    "limits": ("test_retry.py", *_DISPATCH),
    "saga": ("test_saga.py",),
    "settings": ("test_settings.py",),
    "classify": ("test_classify.py",),
    "seek": ("test_seek.py",),
    "control": ("test_control.py",),
    "wire.headers": _HEADERS,
    "wire.event_id": _HEADERS,
    "wire.deadletter": ("test_deadletter.py", "test_replay_copy.py", "test_hops.py"),
    "wire.failure": ("test_failure.py", "test_deadletter.py", "test_replay_copy.py"),
    "wire.masking": ("test_deadletter.py",),
    "wire.personal": ("test_personal.py",),
    "wire.replay_copy": ("test_replay_copy.py",),
    "consume.dispatch": _DISPATCH,
    "consume.intake": _DISPATCH,
    "consume.watermark": ("test_watermark.py", *_DISPATCH),
    "consume.lanes": _DISPATCH,
    "consume.care": ("test_care.py", "test_trial.py"),
    "consume.caring": ("test_care.py", "test_held_rows.py", "test_dispatch.py", "test_trial.py"),
    "consume.trial": ("test_trial.py", "test_care.py", "test_holding.py"),
    "consume.throttle": ("test_dispatch_failures.py",),
    "consume.outage": ("test_dispatch_failures.py", "test_holding.py", "test_care.py"),
    "consume.holding": ("test_holding.py", "test_held_rows.py", "test_dispatch.py", "test_dispatch_failures.py"),
    "consume.turns": ("test_holding.py", "test_trial.py"),
    "consume.verdicts": ("test_dispatch_failures.py", "test_holding.py"),
    "consume.overdue": ("test_overdue.py",),
    "consume.commits": ("test_commits.py",),
    "publish.record_key": ("test_record_key.py",),
    "testing.checker": ("test_checker.py",),
}

DECISIONS: Final = Area(
    name="runtime",
    package=ROOT / "platform/runtime/src/treaty_runtime",
    tests="tests/treaty_runtime",
    modules=_MODULES,
    faulted=frozenset(_MODULES),
    page=ROOT / "docs/guide/mutants-runtime.md",
    processor_seconds=15,
    drops_statements=True,
    most_explained=10,
)
