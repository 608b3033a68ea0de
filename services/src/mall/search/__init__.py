"""The search service: an index of the goods for sale, and what was looked at together."""
