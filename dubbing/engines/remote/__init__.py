"""Engines that speak elsewhere: pools of endpoints that are reached over HTTP.

A pool is data in storage (`pool`). `dispatch` decides which endpoint takes the next request, by how
each one stands (`standing`) and which of its slots are this process's (`shares`). `wire` sends it,
and tells faults of an endpoint from refusals of a line. `sound` reads the answer, and `engine` is
the base of the adapters.
"""
