"""What services test their handlers with, and what we test ours with: a harness, a history checker, misbehaving brokers."""

from treaty_runtime.testing.clock import VirtualClock
from treaty_runtime.testing.harness import DeadLetterSeen, Harness
from treaty_runtime.testing.registry import MemoryRegistry

__all__ = ["DeadLetterSeen", "Harness", "MemoryRegistry", "VirtualClock"]
