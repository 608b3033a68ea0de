"""The end of a run: everybody is told to stop, and must end well."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from tests.reliability.member import Member
from tests.reliability.stack import Counter


def ended_badly(members: Sequence[Member], counter: Counter) -> list[str]:
    """Tells all of them to stop; a sentence for each that does not end with 0.

    One that has had no effect yet may be so young that it does not listen to signals, and ends by the signal itself.
    """
    at_work = counter.at_work([member.life.name for member in members])
    for member in members:
        member.ask_to_stop()
    codes = {member.life.name: member.stopped() for member in members}
    return [
        f"{name} ended with {code} after SIGTERM"
        for name, code in codes.items()
        if code != 0 and not (code == -signal.SIGTERM and name not in at_work)
    ]
