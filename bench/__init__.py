"""Ratios and operation counts, run by ``make bench``; nothing here is a test, and nothing is asserted about seconds."""
