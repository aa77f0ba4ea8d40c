"""Remote engines: pools of endpoints that are reached over HTTP.

A pool is data in storage (`pool`). `dispatch` chooses the endpoint of the next request, by the
standing of each endpoint (`standing`) and this process's slots (`shares`). `wire` sends requests,
and distinguishes faults of an endpoint from refusals of a line. `sound` reads the sound in an
answer, and `engine` is the base of the adapters.
"""
