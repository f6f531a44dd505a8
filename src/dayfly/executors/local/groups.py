"""The groups of this host: `ports.process_groups.ProcessGroups` over fork servers.

Made once by the assembly; each executor takes a `share()` of it, which tells only of its own groups. Admission, records
and fork servers are common to all. Reports of one group that nobody has read yet are replaced by the next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from dayfly.base import errors, logs
from dayfly.base.clock import Clock
from dayfly.executors.local import admission, connection, host, records, servers, standby, traces, watching
from dayfly.executors.local.forked import supervised
from dayfly.executors.local.settings import LocalSettings
from dayfly.ports.process_groups import GroupReport, GroupSpec, Room

MOST_LAUNCHES = 3
"""How often a group is sent to fork servers that go before they take it."""

_log = logs.get("process groups")


class Known:
    """A group that this platform has started or taken back."""

    def __init__(self, spec: GroupSpec, record: records.Record, report: GroupReport) -> None:
        self.spec, self.record, self.report = spec, record, report
        self.server: connection.Connection | None = None
        self.launches = 0
        self.stopping = False
        """It is to end, though no fork server has it yet."""
        self.forgotten = False
        self.adopts = ""
        """Which of those that stand by it is to take over."""


class LocalProcessGroups:
    """All groups below one data folder."""

    def __init__(self, settings: LocalSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._root = settings.data / "run" / "groups"
        self._known: dict[str, Known] = {}
        self._standbys = standby.Standbys(settings.data / "run" / "standby")
        self._standbys.sweep()
        self._servers = servers.ForkServers(settings, self._hear, self._lose_server)
        self._admission = admission.Admission(host.capacity(settings), default_cpu=settings.default_cpu)
        self._tasks: set[asyncio.Task[None]] = set()
        self._watchers = watching.Watchers()
        self._closing = False

    @property
    def capacity(self) -> admission.Capacity:
        """Return what this host gives away."""
        return self._admission.capacity

    def share(self) -> watching.Share:
        """Return these groups for one executor."""
        return watching.Share(self, self._watchers)

    async def start(self, spec: GroupSpec) -> None:
        """Start the group as soon as the host has room, or find it started, or ended, by its key."""
        if self._closing:
            raise errors.ExecutorUnavailable(f"{spec.key} is not started: the platform is ending")
        if spec.key in self._known or await self.recover(spec.key) is not None:
            return
        wish = self._admission.fit(spec.key, spec.cpu_request, spec.memory_request_bytes)
        if wish.note and self._settings.strict_resources:
            raise errors.InvalidArgument(
                f"{spec.key}: {wish.note.replace(': it gets', ', of which it would get')}.",
                remedy="Ask for less, or let dayfly fit requests to the host (without --strict-resources).",
            )
        record = records.Record(self._root, spec.key)
        try:
            record.write_spec(spec)
        except OSError as error:
            raise _unwritable(record, error) from error
        self._queue(Known(spec, record, self._build(spec.key, "queued")), wish)

    async def recover(self, key: str) -> GroupReport | None:
        """Return how a group is that an earlier platform started, and watch it; None if it was never started."""
        if key in self._known:
            return self._known[key].report
        record = records.Record(self._root, key)
        spec = record.find_spec()
        if spec is None:
            return None
        known = Known(spec, record, self._build(key, "queued"))
        started = record.find_started()
        end = record.find_end()
        if started is None and end is None:
            wish = self._admission.fit(key, spec.cpu_request, spec.memory_request_bytes)
            self._queue(known, wish)
            return known.report
        self._known[key] = known
        if end is None and started is not None and started.server:
            known.server = await self._servers.reach(started.server)
            seen = known.server.groups.get(key) if known.server is not None else None
            if seen is not None and (end := record.find_end()) is None:
                self._admission.occupy(self._admission.fit(key, spec.cpu_request, spec.memory_request_bytes))
                self._tell(known, msgspec.convert(seen, GroupReport))
                return known.report
        if end is None:
            await self._bury(known, "neither it nor its fork server was alive when the platform looked for it")
        else:
            self._tell(known, end)
        return known.report

    def watch(self) -> AsyncIterator[GroupReport]:
        """Yield the reports of all groups; ends when the platform has closed them."""
        return self._watchers.watch(None)

    async def stop(self, key: str, *, grace_seconds: float) -> None:
        """SIGTERM to the main role, SIGKILL to all after the grace; `ended` with `stopped` follows.

        Raise `ExecutorUnavailable` where nobody has started it yet and that cannot be written down.
        """
        if key not in self._known and await self.recover(key) is None:
            return
        self._end(self._known[key], "stopped", grace_seconds)

    async def forget(self, key: str) -> None:
        """Remove its record and its working folder. One that still runs is ended first, at once."""
        known = self._known.get(key)
        record = records.Record(self._root, key) if known is None else known.record
        if known is not None and known.report.state != "ended":
            known.forgotten = True
            self._end(known, "stopped", 0.0)
            return
        self._known.pop(key, None)
        self._watchers.drop(key)
        await asyncio.to_thread(record.remove)

    async def leftovers(self, key: str) -> list[str]:
        """Name every process, port and file that is left of the group, logs apart; empty when clean."""
        return await asyncio.to_thread(self._leftovers, key)

    async def close(self, *, grace_seconds: float) -> None:
        """End all groups (`interrupted`) and all fork servers; watching ends after the last report."""
        self._closing = True
        for known in list(self._known.values()):
            with contextlib.suppress(errors.ExecutorUnavailable):  # not started yet; the next platform finds it so
                self._end(known, "interrupted", grace_seconds)
        await self._servers.leave(grace_seconds=grace_seconds, patience_seconds=traces.LOST_PATIENCE_SECONDS)
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._watchers.close()

    def room(self) -> Room:
        """Return what this host has to give, and who has it, waits for it or stands by."""
        return self._admission.room()

    def list_kept(self) -> list[str]:
        """Return the keys of all groups that nobody has forgotten, an earlier platform's too."""
        return records.list_keys(self._root)

    def list_standing(self) -> list[str]:
        """Return the keys of those that stand by, ready to be taken over."""
        return [key for key in self._standbys.list() if self._known[key].report.state == "running"]

    async def abandon(self) -> None:
        """Let go of everything without ending it, as a platform that is killed does: the lease begins to run."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await self._servers.abandon()
        self._watchers.close()

    # --- starting ---------------------------------------------------------------------------------------------------

    def _queue(self, known: Known, wish: admission.Wish) -> None:
        self._known[known.spec.key] = known
        if wish.note:
            _log.info("fitted to the host", group=wish.key, because=wish.note)
        self._admission.offer(wish)
        self._admit()

    def _admit(self) -> None:
        if self._closing:
            return
        for wish in self._admission.admit():
            known = self._known[wish.key]
            self._launch(known, wish.note)
        # Told once: what exactly is in use changes with every other group's end, and each report is a commit.
        for key, reason in self._admission.news().items():
            self._tell(self._known[key], self._build(key, "queued", reason=reason))
        for key in self._admission.give_way():
            self._dismiss(key)

    def _launch(self, known: Known, note: str = "") -> None:
        standing = self._known.get(self._standbys.find(known.spec))
        if standing is not None and standing.server is not None and standing.report.state == "running":
            known.adopts = standing.spec.key
            self._standbys.drop(known.adopts)
            self._admission.leave(known.adopts)
            self._send(known, standing.server)
            return
        server = self._servers.find(known.spec.preload)
        if server is not None and not note:
            self._send(known, server)
        else:
            loading = ", ".join(known.spec.preload.user_modules) or "flytekit"
            reason = note or f"loading {loading} before the first process is forked"
            self._tell(known, self._build(known.spec.key, "starting", reason=reason))
            self._run(self._launch_later(known))

    async def _launch_later(self, known: Known) -> None:
        """Start the group once its fork server is there."""
        try:
            server = await self._servers.get(known.spec.preload)
        except errors.ExecutorUnavailable as error:
            self._finish(known, "lost", str(error))
            return
        if not known.stopping:
            self._send(known, server)

    def _send(self, known: Known, server: connection.Connection) -> None:
        known.server = server
        known.launches += 1
        own = {"temporary_dir": known.record.temporary_dir, "max_log_bytes": self._settings.max_log_bytes}
        # What may stand by after it is as large again, and every role would read it.
        spec = msgspec.to_builtins(msgspec.structs.replace(known.spec, standby=None)) | own
        server.send({"op": "start", "spec": spec, "record_dir": str(known.record.folder), "adopts": known.adopts})

    # --- standing by -------------------------------------------------------------------------------------------------

    def _stand_by(self, ended: Known) -> None:
        """Have what the next like it needs stand by after a group has ended, where there is room."""
        server = ended.server
        if server is None or server.lost or self._closing:
            return
        spec = self._standbys.add(ended.spec, ended.report.end, self._admission)
        if spec is not None:
            self._known[spec.key] = Known(spec, self._standbys.record(spec.key), self._build(spec.key, "starting"))
            self._known[spec.key].forgotten = True
            self._known[spec.key].launches = MOST_LAUNCHES  # if its server goes, it is not made anew
            self._send(self._known[spec.key], server)
        for key in self._standbys.list()[: -standby.MOST]:
            self._dismiss(key)

    def _dismiss(self, key: str) -> None:
        """End what stands by, at once."""
        self._standbys.drop(key)
        self._admission.leave(key)
        self._end(self._known[key], "stopped", 0.0)

    # --- ending ------------------------------------------------------------------------------------------------------

    def _end(self, known: Known, end: str, grace_seconds: float) -> None:
        if known.report.state == "ended":
            return
        message = "" if end == "stopped" else "the platform ended"
        if known.server is not None:
            key = known.spec.key
            known.server.send({"op": "end", "key": key, "end": end, "message": message, "grace": grace_seconds})
            return
        known.stopping = True
        try:
            claimed = known.record.claim()
        except OSError as error:
            raise _unwritable(known.record, error) from error
        if claimed:
            self._finish(known, end, message)

    def _finish(self, known: Known, end: str, message: str) -> None:
        """Write the end of a group that has no supervisor to do it."""
        report = self._build(known.spec.key, "ended", end=end, message=message)
        try:
            report = report if known.forgotten else known.record.write_end(report)
        except OSError as error:
            # Told all the same: whoever waits for it must not wait for ever.
            _log.warning("the end of a group could not be written", group=report.key, error=str(error))
        self._tell(known, report)

    async def _bury(self, known: Known, why: str) -> None:
        """Find the end of a group whose fork server is gone; kill what is left of it, if there is no end."""
        for _ in range(int(traces.LOST_PATIENCE_SECONDS / traces.ROUND_SECONDS)):
            started = known.record.find_started()
            if known.record.find_end() is not None or started is None or not started.alive:
                break
            await asyncio.sleep(traces.ROUND_SECONDS)
        end = known.record.find_end()
        if end is not None:
            self._tell(known, end)
            return
        await asyncio.to_thread(self._sweep, known)
        self._finish(known, "lost", why)

    def _sweep(self, known: Known) -> None:
        traces.Traces(known.record, known.spec).kill()

    # --- what is heard -----------------------------------------------------------------------------------------------

    def _hear(self, server: connection.Connection, message: dict[str, Any]) -> None:
        report = msgspec.convert(message, GroupReport)
        known = self._known.get(report.key)
        if known is None or known.server not in (server, None):
            return
        if report.end == supervised.ELSEWHERE:
            known.server = None
            self._run(self._bury(known, "the fork server that had it was killed"))
        else:
            self._tell(known, report)

    def _lose_server(self, server: connection.Connection) -> None:
        for known in list(self._known.values()):
            if known.server is server and known.report.state != "ended":
                known.server = None
                self._run(self._take_from_lost(known))

    async def _take_from_lost(self, known: Known) -> None:
        again = known.launches < MOST_LAUNCHES and not self._closing
        if again and known.launches and known.record.find_started() is None:
            # The server went, idle, before it read the order: nothing has been started.
            self._launch(known)
            return
        await self._bury(known, "its fork server was killed")

    def _tell(self, known: Known, report: GroupReport) -> None:
        """Take a report as the last one, and pass it on; nothing follows an end."""
        if known.report.state == "ended":
            return
        known.report = report
        self._watchers.tell(report)
        if known.adopts and ("stood_by" in report.facts or report.state == "ended"):
            self._known.pop(known.adopts, None)  # its folders are this group's own by now, or there is nothing left
            self._watchers.drop(known.adopts)
            known.adopts = ""
        if report.state == "ended":
            self._admission.leave(report.key)
            self._standbys.drop(report.key)
            if known.forgotten:
                self._run(self.forget(report.key))
            self._admit()
            self._stand_by(known)

    def _leftovers(self, key: str) -> list[str]:
        record = records.Record(self._root, key)
        known = self._known.get(key)
        return traces.Traces(record, known.spec if known is not None else record.find_spec()).describe()

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _build(self, key: str, state: str, *, reason: str = "", end: str = "", message: str = "") -> GroupReport:
        return GroupReport(key, self._clock.now(), state, reason, end=end, message=message)


def _unwritable(record: records.Record, error: OSError) -> errors.ExecutorUnavailable:
    return errors.ExecutorUnavailable(
        f"{record.folder} cannot be written: {error.strerror}", remedy="Free some space on its disk."
    )
