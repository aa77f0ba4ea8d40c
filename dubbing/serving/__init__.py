"""The common parts of our HTTP servers: request ids, error responses, and listening."""
