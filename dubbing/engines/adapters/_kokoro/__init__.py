"""Kokoro's phonemes for its languages."""
