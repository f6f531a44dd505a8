"""The document that describes the API: valid, complete, and true of what is answered."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import openapi_spec_validator

from dayfly.base.clock import Micros
from dayfly.gateway.extras import examples
from dayfly.model import events
from dayfly.model.identifiers import NodeId


async def test_the_document_is_valid_and_everything_in_it_is_described(http: httpx.AsyncClient) -> None:
    told = (await http.get("/openapi.json")).json()
    openapi_spec_validator.validate(told)
    assert told["info"]["version"] == "1.2.3"
    names = []
    for path, operations in told["paths"].items():
        assert path.startswith("/api/dayfly/v1/")
        for operation in operations.values():
            names.append(operation["operationId"])
            assert operation["summary"] and operation["tags"]
            assert set(operation["tags"]) <= {tag["name"] for tag in told["tags"]}
    assert len(set(names)) == len(names)
    ours = {"list_events", "list_logs", "read_log", "read_lines", "list_clusters", "read_cluster", "read_frames"}
    assert ours <= set(names)


async def test_examples_and_refusals_have_the_forms_that_they_are_examples_of(http: httpx.AsyncClient) -> None:
    told = (await http.get("/openapi.json")).json()
    seen = 0
    for operations in told["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    if "example" in content:
                        validate(told, content["schema"], content["example"])
                        seen += 1
    assert seen > 10


async def test_answers_have_the_described_form(http: httpx.AsyncClient, world: Any) -> None:
    world.logs.write(world.put(task_type="dask", error={"code": "x", "message": "y"}), "driver", "hello fox\n")
    world.happened = [events.AttemptStopped(Micros(1), NodeId("n0"), 0)]
    world.record = examples.CLUSTER.record
    told = (await http.get("/openapi.json")).json()
    execution, attempt = "executions/{project}/{domain}/{name}", "nodes/{node}/attempts/{attempt}"
    named = {"project": "p", "domain": "d", "name": "e", "node": "n0", "attempt": "0", "role": "driver"}
    for route, query, status in (
        (f"{execution}/events", "", 200),
        (f"{execution}/{attempt}/logs", "", 200),
        (f"{execution}/{attempt}/logs/{{role}}", "?search=fox", 200),
        (f"{execution}/{attempt}/logs/{{role}}", "?search=fox&token=x", 400),
        (f"{execution}/{attempt}/lines", "", 200),
        (f"{execution}/{attempt}/lines", "?level=x", 400),
        ("clusters", "", 200),
        ("clusters", "?execution=e", 400),
        ("clusters/{project}/{domain}/{name}/{node}/{attempt}", "", 200),
        ("clusters/{project}/{domain}/{name}/{node}/{attempt}/frames", "", 200),
    ):
        answer = await http.get(f"/{route.format(**named)}{query}")
        assert answer.status_code == status, route
        operation = told["paths"][f"/api/dayfly/v1/{route}"]["get"]
        validate(told, operation["responses"][str(status)]["content"]["application/json"]["schema"], answer.json())


def validate(document: dict[str, Any], schema: dict[str, Any], told: Any) -> None:
    jsonschema.validate(told, {**schema, "components": document["components"]})
