"""Synthesis: turns a batch of lines into clips."""
