"""A review as the comment of a pull request: a row for each event that changed, each error with its proof, the rest folded.

Texts of schemas, branches and services appear as texts: no markup, no mention and no command of theirs comes into force.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from treaty_codegen.render.markdown import LONGEST, MARK, MOST_READERS, as_code, as_text
from treaty_codegen.review import EventRow, Problem, Review

CROSS: Final = "\N{HEAVY MULTIPLICATION X}"
HEADS: Final = ("event", "contract", "change", "wire", "meaning", "SDK", "read by")
MOST_CHANGES: Final = 6
NONE: Final = "–"


def comment(review: Review) -> str:
    """The comment. Beyond 60,000 characters the folded part goes, then proofs and changes; counts stay."""
    head = f"{MARK}\n### Event review: {headline(review)}\n{facts(review)}"
    foot = f"{failures(review)}{plan(review)}\n{counts(review)}\n"
    whole = "".join(map(row, review.rows))
    table = f"\n| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}\n" if review.rows else ""
    problems = "".join(map(problem, review.problems))
    brief = f"\n{len(review.rows)} events changed; {len(review.problems)} errors, told by the check itself.\n"
    for body in (
        f"{table}{whole}{problems}{foot}{folded(review)}",
        f"{table}{whole}{problems}{foot}",
        f"{table}{''.join(row(each, is_brief=True) for each in review.rows)}{foot}",
    ):
        if len(head + body) <= LONGEST:
            return head + body
    return head + brief


def headline(review: Review) -> str:
    """What is to be done, in a few words."""
    errors = len(review.problems)
    if errors:
        return f"{errors} {'change' if errors == 1 else 'changes'} must be fixed"
    failed = [job.name for job in review.jobs if job.failed]
    return f"{', '.join(map(as_text, failed))} must be fixed" if failed else "nothing must be fixed"


def facts(review: Review) -> str:
    """Owners, the next release and the plan, on one line; owners are named and not called."""
    parts = [f"owner {', '.join(map(as_text, review.owners))}"] if review.owners else []
    parts += [f"next release: {as_text(review.bump)}"] if review.bump != "none" else []
    parts += [f"plan {as_code(review.plan_sha256[:12])}"] if review.plan_sha256 else []
    return f"\n{' · '.join(parts)}\n" if parts else ""


def row(event: EventRow, *, is_brief: bool = False) -> str:
    """One event of the table; ``is_brief``: with the number of its changes and readers alone."""
    if is_brief:
        changes, readers = str(len(event.changes)), str(len(event.readers))
    else:
        more = [f"and {len(event.changes) - MOST_CHANGES} more"] if len(event.changes) > MOST_CHANGES else []
        changes = "<br>".join([*map(as_text, event.changes[:MOST_CHANGES]), *more])
        readers = ", ".join(map(as_text, event.readers[:MOST_READERS]))
    cells = (as_text(event.event), contract(event), changes, cell(event.wire), cell(event.meaning), cell(event.sdk))
    return f"| {' | '.join(text or NONE for text in (*cells, readers))} |\n"


def contract(event: EventRow) -> str:
    """``2.3.0 → 3.0.0``, or what the version becomes or was."""
    if event.before == event.after:
        return as_text(event.after)
    return f"{as_text(event.before) or 'new'} → {as_text(event.after) or 'removed'}"


def cell(text: str) -> str:
    """A cell; one that tells of an error stands out."""
    return f"{CROSS} **{as_text(text.removeprefix(CROSS).strip())}**" if text.startswith(CROSS) else as_text(text)


def problem(found: Problem) -> str:
    """One error as a paragraph."""
    return "  \n".join(problem_lines(found)) + "\n"


def problem_lines(found: Problem) -> Iterator[str]:
    """Rule and place, then what is known, a line each."""
    yield f"\n**{CROSS} {as_text(found.rule)}** {as_code(found.place)}"
    yield as_text(found.message)
    if found.proof:
        yield f"Proof: {as_code(found.proof)}"
    if found.affects:
        against = f" (against {as_text(found.against)})" if found.against else ""
        yield f"Affects {as_text(', '.join(found.affects))}{against}."
    if found.readers:
        more = f" and {len(found.readers) - MOST_READERS} more places" if len(found.readers) > MOST_READERS else ""
        yield f"Read by {', '.join(map(as_code, found.readers[:MOST_READERS]))}{more}."
    if found.help:
        yield f"Fix: {as_text(found.help)}."
    yield f"To go ahead anyway: {as_code(f'treaty waive {found.fingerprint}')}"


def failures(review: Review) -> str:
    """The checks that failed and told no findings of their own."""
    lines = (
        f"- {CROSS} {as_text(job.name)}: {as_text(job.detail)}\n" for job in review.jobs if job.failed and job.detail
    )
    text = "".join(lines)
    return f"\n{text}" if text else ""


def plan(review: Review) -> str:
    """In which order to roll out, and what apply would do."""
    parts = [f"Rollout: {as_text('; '.join(review.rollout))}."] if review.rollout else []
    parts += [as_text(review.plan)] if review.plan else []
    return f"\n{' '.join(parts)}\n" if parts else ""


def counts(review: Review) -> str:
    """What was looked at."""
    return as_text(review.looked_at)


def folded(review: Review) -> str:
    """Warnings and remarks, behind a click."""
    if not review.remarks:
        return ""
    lines = "".join(f"- {as_text(text)}\n" for text in review.remarks)
    return f"\n<details><summary>{len(review.remarks)} warnings and remarks</summary>\n\n{lines}\n</details>\n"
