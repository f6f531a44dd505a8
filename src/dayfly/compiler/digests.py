"""Name a document by its content: equal digests mean the same structure.

The order of map entries does not count, the order of lists does; the compiler sorts those whose order means nothing.
"""

from __future__ import annotations

import hashlib

from google.protobuf import message


def digest(document: message.Message) -> str:
    """Return the SHA-256 of the document, as 64 hexadecimal characters."""
    text = document.DESCRIPTOR.full_name.encode() + b"\0" + document.SerializeToString(deterministic=True)
    return hashlib.sha256(text).hexdigest()
