"""Kubernetes quantities."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dayfly.base import errors
from dayfly.model import quantities


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("2", 2),
        ("500m", "0.5"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("5.", 5),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1M", 10**6),
        ("1Gi", 2**30),
        ("2Ti", 2**41),
        ("1E", 10**18),
        ("1Ei", 2**60),
        ("1e3", 1000),
        ("12E2", 1200),
        ("1e-3", "0.001"),
        ("100n", "1e-7"),
        ("7u", "7e-6"),
        ("-1", -1),
        ("+1", 1),
    ],
)
def test_parse(text, number):
    assert quantities.parse(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["", "x", "1 Gi", "1GB", "1ki", "1mi", "Gi", "1e", "1e99", " 1", "1\n", "0x10", "1,5", "inf", "nan", "٣"]
)
def test_what_is_no_quantity(text):
    with pytest.raises(errors.InvalidArgument):
        quantities.parse(text)


def test_cores_and_bytes():
    assert quantities.cores("500m") == 0.5
    assert quantities.size_bytes("32Gi") == 32 * 2**30
    assert quantities.size_bytes("100m") == 1
