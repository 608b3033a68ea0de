"""A wish to end is heard even where Python throws the exception away."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import StringIO
from typing import cast

import pytest
from rich.console import Console

from treaty.local.ending import PERSON_SECONDS, AtOnce, Ending, Pause, ended_by_signals
from treaty.local.stack import Stack, ended
from treaty.local.supervision import INTERRUPTED, supervise
from treaty.local.view import View


class AskedToEndWhileDying:
    """The signal comes in a finalizer: what its handler raises there is printed and forgotten."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(1000))  # the handler runs between these steps


def pause_after_a_lost_signal() -> None:
    with ended_by_signals() as asked:
        one = AskedToEndWhileDying()
        del one
        assert asked.number == signal.SIGINT, "the exception was lost, the wish was not"
        asked.pause(60)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_was_lost_in_a_callback_ends_the_next_pause() -> None:
    with pytest.raises(Ending) as ended:
        pause_after_a_lost_signal()
    assert ended.value.number == signal.SIGINT


def test_without_a_signal_a_pause_is_a_pause_and_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with ended_by_signals() as asked:
        asked.pause(0)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def hearing() -> Iterator[None]:
    """What this process does at Ctrl-C is put back."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hearing")
def test_ctrl_c_again_ends_at_once_and_nothing_else_that_is_repeated_does() -> None:
    now = 100.0
    with ended_by_signals(clock=lambda: now) as asked:
        with pytest.raises(Ending) as ended:
            signal.raise_signal(signal.SIGTERM)
        assert not isinstance(ended.value, AtOnce)
        signal.raise_signal(signal.SIGINT)  # told twice: nobody presses as fast as that
        now += PERSON_SECONDS
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.raise_signal(number)
        with pytest.raises(AtOnce):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # who hammers on it hears what was killed
        assert asked.number == signal.SIGTERM
    signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("hearing")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_second_ctrl_c_that_was_lost_is_heard_at_the_next_pause_and_at_the_third() -> None:
    now = 100.0
    with ended_by_signals(clock=lambda: now) as asked:
        with pytest.raises(Ending):
            signal.raise_signal(signal.SIGTERM)
        now += PERSON_SECONDS
        one = AskedToEndWhileDying()
        del one
        with pytest.raises(AtOnce):
            asked.pause(60)
        now += PERSON_SECONDS
        with pytest.raises(AtOnce):
            signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)  # for good


class Hammered:
    """What stands in a stack's place while somebody hammers on Ctrl-C: from its end by itself until all is killed."""

    def __init__(self) -> None:
        self.now, self.killed = 100.0, [""]

    def press(self) -> None:
        self.now += PERSON_SECONDS
        signal.raise_signal(signal.SIGINT)

    def stop(self) -> None:
        self.press()

    def kill(self) -> list[str]:
        self.press()
        self.killed = ["kafka"]
        return self.killed

    def require_ended(self) -> None:
        """All have."""


@pytest.mark.usefixtures("hearing")
def test_ctrl_c_that_is_hammered_on_does_not_stop_the_killing_when_the_stack_ends_by_itself() -> None:
    stack, said = Hammered(), StringIO()
    with (
        pytest.raises(AtOnce),
        ended_by_signals(clock=lambda: stack.now),
        ended(cast("Stack", stack), View(Console(file=said))),
    ):
        pass
    stack.press()
    assert stack.killed == ["kafka"]
    assert "Killed: kafka." in said.getvalue()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_was_lost_while_starting_ends_the_start_and_is_130() -> None:
    def started(pause: Pause) -> AbstractContextManager[Stack]:
        one = AskedToEndWhileDying()
        del one
        pause(0)
        pytest.fail("the start went on")

    assert supervise(started, within=lambda *_: None, view=View(Console(file=StringIO()))) == INTERRUPTED
