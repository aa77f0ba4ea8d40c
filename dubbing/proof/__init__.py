"""Proof that a line is right: by the speaker heard in it."""
