"""What a request is on the wire: its path as it was sent, its media types, its body, never more of it than the limit."""
