"""Where the files of an execution lie in the object store: pure paths, as Flyte lays them out.

Source: flyteadmin/pkg/manager/impl/shared and flytepropeller's node directories in flyteorg/flyte. `storage` is the
prefix of the platform's store (`file:///home/ann/.dayfly/storage`, `s3://bucket`), without a trailing slash.
"""

from __future__ import annotations

from dayfly.model.identifiers import END_NODE, START_NODE, ExecutionId, NodeId, generated_name, parse_element


def inputs_uri(storage: str, execution: ExecutionId) -> str:
    """Return where the merged inputs of the execution lie."""
    return f"{storage}/metadata/{execution}/inputs"


def user_inputs_uri(storage: str, execution: ExecutionId) -> str:
    """Return where the inputs lie that the client sent."""
    return f"{storage}/metadata/{execution}/user_inputs"


def execution_root(storage: str, execution: ExecutionId) -> str:
    """Return the folder of everything the engine writes for the execution."""
    return f"{storage}/metadata/propeller/{execution.project}-{execution.domain}-{execution.name}"


def node_inputs_uri(storage: str, execution: ExecutionId, node: NodeId) -> str:
    """Return the node's inputs.pb: of an array's element, the array's.

    The start node's, which are its outputs too, are the execution's inputs; the end node's, the execution's outputs.
    """
    if (element := parse_element(node)) is not None:
        return node_inputs_uri(storage, execution, element[0])
    if node == START_NODE:
        return inputs_uri(storage, execution)
    if node == END_NODE:
        return execution_outputs_uri(storage, execution)
    return f"{execution_root(storage, execution)}/{node}/data/inputs.pb"


def element_inputs_uri(storage: str, execution: ExecutionId, array: NodeId, index: int) -> str:
    """Return where the inputs of one element of an array lie, where they are stored apart from the array's."""
    return f"{output_prefix(storage, execution, array, 0)}/{index}/inputs.pb"


def output_prefix(storage: str, execution: ExecutionId, node: NodeId, attempt: int) -> str:
    """Return the folder that an attempt writes outputs.pb, error.pb and deck.html to."""
    if (element := parse_element(node)) is not None:
        return f"{output_prefix(storage, execution, element[0], 0)}/{element[1]}/{attempt}"
    return f"{execution_root(storage, execution)}/{node}/data/{attempt}"


def outputs_uri(storage: str, execution: ExecutionId, node: NodeId, attempt: int = 0) -> str:
    """Return the attempt's outputs.pb."""
    return f"{output_prefix(storage, execution, node, attempt)}/outputs.pb"


def futures_uri(storage: str, execution: ExecutionId, node: NodeId, attempt: int) -> str:
    """Return the futures.pb that a dynamic task's attempt leaves instead of outputs."""
    return f"{output_prefix(storage, execution, node, attempt)}/futures.pb"


def compiled_beside(futures: str) -> str:
    """Return where the workflow lies that a dynamic task's futures.pb was compiled to, as clients read it."""
    return futures.removesuffix(".pb") + "_compiled.pb"


def execution_outputs_uri(storage: str, execution: ExecutionId) -> str:
    """Return the outputs of the whole execution."""
    return outputs_uri(storage, execution, END_NODE)


def raw_output_prefix(prefix: str, execution: ExecutionId, node: NodeId, attempt: int) -> str:
    """Return the folder for an attempt's own data, spread over 2-character shards as Flyte does.

    `prefix` is the execution's raw output location, or `<storage>/data`.
    """
    name = generated_name(execution, node, attempt)
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    shard = digits[value % 36] + digits[(value // 36) % 36]
    return f"{prefix.rstrip('/')}/{shard}/{execution.project}-{execution.domain}-{name}"


def without_file_scheme(uri: str) -> str:
    """Return a `file://` address as the plain path it means, any other address as it is."""
    return uri.removeprefix("file://")
