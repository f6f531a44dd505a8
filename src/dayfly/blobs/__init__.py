"""Bytes under addresses: local files, and any object store that fsspec knows.

Knows: addresses, streams, sizes and checksums, vendors' errors. Never knows: what the bytes mean, who may read them,
which execution they belong to. `open` is the way in.
"""

from dayfly.blobs.opening import FsspecBlobs, open

__all__ = ["FsspecBlobs", "open"]
