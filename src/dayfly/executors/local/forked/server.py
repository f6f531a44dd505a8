"""The fork server: an interpreter with modules in it. It forks a supervisor for each group and passes on what they say.

One thread, one `select`. It outlives the platform by its lease: a platform that comes back finds it by its socket. When
none does, it ends all groups and goes. It also forks other fork servers, with user modules loaded, which depend on it
no more.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from typing import Any, NoReturn

from . import adopting, claims, preloading, processes, role, signals, supervised, supervisor, wire

LOST_PATIENCE_SECONDS = 5.0
"""How long the leftovers of a killed supervisor are killed again before the server turns to other work."""

SPARE_SECONDS = 5.0
"""How long after an order the next supervisor is kept ready; after that the server is alone again, and small."""

NOT_MINE = 3
"""Exit code of a supervisor whose group somebody else has started, or that was not needed."""

SUPERVISOR_COMMAND = "dayfly-group"
"""What `ps` shows for supervisors."""


class ForkServer:
    """One fork server. `options` are plain JSON: socket, temporary_dir, idle_seconds, and what every
    platform says in its hello: lease_seconds, grace_seconds, overdue_seconds."""

    def __init__(self, listener: socket.socket, options: dict[str, Any], preload: preloading.Preloaded) -> None:
        listener.setblocking(False)
        self.listener = listener
        self.options = options
        self.preload = preload
        self.unfit = ""
        self.groups: dict[str, supervised.Group] = {}
        self.servers: set[int] = set()
        self.spare: supervised.Group | None = None
        self.retired: set[int] = set()
        self.asked_at = -SPARE_SECONDS
        self.platforms: list[wire.Peer] = []
        self.left_at = self.busy_at = time.monotonic()
        self.leaving = False
        self.selector = selectors.DefaultSelector()
        self.wakeup = signals.Wakeup({signal.SIGCHLD, signal.SIGTERM})

    def serve(self) -> NoReturn:
        """Serve until the lease is over, or nobody has needed it for long, or it is told to go."""
        processes.adopt_orphans()
        processes.name_this("dayfly-forks")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.selector.register(self.wakeup.fileno(), selectors.EVENT_READ, None)
        while not (self.leaving and not self.groups):
            for key, events in self.selector.select(self._patience()):
                self._turn(key, events)
            if signal.SIGTERM in self.wakeup.taken():
                self._leave("interrupted", "its fork server was told to end", self.options["grace_seconds"])
            self._reap()
            self._look_at_clock()
            self._keep_spare()
        self._go()

    # --- conversations -----------------------------------------------------------------------------------------------

    def _turn(self, key: selectors.SelectorKey, events: int) -> None:
        if key.fileobj is self.listener:
            sock, _ = self.listener.accept()
            self.platforms.append(wire.Peer(sock))
            self.selector.register(sock, selectors.EVENT_READ, self.platforms[-1])
        elif isinstance(key.data, supervised.Group):
            if events & selectors.EVENT_WRITE:
                self._order(key.data)
            self._hear_group(key.data)
        elif isinstance(key.data, wire.Peer):
            if events & selectors.EVENT_WRITE:
                key.data.flush()
            for message in key.data.receive():
                self._obey(key.data, message)
            self._settle(key.data)

    def _obey(self, peer: wire.Peer, message: dict[str, Any]) -> None:
        op = message["op"]
        if op == "hello":
            self.options.update(message["options"])
            reports = [group.report for group in self.groups.values()]
            peer.send({"op": "hello", "pid": os.getpid(), "unfit": self.unfit, "groups": reports})
        elif op == "start":
            self._start(message)
        elif op == "end":
            group = self.groups.get(message["key"])
            if group is not None:
                self._end(group, message)
        elif op == "fork":
            self._fork_server(message["options"])
            peer.send({"op": "forked", "socket": message["options"]["socket"]})
        elif op == "leave":
            self._leave("interrupted", "the platform ended", message["grace"])

    def _settle(self, peer: wire.Peer) -> None:
        """Drop a platform that has gone; wait for one that reads slowly."""
        if peer not in self.platforms:
            return
        if peer.closed:
            self.selector.unregister(peer.sock)
            peer.close()
            self.platforms.remove(peer)
            self.left_at = time.monotonic()
            if not self.platforms:
                adopting.dismiss(self, "the platform has gone")
        else:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.waiting else 0)
            self.selector.modify(peer.sock, events, peer)

    def _tell(self, report: dict[str, Any]) -> None:
        for peer in list(self.platforms):
            peer.send({"op": "report", "report": report})
            if peer.closed or peer.waiting:
                self._settle(peer)

    # --- groups ------------------------------------------------------------------------------------------------------

    def _start(self, message: dict[str, Any]) -> None:
        spec, record_dir = message["spec"], message["record_dir"]
        key = spec["key"]
        known = self.groups.get(key)
        if known is not None and known.report["state"] != "ended":
            self._tell(known.report)
            return
        if known is not None:
            # It has ended and been forgotten, and only its supervisor is on its way out: this is another one.
            self.retired.add(known.pid)
        if message["adopts"] and adopting.order(self, message):
            return
        try:
            group = self.spare or self._fork_supervisor(ahead=False)
        except OSError as error:
            self._tell(supervised.build_end(key, "lost", f"no process could be forked: {error}"))
            return
        self.spare = None
        self.asked_at = time.monotonic()
        group.record_dir, group.report = record_dir, supervised.build_report(key, "starting")
        group.standing = message if spec["standing_seconds"] else {}
        self.groups[key] = group
        self._order(group, {"spec": spec, "record_dir": record_dir})

    def _end(self, group: supervised.Group, message: dict[str, Any]) -> None:
        group.end_asked = message | {"within": message["grace"] + self.options["overdue_seconds"]}
        group.hurry(group.end_asked["within"])
        self._order(group, message)

    def _order(self, group: supervised.Group, message: dict[str, Any] | None = None) -> None:
        """Send what the supervisor reads now, the rest when it reads on."""
        if message is None:
            group.peer.flush()
        else:
            group.peer.send(message)
        if group.peer.sock.fileno() >= 0:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if group.peer.waiting else 0)
            self.selector.modify(group.peer.sock, events, group)

    def _fork_supervisor(self, *, ahead: bool) -> supervised.Group:
        """Fork a supervisor, which waits for its order; `ahead` of time, it forks its first role before that comes."""
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            with signals.blocked():
                pid = os.fork()
                if pid == 0:
                    ours.close()
                    self._become_supervisor(theirs, ahead)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        group = supervised.Group(pid, wire.Peer(ours))
        self.selector.register(ours, selectors.EVENT_READ, group)
        return group

    def _become_supervisor(self, sock: socket.socket, ahead: bool) -> NoReturn:
        server = os.getppid()
        try:
            os.setsid()
            alive = processes.die_with(server, signal.SIGTERM)
            self._close_in_child()
            processes.adopt_orphans()
            processes.name_this(SUPERVISOR_COMMAND)
            spare = role.fork(self.preload, sock.close, ahead=True) if ahead and alive else None
            received = bytearray()
            order = wire.wait_for_one(sock, received)
            if order is None or not alive or not claims.claim(order["record_dir"], self.options["socket"]):
                os._exit(NOT_MINE)
            supervisor.Supervisor(order, wire.Peer(sock, received), self.preload, spare).run()
        finally:
            # Only an error comes here, and its traceback: the server's code must not go on in this process.
            _die_telling()

    def _keep_spare(self) -> None:
        """While groups are being started, have the next supervisor and its first role forked already."""
        wanted = not self.leaving and time.monotonic() < self.asked_at + SPARE_SECONDS
        if wanted and self.spare is None:
            try:
                self.spare = self._fork_supervisor(ahead=True)
            except OSError:
                self.asked_at = -SPARE_SECONDS  # no room for spares; the next order tries again, and tells
        elif not wanted and self.spare is not None:
            self.selector.unregister(self.spare.peer.sock)
            self.spare.peer.close()
            self.retired.add(self.spare.pid)
            self.spare = None

    def _close_in_child(self) -> None:
        self.selector.close()
        self.wakeup.close()
        self.listener.close()
        for peer in (*self.platforms, *(group.peer for group in self.groups.values())):
            peer.sock.close()
        if self.spare is not None:
            self.spare.peer.sock.close()

    def _hear_group(self, group: supervised.Group) -> None:
        """Pass on what a supervisor says. With its end, nothing but the supervisor is left, which leaves."""
        for message in group.peer.receive():
            if message["op"] == "copied":
                self.preload.copied = message["copied"]
            elif message["op"] == "adopted":
                adopting.settle(group)
            else:
                if message["report"]["key"] == group.report["key"]:  # else what it said before it took this one over
                    group.report = message["report"]
                self._tell(message["report"])
        if group.peer.closed and group.peer.sock.fileno() >= 0:
            self.selector.unregister(group.peer.sock)
            group.peer.close()

    def _reap(self) -> None:
        gone = {pid: os.waitstatus_to_exitcode(status) for pid, status, _ in processes.reap()}
        if not gone:
            return
        self.servers -= gone.keys()
        self.retired -= gone.keys()
        if self.spare is not None and self.spare.pid in gone:
            self._hear_group(self.spare)
            self.spare = None
        for key, group in list(self.groups.items()):
            if group.pid in gone:
                self._hear_group(group)
                del self.groups[key]
                if gone[group.pid] != NOT_MINE or group.standing:
                    self._lose(key, group)
                else:
                    self._tell(supervised.build_end(key, supervised.ELSEWHERE, "somebody else has started it"))
                self.busy_at = time.monotonic()

    def _lose(self, key: str, group: supervised.Group) -> None:
        """Take the end of a supervisor; do its work if it has not done it."""
        if group.report["state"] != "ended":
            processes.kill_all(self._orphans, self._reap, patience_seconds=LOST_PATIENCE_SECONDS)
            if adopting.bury(self, group):
                return
            end = supervised.build_end(key, "lost", "its supervisor was killed")
            group.report = end | {"facts": group.report["facts"]}
            claims.write_end(group.record_dir, group.report)
            self._tell(group.report)

    def _orphans(self) -> list[int]:
        """Return children that nobody here has forked: what a killed supervisor has left.

        Supervisors of another fork server that was killed end their groups by themselves.
        """
        ours = self.servers | self.retired | {group.pid for group in self.groups.values()}
        if self.spare is not None:
            ours.add(self.spare.pid)
        orphans = [pid for pid in processes.children(os.getpid()) if pid not in ours]
        return [
            below
            for pid in orphans
            if processes.command(pid) != SUPERVISOR_COMMAND
            for below in (pid, *processes.descendants(pid))
        ]

    # --- other fork servers ------------------------------------------------------------------------------------------

    def _fork_server(self, options: dict[str, Any]) -> None:
        """Fork a server of its own socket, which then loads user modules."""
        listener = wire.listen(options["socket"])
        with signals.blocked():
            pid = os.fork()
            if pid == 0:
                self._become_server(listener, options)
        listener.close()
        self.servers.add(pid)

    def _become_server(self, listener: socket.socket, options: dict[str, Any]) -> NoReturn:
        try:
            os.setsid()
            self._close_in_child()
            signals.reset_in_child(self.preload.handlers)
            with open(options["log"], "ab") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            self.preload.copied = None  # tasks of other modules write elsewhere
            tempfile.tempdir = options["temporary_dir"] or tempfile.tempdir
            if options["modules"]:
                self.preload.load_libraries(options["modules"])
            unfit = ""
            if options["user_modules"]:
                unfit = self.preload.load_user_modules(options["distribution"], options["user_modules"], options["env"])
            # Only now: the modules may have given signals a meaning of their own, which is for the tasks.
            server = ForkServer(listener, self.options | options, self.preload)
            server.unfit = unfit
            server.serve()
        finally:
            _die_telling()

    # --- the end -----------------------------------------------------------------------------------------------------

    def _look_at_clock(self) -> None:
        now = time.monotonic()
        for group in self.groups.values():
            if group.due and now >= group.due:
                group.due = 0.0
                processes.send(group.pid, signal.SIGKILL)
        if self.leaving:
            return
        lease = self.options["lease_seconds"]
        if not self.platforms and now - self.left_at >= lease:
            told = f"no platform came back within the lease of {lease:g} s"
            self._leave("interrupted", told, self.options["grace_seconds"])
        elif not self.groups and now - self.busy_at >= self.options["idle_seconds"]:
            self.leaving = True

    def _patience(self) -> float | None:
        moments = [group.due for group in self.groups.values() if group.due]
        if not self.platforms and not self.leaving:
            moments.append(self.left_at + self.options["lease_seconds"])
        if self.spare is not None and not self.leaving:
            moments.append(self.asked_at + SPARE_SECONDS)
        if not self.groups:
            moments.append(self.busy_at + self.options["idle_seconds"])
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _leave(self, end: str, message: str, grace_seconds: float) -> None:
        self.leaving = True
        for key, group in self.groups.items():
            self._end(group, {"op": "end", "key": key, "end": end, "message": message, "grace": grace_seconds})

    def _go(self) -> NoReturn:
        """Leave without the exit handlers of anything that was loaded: they belong to the children. What the modules
        have started themselves goes too."""
        processes.kill_all(self._orphans, self._reap, patience_seconds=LOST_PATIENCE_SECONDS)
        for peer in self.platforms:
            peer.sock.setblocking(True)
            peer.flush()
        if os.path.exists(self.options["socket"]):
            os.unlink(self.options["socket"])
        if self.options["temporary_dir"]:
            shutil.rmtree(self.options["temporary_dir"], ignore_errors=True)
        os._exit(0)


def main() -> NoReturn:
    """Be the first fork server of an interpreter. The last argument is JSON: what `ForkServer` needs, the descriptor of
    its listener, and the libraries to load."""
    options = json.loads(sys.argv[-1])
    listener = socket.socket(fileno=options["listener"])
    os.set_inheritable(listener.fileno(), False)
    tempfile.tempdir = options["temporary_dir"]
    preload = preloading.Preloaded()
    preload.load_libraries(options["modules"])
    ForkServer(listener, options, preload).serve()


def _die_telling() -> NoReturn:
    """Leave a forked process with the traceback of its error, if there is room on the disk for one."""
    try:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(70)
