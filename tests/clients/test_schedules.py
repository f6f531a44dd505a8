"""Schedules of launch plans that flytekit registers and activates. The clock is set; what fires is the real API."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from flytekit import CronSchedule, FixedRate, LaunchPlan, task, workflow
from flytekit.configuration import Config, ImageConfig, PlatformConfig, SerializationSettings
from flytekit.exceptions import user
from flytekit.remote import FlyteRemote
from flytekit.tools.translator import Options
from serving import ServedInThread

from dayfly.base import clock as clocks
from dayfly.services import scheduling

PROJECT, DOMAIN = "flytesnacks", "development"


@task
def report(at: datetime, x: int) -> None: ...


@workflow
def reporting(at: datetime, x: int) -> None:
    report(at=at, x=x)


nightly = LaunchPlan.get_or_create(
    reporting, "nightly", fixed_inputs={"x": 1}, schedule=CronSchedule(schedule="@daily", kickoff_time_input_arg="at")
)
often = LaunchPlan.get_or_create(
    reporting, "often", fixed_inputs={"x": 2}, schedule=FixedRate(timedelta(hours=8), kickoff_time_input_arg="at")
)


@pytest.fixture
def served(tmp_path):
    with ServedInThread(tmp_path) as running:
        yield running


@pytest.fixture
def remote(served):
    platform = PlatformConfig(endpoint=served.served.address, insecure=True)
    found = FlyteRemote(Config(platform=platform), default_project=PROJECT, default_domain=DOMAIN)
    settings = SerializationSettings(ImageConfig.auto_default_image(), PROJECT, DOMAIN, "v1")
    found.register_workflow(reporting, settings, version="v1")
    for plan in (nightly, often):
        found.register_launch_plan(plan, "v1", PROJECT, DOMAIN, Options(), settings)
    return found


def fire(served: ServedInThread, *, days: float, catch_up: int = 10) -> None:
    """Let a scheduler look once, so many days from now."""
    clock = clocks.ManualClock(clocks.SystemClock().now())
    clock.advance(days * 86_400)
    store, launcher = served.served.store, served.served.services.launcher
    served.run(scheduling.Scheduler(store.schedules, launcher, clock, catch_up=catch_up).fire_due())


def runs(remote: FlyteRemote, plan: str) -> list:
    found, _ = remote.client.list_executions_paginated(PROJECT, DOMAIN, limit=100)
    return [one for one in found if one.spec.launch_plan.name == plan]


def test_an_active_schedule_fires_once_for_each_moment(served: ServedInThread, remote: FlyteRemote) -> None:
    remote.activate_launchplan(remote.fetch_launch_plan(name="nightly", version="v1").id)
    fire(served, days=0)
    assert runs(remote, "nightly") == []
    for _ in range(2):
        fire(served, days=3)
    found = runs(remote, "nightly")
    assert len(found) == 3
    assert runs(remote, "often") == []
    (mode,) = {one.spec.metadata.mode for one in found}
    assert mode == 1  # SCHEDULED
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    kickoffs = sorted(
        remote.client.get_execution_data(one.id).full_inputs.literals["at"].scalar.primitive.datetime for one in found
    )
    assert [(moment - today).days for moment in kickoffs] == [1, 2, 3]
    assert all(moment.hour == moment.minute == 0 for moment in kickoffs)


def test_missed_moments_are_caught_up_with_to_the_limit(served: ServedInThread, remote: FlyteRemote) -> None:
    remote.activate_launchplan(remote.fetch_launch_plan(name="often", version="v1").id)
    fire(served, days=400.01, catch_up=2)
    assert len(runs(remote, "often")) == 2
    fire(served, days=400.34, catch_up=2)
    assert len(runs(remote, "often")) == 3


def test_after_a_crash_between_launching_and_noting_nothing_fires_twice(
    served: ServedInThread, remote: FlyteRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.activate_launchplan(remote.fetch_launch_plan(name="nightly", version="v1").id)
    schedules = served.served.store.schedules
    with monkeypatch.context() as crash:

        async def die(*_: object) -> None:
            raise RuntimeError("here the power fails")

        crash.setattr(schedules, "mark_fired", die)
        with pytest.raises(RuntimeError):
            fire(served, days=1)
    assert len(runs(remote, "nightly")) == 1
    fire(served, days=1)
    assert len(runs(remote, "nightly")) == 1


def test_a_deactivated_schedule_is_silent(served: ServedInThread, remote: FlyteRemote) -> None:
    plan = remote.fetch_launch_plan(name="nightly", version="v1").id
    remote.activate_launchplan(plan)
    remote.client.update_launch_plan(plan, 0)
    fire(served, days=2)
    assert runs(remote, "nightly") == []


def test_a_schedule_that_is_not_served_is_refused_at_registration(remote: FlyteRemote) -> None:
    later = CronSchedule(schedule="@daily", offset="PT5M", kickoff_time_input_arg="at")
    plan = LaunchPlan.get_or_create(reporting, "later", fixed_inputs={"x": 1}, schedule=later)
    settings = SerializationSettings(ImageConfig.auto_default_image(), PROJECT, DOMAIN, "v1")
    with pytest.raises(user.FlyteInvalidInputException, match="offset 'PT5M' is not served"):
        remote.register_launch_plan(plan, "v1", PROJECT, DOMAIN, Options(), settings)
