"""What a kind of database gives `connections`: a way to write and a way to read, each with threads of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import sqlalchemy as sa


class Way(NamedTuple):
    """Where transactions of one kind run."""

    engine: sa.Engine
    threads: ThreadPoolExecutor
    """As many as the engine has connections, so that none ever waits for one."""


class Ways(NamedTuple):
    """The two ways into one database."""

    place: str
    """The database as errors name it, without its password."""
    writing: Way
    reading: Way
    patient: int = 1
    """How many transactions of the engine are under way at once, so that others find room."""


Opening = Callable[[sa.URL], Ways]


def threads(count: int, what: str) -> ThreadPoolExecutor:
    """Return threads for transactions, named for what they do."""
    return ThreadPoolExecutor(count, thread_name_prefix=f"dayfly-store-{what}")
