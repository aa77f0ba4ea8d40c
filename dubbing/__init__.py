"""Batch dubbing: the client, and the core that workers call."""
