"""Orders to a group that stands by: to become another one, or else to end. The fork server's part of it.

A supervisor that is told to take a group over claims it in that group's record, and says so. One that ends instead,
for its time is over at this very moment or somebody kills it, has not claimed it: the group is then forked anew, as if
nothing had stood by. One that dies between its claim and its word has taken the group with it, as any supervisor does.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from . import claims, supervised

if TYPE_CHECKING:
    from .server import ForkServer

PATIENCE_SECONDS = 10.0
"""How long a supervisor may take to take a group over before it is killed; it takes a millisecond."""


def order(server: ForkServer, message: dict[str, Any]) -> bool:
    """Tell what the order to start names to take the group over; False if there is no such group any more."""
    group = server.groups.get(message["adopts"])
    if group is None or not group.standing or group.end_asked or group.report["state"] == "ended":
        return False
    del server.groups[message["adopts"]]
    server.groups[message["spec"]["key"]] = group
    group.adopting = message
    group.report = supervised.build_report(message["spec"]["key"], "starting")
    group.hurry(PATIENCE_SECONDS)
    server._order(group, message | {"op": "adopt", "socket": server.options["socket"]})
    return True


def settle(group: supervised.Group) -> None:
    """Take a supervisor's word that it has taken the group over."""
    group.record_dir = group.adopting["record_dir"]
    group.standing, group.adopting = {}, {}
    group.due = 0.0
    if group.end_asked:
        group.hurry(group.end_asked["within"])


def bury(server: ForkServer, group: supervised.Group) -> bool:
    """Clear up after a supervisor that stood by and is gone; False if it was no such one, or died with its new group.

    Nothing of its group runs any more.
    """
    if not group.standing:
        return False
    message, mine = group.adopting, group.standing["spec"]["key"]
    taken_by = claims.find_claimant(message["record_dir"]) if message else None
    if message and taken_by == group.pid:
        settle(group)
        return False
    server._tell(supervised.build_end(mine, "lost", "its supervisor is gone"))
    for folder in (group.standing["spec"]["temporary_dir"], group.standing["record_dir"]):
        shutil.rmtree(folder, ignore_errors=True)
    if message:
        server._start(message | {"adopts": ""})
        if group.end_asked:
            server._end(server.groups[message["spec"]["key"]], group.end_asked)
    return True


def dismiss(server: ForkServer, message: str) -> None:
    """End all that stands by."""
    for group in server.groups.values():
        if group.standing and not group.adopting:
            server._end(group, {"op": "end", "end": "interrupted", "message": message, "grace": 0.0})
