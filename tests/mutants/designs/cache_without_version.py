"""A cache without versions: whatever comes last is kept."""

from __future__ import annotations

from mall.cache import store
from tests.mutants.designs.mutant import Mutant, Swap

MUTANT = Mutant(
    wrong="The cache keeps what comes last instead of what is newest.",
    swaps=(Swap(store, "SET_IF_NEWER", "redis.call('HSET', KEYS[1], 'version', unpack(ARGV))\nreturn 1"),),
    tests=("tests/mall/cache/test_store.py::test_versions_only_go_up",),
)
