"""`dayfly advice`, against an API that is made up."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from dayfly.cli import advice

MEMORY = {"role": "worker", "what": "memory", "had": "8Gi", "ask": "4Gi", "reason": "memory peaked at 38 % of 8Gi"}
UNSAID = {"role": "driver", "what": "memory", "had": "", "ask": "512Mi", "reason": "memory peaked at 311Mi"}


@pytest.mark.parametrize(
    ("runs", "told", "lines"),
    [
        (1, [], ["What flows.fit asks for is right, by its last run."]),
        (12, [], ["What flows.fit asks for is right, by its last 12 runs."]),
        (
            12,
            [MEMORY, UNSAID],
            [
                "role   what   had      ask for because",
                "worker memory 8Gi      4Gi     memory peaked at 38 % of 8Gi",
                "driver memory no limit 512Mi   memory peaked at 311Mi",
            ],
        ),
    ],
)
def test_what_is_printed(monkeypatch: pytest.MonkeyPatch, runs: int, told: list[Any], lines: list[str]) -> None:
    asked: list[Any] = []

    def call(*words: Any) -> Any:
        asked.append(words)
        return {"runs": runs, "advice": told}

    monkeypatch.setattr(advice.extras, "call", call)
    monkeypatch.setattr(advice.reaching, "find_address", lambda _: "host:1")
    done = CliRunner().invoke(advice.command, ["flows.fit", "--runs", "30", "-p", "p"], catch_exceptions=False)
    assert [" ".join(line.split()) for line in done.output.splitlines()] == [" ".join(one.split()) for one in lines]
    assert asked == [("host:1", "/advice", {"project": "p", "domain": "development", "task": "flows.fit", "runs": 30})]
