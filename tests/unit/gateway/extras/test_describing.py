"""The document that describes the API: valid, complete, and true of what is answered."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import openapi_spec_validator


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
    assert {"list_logs", "read_log", "read_lines"} <= set(names)


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
    world.logs.write(world.put(), "driver", "hello fox\n")
    told = (await http.get("/openapi.json")).json()
    prefix, pattern = (
        "/executions/p/d/e/nodes/n0/attempts/0",
        "{project}/{domain}/{name}/nodes/{node}/attempts/{attempt}",
    )
    for path, query, route in (
        ("logs", "", "logs"),
        ("logs/driver", "?search=fox", "logs/{role}"),
        ("lines", "", "lines"),
        ("lines", "?token=x", "lines"),
        ("logs/nobody", "", "logs/{role}"),
    ):
        answer = await http.get(f"{prefix}/{path}{query}")
        operation = told["paths"][f"/api/dayfly/v1/executions/{pattern}/{route}"]["get"]
        content = operation["responses"][str(answer.status_code)]["content"]["application/json"]
        validate(told, content["schema"], answer.json())


def validate(document: dict[str, Any], schema: dict[str, Any], told: Any) -> None:
    jsonschema.validate(told, {**schema, "components": document["components"]})
