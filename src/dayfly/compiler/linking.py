"""One workflow template -> its compiled form, with start and end node, edges and every binding checked.

`workflows` calls it for the primary workflow and for each sub-workflow. Source of the shape:
flytepropeller/pkg/compiler/workflow_compiler.go in flyteorg/flyte.
"""

from __future__ import annotations

from functools import partial

from flyteidl.core import compiler_pb2, literals_pb2, workflow_pb2

from dayfly.compiler import bindings, branches, errors, graph, interfaces, nodes, references
from dayfly.compiler.errors import CompileError
from dayfly.compiler.interfaces import Interface, Library
from dayfly.compiler.scopes import Scope
from dayfly.model import promises
from dayfly.model.identifiers import END_NODE, START_NODE


def link(
    template: workflow_pb2.WorkflowTemplate, library: Library, found: list[CompileError]
) -> compiler_pb2.CompiledWorkflow:
    """Return the compiled form of `template`, which stays as it is, and add everything wrong with it to `found`.

    The form is of use only if nothing was added.
    """
    linked = workflow_pb2.WorkflowTemplate()
    linked.CopyFrom(template)
    path = f"workflow {template.id.name}"
    # Upstream refuses these as duplicates; whoever registers what a server returned means well.
    own = [node for node in linked.nodes if node.id not in (START_NODE, END_NODE)]
    _check_interface(linked, path, found)
    scope = _open_scope(linked, own, library, path, found)
    edges = _check_nodes(own, linked, library, scope, path, found)
    end = _end_node(linked, scope, path, found)
    _check_graph(edges, path, found)
    if scope.too_deep:
        message = "too many branches and approvals hang on each other; list nodes in the order in which they run"
        found.append(CompileError(errors.INVALID_VALUE, path, message))
    whole = graph.connect(edges, _sources(end))
    end.upstream_node_ids.extend(sorted(whole[END_NODE]))
    compiled = compiler_pb2.CompiledWorkflow(template=linked, connections=graph.to_connections(whole))
    del compiled.template.nodes[:]
    compiled.template.nodes.extend([workflow_pb2.Node(id=START_NODE), end, *own])
    return compiled


def _check_interface(template: workflow_pb2.WorkflowTemplate, path: str, found: list[CompileError]) -> None:
    if not template.HasField("interface"):
        found.append(CompileError(errors.VALUE_REQUIRED, path, "it has no interface"))
    for word, variables in (("input", template.interface.inputs), ("output", template.interface.outputs)):
        for name in interfaces.untyped(variables):
            found.append(CompileError(errors.VALUE_REQUIRED, f"{path}, {word} {name}", "it has no type"))


def _open_scope(
    template: workflow_pb2.WorkflowTemplate,
    own: list[workflow_pb2.Node],
    library: Library,
    path: str,
    found: list[CompileError],
) -> Scope:
    if not own:
        found.append(CompileError(errors.NO_NODES_FOUND, path, "it has no nodes"))
    by_id: dict[str, workflow_pb2.Node] = {}
    for node in own:
        if not node.id:
            found.append(CompileError(errors.VALUE_REQUIRED, f"{path}, {nodes.describe(node)}", "it has no id"))
        elif node.id in by_id:
            found.append(
                CompileError(errors.DUPLICATE_ID, f"{path}, {nodes.describe(node)}", "another node has this id")
            )
        by_id.setdefault(node.id, node)
    inputs = interfaces.variable_types(template.interface.inputs)
    return Scope(inputs, by_id, partial(_find_outputs, library=library))


def _find_outputs(node: workflow_pb2.Node, scope: Scope, library: Library) -> interfaces.Types | None:
    return nodes.find_outputs(node, library, scope)


def _check_nodes(
    own: list[workflow_pb2.Node],
    template: workflow_pb2.WorkflowTemplate,
    library: Library,
    scope: Scope,
    path: str,
    found: list[CompileError],
) -> dict[str, set[str]]:
    """Check and complete each node; return the edges between those of the graph, the failure node apart."""
    edges: dict[str, set[str]] = {}
    for node in own:
        edges.setdefault(node.id, set()).update(_complete(node, library, scope, path, found))
    if template.HasField("failure_node"):
        _complete(template.failure_node, library, scope, path, found)
    return edges


def _complete(
    node: workflow_pb2.Node, library: Library, scope: Scope, path: str, found: list[CompileError]
) -> set[str]:
    place = f"{path}, {nodes.describe(node)}"
    nodes.check(node, library, scope, place, found)
    sources: set[str] = set()
    declared: set[str] = set()
    for part in references.walk_node(node):
        for binding in part.inputs:
            _name_start_node(binding.binding)
            sources.update(promises.upstream_nodes(binding.binding))
        declared.update(one or START_NODE for one in part.upstream_node_ids)
    for missing in sorted(one for one in declared - sources if not scope.has(one)):
        message = f"it is to run after node {missing}, which is not there"
        found.append(CompileError(errors.NODE_NOT_FOUND, place, message))
    branches.rename_inner(node)
    # The start node is not named here: `connect` adds it where nothing else comes first, and flytekit, which drops it
    # from the nodes it reads, could not resolve it.
    upstream = {one for one in sources | declared if scope.has(one)} - {START_NODE}
    # What is inside a branch may be said to come after the branch itself; that is no cycle.
    if node.WhichOneof("target") == "branch_node" and node.id not in node.upstream_node_ids:
        upstream.discard(node.id)
    del node.upstream_node_ids[:]
    node.upstream_node_ids.extend(sorted(upstream))
    return upstream


def _name_start_node(binding: literals_pb2.BindingData) -> None:
    """Call the start node by its name, where clients leave it empty. Changes `binding`."""
    kind = binding.WhichOneof("value")
    if kind == "promise":
        binding.promise.node_id = binding.promise.node_id or START_NODE
    elif kind == "collection":
        for part in binding.collection.bindings:
            _name_start_node(part)
    elif kind == "map":
        for part in binding.map.bindings.values():
            _name_start_node(part)


def _end_node(
    template: workflow_pb2.WorkflowTemplate, scope: Scope, path: str, found: list[CompileError]
) -> workflow_pb2.Node:
    """Return the end node, whose inputs are the workflow's outputs."""
    declared = interfaces.variable_types(template.interface.outputs)
    wanted = Interface(declared, {}, interfaces.not_optional(declared))
    bindings.check_all(template.outputs, wanted, scope, path, found, word="output")
    for binding in template.outputs:
        _name_start_node(binding.binding)
    return workflow_pb2.Node(id=END_NODE, inputs=template.outputs)


def _check_graph(edges: dict[str, set[str]], path: str, found: list[CompileError]) -> None:
    cycles = graph.find_cycles(edges)
    for cycle in cycles:
        message = f"nodes wait for each other: {' -> '.join([*cycle, cycle[0]])}"
        found.append(CompileError(errors.CYCLE_DETECTED, path, message))
    told = {node for cycle in cycles for node in cycle}
    whole = graph.connect(edges, ())
    lost = [node for node in graph.find_unreachable(whole) if node not in told and node != END_NODE]
    if lost:
        message = f"no path leads from the start to {', '.join(lost)}"
        found.append(CompileError(errors.UNREACHABLE_NODES, path, message))


def _sources(node: workflow_pb2.Node) -> set[str]:
    """Return the nodes that the workflow's outputs come from; its own inputs are there from the start."""
    return {source for binding in node.inputs for source in promises.upstream_nodes(binding.binding)} - {START_NODE}
