"""The guide of the schema pull request is run from its first block to its last, in an empty folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cases.markdown import ROOT, Block, Case, cases, expect
from tests.treaty.cli.scratch import Scratch
from treaty.ops.http import RegistryHttp
from treaty.registry.testing import registry

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

GUIDE = ROOT / "docs" / "guide" / "schema-pull-request.md"
PRINTED_DAY = "2026-12-31"
DAY = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
"""A waiver holds for 180 days at most, and the page for longer: its day is printed, another one is used."""
STRANGER = '{"type": "record", "name": "OrderShipped", "fields": []}'


def blocks() -> Iterator[tuple[Case, Block]]:
    for case in cases(GUIDE):
        yield from ((case, block) for block in case.blocks)


@pytest.mark.snapshot
def test_the_guide_is_true_from_its_first_block_to_its_last(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    with registry() as url:
        with RegistryHttp(url) as http:
            http.register("order-events-shop.order.OrderShipped", STRANGER)
        for case, block in blocks():
            if block.language == "console":
                expect(case, block, run(scratch, block.text.splitlines()[0], url))
            else:
                scratch.write(block.argument, block.text)


def run(scratch: Scratch, line: str, url: str) -> str:
    """The block that a command makes: what it prints, with this run's address, day and fingerprint as the page has them."""
    command, _, target = line.removeprefix("$ ").partition(" >> ")
    words = shlex.split(command.replace(PRINTED_DAY, DAY).replace("FINGERPRINT", fingerprint(scratch, command)))
    if words[0] == "git":
        out = scratch.git(*words[1:])
        return f"{line}\n{out}"
    done = scratch.run(*words[1:], TREATY_ENVIRONMENT_PROD__REGISTRY=url)
    out = done.out
    if target:
        file = scratch.root / target
        file.write_text((file.read_text() if file.exists() else "") + out)
        out = ""
    text = f"{line}\n{out}{done.err}" + (f"exit {done.code}\n" if done.code else "")
    text = text.replace(url.removeprefix("http://"), "registry.shop.example").replace(DAY, PRINTED_DAY)
    return re.sub(r"plan [0-9a-f]{12}\b", "plan 3be1c94d07aa", text)


def fingerprint(scratch: Scratch, command: str) -> str:
    """Of the one finding that there is; the page says FINGERPRINT, as a person would look it up."""
    if "FINGERPRINT" not in command:
        return ""
    found = re.search(r'"fingerprint": "([0-9a-f]{16})"', scratch.run("breaking", "--format", "json").out)
    assert found is not None
    return found[1]
