"""One row of the doctor's: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from treaty.errors import TreatyError
from treaty.ops.http import RegistryUnreachable
from treaty_codegen.finding import Text
from treaty_runtime.admin import ClusterRefused, ClusterUnreachable

State = Literal["ok", "failed"]
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
    """One check as a row, whatever it raises of ours; only what is missing ``local``ly is started by a command."""
    try:
        return Check(name=name, state="ok", detail=look())
    except Wrong as error:
        return Check(name=name, state="failed", detail=error.said, next_step=error.advice)
    except TreatyError as error:
        is_away, step = isinstance(error, RegistryUnreachable), error.next_step or ""
        return Check(name=name, state="failed", detail=str(error), next_step=step, is_away=is_away)
    except (ClusterUnreachable, ClusterRefused) as error:
        to_do = advice(error, environment)
        return Check(name=name, state="failed", detail=str(error), next_step=to_do, is_away=True)


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
