"""``python -m treaty``: the command."""

from treaty.cli import main

main()
