"""Lines that come with time: the logs of an attempt, or what happened in a run. The browser reads them from the API.

`log_view.js` draws those in sight, however many there are, and keeps what is chosen in the address.
"""

from __future__ import annotations

from nicegui.element import Element


class LogView(Element, component="log_view.js"):
    """The view on a page."""

    def __init__(
        self,
        *,
        lines: str,
        logs: str = "",
        live: bool = False,
        kind: str = "lines",
        node_href: str = "",
        name: str = "",
    ) -> None:
        """`lines` is the path of the lines, `logs` of the list of single logs; `name` names a download.

        `kind` is `lines` or `events`; then `node_href` leads to a node, where its id is put for `NODE`.
        """
        super().__init__()
        self._props.update(lines=lines, logs=logs, live=live, kind=kind, nodeHref=node_href, name=name)
