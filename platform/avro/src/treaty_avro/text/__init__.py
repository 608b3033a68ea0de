"""A schema becomes a text: canonical, normalized, and the fingerprints of both."""
