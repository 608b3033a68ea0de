"""A plan carried out step by step: slow, and able to say what is wrong and where."""
