"""One row of the doctor's: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from treaty.errors import TreatyError
from treaty.ops.http import RegistryUnreachable
from treaty.ops.plan import Plan
from treaty_avro.errors import one_line
from treaty_codegen.finding import Text
from treaty_runtime.admin import ClusterRefused, ClusterUnreachable

State = Literal["ok", "failed"]
LONGEST_WORDS: Final = 200
"""Characters of what an unexpected error says."""
Said = Text | str
"""A sentence of ours, which has a translation; or a command, or somebody else's words, which have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row. ``is_away``: who was asked did not answer, so nothing else needs to be asked of them."""

    name: str
    state: State
    detail: Said
    next_step: Said = ""
    is_away: bool = False

    def as_json(self) -> dict[str, Any]:
        """The row as a JSON object, in English."""
        return {
            "name": self.name,
            "state": self.state,
            "detail": str(self.detail),
            "next_step": str(self.next_step),
        }


class Wrong(TreatyError):
    """A check found something wrong."""

    def __init__(self, said: Text, *, next_step: Said) -> None:
        super().__init__(str(said), next_step=str(next_step))
        self.said, self.advice = said, next_step


def made(name: str, look: Callable[[], Said], *, environment: str = "local") -> Check:
    """One check as a row, whatever it raises; only what is missing ``local``ly is started by a command."""
    try:
        return Check(name=name, state="ok", detail=look())
    except Wrong as error:
        return Check(name=name, state="failed", detail=error.said, next_step=error.advice)
    except TreatyError as error:
        is_away, step = isinstance(error, RegistryUnreachable), error.next_step or ""
        return Check(name=name, state="failed", detail=str(error), next_step=step, is_away=is_away)
    except (ClusterUnreachable, ClusterRefused) as error:
        to_do = advice(error, environment)
        is_away = isinstance(error, ClusterUnreachable)  # who refuses has answered
        return Check(name=name, state="failed", detail=str(error), next_step=to_do, is_away=is_away)
    except Exception as error:  # noqa: BLE001  # whoever is asked may answer anything, and one answer must not end the other checks
        return unexpected(name, error)


def as_git_says(plan: Plan, *, is_blocked: bool = False, next_step: str) -> Text:
    """The words for a plan without steps and drift. Raises ``Wrong`` with how many there are."""
    if plan.steps or plan.drift or is_blocked:
        counts = {"steps": str(len(plan.steps)), "drifts": str(len(plan.drift))}
        raise Wrong(Text("{steps} steps and {drifts} drifts from git", counts), next_step=next_step)
    return Text("as git says")


def unexpected(name: str, error: Exception) -> Check:
    """A row for what no check knows: an answer that nobody gives, or a fault of the check itself."""
    said = {"kind": type(error).__name__, "said": one_line(str(error))[:LONGEST_WORDS]}
    return Check(
        name=name,
        state="failed",
        detail=Text("ended by what was not expected: {kind}: {said}", said),
        next_step=Text("see what answers there; if it is what it should be, please report this row as a bug"),
    )


def not_made(name: str, *, needs: Check) -> Check:
    """A row for what would only wait as long again for somebody who did not answer."""
    detail = Text("not looked at: {name} does not answer", {"name": needs.name})
    return Check(name=name, state="failed", detail=detail, next_step=needs.next_step)


def advice(error: ClusterUnreachable | ClusterRefused, environment: str) -> Said:
    """What to do about a cluster that does not answer, or not to us."""
    if environment == "local":
        return "treaty up"
    if isinstance(error, ClusterUnreachable):
        return Text("start it, or see what DNS and TCP say above")
    return Text("look at the settings of security in [environment.{name}]", {"name": environment})
