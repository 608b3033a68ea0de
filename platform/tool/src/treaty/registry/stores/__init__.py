"""Where a registry keeps everything: the protocol, and the stores that one conformance suite holds to it."""
