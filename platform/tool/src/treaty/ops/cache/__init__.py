"""What was judged before, kept in the user's cache folder: the same question gets the same answer without judging anew.

A fault in here must never change an answer: whatever is missing, torn, foreign or not to be told by its content is judged as if
there were no cache (ADR 39).
"""
