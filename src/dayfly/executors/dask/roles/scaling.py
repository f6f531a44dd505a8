"""Makes the number of a cluster's workers follow the work: looks at the scheduler, says which workers are wanted.

Called by `scheduler`, in its event loop. `scaling_policy` decides. A worker that is to go is retired first: Dask moves
its data to others and gives it no more tasks; only when that is done is it wanted no longer. One whose data finds no
place stays. Whoever hears which workers are wanted starts and ends them, each with all its processes, which to Dask are
workers of their own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import dask
from dask.utils import parse_timedelta
from distributed.core import Status

from . import recording, scaling_policy

NAME = "dayfly-scaling"
"""Among the scheduler's extensions, where whoever runs something on the scheduler finds it."""

LEAST_SECONDS = 0.02
"""Looks are no more often than this, whatever the configuration says."""

GIVEN_BACK_STIMULUS = "dayfly-needed-still"

NO_CLIENTS = {"fire-and-forget"}
"""Clients that every scheduler has."""

log = logging.getLogger("distributed.scheduler")


def interval_seconds() -> float:
    """Return how long it is from look to look: `distributed.adaptive.interval` of Dask's configuration, a second."""
    asked = float(parse_timedelta(dask.config.get("distributed.adaptive.interval") or 0, "seconds"))
    return max(LEAST_SECONDS, asked)


class Group:
    """A group of workers: the names of all that there may be, in the order in which they are begun.

    A worker is known by its name, or one that continues it after a dash: `worker-3-r1` is `worker-3` made anew,
    `worker-3-0` and `worker-3-1` are its processes, if it has several.
    """

    def __init__(self, name: str, roles: Iterable[str], begun: int, minimum: int, processes: int = 1) -> None:
        self.name, self.roles, self.minimum, self.processes = name, list(roles), minimum, processes
        self.wanted = set(self.roles[:begun])
        self.leaving: set[str] = set()

    @property
    def workers(self) -> int:
        """Return how many workers, as Dask counts them, are wanted."""
        return self.processes * len(self.wanted)

    def add(self, number: int) -> None:
        """Want so many workers more."""
        free = [role for role in self.roles if role not in self.wanted]
        self.wanted.update(free[:number])


