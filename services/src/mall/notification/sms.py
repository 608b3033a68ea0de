"""Text messages: what a gateway offers, and one that writes them to a file."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Protocol


class SmsGateway(Protocol):
    """Sends text messages; `key` is the gateway's idempotency key."""

    async def send(self, *, to: str, text: str, key: str) -> None: ...


class FileSms:
    """Appends each message as a JSON line: for a campus without a gateway, and for tests."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, *, to: str, text: str, key: str) -> None:
        """Append one line, whole or not at all."""
        line = json.dumps({"key": key, "to": to, "text": text}, ensure_ascii=False) + "\n"
        await asyncio.to_thread(self._append, line.encode())

    def _append(self, line: bytes) -> None:
        # One write with O_APPEND is one line, also when two processes write at once; phone numbers are for the owner's eyes.
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)
