"""The table of docs/reliability.md: a row for each kind of run, replaced by the last one."""

from __future__ import annotations

from pathlib import Path

from tests.reliability.outcome import Outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- runs -->", "<!-- /runs -->"
HEAD = "| run | what was done | records | anomalies | also counted | seed | minutes | command |\n|---|---|---|---|---|---|---|---|\n"


def row(outcome: Outcome, *, command: str) -> str:
    """One line of the table."""
    beside = ", ".join(f"{count:,} {what}" for what, count in outcome.seen.items())
    wrong = "0" if not outcome.wrong else f"**{len(outcome.wrong)}**: {'; '.join(outcome.wrong[:3])}"
    cells = (
        outcome.run,
        outcome.faults,
        f"{outcome.records:,}",
        wrong,
        beside,
        str(outcome.seed),
        f"{outcome.seconds / 60:.0f}",
        f"`{command}`",
    )
    return f"| {' | '.join(cells)} |"


def written(text: str, outcome: Outcome, *, command: str) -> str:
    """The page with the outcome's row in the place of the one before."""
    head, _, rest = text.partition(f"{BEGIN}\n")
    table, _, tail = rest.partition(END)
    rows = [line for line in table.splitlines()[2:] if line and not line.startswith(f"| {outcome.run} |")]
    rows.append(row(outcome, command=command))
    return f"{head}{BEGIN}\n{HEAD}" + "\n".join(sorted(rows)) + f"\n{END}{tail}"


def write(outcome: Outcome, *, command: str) -> None:
    """Puts the row into the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), outcome, command=command), encoding="utf-8")