class Scaling:
    """The scaling of one scheduler's `groups`.

    A look may call `publish` with the names of all workers that are wanted from now on, and `note` with the kind of an
    event and what is to be said of it.
    """

    def __init__(
        self, scheduler: Any, groups: Iterable[Group], publish: Callable[[list[str]], Any], note: Callable[..., Any]
    ) -> None:
        self._scheduler, self._publish, self._note = scheduler, publish, note
        self._groups = list(groups)
        self._group_of = {role: group for group in self._groups for role in group.roles}
        self._past = scaling_policy.Past()
        self._retiring: asyncio.Task[None] | None = None
        self._began = False
        self.looks = 0
        """How often it has looked since the first client came."""
        scheduler.extensions[NAME] = self

    @property
    def wanted(self) -> int:
        """Return how many workers of these groups are wanted, as Dask counts them."""
        return sum(group.workers for group in self._groups)

    def look(self) -> None:
        """Look once, and act. Until the first client comes, the workers stay that it was promised."""
        clients = self._scheduler.clients.keys() - NO_CLIENTS
        self._began = self._began or bool(clients)
        if not self._began:
            return
        self.looks += 1
        # Somebody who is there may scatter data, which fails where there is no worker (dask/distributed#6686).
        self._past, decided = scaling_policy.decide(self._past, self._read(least=1 if clients else 0))
        if decided.more:
            before = self.wanted
            for group in self._groups:
                group.add(decided.more.get(group.name, 0))
            self._tell(before)
        if decided.fewer:
            for role in decided.fewer:
                self._group_of[role].leaving.add(role)
            # The loop itself holds tasks weakly.
            self._retiring = asyncio.ensure_future(self._retire(decided.fewer))

    def _read(self, least: int) -> scaling_policy.Look:
        scheduler = self._scheduler
        workers = list(scheduler.workers.values())
        target = scheduler.adaptive_target()
        load = dict.fromkeys((group.name for group in self._groups), 0.0)
        others = 0
        for worker in workers:
            if (role := self._role_of(worker)) is None:
                others += 1
            else:
                load[self._group_of[role].name] += worker.occupancy
        return scaling_policy.Look(
            target=target,
            running=len(scheduler.running),
            groups=tuple(
                scaling_policy.Group(
                    group.name,
                    group.minimum,
                    len(group.roles),
                    len(group.wanted),
                    len(group.leaving),
                    load[group.name],
                    group.processes,
                )
                for group in self._groups
            ),
            others=others,
            least=least,
            stuck=bool(scheduler.unrunnable),
            data_bytes=sum(worker.nbytes for worker in workers),
            memory_bytes=sum(worker.memory_limit for worker in scheduler.running),
            idle=tuple(self._list_idle()) if target < len(workers) else (),
        )

    def _list_idle(self) -> Iterable[scaling_policy.Idle]:
        """Yield those that compute nothing, with the least data first. Dask itself leaves out, from 2024.5 on, those
        that take part in a shuffle, which would begin anew (dask/distributed#8579). One of several processes may go
        when the last of these may."""
        of_role = self._by_role()
        seen: dict[str, int] = {}
        for address in self._scheduler.workers_to_close(n=len(self._scheduler.workers)):
            role = self._role_of(self._scheduler.workers[address])
            if role is None:
                continue
            seen[role] = seen.get(role, 0) + 1
            if seen[role] == len(of_role[role]) and all(map(self._may_go, of_role[role])):
                memory_bytes = sum(worker.memory_limit for worker in of_role[role])
                yield scaling_policy.Idle(role, self._group_of[role].name, memory_bytes)

    def _may_go(self, worker: Any) -> bool:
        return worker in self._scheduler.running and not worker.processing and not worker.actors

    async def _retire(self, roles: tuple[str, ...]) -> None:
        """Move the data of these workers to others, and want those no longer that have none left."""
        of_role = self._by_role()
        # Since the look, which was in an earlier round of the loop, one of them may have been given a task.
        idle = [role for role in roles if all(map(self._may_go, of_role.get(role, ())))]
        log.info("Retiring what is no longer needed: %s", ", ".join(idle))
        try:
            if any(len(of_role.get(role, ())) > 1 for role in idle):
                idle = await self._flush({role: of_role.get(role, []) for role in idle})
            await self._ask(idle, of_role, remove=True)
        except Exception:
            # Whatever is wrong with a worker, others are looked after as before (dask/distributed#4591).
            log.exception("Some workers could not be retired, and stay")
        before = self.wanted
        # One that died meanwhile may be there again, under another address, and have data.
        left = self._by_role()
        for role in roles:
            group = self._group_of[role]
            group.leaving.discard(role)
            if role not in left:
                group.wanted.discard(role)
            else:
                self._past = scaling_policy.Past()
                self._give_back(left[role])
        if self.wanted != before:
            self._tell(before)

    async def _flush(self, of_role: dict[str, list[Any]]) -> list[str]:
        """Move the data of workers to others while they stay; return those of which no process has any left. Of one
        that is to stay for one of its processes, none may go: nobody would make that one anew."""
        moved = await self._ask(of_role, of_role, remove=False)
        whole = [role for role, workers in of_role.items() if all(worker.address in moved for worker in workers)]
        for role in of_role.keys() - whole:
            self._give_back(of_role[role])
        return whole

    async def _ask(self, roles: Iterable[str], of_role: dict[str, list[Any]], *, remove: bool) -> Any:
        """Have Dask retire all processes of these workers; return the addresses of those that have no data left."""
        return await self._scheduler.retire_workers(
            workers=[worker.address for role in roles for worker in of_role.get(role, ())],
            close_workers=False,
            remove=remove,
            stimulus_id=f"{recording.NOT_NEEDED_STIMULUS}-{time.time()}",
        )

    def _give_back(self, workers: list[Any]) -> None:
        """Let processes take tasks again that were to go, as Dask does with those whose data finds no place."""
        for worker in workers:
            comm = self._scheduler.stream_comms.get(worker.address)
            if comm is not None and worker.status == Status.closing_gracefully:
                told = {"status": Status.running.name, "stimulus_id": f"{GIVEN_BACK_STIMULUS}-{time.time()}"}
                comm.send({"op": "worker-status-change", **told})

    def _by_role(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for worker in self._scheduler.workers.values():
            if (role := self._role_of(worker)) is not None:
                found.setdefault(role, []).append(worker)
        return found

    def _role_of(self, worker: Any) -> str | None:
        """Return the longest name of a role that the worker's continues."""
        name = str(worker.name)
        while name not in self._group_of:
            name, dash, _ = name.rpartition("-")
            if not dash:
                return None
        return name

    def _tell(self, before: int) -> None:
        told = f"workers wanted: {self.wanted}, before {before}"
        log.info("%s", told)
        self._note("scale", worker="", wanted={group.name: group.workers for group in self._groups}, told=told)
        self._publish([role for group in self._groups for role in group.roles if role in group.wanted])
