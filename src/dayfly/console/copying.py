"""A launch as code: the `pyflyte` command and the Python program that do the same. Pure, but for `show`.

What people copy shall read as if they had written it, and give exactly these inputs.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2
from markupsafe import Markup

from dayfly.base import clock
from dayfly.console import confirming, markup
from dayfly.console.addresses import Place
from dayfly.console.launching import texts
from dayfly.model import plain_values
from dayfly.model.identifiers import EntityId

NO_COMMAND = (
    "There is no command for this one: pyflyte run fails on launch plans and tasks that take a dataclass or a model, "
    "unless it has their code (flytekit 1.16). The program does not need it."
)


@dataclass(frozen=True)
class Launch:
    """What is launched, where and how."""

    place: Place
    target: EntityId
    inputs: Mapping[str, literals_pb2.Literal]
    name: str = ""
    spec: execution_pb2.ExecutionSpec = field(default_factory=execution_pb2.ExecutionSpec)
    takes_models: bool = False
    """Whether any of its parameters, given or not, is a dataclass or a model."""


def command(launch: Launch) -> str:
    """Return the `pyflyte` command, one option a line."""
    is_task = launch.target.kind == identifier_pb2.TASK
    first = f"pyflyte run --project {shlex.quote(launch.place.project)} --domain {shlex.quote(launch.place.domain)}"
    options = [f"--{name} {shlex.quote(told)}" if told else f"--{name}" for name, told in _options(launch)]
    verb = "remote-task" if is_task else "remote-launchplan"
    # pyflyte takes name and version apart at the colon.
    entity = f"{verb} {shlex.quote(f'{launch.target.name}:{launch.target.version}')}"
    given = [_argument(name, one) for name, one in sorted(launch.inputs.items())]
    return " \\\n  ".join([first, *options, entity, *given])


def program(launch: Launch, url: str) -> str:
    """Return the Python program; `url` is the platform's."""
    code = _Code()
    is_task = launch.target.kind == identifier_pb2.TASK
    inputs = [f"        {name!r}: {code.value(one)}," for name, one in sorted(launch.inputs.items())]
    arguments = [f"    {one}," for one in _arguments(launch, code)]
    fetch = "fetch_task" if is_task else "fetch_launch_plan"
    where = urlsplit(url)
    insecure = "" if where.scheme == "https" else ", insecure=True"
    remote = (
        f"remote = FlyteRemote(\n    Config.for_endpoint({where.netloc!r}{insecure}),\n"
        f"    default_project={launch.place.project!r},\n    default_domain={launch.place.domain!r},\n)"
    )
    named = f"{_home(launch)}name={launch.target.name!r}, version={launch.target.version!r}"
    entity = f"entity = remote.{fetch}(\n    {named}\n)"
    given = "\n".join(["{", *inputs, "    }"]) if inputs else "{}"
    run = "\n".join(["run = remote.execute(", "    entity,", f"    inputs={given},", *arguments, ")"])
    return f"{code.imports()}\n\n{remote}\n{entity}\n{run}\nprint(remote.generate_console_url(run))\n"


def show(launch: Launch, url: str) -> None:
    """Open a dialog with both."""
    offered = [("Python", program(launch, url))]
    if not launch.takes_models:
        offered.insert(0, ("Command", command(launch)))
    parts = Markup("").join(
        Markup('<h3>{} <button type="button" class="small" data-copy="{}">Copy</button></h3>{}').format(
            label, told, markup.block(told, label)
        )
        for label, told in offered
    )
    if launch.takes_models:
        parts = Markup("<p>{}</p>{}").format(NO_COMMAND, parts)
    with confirming.Dialog("Copy as code").classes("copying"):
        markup.show(parts)


