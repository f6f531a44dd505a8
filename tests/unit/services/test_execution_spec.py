"""Request over launch plan over default, field by field."""

import pytest
from flyteidl.admin import execution_pb2, launch_plan_pb2

from dayfly.base import errors
from dayfly.model.run import RunOptions
from dayfly.services import execution_spec
from dayfly.services.settings import ApiSettings

SETTINGS = ApiSettings()


def build(asked=None, plan=None):
    return execution_spec.build(
        execution_pb2.ExecutionSpec(**(asked or {})), launch_plan_pb2.LaunchPlanSpec(**(plan or {})), SETTINGS
    )


@pytest.mark.parametrize(("asked", "plan", "wanted"), [(3, 4, 3), (0, 4, 4), (0, 0, 25)])
def test_max_parallelism(asked, plan, wanted):
    assert build({"max_parallelism": asked}, {"max_parallelism": plan}).max_parallelism == wanted


def test_interruptible_stays_unset():
    spec = build({"interruptible": None})
    assert not spec.HasField("interruptible")
    assert execution_spec.options(spec, SETTINGS) == RunOptions(max_parallelism=25, interruptible=None)


@pytest.mark.parametrize(("asked", "plan", "wanted"), [(False, True, False), (None, True, True), (True, None, True)])
def test_interruptible_false_is_a_value(asked, plan, wanted):
    given = {} if asked is None else {"interruptible": {"value": asked}}
    planned = {} if plan is None else {"interruptible": {"value": plan}}
    assert execution_spec.options(build(given, planned), SETTINGS).interruptible is wanted


@pytest.mark.parametrize("told", [0, 1, 7])
def test_system_retries_are_the_servers(told):
    assert execution_spec.options(build(), ApiSettings(system_retries=told)).system_retries == told


def test_messages_are_taken_whole_from_whoever_has_them():
    plan = {
        "labels": {"values": {"a": "plan", "b": "plan"}},
        "envs": {"values": [{"key": "A", "value": "plan"}]},
        "raw_output_data_config": {"output_location_prefix": "s3://plan"},
    }
    spec = build({"labels": {"values": {"a": "asked"}}, "raw_output_data_config": {}}, plan)
    assert dict(spec.labels.values) == {"a": "asked"}
    assert spec.envs.values[0].value == "plan"
    assert spec.raw_output_data_config.output_location_prefix == "s3://plan"


def test_principal_is_not_the_clients_to_choose():
    assert build({"metadata": {"principal": "root"}}).metadata.principal == ""


def test_notifications_follow_the_plan_unless_disabled():
    plan = {"entity_metadata": {"notifications": [{"phases": [4]}]}}
    assert len(build({}, plan).notifications.notifications) == 1
    silent = build({"disable_all": True}, plan)
    assert silent.disable_all and not silent.notifications.notifications


def test_tags():
    spec = build({"labels": {"values": {"team": "a"}}, "tags": ["nightly", "nightly"]})
    assert execution_spec.tags(spec) == (("nightly", ""), ("team", "a"))


def test_malformed_labels_are_refused():
    with pytest.raises(errors.InvalidArgument, match="label"):
        build({}, {"labels": {"values": {"a": "-"}}})
