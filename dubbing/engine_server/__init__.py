"""Engines as a service over HTTP: the interface of `dubbing.engines` for callers on other machines.

It uses engines and their sound, but no job, queue or storage. `app` needs the extra
``engine-server``.
"""
