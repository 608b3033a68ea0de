"""One row of the doctor's: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from treaty.errors import TreatyError
from treaty_codegen.finding import Text
from treaty_runtime.admin import ClusterRefused, ClusterUnreachable

State = Literal["ok", "failed"]
Said = Text | str
"""A sentence of ours, which has a translation; or a command, or somebody else's words, which have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row."""

    name: str
    state: State
    detail: Said
    next_step: Said = ""

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
        return Check(name=name, state="failed", detail=str(error), next_step=error.next_step or "")
    except (ClusterUnreachable, ClusterRefused) as error:
        return Check(name=name, state="failed", detail=str(error), next_step=advice(error, environment))


def advice(error: ClusterUnreachable | ClusterRefused, environment: str) -> Said:
    """What to do about a cluster that does not answer, or not to us."""
    if environment == "local":
        return "treaty up"
    if isinstance(error, ClusterUnreachable):
        return Text("start it, or see what DNS and TCP say above")
    return Text("look at the settings of security in [environment.{name}]", {"name": environment})
