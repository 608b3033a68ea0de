"""Passwords at rest and under load."""

from __future__ import annotations

import asyncio
import os

import pytest

from mall.errors import TooManyRequests
from mall.user.passwords import AT_ONCE, COST, WAITING, Passwords
from tests.mall.user.conftest import CHEAP


async def test_a_password_fits_its_own_hash_only() -> None:
    passwords = Passwords(random=os.urandom)
    stored = await passwords.hashed("correct horse")
    assert stored.startswith(f"scrypt${COST.n}${COST.r}${COST.p}$")
    assert "correct" not in stored
    assert await passwords.fits("correct horse", stored)
    assert not await passwords.fits("correct horsE", stored)
    assert not await passwords.fits("", stored)


async def test_equal_passwords_have_different_hashes() -> None:
    passwords = Passwords(random=os.urandom, cost=CHEAP)
    assert await passwords.hashed("correct horse") != await passwords.hashed("correct horse")


async def test_one_password_typed_as_other_code_points_is_one() -> None:
    passwords = Passwords(random=os.urandom, cost=CHEAP)
    assert await passwords.fits("caf\u00e9 bar", await passwords.hashed("cafe\u0301 bar"))


async def test_hashes_of_other_costs_are_still_read() -> None:
    old = await Passwords(random=os.urandom, cost=CHEAP).hashed("correct horse")
    assert await Passwords(random=os.urandom).fits("correct horse", old)


@pytest.mark.parametrize(
    "stored", ["", "x", "scrypt$1$1$1$a$b", "scrypt$a$8$5$$", "scrypt$16$1$1$!!$!!", "md5$a$b$c$d$e"]
)
async def test_a_hash_that_cannot_be_read_is_nobody_s(stored: str) -> None:
    assert not await Passwords(random=os.urandom, cost=CHEAP).fits("correct horse", stored)


async def test_nobody_s_hash_fits_nothing_and_costs_the_same() -> None:
    passwords = Passwords(random=os.urandom)
    assert not await passwords.fits("", passwords.nobody)
    assert passwords.nobody.split("$")[:4] == (await passwords.hashed("x")).split("$")[:4]


async def test_more_than_can_wait_are_refused_at_once_and_the_others_served() -> None:
    passwords = Passwords(random=os.urandom, cost=CHEAP)
    room = AT_ONCE + WAITING
    answers = await asyncio.gather(*(passwords.hashed("x") for _ in range(room + 3)), return_exceptions=True)
    assert sum(isinstance(answer, TooManyRequests) for answer in answers) == 3
    assert sum(isinstance(answer, str) for answer in answers) == room
    assert await passwords.hashed("x")
