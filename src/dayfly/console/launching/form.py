"""The launch form on a page. What it holds lives in the browser, so that no answer of a server can lose it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui.element import Element

from dayfly.console.launching import filling, options, writing
from dayfly.console.launching.filling import Field
from dayfly.console.launching.reading import Mistakes
from dayfly.console.launching.target import Target

Told = dict[str, Any]
"""What the browser sends: `inputs` and `options`, and `version` where another one was chosen."""


class Form(Element, component="form.js"):
    """The form; `on_launch`, `on_copy` and `on_version` get what it holds."""

    def __init__(
        self,
        target: Target,
        *,
        on_launch: Callable[[Told], Any],
        on_copy: Callable[[Told], Any],
        on_version: Callable[[Told], Any],
    ) -> None:
        super().__init__()
        self.fields: tuple[Field, ...] = ()
        self._generation = self._answered = 0
        template = target.template
        self._props.update(
            optionShape=writing.with_blanks(options.SHAPE),
            optionValues=options.of_run(template.spec) if template else options.blank(),
            errors={},
            problem={},
            busy=False,
            answered=0,
            project=target.id.project,
            domain=target.id.domain,
        )
        self.show(target, {})
        self.on("launch", lambda told: on_launch(told.args))
        self.on("copy", lambda told: on_copy(told.args))
        self.on("version", lambda told: on_version(told.args))

    def show(self, target: Target, given: Told) -> None:
        """Show the form of a version, with what was filled in before, as far as it fits."""
        before = {one.parameter.name: one for one in self.fields}
        self.fields = filling.fields(target)
        held = given.get("inputs", {})
        values = {one.parameter.name: filling.carried(before, one, held.get(one.parameter.name)) for one in self.fields}
        self._generation += 1
        self._props.update(
            fields=[one.told for one in self.fields],
            fixed=filling.fixed(target),
            values=values,
            versions=[{"value": name, "label": name + (" · active" if on else "")} for name, on in target.versions],
            version=target.id.version,
            generation=self._generation,
            errors={},
            problem={},
        )
        if "options" in given:
            self._props["optionValues"] = given["options"]

    def wait(self) -> None:
        """Say that it is being launched."""
        self._props["busy"] = True

    def refuse(self, mistakes: Mistakes, problem: dict[str, str] | None = None) -> None:
        """Show what is wrong, at its fields and above them."""
        self._answered += 1
        self._props.update(errors=mistakes, problem=problem or {}, busy=False, answered=self._answered)
