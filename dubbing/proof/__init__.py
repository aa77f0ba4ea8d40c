"""Proof that a line is right: by the words and by the speaker heard in it."""
