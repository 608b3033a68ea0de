"""What follows from facts alone: requests read, schemas told apart, settings merged, writes decided. Pure."""
