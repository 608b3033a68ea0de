"""HTTP transcripts in Markdown: ``http`` blocks are sent, the ``answer`` block after each says what comes back.

An answer is two lines: the status (and the content type, where it is not Confluent's usual one), and the body as one line
of JSON. ``<any>`` stands for any value; ``<id:a>`` binds a value at its first place and demands it at later ones, also in
requests. ``http 7`` in a case's first block: the registry answers like version 7.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.cases.markdown import WRITE, Block, Case, expect
from treaty.registry.settings import WireProfile
from treaty.registry.wire.negotiation import V1

BOUND = re.compile(r"<\w+:\w+>")
EMPTY = "(empty)"


@dataclass
class Transcript:
    """One case, and what was bound so far."""

    case: Case
    bound: dict[str, Any] = field(default_factory=dict)

    @property
    def profile(self) -> WireProfile:
        """Which version the registry has to answer like."""
        return "7" if self.case.of("http")[0].argument == "7" else "8"

    def play(self, client: httpx2.Client) -> None:
        """Send every request and compare every answer."""
        for sent, block in self.pairs():
            response = client.send(self.request(client, sent.text))
            self.compare(block, response)

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

    def compare(self, block: Block, response: httpx2.Response) -> None:
        """Fail with the page's line unless the block describes the response."""
        content_type = response.headers.get("content-type", V1)
        status = f"{response.status_code}" if content_type == V1 else f"{response.status_code} {content_type}"
        body = json.loads(response.text) if response.text else EMPTY
        wanted_status, _, wanted_text = block.text.rstrip("\n").partition("\n")
        wanted = json.loads(wanted_text) if wanted_text not in ("", EMPTY) else EMPTY
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
