"""Runs something within a started stack until somebody asks it to end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager

from treaty.local.ending import AtOnce, Ending, Pause, ended_by_signals
from treaty.local.stack import Stack
from treaty.local.view import View

INTERRUPTED = 130


def supervise(
    started: Callable[[Pause], AbstractContextManager[Stack]],
    *,
    within: Callable[[Stack, View, Pause], None],
    view: View,
) -> int:
    """Starts, runs ``within``, and stops whatever comes; the exit code.

    0 when it was asked to end after the start, or when ``within`` returned; 130 for Ctrl-C during the start, or again during the end.
    ``started`` and ``within`` wait only by the ``Pause`` that they are given: a signal that came in a callback of Python's is heard
    there.
    """
    is_up = False
    try:
        with ended_by_signals() as asked, started(asked.pause) as stack:
            asked.check()
            is_up = True
            within(stack, view, asked.pause)
    except AtOnce:
        return INTERRUPTED
    except Ending as ending:
        if not is_up and ending.number == signal.SIGINT:
            return INTERRUPTED
    view.say("Everything has ended.")
    return 0
