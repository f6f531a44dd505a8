"""Advice over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import pytest

from dayfly.gateway.extras import examples
from dayfly.model.phases import AttemptPhase
from dayfly.ports.history import WantedClusters

ASKED = {"project": "p", "domain": "d", "task": "flows.fit"}


async def test_the_runs_of_a_task_are_found(http: httpx.AsyncClient, world: Any) -> None:
    for number in range(5):
        world.put(f"n{number}", AttemptPhase.SUCCEEDED, task_type="dask")
    world.record = examples.CLUSTER.record
    told = (await http.get("/advice", params={**ASKED, "runs": 3})).json()
    assert world.wanted == WantedClusters("p", "d", live=False, task="flows.fit")
    assert (told["task"], told["runs"]) == ("flows.fit", 3)
    assert told["uses"][0]["memory_peak"] == 993
    assert [(one["what"], one["had"], one["ask"]) for one in told["advice"]] == [("memory", "1Gi", "1536Mi")]
    document = (await http.get("/openapi.json")).json()
    answer = document["paths"]["/api/dayfly/v1/advice"]["get"]["responses"]["200"]["content"]["application/json"]
    jsonschema.validate(told, {**answer["schema"], "components": document["components"]})


async def test_a_task_without_records(http: httpx.AsyncClient, world: Any) -> None:
    world.put("n0", AttemptPhase.SUCCEEDED, task_type="dask")
    answer = await http.get("/advice", params=ASKED)
    assert answer.status_code == 404
    assert "'flows.fit' in p/d" in answer.json()["error"] and "task_config=Dask" in answer.json()["remedy"]


@pytest.mark.parametrize("wrong", [{"task": ""}, {"runs": 0}, {"runs": 101}, {"project": "../x"}, {"task": "a\0b"}])
async def test_refusals(http: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await http.get("/advice", params={**ASKED, **wrong})).status_code == 400
