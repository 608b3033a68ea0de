"""What services test their handlers with, and what we test ours with: a harness, a history checker, misbehaving brokers."""
