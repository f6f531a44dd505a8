"""Which Python environment on this host stands for which container image.

Knows: image names, interpreters. Never knows: what runs in them.
"""

from __future__ import annotations

from collections.abc import Sequence

from dayfly.environments import rules

__all__ = ["build"]


def build(own_python: str, given: Sequence[tuple[str, str]] = ()) -> rules.ImageRules:
    """Return the environments: `given` are pairs of an image's glob and an interpreter, tried in order; any other image
    stands for `own_python`."""
    return rules.ImageRules(own_python, tuple(given))
