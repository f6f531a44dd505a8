"""The tab of inputs and outputs: every value by its type, files by their beginnings, and code that fetches it all."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flyteidl.admin import node_execution_pb2, task_execution_pb2
from flyteidl.core import interface_pb2, literals_pb2
from markupsafe import Markup

from dayfly.console import markup, wording
from dayfly.console.run import declared, picking, values
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject
from dayfly.model.phases import TERMINAL_EXECUTION, TERMINAL_NODE

MAX_VALUES = 100
"""Of inputs, and of outputs."""


class Seen(NamedTuple):
    """What a run, node or attempt was given and gave."""

    answer: Any
    """One of admin's answers to Get...Data; they have the same fields."""
    interface: interface_pb2.TypedInterface


async def build(subject: Subject) -> Refresh:
    """Show the tab."""
    choice = picking.show(subject, "data")
    data, interface = await asyncio.gather(_read(subject), declared.find_interface(subject))
    seen = Seen(data, interface)
    if subject.array:
        index = subject.node.id.node_id.rpartition("#")[2]
        markup.show(
            Markup('<p class="faint">Of the whole map: element {} took and gave the values at {}.</p>').format(
                index, index
            )
        )
    inputs = markup.show(_inputs(seen))
    outputs = markup.show(_outputs(subject, seen))
    markup.show(_code(subject))

    told, final = _told(subject, seen), _is_final(subject)

    async def refresh(later: Subject) -> None:
        nonlocal told, final
        await choice(later)
        if final:
            return  # It was read when all was there.
        again = Seen(await _read(later), interface)
        before, told, final = told, _told(later, again), _is_final(later)
        # Values are drawn only where they changed: large ones take their time, and all pages wait for it.
        if told[0] != before[0]:
            inputs.set_content(str(_inputs(again)))
        if told[1] != before[1]:
            outputs.set_content(str(_outputs(later, again)))

    return refresh


def _told(subject: Subject, seen: Seen) -> tuple[Any, Any]:
    """Return what inputs and what outputs are drawn of."""
    answer = seen.answer
    return (answer.full_inputs, answer.inputs), (answer.full_outputs, answer.outputs, _nothing(subject))


def _is_final(subject: Subject) -> bool:
    """Tell whether its data stays as it is. An element's is that of its whole map, which may still run."""
    return _is_over(subject) and not subject.array


def _is_over(subject: Subject) -> bool:
    one = subject.execution if subject.node is None else subject.node
    return one.closure.phase in (TERMINAL_EXECUTION if subject.node is None else TERMINAL_NODE)


async def _read(subject: Subject) -> Any:
    client = subject.view.client
    if subject.node is None:
        return await client.get_execution_data(subject.id)
    if subject.array:
        # The API has no data of single elements.
        array = node_execution_pb2.NodeExecutionGetDataRequest(id=subject.node.id)
        array.id.node_id = subject.array
        return await client.call(client.admin.GetNodeExecutionData, array)
    if len(subject.attempts) > 1:
        attempt = task_execution_pb2.TaskExecutionGetDataRequest(id=subject.attempt.id)
        return await client.call(client.admin.GetTaskExecutionData, attempt)
    node = node_execution_pb2.NodeExecutionGetDataRequest(id=subject.node.id)
    return await client.call(client.admin.GetNodeExecutionData, node)


def _inputs(seen: Seen) -> Markup:
    told = _values(seen.answer.full_inputs, seen.interface.inputs, seen.answer.inputs)
    return _part("Inputs", told or markup.empty("It has no inputs."))


def _outputs(subject: Subject, seen: Seen) -> Markup:
    told = _values(seen.answer.full_outputs, seen.interface.outputs, seen.answer.outputs)
    return _part("Outputs", told or markup.empty(_nothing(subject)))


def _nothing(subject: Subject) -> str:
    if not _is_over(subject):
        return "Outputs are here when it has succeeded."
    return "It has no outputs." if subject.phase == "SUCCEEDED" else "It gave no outputs: it did not succeed."


def _part(label: str, content: Markup) -> Markup:
    return Markup('<section class="data-part" aria-label="{}"><h2>{}</h2>{}</section>').format(label, label, content)


def _values(told: literals_pb2.LiteralMap, types: interface_pb2.VariableMap, blob: Any) -> Markup:
    if blob.url:
        return markup.empty(
            f"They take {wording.size(blob.bytes)}, which is too much to be shown.", "The code below fetches them."
        )
    names = sorted(told.literals)
    shown = Markup("").join(
        values.shown(name, told.literals[name], types.variables[name].type if name in types.variables else None)
        for name in names[:MAX_VALUES]
    )
    left = len(names) - MAX_VALUES
    return shown + (Markup('<p class="faint">and {} more</p>').format(left) if left > 0 else "")


def _code(subject: Subject) -> Markup:
    code = fetching(subject)
    return Markup(
        '<section class="data-part" aria-label="Code to fetch this"><h2 class="row-of">Code to fetch this'
        '<button type="button" class="small" data-copy="{}">Copy</button></h2>{}</section>'
    ).format(code, markup.block(code, "Python"))


def fetching(subject: Subject) -> str:
    """Return Python that fetches inputs and outputs, with flytekit. Names come as literals of Python."""
    own, id = urlsplit(subject.view.site.public_url), subject.id
    lines = [
        "from flytekit.configuration import Config",
        "from flytekit.remote import FlyteRemote",
        "",
        f"config = Config.for_endpoint({own.netloc!r}, insecure={own.scheme != 'https'})",
        f"remote = FlyteRemote(config, default_project={id.project!r}, default_domain={id.domain!r})",
    ]
    if subject.node is None:
        lines += [
            f"run = remote.sync(remote.fetch_execution(name={id.name!r}))",
            "print(run.inputs)",
            "print(run.outputs)",
        ]
        return "\n".join(lines)
    place = f"flyte://v1/{id.project}/{id.domain}/{id.name}/{subject.array or subject.node.id.node_id}"
    if len(subject.attempts) > 1 and not subject.array:
        place += f"/{subject.attempt.id.retry_attempt}"
    lines += [f"inputs = remote.get({place + '/i'!r})"]
    if subject.node.closure.output_uri or subject.phase == "SUCCEEDED":
        lines += [f"outputs = remote.get({place + '/o'!r})", "print(outputs)  # outputs.get(NAME, as_type=TYPE)"]
    return "\n".join(lines)


TAB = Tab("data", "Inputs and outputs", lambda subject: True, build)
