"""Two questions to a broker, in Kafka's own protocol: may clients come, and are consumer groups ready.

By hand, because a TCP connect is answered seconds too early, and a full client is heavy to load for one question.
Source: Kafka protocol guide, Metadata (3) v2, FindCoordinator (10) v1, DescribeGroups (15) v0.
"""

from __future__ import annotations

import socket
import struct

METADATA, FIND_COORDINATOR, DESCRIBE_GROUPS = 3, 10, 15
GROUP = "treaty-warm-up"


def is_serving(port: int, *, cluster: str) -> bool:
    """Whether the broker on loopback ``port`` is of this cluster and names an unfenced broker and a controller.

    OSError until it answers.
    """
    answer = ask(port, METADATA, version=2, body=struct.pack(">i", 0))  # an empty list of topics: none
    (brokers,) = struct.unpack_from(">i", answer, 0)
    at = 4
    for _ in range(brokers):
        _host, at = read_text(answer, at + 4)  # after the node id
        _rack, at = read_text(answer, at + 4)  # after the port
    found, at = read_text(answer, at)
    (controller,) = struct.unpack_from(">i", answer, at)
    return bool(brokers > 0 and found == cluster and controller >= 0)


def are_groups_ready(port: int) -> bool:
    """Whether the coordinator serves groups; the first call makes the broker create ``__consumer_offsets``.

    Without it the first consumer of a fresh broker waits three seconds.
    """
    found = ask(port, FIND_COORDINATOR, version=1, body=text(GROUP) + b"\0")
    (error,) = struct.unpack_from(">h", found, 4)  # after the throttle time
    if error:
        return False
    described = ask(port, DESCRIBE_GROUPS, version=0, body=struct.pack(">i", 1) + text(GROUP))
    count, error = struct.unpack_from(">ih", described, 0)
    return bool(count == 1 and error == 0)


def ask(port: int, api: int, *, version: int, body: bytes, timeout: float = 2.0) -> bytes:
    """One request and the body of its answer. OSError when there is none."""
    request = struct.pack(">hhi", api, version, 1) + text("treaty") + body
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as stream:
            head = stream.read(4)
            answer = stream.read(struct.unpack(">i", head)[0]) if len(head) == 4 else b""
    if len(answer) < 8:
        raise ConnectionResetError("the broker closed the connection")
    return answer[4:]  # after the correlation id


def text(value: str) -> bytes:
    """A string as Kafka's protocol has it: its length in two bytes, then UTF-8."""
    return struct.pack(">h", len(value)) + value.encode()


def read_text(answer: bytes, at: int) -> tuple[str | None, int]:
    """A nullable string and the place after it."""
    (length,) = struct.unpack_from(">h", answer, at)
    return (None, at + 2) if length < 0 else (answer[at + 2 : at + 2 + length].decode(), at + 2 + length)
