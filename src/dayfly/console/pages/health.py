"""Projects with their domains, and how the platform itself is."""

from __future__ import annotations

import asyncio
from typing import Any

from flyteidl.admin import project_pb2
from markupsafe import Markup
from nicegui import ui

from dayfly.console import addresses, asking, frame, live, markup, wording
from dayfly.console.addresses import Place
from dayfly.console.pages import home
from dayfly.console.routing import Page
from dayfly.console.site import View

REFRESH_SECONDS = 5.0

PROJECT_PAGE = 500

HTTP = "/api/dayfly/v1/openapi.json"


async def build(view: View) -> None:
    """Show the page."""
    screen = _Screen(view)
    await screen.read()
    screen.show()


class _Screen:
    """The page as one reader sees it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._projects: list[Any] = []

    async def read(self) -> None:
        """Read projects, their counts and how the parts are."""
        request = project_pb2.ProjectListRequest(limit=PROJECT_PAGE, filters="value_in(state,0;1;2)")
        answer, places, health = await asyncio.gather(
            self._view.client.call(self._view.client.admin.ListProjects, request),
            self._view.http.get("/places"),
            self._view.http.get("/health"),
        )
        self._projects = list(answer.projects)
        self._counts = {(one["project"], one["domain"]): one["runs"] for one in places["places"]}
        self._health = health

    def show(self) -> None:
        """Put it on the screen."""
        with frame.page(self._view, title="Projects and health", active=""):
            frame.heading("Projects and health", below=f"Dayfly {self._view.site.version}")
            with ui.element("div").classes("health-grid"):
                with ui.element("section").props('aria-label="Projects"'):
                    with ui.element("div").classes("row-of section-head"):
                        markup.show(Markup("<h2>Projects</h2>"))
                        asking.button("New project", self._create, classes="main-one")
                    self._shown = ui.element("div").classes("projects")
                    self._draw_projects()
                with ui.element("div"):
                    self._parts = markup.show(_parts(self._health))
                    markup.show(_links(self._view))
                    markup.show(_settings(self._health))
            live.every(REFRESH_SECONDS, self._refresh)

    async def _refresh(self) -> None:
        before = self._told()
        await self.read()
        self._parts.set_content(str(_parts(self._health)))
        if self._told() != before:
            self._draw_projects()

    def _told(self) -> tuple[Any, ...]:
        return tuple(one.SerializeToString() for one in self._projects), tuple(sorted(self._counts.items()))

    def _draw_projects(self) -> None:
        self._shown.clear()
        with self._shown:
            for project in self._projects:
                with ui.element("section").classes("card project") as card:
                    card.props["aria-label"] = project.id
                    markup.show(self._project(project))
                    with ui.element("div").classes("row-of"):
                        self._offer(project)

    def _offer(self, project: Any) -> None:
        archived = project.state == project_pb2.Project.ARCHIVED
        asking.button("Rename", lambda: self._rename(project))
        asking.button(
            "Bring back" if archived else "Archive",
            lambda: self._set_state(project, archived=not archived),
            classes="" if archived else "danger",
        )

    def _project(self, project: Any) -> Markup:
        archived = project.state == project_pb2.Project.ARCHIVED
        label = Markup(' <span class="phase">Archived</span>') if archived else Markup("")
        named = Markup(" <small>{}</small>").format(project.id) if project.name != project.id else Markup("")
        about = Markup('<p class="faint">{}</p>').format(project.description) if project.description else Markup("")
        domains = Markup("").join(
            Markup('<li><a href="{}">{}</a> <span class="num faint">{}</span></li>').format(
                addresses.runs(Place(project.id, domain.id)),
                domain.id,
                wording.count(self._counts.get((project.id, domain.id), 0), "run"),
            )
            for domain in project.domains
        )
        return Markup('<h3>{}{}{}</h3>{}<ul class="domains">{}</ul>').format(project.name, named, label, about, domains)

    # -- changing -----------------------------------------------------------------------------------------------------
    def _create(self) -> None:
        made = {"id": "", "name": "", "description": ""}

        async def perform(_: None) -> str:
            told = project_pb2.Project(
                id=made["id"].strip(),
                name=made["name"].strip() or made["id"].strip(),
                description=made["description"].strip(),
            )
            request = project_pb2.ProjectRegisterRequest(project=told)
            await self._view.client.call(self._view.client.admin.RegisterProject, request)
            return "is there"

        def fields() -> None:
            _field("Id", made, "id", "Small letters, digits and dashes; it cannot be changed later")
            _field("Name", made, "name", "As people read it; the id where it is empty")
            _field("Description", made, "description", "")

        asking.question(
            "New project",
            "It has the same domains as all projects.",
            [asking.Job("The project", None)],
            perform,
            confirm="Create",
            more=fields,
            named=False,
            after=self._refresh,
        )

    def _rename(self, project: Any) -> None:
        made = {"name": project.name, "description": project.description}

        async def perform(_: None) -> str:
            await self._update(project, name=made["name"].strip(), description=made["description"].strip())
            return "is changed"

        def fields() -> None:
            _field("Name", made, "name", "")
            _field("Description", made, "description", "")

        asking.question(
            f"Rename {project.id}",
            "Its id stays, and with it all addresses.",
            [asking.Job(project.id, None)],
            perform,
            confirm="Rename",
            more=fields,
            named=False,
            after=self._refresh,
        )

    def _set_state(self, project: Any, *, archived: bool) -> None:
        state = project_pb2.Project.ARCHIVED if archived else project_pb2.Project.ACTIVE

        async def perform(_: None) -> str:
            await self._update(project, state=state)
            return "is archived" if archived else "is active"

        asking.question(
            f"{'Archive' if archived else 'Bring back'} {project.id}?",
            "Nothing can be registered or run in it until it is brought back; nothing is removed."
            if archived
            else "Things can be registered and run in it again.",
            [asking.Job(project.id, None)],
            perform,
            confirm="Archive project" if archived else "Bring back",
            danger=archived,
            after=self._refresh,
        )

    async def _update(self, project: Any, **changed: Any) -> None:
        told = project_pb2.Project()
        told.CopyFrom(project)
        told.ClearField("domains")
        for name, value in changed.items():
            setattr(told, name, value)
        await self._view.client.call(self._view.client.admin.UpdateProject, told)


def _field(label: str, target: dict[str, str], key: str, hint: str) -> None:
    made = ui.input(label).bind_value(target, key).props("outlined dense").classes("wide")
    if hint:
        made.props["hint"] = hint


def _parts(health: dict[str, Any]) -> Markup:
    items = Markup("").join(home.part(one) for one in health["parts"])
    return Markup('<section class="card"><h2>Health</h2><ul class="home-rows health-parts">{}</ul></section>').format(
        items
    )


def _links(view: View) -> Markup:
    url = view.site.public_url
    pairs = [
        ("Metrics", Markup('<a href="/metrics">/metrics</a>')),
        ("Liveness", Markup('<a href="/healthcheck">/healthcheck</a>')),
        ("HTTP API", Markup('<a href="{}">openapi.json</a>').format(HTTP)),
        ("Clients", markup.code(f"{url.partition('://')[2]}")),
    ]
    return Markup('<section class="card"><h2>Ways in</h2>{}</section>').format(markup.facts(pairs))


def _settings(health: dict[str, Any]) -> Markup:
    pairs = [(name, markup.code(value)) for name, value in sorted(health["settings"].items())]
    return Markup(
        '<section class="card"><details><summary>Settings <small>{}; of texts, whether they are set</small></summary>'
        "{}</details></section>"
    ).format(wording.count(len(pairs), "setting"), markup.facts(pairs))


PAGES = (Page("/health", build),)
