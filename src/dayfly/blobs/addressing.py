"""Decides which addresses are ours: below a known root, without a way out of it. Pure, local links apart.

Called before anything is read or written. Addresses stay as they are written: fsspec, which the tasks read them with,
does not unquote either.
"""

from __future__ import annotations

import os

from dayfly.base import errors

LOCAL = "file"

PLAIN_KEPT = 256
"""Folders remembered to lie behind no link: looking at each part of each path anew was a third of what an execution
cost. A folder that becomes a link is noticed when all are forgotten; only tasks can make it one, and they can read
what the platform can."""


def normalize_root(uri: str) -> str:
    """Return a root as the prefix of its blobs, without a trailing slash. A plain path is a local folder.

    Raises `InvalidArgument` for a relative one.
    """
    if "://" not in uri:
        uri = with_scheme(os.path.abspath(os.path.expanduser(uri)))
    root = uri.rstrip("/")
    scheme, _, rest = root.partition("://")
    if not scheme or not rest or (scheme == LOCAL and not rest.startswith("/")):
        raise errors.InvalidArgument(
            f"storage address {uri!r} names no place.", remedy="Give file:///FOLDER, s3://BUCKET or the like."
        )
    return root


def with_scheme(uri: str) -> str:
    """Return an absolute path as the `file://` address that it means, any other address as it is."""
    return f"{LOCAL}://{uri}" if uri.startswith("/") else uri


def scheme_of(uri: str) -> str:
    """Return what stands before `://`, and `file` for an absolute path."""
    return with_scheme(uri).partition("://")[0]


def path_of(uri: str) -> str:
    """Return the local path of a `file://` address or of a plain path."""
    return uri.removeprefix(f"{LOCAL}://")


class Roots:
    """The prefixes below which addresses are ours."""

    def __init__(self, roots: tuple[str, ...]) -> None:
        self._roots = roots
        # Roots may themselves lie behind links; blobs below them may not lead out again.
        self._real = tuple(os.path.realpath(path_of(root)) for root in roots if scheme_of(root) == LOCAL)
        self._plain: set[str] = set()

    def check(self, uri: str) -> None:
        """Raise `InvalidArgument` unless the address lies strictly below a root."""
        if not any(with_scheme(uri).startswith(f"{root}/") for root in self._roots):
            raise errors.InvalidArgument(
                f"address {uri!r} lies outside the storage.", remedy=f"Allowed is what begins with {self._told()}."
            )
        if ".." in uri.split("/") or "\0" in uri:
            raise errors.InvalidArgument(f"address {uri!r} has a part that leads out of its folder.")
        if scheme_of(uri) == LOCAL and not self._stays(path_of(uri)):
            raise errors.InvalidArgument(f"address {uri!r} leads out of the storage through a link.")

    def check_folder(self, prefix: str) -> str:
        """Check a folder, a root included, and return it without a trailing slash."""
        folder = prefix.rstrip("/")
        if folder not in self._roots:
            self.check(folder)
        return folder

    def _stays(self, path: str) -> bool:
        folder = os.path.dirname(path)
        if folder in self._plain and not os.path.islink(path):
            return True
        real = os.path.realpath(path)
        if not any(real.startswith(f"{root.rstrip('/')}/") for root in self._real):
            return False
        if len(self._plain) >= PLAIN_KEPT:
            self._plain.clear()
        if os.path.realpath(folder) == folder:
            self._plain.add(folder)
        return True

    def _told(self) -> str:
        return " or ".join(f"{root}/" for root in self._roots)
