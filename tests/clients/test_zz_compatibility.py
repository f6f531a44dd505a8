"""docs/compatibility.md is made of what is served and of what the other client tests have called. Runs last, by its name.

`DAYFLY_WRITE_DOCS=1 make test` writes the file anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from tests.platforms import calls_seen

from dayfly.services import server

CLIENTS = Path(__file__).parent
PAGE = CLIENTS.parents[1] / "docs" / "compatibility.md"
BEGIN = "<!-- made by tests/clients/test_zz_compatibility.py -->\n"

NOT_YET = dict.fromkeys(
    ("CreateWorkflowEvent", "CreateNodeEvent", "CreateTaskEvent"),
    "`test_outside_events.py`: answered by Flyte's rules; what would change something is refused",
)
"""RPCs that cannot succeed, since executions are driven by the engine inside, and who tests what they answer."""

BESIDES = {
    health_pb2.DESCRIPTOR.services_by_name["Health"]: "test_api_messages.py",
    reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]: "test_api_messages.py",
}
"""Served by the libraries that they come with, which count nothing."""


def module_count() -> int:
    return len([path for path in CLIENTS.glob("test_*.py") if path.name != Path(__file__).name])


def table(by_module: dict[str, set[str]]) -> str:
    lines = []
    for service in server.SERVICES:
        lines += [f"\n### {service.full_name}\n", "| RPC | called with success by |", "|---|---|"]
        for rpc in sorted(method.name for method in service.methods):
            callers = sorted(module for module, called in by_module.items() if rpc in called)
            shown = ", ".join(f"`{module}`" for module in callers[:3]) + (", ..." if len(callers) > 3 else "")
            lines.append(f"| {rpc} | {shown or NOT_YET.get(rpc, 'nobody')} |")
    for service, module in BESIDES.items():
        lines += [f"\n### {service.full_name}\n", "| RPC | called with success by |", "|---|---|"]
        lines += [f"| {method.name} | `{module}` |" for method in service.methods]
    return "\n".join(lines) + "\n"


def test_every_rpc_has_a_row() -> None:
    page = PAGE.read_text()
    for service in server.SERVICES:
        section = page.partition(f"### {service.full_name}\n")[2].partition("\n### ")[0]
        rows = {line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")} - {"RPC"}
        assert rows == {method.name for method in service.methods}, service.full_name
        assert "nobody" not in section, f"a client test is missing: {section}"


def test_the_page_says_who_calls_what() -> None:
    by_module = calls_seen.by_module()
    if len(by_module) < module_count() // 2:
        pytest.skip("the other client tests did not run before this one, so that nothing is known of their calls")
    called = set().union(*by_module.values())
    missing = [
        f"{service.name}/{method.name}"
        for service in server.SERVICES
        for method in service.methods
        if method.name not in called and method.name not in NOT_YET
    ]
    assert not missing, f"no client test calls these with success: {', '.join(missing)}"
    if os.environ.get("DAYFLY_WRITE_DOCS"):
        head = PAGE.read_text().partition(BEGIN)[0]
        PAGE.write_text(head + BEGIN + table(by_module))


def test_the_page_names_only_tests_that_are_there() -> None:
    # Which of them calls what is not compared to the letter: clients that poll call more or less by chance.
    named = set(re.findall(r"`(test_\w+\.py)`", PAGE.read_text()))
    assert named
    assert {name for name in named if not (CLIENTS / name).exists()} == set()
