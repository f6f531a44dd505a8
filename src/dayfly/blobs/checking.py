"""Measures a stream while it passes: is it as long as was said, and does its MD5 agree?"""

from __future__ import annotations

import hashlib

from dayfly.base import errors


class Check:
    """Sees every chunk of one stream."""

    def __init__(self, uri: str, size_bytes: int | None, md5: bytes | None) -> None:
        self._uri, self._expected, self._md5 = uri, size_bytes, md5
        # Only a checksum on the wire, as S3 and Flyte have it.
        self._hash = hashlib.md5(usedforsecurity=False) if md5 is not None else None
        self.seen_bytes = 0

    def see(self, chunk: bytes) -> None:
        """Take a chunk. Raises `InvalidArgument` as soon as there is more than was said."""
        self.seen_bytes += len(chunk)
        if self._expected is not None and self.seen_bytes > self._expected:
            raise errors.InvalidArgument(
                f"upload of {self._uri}: more bytes came than the {self._expected} that were declared.",
                remedy="Declare the right Content-Length and send it again; nothing was kept.",
            )
        if self._hash is not None:
            self._hash.update(chunk)

    def finish(self) -> None:
        """Raise `InvalidArgument` when the whole is shorter than was said, or another than its MD5 says."""
        if self._expected is not None and self.seen_bytes != self._expected:
            raise errors.InvalidArgument(
                f"upload of {self._uri}: {self.seen_bytes} bytes came, {self._expected} were declared.",
                remedy="It was cut off on its way; send it again. Nothing was kept.",
            )
        if self._hash is not None and self._hash.digest() != self._md5:
            raise errors.InvalidArgument(
                f"upload of {self._uri}: its MD5 is not the one that was declared.",
                remedy="It was changed on its way; send it again. Nothing was kept.",
            )
