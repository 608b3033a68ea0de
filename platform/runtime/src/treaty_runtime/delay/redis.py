"""When to look at which job: due times and leases in Redis, by Redis' clock.

Laws: Redis only hints. A job it forgets is found in the table by the sweeper, one it repeats is already marked done
there. A claimed member stays claimed until it is acknowledged or its lease ends, whoever dies; an answer counts only
under the token of its claim.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Iterable
from datetime import datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from treaty_runtime.delay.due_times import LEASE_SECONDS, Claim, Claimed
from treaty_runtime.errors import Outage

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

PUSH = """
-- A leased member is being run: only a replacement may be queued beside it. Of two times the sooner one is kept: to look in vain
-- costs a look, and whoever looks learns the right time; the later one may be of a job that was moved while Redis was away.
for i = 2, #ARGV, 2 do
  if ARGV[1] == 'replace' then
    redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1])
  elseif not redis.call('ZSCORE', KEYS[2], ARGV[i + 1]) then
    local known = redis.call('ZSCORE', KEYS[1], ARGV[i + 1])
    if not known or tonumber(ARGV[i]) < tonumber(known) then redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end
  end
end
"""

CLAIM = (
    _NOW
    + """
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
  redis.call('ZADD', KEYS[1], 'NX', now, id)
end
local claimed = {'-1'}
local free = tonumber(ARGV[1])
-- Still leased: a replacement that fell due while the former one runs. It waits for that lease, and nobody waits behind it.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, free + redis.call('ZCARD', KEYS[2]))) do
  if #claimed < 1 + 2 * free and not redis.call('ZSCORE', KEYS[2], id) then
    local token = redis.call('INCR', KEYS[4])
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZADD', KEYS[2], now + ARGV[2], id)
    redis.call('HSET', KEYS[3], id, token)
    claimed[#claimed + 1] = id
    claimed[#claimed + 1] = tostring(token)
  end
end
local soonest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if soonest[2] then claimed[1] = tostring(math.max(0, soonest[2] - now)) end
return claimed
"""
)

EXTEND = (
    _NOW
    + """
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
return 1
"""
)

ANSWER = """
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[3] ~= '' then redis.call('ZADD', KEYS[1], 'NX', ARGV[3], ARGV[1]) end
return 1
"""


class RedisDelays:
    """Due times of any number of queues; keys are `treaty:delay:{queue}:due`, `:lease`, `:held`, `:token`, `:sweeper`."""

    def __init__(self, redis: Redis) -> None:
        self._redis, self._is_ours = redis, False
        self._push, self._claim = redis.register_script(PUSH), redis.register_script(CLAIM)
        self._extend, self._answer = redis.register_script(EXTEND), redis.register_script(ANSWER)

    @classmethod
    def open(cls, url: str) -> RedisDelays:
        """Due times at `redis://…`; nothing is connected yet, and no call takes longer than five seconds."""
        made = cls(Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2))
        made._is_ours = True
        return made

    async def close(self) -> None:
        """Ends the connections, unless the client was passed in."""
        if self._is_ours:
            await self._redis.aclose()

    async def push(self, queue: str, jobs: Iterable[tuple[str, datetime]], *, replace: bool = False) -> None:
        """Look at these (id, due) when they are due; a known id keeps its time if that is sooner, unless `replace`."""
        pairs: list[Any] = []
        for job_id, due in jobs:
            pairs += [milliseconds(due), job_id]
        if pairs:
            await _asked(self._push(keys=_keys(queue), args=["replace" if replace else "add", *pairs]))

    async def claim(self, queue: str, *, limit: int, lease: float = LEASE_SECONDS) -> Claimed:
        """Up to `limit` members that are due, each for `lease` seconds; expired claims of others come back first."""
        answer = await _asked(self._claim(keys=_keys(queue), args=[limit, int(lease * 1000)]))
        soonest, *texts = (_text(item) for item in answer)
        claims = [Claim(job_id, token) for job_id, token in zip(texts[::2], texts[1::2], strict=True)]
        return Claimed(claims, None if soonest == "-1" else float(soonest) / 1000)

    async def extend(self, queue: str, claim: Claim, *, lease: float = LEASE_SECONDS) -> bool:
        """Prolong a claim; False if it is no longer ours."""
        return bool(await _asked(self._extend(keys=_keys(queue), args=[claim.job_id, claim.token, int(lease * 1000)])))

    async def acknowledge(self, queue: str, claim: Claim) -> bool:
        """The job is settled; False if the claim is no longer ours."""
        return bool(await _asked(self._answer(keys=_keys(queue), args=[claim.job_id, claim.token, ""])))

    async def again(self, queue: str, claim: Claim, *, due: datetime) -> bool:
        """Look at the job once more at `due`; False if the claim is no longer ours."""
        arguments: list[str | int] = [claim.job_id, claim.token, milliseconds(due)]
        return bool(await _asked(self._answer(keys=_keys(queue), args=arguments)))

    async def may_sweep(self, queue: str, *, owner: str, seconds: float) -> bool:
        """Whether this process sweeps the queue for the coming period; one does."""
        key = f"treaty:delay:{{{queue}}}:sweeper"
        return bool(await _asked(self._redis.set(key, owner, nx=True, px=max(1, int(seconds * 1000)))))


async def _asked(question: Awaitable[Any]) -> Any:
    """Redis' answer; raises Outage if it is away."""
    try:
        return await question
    except (RedisError, OSError) as error:
        raise Outage(f"Redis is away: {error}", dependency="redis") from error


def milliseconds(due: datetime) -> int:
    """The first whole millisecond since the epoch that is not before `due`."""
    return math.ceil(due.timestamp() * 1000)


def _keys(queue: str) -> list[str]:
    return [f"treaty:delay:{{{queue}}}:{part}" for part in ("due", "lease", "held", "token")]


def _text(item: object) -> str:
    return item.decode() if isinstance(item, bytes) else str(item)
