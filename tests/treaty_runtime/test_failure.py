"""An exception as texts: which causes it has, which frames are the service's own, and what is cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import httpx
import pytest

from treaty_runtime.retry import parse_duration
from treaty_runtime.wire.failure import Failure, describe, place_of


def caught(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except Exception as error:  # noqa: BLE001  # any is wanted
        return error
    raise AssertionError("it did not fail")


def test_an_error_alone_has_no_cause() -> None:
    assert describe(RuntimeError("alone")).cause_class is None


def from_another() -> NoReturn:
    raise RuntimeError from KeyError("k")


def beside_another() -> None:
    try:
        int("x")
    except ValueError:
        raise RuntimeError  # noqa: B904  # its context is wanted


def hiding_another() -> None:
    try:
        int("x")
    except ValueError:
        raise RuntimeError from None


def hiding_another_by_its_cause() -> None:
    try:
        int("x")
    except ValueError:
        raise RuntimeError from OSError("o")


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (from_another, "builtins.KeyError"),
        (beside_another, "builtins.ValueError"),
        (hiding_another, None),
        (hiding_another_by_its_cause, "builtins.OSError"),
    ],
)
def test_the_cause_is_the_one_that_python_shows(act: Callable[[], object], cause: str | None) -> None:
    assert describe(caught(act)).cause_class == cause


def test_causes_that_go_round_are_told_once() -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    assert describe(one).stack.splitlines() == ["builtins.RuntimeError: other", "builtins.RuntimeError: one"]


@pytest.mark.parametrize(
    "act",
    [lambda: json.loads("{"), lambda: httpx.Response(200).raise_for_status(), lambda: parse_duration("x")],
    ids=["standard library", "library", "runtime"],
)
def test_frames_of_libraries_are_not_the_services_own(act: Callable[[], object]) -> None:
    frames = describe(caught(act)).frames
    assert len(frames) == 2
    assert all(frame.startswith("tests.treaty_runtime.test_failure.") for frame in frames)


def test_where_no_frame_is_the_services_own_all_are_told() -> None:
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(json.loads, "{").exception(60)
    assert error is not None
    frames = describe(error).frames
    assert frames[0].startswith("concurrent.futures.")
    assert frames[-1].startswith("json.decoder.")


def test_a_stack_is_cut_to_its_innermost_bytes() -> None:
    stack = describe(RuntimeError("x" * 9_000)).stack
    assert stack == "x" * 8_192
    cut = describe(RuntimeError("é" * 4_096 + "x")).stack
    assert cut == "é" * 4_095 + "x", "half a character is dropped"


def test_half_a_surrogate_pair_is_told_as_an_escape() -> None:
    told = describe(RuntimeError("a\ud800b"))
    assert told.message == "a\\ud800b"
    assert told.stack == "builtins.RuntimeError: a\\ud800b"


def test_of_a_huge_text_the_beginning_is_looked_at_and_nothing_that_the_cut_made_unrecognizable_is_told() -> None:
    number = "4111111111111111"
    told = describe(RuntimeError("x" * 19_990 + number + "y" * 5_000_000))
    assert told.message == "x" * 500
    assert told.stack == "x" * 8_192
    assert number[:4] not in told.stack
    name = "Wolfeschlegelsteinhausenbergerdorff" * 20
    assert "Wolfe" not in describe(RuntimeError("x" * 19_900 + name + "y" * 9_000), secrets=[name]).stack


def test_twenty_thousand_characters_are_looked_at_and_of_more_the_last_four_hundred_of_them_are_not_told() -> None:
    assert describe(RuntimeError("x" * 19_999 + "z")).stack.endswith("xz")
    assert describe(RuntimeError("x" * 19_599 + "a" + "y" * 401)).stack.endswith("xa")


def test_where_it_failed_is_the_innermost_function_that_is_no_librarys() -> None:
    assert place_of(caught(lambda: json.loads("{"))).startswith("tests.treaty_runtime.test_failure.")
    assert place_of(caught(lambda: parse_duration("x"))) == "treaty_runtime.retry.parse_duration"
    assert not place_of(RuntimeError("never raised"))


def test_the_five_innermost_frames_make_a_fault() -> None:
    def fingerprint(*frames: str) -> str:
        failure = Failure(error_class="a.B", cause_class=None, message="", stack="", frames=frames)
        return failure.fingerprint(group="g", event_type="PAID")

    assert fingerprint("x", *"12345") == fingerprint("y", *"12345") == fingerprint(*"12345")
    assert fingerprint("x", "2", "3", "4", "5") != fingerprint("y", "2", "3", "4", "5")
    assert len(fingerprint()) == 12
