"""Payments: the way of the money through risk check, channel, ledger and settlement, and back."""
