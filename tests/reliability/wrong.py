"""Wrong designs, each with one object swapped: a run that plants one must be told by the checker, or the checker is blind."""

from __future__ import annotations

from treaty_runtime.consume.watermark import Watermark

FAULTS = {
    "": "nothing",
    "no-inbox": "handlers run without their inbox row",
    "ack-before-effect": "offsets are committed when records arrive",
    "skip-locked": "two relays share rows by SKIP LOCKED",
}


def plant(fault: str) -> None:
    """Makes this process wrong, for good."""
    if fault not in FAULTS:
        raise ValueError(f"{fault} is none of {', '.join(FAULTS)}.")
    if fault == "ack-before-effect":
        Watermark.position = property(_arrived)  # type: ignore[method-assign, assignment]  # the fault itself


def _arrived(watermark: Watermark) -> int | None:
    """The offset after the last arrival, whatever became of it."""
    return watermark._next
