"""A queue by ZPOPMIN: what is taken is nobody's any more, and no lease brings it back."""

from __future__ import annotations

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.delay import redis

_POP = (
    redis._NOW
    + """
local claimed = {'-1'}
for _ = 1, ARGV[1] do
  local least = redis.call('ZPOPMIN', KEYS[1])
  if not least[1] then break end
  if tonumber(least[2]) > now then
    redis.call('ZADD', KEYS[1], least[2], least[1])
    claimed[1] = tostring(least[2] - now)
    break
  end
  claimed[#claimed + 1] = least[1]
  claimed[#claimed + 1] = '0'
end
return claimed
"""
)

MUTANT = Mutant(
    wrong="Due jobs are popped without a lease: nobody knows whose they are, so none comes back from a dead worker.",
    swaps=(Swap(redis, "CLAIM", _POP),),
    tests=("tests/treaty_runtime/test_delay.py::test_a_job_under_way_is_not_queued_again_by_the_sweeper",),
)
