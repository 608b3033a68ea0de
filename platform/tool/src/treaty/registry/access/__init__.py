"""Who may come, what they may do, and what is written down of it: values without a store."""
