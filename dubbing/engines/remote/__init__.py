"""Remote engines: pools of endpoints that are reached over HTTP.

A pool is data in storage (`pool`). `dispatch` chooses the endpoint of the next request, by the
standing of each (`standing`) and this process's slots (`shares`). `wire` sends it, and
distinguishes faults of an endpoint from refusals of a line. `sound` reads the answer, and `engine`
is the base of the adapters.
"""
