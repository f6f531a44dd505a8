"""The documentation is held to the code."""

import dataclasses
import re
from pathlib import Path

from dayfly.base import settings
from dayfly.cli import main
from dayfly.console import pages

DOCS = Path(__file__).parents[2] / "docs"


def test_every_setting_is_documented() -> None:
    themes = {
        theme.name: getattr(settings, f"{theme.name.capitalize()}Settings")
        for theme in dataclasses.fields(settings.Settings)
    }
    documented = {}
    for section in re.split(r"^## ", (DOCS / "settings.md").read_text(), flags=re.MULTILINE)[1:]:
        documented[section.split()[0]] = set(re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE))
    assert documented == {name: {field.name for field in dataclasses.fields(theme)} for name, theme in themes.items()}


def test_every_command_is_documented() -> None:
    headings = set(re.findall(r"^## dayfly (\w+)", (DOCS / "commands.md").read_text(), flags=re.MULTILINE))
    assert headings == set(main.COMMANDS)


def test_checklists_named_in_the_architecture_exist() -> None:
    text = (DOCS.parent / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`(?:docs/checklists/)?([\w-]+\.md)`", text)) - {"docs"}
    assert named
    for name in named:
        assert (DOCS / "checklists" / name).exists() or (DOCS / name).exists(), name


def test_every_page_of_the_console_is_documented() -> None:
    text = (DOCS / "console.md").read_text()
    documented = set(re.findall(r"^\| `(/\S*|PLACE/\S+)`", text, flags=re.MULTILINE))
    routes = [page.route for module in pages.PAGES for page in module.PAGES]
    named = {
        re.sub(r"\{(\w+)(?::path)?\}", lambda part: part[1].upper(), route).replace(
            "/projects/PROJECT/domains/DOMAIN", "PLACE"
        )
        for route in routes
    }
    assert documented == named
