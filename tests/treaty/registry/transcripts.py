"""HTTP transcripts in Markdown: ``http`` blocks are sent, the ``answer`` block after each says what comes back.

An answer is two lines: the status (and the content type, where it is not Confluent's usual one), and the body as one line
of JSON. ``<any>`` stands for any value; ``<id:a>`` binds a value at its first place and demands it at later ones, also in
requests. Words after ``http`` in a case's first block: ``7`` or ``8``, the only version that the registry answers like there;
``meaning=refuse`` and the like, settings of the registry. All other cases are played in both versions: pages say what version 8
answers, and ``as_seven`` makes of that what version 7 does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.cases.markdown import WRITE, Block, Case, expect
from treaty.registry.settings import RegistrySettings, WireProfile
from treaty.registry.wire.negotiation import V1

BOUND = re.compile(r"<\w+:\w+>")
EMPTY = "(empty)"
PROFILES: tuple[WireProfile, ...] = ("8", "7")
ONLY_8 = ("guid", "schemaType", "ts")
REGISTRATION = re.compile(r"(/contexts/[^/]+)?/subjects/[^/]+/versions/?")


def words(case: Case) -> list[str]:
    """What stands after ``http`` in the case's first block."""
    return case.of("http")[0].argument.split()


def profiles(case: Case) -> tuple[WireProfile, ...]:
    """The versions that a case is played in; ``8`` first, which writes snapshots."""
    named: tuple[WireProfile, ...] = tuple(each for each in PROFILES if each in words(case))
    return named or PROFILES


def as_seven(body: Any, *, is_registration: bool) -> Any:
    """What version 7 answers where version 8 answers ``body``: no guid, time or type of schema, and its own code for refusals.

    Written down from Confluent's releases, beside the table of ``wire_profile`` in the documentation; not from our code.
    """
    if is_registration:
        return {"id": body["id"]}
    if isinstance(body, list):
        return [as_seven(each, is_registration=False) for each in body]
    if not isinstance(body, dict):
        return body
    if body.get("error_code") == 40901:
        return {**body, "error_code": 409}
    return {key: as_seven(value, is_registration=False) for key, value in body.items() if key not in ONLY_8}


@dataclass
class Transcript:
    """One case, and what was bound so far."""

    case: Case
    profile: WireProfile
    bound: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> RegistrySettings:
        """The settings that the case is played with."""
        told = [word.partition("=") for word in words(self.case) if "=" in word]
        return RegistrySettings.told({"wire_profile": self.profile, **{key: value for key, _, value in told}})

    def play(self, client: httpx2.Client) -> None:
        """Send every request and compare every answer."""
        for sent, block in self.pairs():
            request = self.request(client, sent.text)
            self.compare(block, request, client.send(request))

    def pairs(self) -> Iterator[tuple[Block, Block]]:
        """Each request with its answer."""
        blocks = [block for block in self.case.blocks if block.language in ("http", "answer")]
        assert [block.language for block in blocks] == ["http", "answer"] * (len(blocks) // 2), self.case.place
        return zip(blocks[::2], blocks[1::2], strict=True)

    def request(self, client: httpx2.Client, text: str) -> httpx2.Request:
        """First line method and path, then headers, an empty line, the body."""
        head, _, body = BOUND.sub(lambda match: str(self.bound[match[0]]), text).partition("\n\n")
        first, *headers = head.strip().splitlines()
        method, _, path = first.partition(" ")
        pairs = {key: value.strip() for key, _, value in (line.partition(":") for line in headers)}
        content = body.strip().encode() or None
        if content:
            pairs.setdefault("Content-Type", V1)
        return client.build_request(method, path, headers={"Accept": "*/*", **pairs}, content=content)

    def compare(self, block: Block, request: httpx2.Request, response: httpx2.Response) -> None:
        """Fail with the page's line unless the block describes the response."""
        content_type = response.headers.get("content-type", V1)
        status = f"{response.status_code}" if content_type == V1 else f"{response.status_code} {content_type}"
        body = json.loads(response.text) if response.text else EMPTY
        wanted_status, _, wanted_text = block.text.rstrip("\n").partition("\n")
        wanted = json.loads(wanted_text) if wanted_text not in ("", EMPTY) else EMPTY
        if self.profile == "7" and profiles(self.case) == ("8", "7"):
            is_registration = request.method == "POST" and bool(
                REGISTRATION.fullmatch(request.url.raw_path.decode().partition("?")[0])
            )
            wanted = as_seven(wanted, is_registration=is_registration and wanted_status.startswith("200"))
        if wanted_status != status or not self.fits(wanted, body):
            expect(self.case, block, f"{status}\n{self.shown(body)}\n")

    def fits(self, wanted: Any, actual: Any) -> bool:
        """True if a value is what the page says, place-holders counted; members have to come in the page's order."""
        if isinstance(wanted, str) and wanted == "<any>":
            return True
        if isinstance(wanted, str) and BOUND.fullmatch(wanted):
            return bool(self.bound.setdefault(wanted, actual) == actual)
        if isinstance(wanted, dict) and isinstance(actual, dict):
            return list(wanted) == list(actual) and all(self.fits(wanted[key], actual[key]) for key in wanted)
        if isinstance(wanted, list) and isinstance(actual, list):
            return len(wanted) == len(actual) and all(map(self.fits, wanted, actual))
        return bool(wanted == actual) and type(wanted) is type(actual)

    def shown(self, body: Any) -> str:
        """A body as the page writes it: times differ from run to run."""
        if body == EMPTY:
            return EMPTY
        text = json.dumps(body, ensure_ascii=False)
        return re.sub(r'"ts": \d+', '"ts": "<any>"', text) if WRITE else text
