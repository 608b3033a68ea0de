"""Counts what happens, now and for good: live counters and a warehouse of files."""
