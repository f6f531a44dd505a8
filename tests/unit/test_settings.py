"""What is read of the environment."""

import pytest

from dayfly.base import errors, reading_settings


def test_variables_are_read_by_theme_and_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYFLY_HOST__CPUS", "1.5")
    monkeypatch.setenv("DAYFLY_HOST__ENVIRONMENTS", '{"*gpu*": "/opt/gpu/bin/python"}')
    monkeypatch.setenv("DAYFLY_LEASE__GROUP_SECONDS", "3")
    monkeypatch.setenv("DAYFLY_NOTIFICATIONS__WEBHOOKS", '{"http://here": "FAILED"}')
    monkeypatch.setenv("DAYFLY_TASKS__MAX_CPU", "3")
    told = reading_settings.read()
    assert (told.notifications.webhooks, told.tasks.max_cpu) == ({"http://here": "FAILED"}, "3")
    assert (told.host.cpus, told.lease.group_seconds) == (1.5, 3)
    assert told.host.environments == {"*gpu*": "/opt/gpu/bin/python"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DAYFLY_HOST__CPUS", "many", "DAYFLY_HOST__CPUS: Input should be a valid number"),
        ("DAYFLY_HOST__CPU", "2", "DAYFLY_HOST__CPU: Unexpected keyword"),
        ("DAYFLY_HOST__ENVIRONMENTS", "{", "DAYFLY_HOST: .*environments are no JSON"),
        ("DAYFLY_HOST__ENVIRONMENTS", "[1]", "DAYFLY_HOST__ENVIRONMENTS: Input should be a valid dictionary"),
        ("DAYFLY_HOST", "all", 'field "host"'),
    ],
)
def test_what_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(errors.InvalidArgument, match=f"(?s){said}.*docs/settings.md"):
        reading_settings.read()
