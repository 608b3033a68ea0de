"""The chat service: conversations between a buyer and a seller about goods."""
