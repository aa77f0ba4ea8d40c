"""The common part of our HTTP servers: ids of requests, the form of errors, listening."""
