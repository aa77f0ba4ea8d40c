"""Engines as a service over HTTP: the seam of `dubbing.engines`, for callers on other machines.

It reaches engines and their sound, and no job, queue or storage. `app` needs the extra
``engine-server``.
"""
