"""The API as Python, for console, operator and CLI: the same gRPC that every other client speaks.

Knows: flyteidl's stubs, an address. Never knows: where the server keeps anything, or that it may be this process.
"""

from dayfly.client.connecting import Client, open

__all__ = ["Client", "open"]
