"""Pages of lists: from a request's limit, token, filters and order to a `Page`, and the token of the next one.

A token is the decimal offset, as upstream (flyteadmin's pkg/manager/impl/util/shared.go in flyteorg/flyte), and behind
a dash the position that the store gave, so that no page costs more for those before it. A client may give an offset of
its own. The token is empty once a page came back that was not full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from flyteidl.admin import common_pb2

from dayfly.base import errors
from dayfly.ports.definitions import Filter, Listed, Page
from dayfly.services import filters

MAX_OFFSET = 2**62
"""Beyond it databases have no integers."""


def read(request: Any, *, sort_key: str = "created_at", descending: bool = True, all_at_zero: bool = False) -> Page:
    """Return the page that a list request asks for. `sort_key` and `descending` are the order where it names none;
    an empty key is the list's own order.

    Raise `InvalidArgument`: limit 0 (unless it means all), token or filter malformed.
    """
    if request.limit == 0 and not all_at_zero:
        raise errors.InvalidArgument("The list's limit is 0 or missing.", remedy="Give a limit of at least 1.")
    if request.HasField("sort_by") and request.sort_by.key:
        sort_key = request.sort_by.key
        descending = request.sort_by.direction == common_pb2.Sort.DESCENDING
    offset, position = split_token(request.token)
    return Page(
        limit=request.limit,
        offset=offset,
        position=position,
        filters=_conditions(request),
        sort_key=sort_key,
        descending=descending,
    )


def next_token(page: Page, items: Sequence[object]) -> str:
    """Return the token after this page, empty when it was the last."""
    if not page.limit or len(items) != page.limit:
        return ""
    offset = str(page.offset + len(items))
    return f"{offset}-{items.position}" if isinstance(items, Listed) and items.position else offset


def narrowed(page: Page, condition: Filter) -> Page:
    """Return the page with one more condition."""
    return msgspec.structs.replace(page, filters=(*page.filters, condition))


def split_token(token: str) -> tuple[int, str]:
    """Return the offset in a token, and the position behind it. Raise `InvalidArgument`."""
    offset, dash, position = token.partition("-")
    if not token:
        return 0, ""
    if not (offset.isascii() and offset.isdigit()) or int(offset[:20]) > MAX_OFFSET or bool(dash) != bool(position):
        raise errors.InvalidArgument(f"The list's token {token[:40]!r} is not one that this server gave.")
    return int(offset), position


def _conditions(request: Any) -> tuple[Filter, ...]:
    # ActiveLaunchPlanListRequest is the one list request without filters.
    return filters.parse(request.filters) if "filters" in request.DESCRIPTOR.fields_by_name else ()
