// The run page's panel: beginnings of files when they come in sight, and downloads by signed links. All of it as text.
(() => {
  const MAX_IMAGE_BYTES = 12 * 1024 * 1024;

  function make(tag, told = {}, ...parts) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(told)) name in made ? (made[name] = value) : made.setAttribute(name, value);
    made.append(...parts);
    return made;
  }

  function size(count) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (count >= 1024 && unit < 4) { count /= 1024; unit += 1; }
    return `${unit === 0 || count >= 100 ? count.toFixed(0) : count.toFixed(1)} ${units[unit]}`;
  }

  async function ask(path) {
    const answer = await fetch(path);
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.error || told.message || `The server answers ${answer.status}.`);
    return told;
  }

  // A signed link, as a path: pages may be open under another name of this server than the link has.
  async function signed(uri) {
    const told = await ask(`/api/v1/dataproxy/artifact_urn?native_url=${encodeURIComponent(uri)}`);
    const link = new URL(told.signedUrl, location.href);
    return link.pathname + link.search;
  }

  async function download(button) {
    const uri = button.dataset.download;
    try {
      const link = make("a", { href: await signed(uri), download: uri.split("/").pop() });
      document.body.append(link);
      link.click();
      link.remove();
    } catch (error) {
      button.after(make("span", { className: "refused", role: "alert" }, ` ${error.message}`));
    }
  }

  const downloadButton = (uri, label, name) => {
    const button = make("button", { type: "button", className: "small", textContent: label });
    button.dataset.download = uri;
    button.setAttribute("aria-label", `Download ${name}`);
    return button;
  };

  function table(told) {
    const head = make("tr", {}, ...told.columns.map((c) => make("th", { scope: "col" }, c.name, make("small", {}, c.type))));
    const rows = told.rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", { title: cell.length > 30 ? cell : "" }, cell))));
    const holder = make("div", { className: "rows", tabIndex: 0 }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
    holder.setAttribute("role", "region");
    holder.setAttribute("aria-label", "First rows");
    return holder;
  }

  function files(told) {
    const top = told.uri.replace(/\/+$/, "") + "/";
    const items = told.files.slice(0, 20).map((file) => {
      const name = file.uri.startsWith(top) ? file.uri.slice(top.length) : file.uri.split("/").pop();
      return make("li", {}, make("code", {}, name), make("span", { className: "faint" }, size(file.size_bytes)), downloadButton(file.uri, "Download", name));
    });
    if (told.total_files > 20) items.push(make("li", { className: "faint" }, `and ${told.total_files - 20} more`));
    return make("ul", { className: "files" }, ...items);
  }

  async function image(told) {
    if (told.size_bytes > MAX_IMAGE_BYTES) return make("p", { className: "faint" }, "The image is too large to be shown here.");
    const bytes = await (await fetch(await signed(told.uri))).arrayBuffer();
    // By what the server saw in its first bytes, never by what the file calls itself.
    const url = URL.createObjectURL(new Blob([bytes], { type: told.media_type }));
    return make("img", { className: "picture", src: url, alt: `Image ${told.uri.split("/").pop()}`, onload: () => URL.revokeObjectURL(url) });
  }

  function facts(told) {
    const said = [told.kind === "table" && told.columns.length ? `${told.columns.length} columns` : told.media_type];
    if (told.total_rows !== null && told.total_rows !== undefined) said.push(`${told.total_rows.toLocaleString("en")} rows, the first ${told.rows.length} here`);
    else if (told.rows.length) said.push(`the first ${told.rows.length} rows`);
    if (told.total_files) said.push(told.total_files === 1 ? "1 file" : `${told.total_files} files`);
    if (told.size_bytes !== null && told.size_bytes !== undefined) said.push(size(told.size_bytes));
    return said.filter(Boolean).join(" · ");
  }

  async function fill(box) {
    const uri = box.dataset.preview;
    const place = make("div", { className: "preview" }, make("p", { className: "faint" }, "Looking into it …"));
    box.append(place);
    try {
      const told = await ask(`/api/dayfly/v1/previews?rows=10&uri=${encodeURIComponent(uri)}`);
      const parts = [];
      if (told.rows.length || told.columns.length) parts.push(table(told));
      else if (told.kind === "text") {
        const block = make("pre", { className: "block", tabIndex: 0 }, told.text + (told.cut ? "\n…" : ""));
        block.setAttribute("role", "region");
        block.setAttribute("aria-label", "Beginning of the file");
        parts.push(block);
      } else if (told.kind === "image") parts.push(await image(told));
      if (told.kind === "folder" || told.total_files > 1) parts.push(files(told));
      if (told.told) parts.push(make("p", { className: "faint" }, told.told));
      place.replaceChildren(make("p", { className: "faint facts-line" }, facts(told)), ...parts);
      const one = told.total_files === 1 ? told.files[0].uri : told.total_files ? null : uri;
      if (one) box.querySelector(".row-of")?.append(downloadButton(one, "Download", uri.split("/").pop()));
    } catch (error) {
      place.replaceChildren(make("p", { className: "refused" }, `It cannot be shown: ${error.message}`));
    }
  }

  const sight = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting) { sight.unobserve(one.target); fill(one.target); }
  }, { rootMargin: "200px" });

  new MutationObserver(() => {
    document.querySelectorAll("[data-preview]:not([data-asked])").forEach((box) => { box.dataset.asked = ""; sight.observe(box); });
  }).observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("click", (event) => { const button = event.target.closest("[data-download]"); if (button) download(button); });
})();
