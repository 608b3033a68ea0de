"""Redis runs fixed scripts, and whatever a caller names a queue or a job is an argument to them: never a command, never a pattern."""

from __future__ import annotations

import ast
import inspect
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from treaty_runtime.delay import redis as door
from treaty_runtime.delay.redis import RedisDelays

pytestmark = pytest.mark.redis

HOSTILE = [
    "a\r\nFLUSHALL\r\n",
    "*3\r\n$3\r\nSET\r\n$5\r\nowned\r\n$1\r\n1\r\n",
    "*",
    "order-*",
    "{other}",
    "'); redis.call('FLUSHALL') --",
    "]] redis.call('SET', 'owned', '1') [[",
    "",
    "\x00\u202e\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "x" * (1 << 20),
]


@pytest.fixture
async def client(redis: str) -> AsyncIterator[Redis]:
    made = Redis.from_url(redis)
    yield made
    await made.aclose()


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:24]))
async def test_a_hostile_name_is_a_member_or_a_part_of_a_key_and_nothing_else(client: Redis, text: str) -> None:
    delays, soon = RedisDelays(client), datetime.now(UTC) - timedelta(seconds=1)
    await client.set("order-1", "untouched")
    await delays.push("safe", [("neighbour", soon)])
    await delays.push("safe", [(text, soon)])
    await delays.push(text, [("job", soon)])
    claims = {claim.job_id: claim for claim in (await delays.claim("safe", limit=10)).claims}
    assert claims.keys() == {"neighbour", text}
    assert await delays.extend("safe", claims[text])
    assert await delays.again("safe", claims[text], due=soon)
    assert await delays.acknowledge("safe", claims["neighbour"])
    assert [claim.job_id for claim in (await delays.claim("safe", limit=10)).claims] == [text]
    assert [claim.job_id for claim in (await delays.claim(text, limit=10)).claims] == ["job"]
    assert await client.get("order-1") == b"untouched"
    assert await client.get("owned") is None
    ours = tuple(f"treaty:delay:{{{queue}}}:".encode() for queue in ("safe", text))
    keys = [bytes(key) if isinstance(key, bytes) else key.encode() for key in await client.keys()]
    assert all(key.startswith(ours) or key == b"order-1" for key in keys)


def test_every_script_is_a_constant_text() -> None:
    tree = ast.parse(inspect.getsource(door))
    registered = [
        call.args[0]
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "register_script"
    ]
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def is_constant(node: ast.expr) -> bool:
        if isinstance(node, ast.BinOp):
            return is_constant(node.left) and is_constant(node.right)
        if isinstance(node, ast.Name):
            return is_constant(constants[node.id])
        return isinstance(node, ast.Constant)

    assert len(registered) == 4
    assert all(is_constant(script) for script in registered)
