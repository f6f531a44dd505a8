"""Watches over one group: starts its roles, passes facts on, keeps the limits, ends it, and leaves nothing behind.

Forked from the fork server, one for each group; it needs neither the platform nor, to end the group, the fork server.
Its rules are those of `GroupSpec`. The last thing it does is to write `end.json` into the group's record.
"""

from __future__ import annotations

import os
import select
import selectors
import shutil
import signal
import time
from collections.abc import Callable
from typing import Any, NoReturn

from . import claims, preloading, processes, reporting, role, rounds, running, scaling, signals, standing, wire

LAST_FACT_SECONDS = 0.25
"""How long roles may take to say their last figures when the group ends."""

LAST_WORDS_SECONDS = 60.0
"""How long roles may at most be waited for that have asked for more time, in the fact `last_words_within`."""

LOST_GRACE_SECONDS = 1.0
"""What the main role gets to end by itself when the fork server has died."""


class Supervisor:
    """One group, from its first process to its last."""

    def __init__(
        self, order: dict[str, Any], server: wire.Peer, preload: preloading.Preloaded, spare: role.Spare | None
    ) -> None:
        self.spec: dict[str, Any] = order["spec"]
        spec = self.spec
        self.record_dir: str = order["record_dir"]
        self.server = server
        self.preload = preload
        self.spare = spare
        self.own_pid, self.server_pid = os.getpid(), os.getppid()
        self.roles = [running.Running(one, spec["log_dir"], spec.get("max_log_bytes", 0)) for one in spec["roles"]]
        self.main = next(one for one in self.roles if one.spec.get("main"))
        self.rounds = rounds.Rounds(spec, self.roles, self.main)
        self.reporter = reporting.Reporter(spec["key"], server)
        self.facts = self.reporter.facts
        self.scaling = scaling.Scaling(spec, self.roles, self.facts)
        self.ready: set[str] = set()
        self.restarts = 0
        self.settled = False
        """An essential role has ended as it was told to: nothing is made anew any more."""
        self.ending: dict[str, Any] = {}
        self.kill_at = 0.0
        self.began = time.monotonic()
        self.standing = standing.Standing(spec)
        self.selector = selectors.DefaultSelector()
        self.wakeup = signals.Wakeup({signal.SIGCHLD, signal.SIGTERM})

    def run(self) -> NoReturn:
        """Run the group to its end and leave the process."""
        self.selector.register(self.server.sock, selectors.EVENT_READ, None)
        self.selector.register(self.wakeup.fileno(), selectors.EVENT_READ, None)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # held back since before the fork
        try:
            self._prepare()
        except OSError as error:
            self._end("lost", message=f"its working folder {self.spec['working_dir']} could not be made: {error}")
        else:
            for one in self.standing.first(self):
                self._fork(one)
            self._note_running()
            self.reporter.report()
        self._hear_server()  # what came with the order has been read with it
        while not self._over():
            self._wait()
            self._reap()
            self._keep_rules()
        self._finish()

    # --- starting ---------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        working_dir = self.spec["working_dir"]
        os.makedirs(self.spec["log_dir"], exist_ok=True)
        os.makedirs(self.spec["temporary_dir"], mode=0o700, exist_ok=True)
        distribution = self.spec["preload"].get("distribution", "")
        if distribution:
            shutil.copytree(distribution, working_dir, symlinks=True, dirs_exist_ok=True)
        else:
            os.makedirs(working_dir, exist_ok=True)

    def _fork(self, one: running.Running) -> None:
        """Make the role's process, and tell it who it is. It waits by itself for the facts it needs."""
        pid, sock = self.spare or role.fork(self.preload, self._close_in_child)
        self.spare = None
        one.pid, one.restart_at, one.over_limit_bytes = pid, 0.0, 0
        one.peer = wire.Peer(sock)
        self.selector.register(sock, selectors.EVENT_READ, one)
        one.peer.send({"group": self.spec, "role": one.spec, "restarts": one.restarts, "facts": self.facts})

    def _close_in_child(self) -> None:
        """Let go of everything of the supervisor's, in a process forked from it."""
        self.selector.close()
        self.wakeup.close()
        self.server.sock.close()
        for one in self.roles:
            if one.peer is not None:
                one.peer.sock.close()

    # --- what happens ------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        self._listen_on(self.server, None)
        for one in self.roles:
            if one.peer is not None:
                self._listen_on(one.peer, one)
        for key, _ in self.selector.select(self._patience()):
            if key.fileobj is self.server.sock:
                self._hear_server()
            elif isinstance(key.data, running.Running):
                self._hear(key.data)
        for signum in self.wakeup.taken():
            if signum == signal.SIGTERM:
                self._lose_server()

    def _listen_on(self, peer: wire.Peer, data: running.Running | None) -> None:
        """Wait for a peer to speak, and to read what it has not taken yet."""
        if not peer.closed and peer.sock.fileno() >= 0:
            peer.flush()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.waiting else 0)
            if self.selector.get_key(peer.sock).events != events:
                self.selector.modify(peer.sock, events, data)

    def _hear_server(self) -> None:
        for message in self.server.receive():
            if message["op"] == "end":
                self._end(message["end"], message=message.get("message", ""), grace_seconds=message["grace"])
            elif message["op"] == "adopt":
                self.standing.adopt(self, message)
        if self.server.closed:
            self._lose_server()

    def _lose_server(self) -> None:
        if os.getppid() == self.server_pid and not self.server.closed:
            self._end("lost", message="its supervisor was told to end", grace_seconds=LOST_GRACE_SECONDS)
            return
        if self.server.sock.fileno() >= 0:
            self.selector.unregister(self.server.sock)
            self.server.close()
        self._end("lost", message="its fork server was killed", grace_seconds=LOST_GRACE_SECONDS)

    def _hear(self, one: running.Running) -> None:
        assert one.peer is not None
        for message in one.peer.receive():
            if "leaving" in message:
                self._let_go(one, message)
            else:
                self._learn(one, message["publish"], message.get("value", True))
        if one.peer.closed:
            self._hang_up(one)

    def _hang_up(self, one: running.Running) -> None:
        if one.peer is not None:
            self.selector.unregister(one.peer.sock)
            one.peer.close()
            one.peer = None

    def _learn(self, one: running.Running, name: str, value: Any) -> None:
        if name == standing.TAKEN:
            self.standing.hear(self, one.name)
            return
        if name == "ready":
            self.ready.add(one.name)
            value = sorted(self.ready)
        self.facts[name] = value
        if name.startswith("progress"):
            self.reporter.report_later()
            return
        if name == scaling.WANTED_FACT:
            if not (self.ending or self.settled):
                self.scaling.heed(time.monotonic())
        elif name != "ready":
            self._tell({name: value}, but=one)
        quorum = self.spec.get("quorum_fact", "")
        if quorum and quorum not in self.facts and len(self.ready) >= self.spec.get("quorum", 0):
            self.facts[quorum] = len(self.ready)
            self._tell({quorum: len(self.ready)})
        self._note_running()
        self.reporter.report()
        self.standing.prepare(self)

    def _tell(self, facts: dict[str, Any], but: running.Running | None = None) -> None:
        for one in self.roles:
            if one is not but and one.peer is not None:
                one.peer.send({"facts": facts})

    def _note_running(self) -> None:
        if self.reporter.state == "starting" and all(name in self.facts for name in self.main.spec.get("wait_for", ())):
            self.reporter.state = "running"

    # --- ends --------------------------------------------------------------------------------------------------------

    def _reap(self) -> None:
        for pid, status, peak in processes.reap():
            self.standing.lose_spare(self, pid)
            for one in self.roles:
                if one.pid == pid:
                    # What it has left in its process group would hold memory and ports; daemons end with the group.
                    processes.send(pid, signal.SIGKILL, group=True)
                    one.pid = 0
                    one.peak_bytes = max(one.peak_bytes, peak)
                    if one.peer is not None:
                        self._hear(one)  # the last facts, said before it ended
                    self._hang_up(one)
                    self._lose(one, status)

    def _lose(self, one: running.Running, status: int) -> None:
        """Judge the end of a role's process."""
        code = os.waitstatus_to_exitcode(status)
        how = {"exit_code": code} if code >= 0 else {"signal": -code}
        self.ready.discard(one.name)
        left = self.scaling.take_leave(one, time.monotonic())
        asked = left or bool(self.ending) or self.settled or one is self.main
        running.note_death(self.facts, one, code, asked=asked)
        if one is self.main:
            if one.over_limit_bytes:
                self._end("oom", one, how, running.tell_excess(one))
            else:
                self._end("exited", one, how)
        elif self.ending or left:
            return
        elif self.standing.until:
            self._end("lost", one, how, running.tell_end(one, code))
        elif one.spec.get("essential") and code == 0 and self.reporter.state == "running":
            self._settle(one)
        elif one.spec.get("essential"):
            self._end("oom" if one.over_limit_bytes else "essential_lost", one, how, running.tell_end(one, code))
        elif one.spec.get("restart") and self.settled:
            return  # It was asked to: what was told of the settling stays the last word.
        elif one.spec.get("restart"):
            self._restart(one, how, running.tell_end(one, code))
        else:
            self.reporter.reason = running.tell_end(one, code)
            self.reporter.report()

    def _settle(self, one: running.Running) -> None:
        """Let the main role go on alone: it has ended the others by its own means."""
        self.settled = True
        self.reporter.reason = f"{one.name} ended as it was told to; nothing is made anew any more"
        for other in self.roles:
            if other.spec.get("restart"):
                other.restart_at = 0.0
                if other.pid:
                    processes.send(other.pid, signal.SIGTERM)
        self.reporter.report()

    def _restart(self, one: running.Running, how: dict[str, int], told: str) -> None:
        self.restarts += 1
        limit = running.restart_limit(self.spec, self.facts)
        if limit and self.restarts > limit:
            end = "oom" if one.over_limit_bytes else "restarts_exhausted"
            self._end(end, one, how, f"{told}; it was the end number {self.restarts}, and {limit} are allowed")
            return
        self.standing.hear(self, one.name)  # what is made anew knows whose it is
        one.restart_at = time.monotonic() + running.pause_seconds(one)
        one.restarts += 1
        one.failures += 1
        self.reporter.reason = f"{told}; it is made anew (number {self.restarts})"
        self.reporter.report()

    def _end(
        self,
        end: str,
        one: running.Running | None = None,
        how: dict[str, int] | None = None,
        message: str = "",
        grace_seconds: float = 0.0,
    ) -> None:
        """Decide the end of the group; the first decision counts. The main role has the grace to end by itself."""
        now = time.monotonic()
        if self.ending:
            if how and one is self.main and self.ending["role"] == one.name:
                self.ending.update(how)
            self.kill_at = min(self.kill_at, now + grace_seconds)
            return
        self.ending = {"end": end, "role": (one or self.main).name, "message": message, **(how or {})}
        self.kill_at = now + grace_seconds
        if self.main.pid and grace_seconds > 0:
            processes.send(self.main.pid, signal.SIGTERM, group=True)

    def _over(self) -> bool:
        return bool(self.ending) and (not self.main.pid or time.monotonic() >= self.kill_at)

    def _let_go(self, one: running.Running, message: dict[str, Any]) -> None:
        """Tell the end of a lone process when it announces its exit: the kernel takes milliseconds to take it apart."""
        one.peak_bytes = max(one.peak_bytes, message["peak"])
        alone = one is self.main and len(self.roles) == 1 and not self.ending and not one.over_limit_bytes
        if alone and processes.descendants(self.own_pid) == [one.pid]:
            self._end("exited", one, {"exit_code": message["leaving"]})
            self._conclude()
            if message["copied"] is not None and one.spec["entry"] == "argv":
                self.server.send({"op": "copied", "copied": message["copied"]})

    def _finish(self) -> NoReturn:
        """Kill everything that is left, write the end, tell it, leave."""
        if not self.standing.until:
            self._drain()
        clean = processes.kill_all(lambda: processes.descendants(self.own_pid), self._reap)
        if not clean:
            left = ", ".join(map(str, processes.descendants(os.getpid())))
            self.ending["message"] = f"{self.ending['message']} (processes {left} do not die)".strip()
        running.hold_logs(self.roles)
        if self.reporter.state != "ended":
            self._conclude()
        self._settle_server()
        shutil.rmtree(self.spec["temporary_dir"], ignore_errors=True)  # last, for nobody waits for it
        self.standing.clear(self)
        os._exit(0)

    def _conclude(self) -> None:
        """Write the end and tell it."""
        self.reporter.state = "ended"
        if len(self.roles) > 1:
            self.facts["peak_memory_bytes"] = {one.name: one.peak_bytes for one in self.roles if one.begun}
        told = next(one for one in self.roles if one.name == self.ending["role"])
        report = self.reporter.build() | self.ending | {"peak_memory_bytes": told.peak_bytes}
        claims.write_end(self.record_dir, report)
        self.server.send({"op": "report", "report": report})

    def _settle_server(self) -> None:
        """Send what the server has not read yet: after this there is nobody to do it."""
        if not self.server.closed:
            self.server.sock.setblocking(True)
            self.server.flush()

    def _drain(self) -> None:
        """Hear what roles have said before they are killed, and the last figures of those that count."""
        held = {
            one.name: (one.peak_bytes, one.spec.get("memory_limit_bytes", 0))
            for one in self.roles
            if not one.spec.get("restart")
        }
        for one in self.roles:
            if one.peer is not None and one.spec.get("last_fact"):
                one.peer.send({"facts": {"held": held, "ending": self.ending["end"]}})
        began = time.monotonic()
        self._hear_out(began + LAST_FACT_SECONDS, lambda one: one.spec["last_fact"] not in self.facts)
        if within := self.facts.get("last_words_within", 0.0):
            self._hear_out(began + min(within, LAST_WORDS_SECONDS), lambda _: "last_words" not in self.facts)

    def _hear_out(self, end: float, owes: Callable[[running.Running], bool]) -> None:
        """Hear roles until none of those that have a last fact owes one, or the end."""
        while True:
            for one in self.roles:
                if one.peer is not None:
                    self._hear(one)
            owing = [
                one.peer.sock for one in self.roles if one.peer is not None and one.spec.get("last_fact") and owes(one)
            ]
            left = end - time.monotonic()
            if not owing or left <= 0 or not select.select(owing, [], [], left)[0]:
                return

    # --- rules that depend on the time -------------------------------------------------------------------------------

    def _keep_rules(self) -> None:
        now = time.monotonic()
        self.rounds.take(now, ending=bool(self.ending))
        if self.reporter.due_at and now >= self.reporter.due_at:
            self.reporter.report()
        if self.ending:
            return
        limit = self.spec.get("startup_timeout_seconds", 0.0)
        if limit and self.spec.get("quorum_fact") not in self.facts and now - self.began > limit:
            wanted = self.spec.get("quorum", 0)
            self._end("startup_timeout", message=f"{len(self.ready)} of {wanted} were ready after {limit:g} s")
        if self.standing.over(now):
            self._end("stopped", message="nobody took it over in its time")
        self.scaling.hurry(now)
        for one in self.roles:
            if one.restart_at and now >= one.restart_at:
                self._fork(one)

    def _patience(self) -> float | None:
        """Return how long nothing can happen by itself; None is for ever."""
        now = time.monotonic()
        moments = [*(one.restart_at for one in self.roles if one.restart_at), *self.scaling.moments]
        if self.ending:
            moments.append(self.kill_at)
        if self.rounds.next_at is not None:
            moments.append(self.rounds.next_at)
        moments += [at for at in (self.reporter.due_at, self.standing.until) if at]
        limit = self.spec.get("startup_timeout_seconds", 0.0)
        if limit and self.spec.get("quorum_fact") not in self.facts:
            moments.append(self.began + limit)
        return max(0.0, min(moments) - now) if moments else None