def _options(launch: Launch) -> Iterable[tuple[str, str]]:
    """Yield what `pyflyte run` is told beside the inputs."""
    spec = launch.spec
    if launch.name:
        yield "name", launch.name
    if spec.overwrite_cache:
        yield "overwrite-cache", ""
    if spec.HasField("interruptible"):
        yield "interruptible", str(spec.interruptible.value).lower()
    if spec.max_parallelism:
        yield "max-parallelism", str(spec.max_parallelism)
    if spec.labels.values:
        yield "labels", json.dumps(dict(sorted(spec.labels.values.items())))
    if spec.annotations.values:
        yield "annotations", json.dumps(dict(sorted(spec.annotations.values.items())))
    for one in spec.envs.values:
        yield "env", f"{one.key}={one.value}"
    if prefix := spec.raw_output_data_config.output_location_prefix:
        yield "raw-output-data-prefix", prefix
    if account := spec.security_context.run_as.k8s_service_account:
        yield "service-account", account
    if pool := spec.cluster_assignment.cluster_pool_name:
        yield "cluster-pool", pool


def _argument(name: str, literal: literals_pb2.Literal) -> str:
    """Return an input as `pyflyte run` takes it."""
    inner = _unwrapped(literal)
    primitive = inner.scalar.primitive
    which = primitive.WhichOneof("value")
    if which == "boolean":
        # A flag where a bool is declared; a value where it is one type of several.
        told = "true" if primitive.boolean else "false"
        if inner is not literal:
            return f"--{name} {told}"
        return f"--{name}" if primitive.boolean else f"--no-{name.replace('_', '-')}"
    if which == "duration":
        told = f"{primitive.duration.ToNanoseconds() / 10**9:f} seconds"
    elif which == "datetime":
        told = clock.to_datetime(clock.Micros(primitive.datetime.ToMicroseconds())).strftime("%Y-%m-%dT%H:%M:%S")
    elif inner.WhichOneof("value") in ("collection", "map") or inner.scalar.WhichOneof("value") in (
        "binary",
        "generic",
    ):
        told = json.dumps(plain_values.to_plain(inner), ensure_ascii=False, default=str)
    else:
        told = str(plain_values.to_plain(inner))
    return f"--{name} {shlex.quote(told)}"


def _arguments(launch: Launch, code: _Code) -> Iterable[str]:
    """Yield what `remote.execute` is told beside the inputs."""
    spec = launch.spec
    if hints := _hints(launch):
        yield hints
    if launch.name:
        yield f"execution_name={launch.name!r}"
    if spec.overwrite_cache:
        yield "overwrite_cache=True"
    if spec.HasField("interruptible"):
        yield f"interruptible={spec.interruptible.value}"
    if spec.envs.values:
        yield f"envs={ {one.key: one.value for one in spec.envs.values}!r}"
    if pool := spec.cluster_assignment.cluster_pool_name:
        yield f"cluster_pool={pool!r}"
    told = list(_more(spec, code))
    if told:
        code.needs("flytekit", "Options")
        yield f"options=Options({', '.join(told)})"


def _hints(launch: Launch) -> str:
    """Return the types that flytekit shall not guess: it makes classes of models that no plain value is one of."""
    found = {name: hint for name, one in sorted(launch.inputs.items()) if "dict" in (hint := _hint(one))}
    told = ", ".join(f"{name!r}: {hint}" for name, hint in found.items())
    return f"type_hints={{{told}}}" if told else ""


def _hint(literal: literals_pb2.Literal) -> str:
    inner = _unwrapped(literal)
    if inner.HasField("collection"):
        hints = {_hint(one) for one in inner.collection.literals}
        return f"list[{hints.pop()}]" if len(hints) == 1 and "" not in hints else ""
    if inner.HasField("map"):
        hints = {_hint(one) for one in inner.map.literals.values()}
        return f"dict[str, {hints.pop()}]" if len(hints) == 1 and "" not in hints else ""
    return "dict" if inner.scalar.WhichOneof("value") in ("binary", "generic") else ""


