"""A TCP line between a client and a server that can be cut, or go silent. Runs on the event loop of whoever makes it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

from treaty.local.ports import LOOPBACK, free_port

_BYTES = 1 << 16


class Proxy:
    """Forwards ``port`` to ``target``, both on loopback. Use as an asynchronous context manager."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._lines: set[asyncio.Task[None]] = set()

    async def cut(self) -> None:
        """Connections break, new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._break()

    def hang(self) -> None:
        """Connections stay and nothing passes; new ones are taken and nothing passes either."""
        self._flows.clear()

    async def heal(self) -> None:
        """Lets new connections through. Those of a silence are broken, as whoever stands in the middle has forgotten them."""
        if not self._flows.is_set():
            self._break()
            self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, LOOPBACK, self.port)

    async def __aenter__(self) -> Self:
        await self.heal()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _break(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.create_task(self._forward(reader, writer))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flows.wait()
            away_reader, away_writer = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(away_writer)
        await asyncio.gather(self._pump(reader, away_writer), self._pump(away_reader, writer))
        self._writers -= {writer, away_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_BYTES):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
