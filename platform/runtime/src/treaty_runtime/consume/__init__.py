"""A record is handled: decisions on values (`dispatch` and what it speaks in), and the loops that obey them (`consumer`)."""
