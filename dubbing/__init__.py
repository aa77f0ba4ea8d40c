"""Batch dubbing: what a client needs, and the core that workers call."""
