// What all pages do in the browser by themselves: times that go on, keys, the choice of a project.
(() => {
  const pad = (n) => String(n).padStart(2, "0");

  function duration(seconds) {
    if (seconds < 59.95) return `${Math.max(seconds, 0).toFixed(1)} s`;
    const s = Math.round(seconds);
    if (s < 3600) return `${Math.floor(s / 60)} min ${pad(s % 60)} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${pad(Math.floor((s % 3600) / 60))} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  }

  function ago(at, now) {
    const s = (now - at) / 1000;
    if (s < 0) return "in " + duration(-s).replace(/\.\d/, "");
    if (s < 5) return "just now";
    if (s < 60) return `${Math.floor(s)} s ago`;
    if (s < 3600) return `${Math.floor(s / 60)} min ago`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
    const day = new Date(at);
    return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())} ${pad(day.getHours())}:${pad(day.getMinutes())}`;
  }

  const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };

  function refresh() {
    const now = Date.now();
    document.querySelectorAll("[data-since]").forEach((e) => write(e, duration((now - e.dataset.since) / 1000)));
    document.querySelectorAll("time[data-ago]").forEach((e) => {
      const at = Date.parse(e.dateTime);
      write(e, ago(at, now));
      if (!e.title) e.title = new Date(at).toLocaleString();
    });
  }

  // -- keys ---------------------------------------------------------------------------------------------------------
  const KEYS = [
    ["/", "Search"], ["g h", "Home"], ["g r", "Runs"], ["g w", "Workflows"], ["g t", "Tasks"], ["g c", "Clusters"],
    ["g s", "Schedules"], ["g e", "Cache"], ["j k", "Next and previous row"], ["Enter", "Open the row"],
    ["x", "Choose the row"], ["t", "Light or dark"], ["Esc", "Leave a field or dialog"], ["?", "These keys"],
  ];
  let prefix = "";

  function key(event) {
    const field = event.target.closest?.("input, textarea, select, [contenteditable], [role=textbox]");
    if (event.key === "Escape" && field) return field.blur();
    if (field || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const pressed = prefix + event.key;
    prefix = "";
    const rows = document.querySelector("[data-rows]");
    const walk = (detail) => rows?.closest(".table-holder")?.dispatchEvent(new CustomEvent("dayfly-walk", { detail }));
    if (pressed === "g") prefix = "g ";
    else if (pressed === "g h") location.href = document.querySelector(".brand").href;
    else if (pressed.startsWith("g ")) { const way = document.querySelector(`[data-go="${CSS.escape(pressed)}"]`); if (way) location.href = way.href; }
    else if (pressed === "/") { event.preventDefault(); document.querySelector("[data-find]")?.focus(); }
    else if (pressed === "?") keys();
    else if (pressed === "t") window.dayflyTheme.toggle();
    else if (pressed === "j") walk("next");
    else if (pressed === "k") walk("previous");
    else if (pressed === "x") walk("choose");
    else if (pressed === "Enter" && !event.target.closest?.("a, button, summary, [tabindex]")) walk("open");
    // Who takes the key prevents the rest: a letter that leads into a field is not written there.
    else if (!document.dispatchEvent(new CustomEvent("dayfly-key", { detail: pressed, cancelable: true }))) event.preventDefault();
  }

  // -- dialogs ------------------------------------------------------------------------------------------------------
  function dialog(label, fill) {
    const made = document.createElement("dialog");
    made.className = "dialog";
    made.setAttribute("aria-label", label);
    const heading = Object.assign(document.createElement("h2"), { textContent: label });
    const close = Object.assign(document.createElement("button"), { textContent: "Close", type: "button", className: "small" });
    close.onclick = () => made.close();
    made.append(heading);
    fill(made);
    made.append(close);
    made.onclick = (event) => event.target === made && made.close();
    made.onclose = () => made.remove();
    document.body.append(made);
    made.showModal();
    return made;
  }

  function keys() {
    dialog("Keys", (made) => {
      const list = document.createElement("dl");
      list.className = "facts";
      for (const [name, does] of [...KEYS, ...(window.dayflyKeys || [])]) {
        const row = document.createElement("div");
        const dt = document.createElement("dt");
        name.split(" ").forEach((one) => dt.append(Object.assign(document.createElement("kbd"), { textContent: one }), " "));
        row.append(dt, Object.assign(document.createElement("dd"), { textContent: does }));
        list.append(row);
      }
      made.append(list);
    });
  }

  async function places(button) {
    const answer = await fetch("/api/v1/projects?limit=500");
    const { projects = [] } = await answer.json();
    dialog("Choose a project", (made) => {
      const list = document.createElement("ul");
      list.className = "places";
      for (const project of projects) {
        for (const domain of project.domains || []) {
          const item = document.createElement("li");
          const to = location.pathname.replace(/\/console\/projects\/[^/]+\/domains\/[^/]+\/([^/]+).*/, "$1");
          const rest = to === location.pathname ? "executions" : to;
          const link = Object.assign(document.createElement("a"), {
            textContent: `${project.id} / ${domain.id}`,
            href: `/console/projects/${encodeURIComponent(project.id)}/domains/${encodeURIComponent(domain.id)}/${rest}`,
          });
          if (link.textContent === button.dataset.place) link.setAttribute("aria-current", "true");
          item.append(link);
          list.append(item);
        }
      }
      made.append(list);
    });
  }

  function click(event) {
    const at = (what) => event.target.closest(what);
    if (at("[data-theme-toggle]")) window.dayflyTheme.toggle();
    else if (at("[data-keys]")) keys();
    else if (at("[data-place]")) places(at("[data-place]"));
    else if (at("[data-copy]")) {
      const button = at("[data-copy]");
      copy(button.dataset.copy).then(() => { const old = button.textContent; button.textContent = "Copied"; setTimeout(() => (button.textContent = old), 1200); });
    }
  }

  async function copy(text) {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    // Over plain HTTP from another host there is no clipboard: the old way.
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }

  window.dayfly = { refresh, dialog, duration, ago };
  document.addEventListener("keydown", key);
  document.addEventListener("click", click);
  setInterval(refresh, 1000);
  // Pages write their parts after they have loaded; times shall be right from the first moment they are seen.
  new MutationObserver(refresh).observe(document.documentElement, { childList: true, subtree: true });
})();
