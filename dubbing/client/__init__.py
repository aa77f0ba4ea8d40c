"""The client: submit jobs, watch them, fetch their outputs.

Modules that only one method needs are imported inside it, so importing the client costs a pipeline
little more than importing Redis and Pydantic.
"""

from dubbing.client.client import Client
from dubbing.client.reader import by_state

__all__ = ["Client", "by_state"]