def _more(spec: execution_pb2.ExecutionSpec, code: _Code) -> Iterable[str]:
    if spec.max_parallelism:
        yield f"max_parallelism={spec.max_parallelism}"
    if spec.labels.values:
        code.needs("flytekit.models.common", "Labels")
        yield f"labels=Labels({dict(sorted(spec.labels.values.items()))!r})"
    if spec.annotations.values:
        code.needs("flytekit.models.common", "Annotations")
        yield f"annotations=Annotations({dict(sorted(spec.annotations.values.items()))!r})"
    if prefix := spec.raw_output_data_config.output_location_prefix:
        code.needs("flytekit.models.common", "RawOutputDataConfig")
        yield f"raw_output_data_config=RawOutputDataConfig({prefix!r})"
    if account := spec.security_context.run_as.k8s_service_account:
        code.needs("flytekit.models.security", "Identity", "SecurityContext")
        yield f"security_context=SecurityContext(run_as=Identity(k8s_service_account={account!r}))"


def _home(launch: Launch) -> str:
    """Return where the entity is, where that is elsewhere."""
    if (launch.target.project, launch.target.domain) == tuple(launch.place):
        return ""
    return f"project={launch.target.project!r}, domain={launch.target.domain!r}, "


def _unwrapped(literal: literals_pb2.Literal) -> literals_pb2.Literal:
    while literal.scalar.HasField("union"):
        literal = literal.scalar.union.value
    return literal


class _Code:
    """Values as Python's source, and the imports that they need."""

    def __init__(self) -> None:
        self._imports = {"flytekit.configuration": {"Config"}, "flytekit.remote": {"FlyteRemote"}}

    def needs(self, module: str, *names: str) -> None:
        """Import names of a module."""
        self._imports.setdefault(module, set()).update(names)

    def imports(self) -> str:
        """Return the lines that import what was needed."""
        return "\n".join(
            f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(self._imports.items())
        )

    def value(self, literal: literals_pb2.Literal) -> str:
        """Return the source of a value."""
        inner = _unwrapped(literal)
        kind = inner.WhichOneof("value")
        if kind == "collection":
            return f"[{', '.join(self.value(one) for one in inner.collection.literals)}]"
        if kind == "map":
            parts = (f"{name!r}: {self.value(one)}" for name, one in sorted(inner.map.literals.items()))
            return "{" + ", ".join(parts) + "}"
        return self._scalar(inner.scalar) if kind == "scalar" else repr(plain_values.to_plain(inner))

    def _scalar(self, scalar: literals_pb2.Scalar) -> str:
        which = scalar.WhichOneof("value")
        if which == "primitive":
            return self._primitive(scalar.primitive)
        if which == "blob":
            name = "FlyteDirectory" if scalar.blob.metadata.type.dimensionality == 1 else "FlyteFile"
            self.needs(f"flytekit.types.{name.removeprefix('Flyte').lower()}", name)
            return f"{name}({scalar.blob.uri!r})"
        if which == "structured_dataset":
            self.needs("flytekit", "StructuredDataset")
            return f"StructuredDataset(uri={scalar.structured_dataset.uri!r})"
        return self._plain(plain_values.to_plain(literals_pb2.Literal(scalar=scalar)))

    def _primitive(self, primitive: literals_pb2.Primitive) -> str:
        which = primitive.WhichOneof("value")
        if which == "datetime":
            self.needs("datetime", "datetime", "timezone")
            at = clock.to_datetime(clock.Micros(primitive.datetime.ToMicroseconds()))
            parts = [at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond]
            while len(parts) > 3 and not parts[-1]:
                parts.pop()
            return f"datetime({', '.join(map(str, parts))}, tzinfo=timezone.utc)"
        if which == "duration":
            self.needs("datetime", "timedelta")
            return _timedelta(primitive.duration.ToNanoseconds())
        return self._plain(getattr(primitive, which)) if which else "None"

    def _plain(self, value: Any) -> str:
        if isinstance(value, float) and value != value:
            return "float('nan')"
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            return f"float('{value}')"
        return repr(value)


def _timedelta(nanos: int) -> str:
    seconds, rest = divmod(abs(nanos), texts.NANO)
    days, seconds = divmod(seconds, 86400)
    told = {"days": days, "seconds": seconds, "microseconds": rest // 1000}
    parts = ", ".join(f"{name}={amount}" for name, amount in told.items() if amount)
    return f"{'-' if nanos < 0 else ''}timedelta({parts})"
