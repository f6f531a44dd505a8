"""Wakes whoever waits for work: within this process at once, on Postgres other processes too (LISTEN and NOTIFY).

`run_rows.append` announces within the transaction, so that a listener hears of it with the commit and never before. A
notice that is lost with a broken connection costs nothing but time: the caller of `wait` polls as well.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import sqlalchemy as sa

from dayfly.base import errors, logs
from dayfly.stores import postgres, translating

CHANNEL = "dayfly_work"

RECONNECT_SECONDS = 1.0
"""Between attempts to listen again after the connection broke."""

ALONE_LOCK = 0x6461_7966_6C79
"""The advisory lock of the one platform that has its tasks on its own host."""

ALONE_SECONDS = 5.0
"""How long to wait for it: the server notices only after a moment that a platform which was killed is gone."""

_NOTIFY = sa.text(f"NOTIFY {CHANNEL}")

_log = logs.get("stores.waking")


def announce(connection: sa.Connection) -> None:
    """Tell other processes, with the commit, that there is work."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY)


class Waking:
    """Waiting for work that somebody announces."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Let `wait` return, now or the next time."""
        self._woken.set()

    async def wait(self, timeout_seconds: float) -> None:
        """Return when something was announced since the last call, or after the timeout."""
        try:
            await asyncio.wait_for(self._woken.wait(), timeout_seconds)
        except asyncio.TimeoutError:
            return
        self._woken.clear()


class Listener:
    """Hears what other processes announce in a Postgres database, on a connection of its own."""

    def __init__(self, url: sa.URL, place: str, waking: Waking, *, alone: bool) -> None:
        self._conninfo, self._place, self._waking, self._alone = postgres.conninfo(url), place, waking, alone
        self._guard = threading.Lock()
        """Of what follows: a thread may connect while the platform ends."""
        self._closed = False
        self._connection: Any = None
        self._socket = -1
        self._reconnecting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen. Raises `StoreUnavailable`, `FailedPrecondition` where another platform is alone here."""
        await asyncio.to_thread(self._connect)
        if self._connection is not None:
            self._socket = self._connection.fileno()  # which a broken connection does not tell any more
            asyncio.get_running_loop().add_reader(self._socket, self._hear)

    async def close(self) -> None:
        """End it."""
        self._closed = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.gather(self._reconnecting, return_exceptions=True)
        self._drop()

    def _connect(self) -> None:
        import psycopg

        try:
            connection = psycopg.connect(self._conninfo, autocommit=True, connect_timeout=postgres.CONNECT_SECONDS)
            try:
                if self._alone:
                    self._lock(connection)
                connection.execute(f"LISTEN {CHANNEL}")
                with self._guard:
                    if not self._closed:
                        self._connection = connection
            finally:
                if self._connection is not connection:
                    connection.close()
        except psycopg.Error as error:
            raise translating.translate(error, self._place) from error

    def _lock(self, connection: Any) -> None:
        import psycopg

        try:
            connection.execute(f"SET lock_timeout = {int(ALONE_SECONDS * 1000)}")
            connection.execute("SELECT pg_advisory_lock(%s)", (ALONE_LOCK,))
        except psycopg.errors.LockNotAvailable as error:
            raise errors.FailedPrecondition(
                f"database {self._place} is in use by another platform.",
                remedy="End that one first, or name another database.",
            ) from error

    def _hear(self) -> None:
        import psycopg

        raw, heard = self._connection.pgconn, False
        try:
            raw.consume_input()
            while raw.notifies() is not None:
                heard = True
        except psycopg.Error as error:
            _log.warning("not listening to the database any more", database=self._place, error=str(error))
            self._drop()
            self._reconnecting = asyncio.create_task(self._reconnect(), name="listen again")
            return
        if heard:
            self._waking.wake()

    async def _reconnect(self) -> None:
        while True:
            await asyncio.sleep(RECONNECT_SECONDS)
            try:
                await self.open()
            except errors.DayflyError as error:
                _log.warning("cannot listen to the database", database=self._place, error=str(error))
                continue
            _log.info("listening to the database again", database=self._place)
            self._waking.wake()  # whatever was announced meanwhile
            return

    def _drop(self) -> None:
        with self._guard:
            dropped, self._connection = self._connection, None
        if self._socket >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket = -1
        if dropped is not None:
            dropped.close()
