"""Kubernetes quantities as numbers: `500m` cores, `32Gi` bytes.

Grammar: k8s.io/apimachinery/pkg/api/resource. The compiler checks with it, executors count with it.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from dayfly.base import errors

_QUANTITY = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[eE][+-]?\d+|[KMGTPE]i|[numkMGTPE]?)", re.ASCII)

_SCALE = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}


def parse(text: str) -> Decimal:
    """Return the exact number. Raise `InvalidArgument` if `text` is not a quantity."""
    match = _QUANTITY.fullmatch(text)
    # Kubernetes allows no exponent beyond what an int64 of its smallest unit holds; far less is a sane bound here.
    if match is None or len(text) > 64:
        raise errors.InvalidArgument(
            f"{text!r} is not a Kubernetes quantity.", remedy="Write a number with a unit, such as 500m, 2 or 32Gi."
        )
    suffix = match["suffix"]
    if suffix not in _SCALE:
        exponent = int(suffix[1:])
        if abs(exponent) > 18:
            raise errors.InvalidArgument(f"{text!r} is beyond what a Kubernetes quantity can hold.")
        return Decimal(match["number"]).scaleb(exponent)
    return Decimal(match["number"]) * _SCALE[suffix]


def is_one(text: str) -> bool:
    """Say whether `text` is a quantity."""
    try:
        parse(text)
    except errors.InvalidArgument:
        return False
    return True


def cores(text: str) -> float:
    """Return a CPU quantity in cores: `500m` is 0.5. Raise `InvalidArgument`."""
    return float(parse(text))


def size_bytes(text: str) -> int:
    """Return a size in whole bytes, rounded up: `32Gi`, `1500M`. Raise `InvalidArgument`."""
    return math.ceil(parse(text))
