"""What is read from a compiled workflow."""

from __future__ import annotations

from flyteidl.core import compiler_pb2
from google.protobuf import json_format

from dayfly.console.run import flows
from dayfly.console.run.flows import Flow, Part


def id_of(name: str) -> dict[str, str]:
    return {"project": "p", "domain": "d", "name": name, "version": "v"}


def task(id: str, name: str, **more: object) -> dict[str, object]:
    return {"id": id, "metadata": {"name": name}, "taskNode": {"referenceId": id_of(f"mod.{name}")}, **more}


def compiled(name: str, *nodes: dict[str, object], **upstream: str) -> dict[str, object]:
    told = {spec: {"ids": before.split()} for spec, before in upstream.items()}
    return {"template": {"id": id_of(name), "nodes": list(nodes)}, "connections": {"upstream": told}}


def test_names_kinds_and_ways_of_all_levels() -> None:
    closure = json_format.ParseDict(
        {
            "primary": compiled(
                "main",
                {"id": "start-node"},
                {"id": "end-node"},
                task("n0", "load"),
                task("n1", "train"),
                {"id": "n2", "workflowNode": {"subWorkflowRef": id_of("mod.inside")}},
                {"id": "n3", "workflowNode": {"launchplanRef": id_of("mod.nightly")}},
                {
                    "id": "n4",
                    "metadata": {"name": "size"},
                    "branchNode": {
                        "ifElse": {
                            "case": {"thenNode": task("n4-n0", "small")},
                            "other": [{"thenNode": task("n4-n1", "large")}],
                            "elseNode": task("n4-n2", "neither"),
                        }
                    },
                },
                {"id": "n5", "metadata": {"name": "good-price"}, "gateNode": {"approve": {}}},
                {
                    "id": "n6",
                    "metadata": {"name": "map_score_a8f2749e939d42b24821878ff264334f-arraynode"},
                    "arrayNode": {"node": {"taskNode": {"referenceId": id_of("mod.score")}}},
                },
                n0="start-node",
                n1="n0",
                n2="n0 n1",
            ),
            "subWorkflows": [compiled("mod.inside", task("n0", "inner"))],
            "tasks": [{"template": {"id": id_of("mod.train"), "type": "dask"}}],
        },
        compiler_pb2.CompiledWorkflowClosure(),
    )
    assert flows.build(closure) == Flow(
        {
            "n0": Part("load", "task"),
            "n1": Part("train", "dask", ("n0",)),
            "n2": Part("inside", "workflow", ("n0", "n1"), Flow({"n0": Part("inner", "task")})),
            "n3": Part("nightly", "launch_plan"),
            "n4": Part(
                "size",
                "branch",
                (),
                Flow({f"n4-n{at}": Part(name, "task") for at, name in enumerate(("small", "large", "neither"))}),
            ),
            "n5": Part("good-price", "gate"),
            "n6": Part("score", "map"),
        }
    )
