"""Dead letters: what was given up, why, and what became of it since."""
