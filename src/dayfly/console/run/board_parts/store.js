// What the board knows of a run's nodes, and which rows that makes: see board.py for how nodes come over.
const PHASES = ["UNDEFINED", "QUEUED", "RUNNING", "SUCCEEDED", "FAILING", "FAILED", "ABORTED", "SKIPPED", "TIMED_OUT", "DYNAMIC_RUNNING", "RECOVERED", "PAUSED"];
const MARKS = { SUCCEEDED: "✓", FAILED: "✕", TIMED_OUT: "✕", FAILING: "✕", ABORTED: "⊘", ABORTING: "⊘", RUNNING: "▶", DYNAMIC_RUNNING: "▶", SUCCEEDING: "▶", RECOVERED: "↺", SKIPPED: "–", PAUSED: "‖" };
export const KINDS = { dask: "Dask", map: "map", dynamic: "dynamic", workflow: "workflow", launch_plan: "launch plan", branch: "branch", gate: "gate" };
export const LETTERS = { S: "SUCCEEDED", H: "SUCCEEDED", F: "FAILED", R: "RUNNING", Q: "QUEUED", A: "ABORTED", ".": "" };
const INNER = new Set(["workflow", "branch", "dynamic", "map"]);
// What chips above the rows count together, worst first.
export const GROUPS = [
  ["Failed", ["FAILED", "TIMED_OUT", "FAILING"]], ["Running", ["RUNNING", "DYNAMIC_RUNNING", "PAUSED"]], ["Queued", ["QUEUED"]],
  ["Aborted", ["ABORTED"]], ["Skipped", ["SKIPPED"]], ["Succeeded", ["SUCCEEDED", "RECOVERED"]], ["Not started", [""]],
];

export const mark = (phase) => MARKS[phase] || "◌";
export const word = (phase) => (phase ? phase[0] + phase.slice(1).toLowerCase().replaceAll("_", " ") : "Not started");
export function span(ms) {
  const s = Math.max(0, ms) / 1000;
  return s < 1 ? `${s.toFixed(2)} s` : window.dayfly.duration(s);
}

export class Store {
  constructor(start) {
    this.entries = new Map(); // By parent and spec: nodes that have not started have no id yet.
    this.byId = new Map();
    this.levels = new Map(); // The entries of each level, in the workflow's order.
    this.alike = new Map(); // How many nodes of a level have a name.
    this.cells = new Map(); // What other runs came to, by node id: one for each column.
    this.base = start.base;
    this.columns = [];
    this.run = { id: "", name: start.title.split(".").pop(), title: start.title, phase: "", kind: "", spec: "", level: 1 };
    this.hear(start);
  }

  hear(news) {
    if (news.columns) this.columns = news.columns.map(([name, phase, created, started, ended, version, href, own]) => ({ name, phase, created, started, ended, version, href, own: !!own }));
    if (news.run) [this.run.phase, this.run.started, this.run.ended] = news.run;
    for (const [owner, parts] of Object.entries(news.flows || {})) for (const [spec, name, kind] of parts) this.named(owner, spec, name, kind);
    for (const [owner, rows] of Object.entries(news.states || {})) for (const row of rows) this.stated(owner, row);
    for (const [id, [letters, again]] of Object.entries(news.elements || {})) this.elements(id, letters, again);
    for (const [id, attempts] of Object.entries(news.attempts || {})) {
      const entry = this.byId.get(id);
      if (entry) entry.attempts = attempts.map(([number, phase, created, started, ended]) => ({ number, phase, created, started, ended }));
    }
    for (const [column, id, theirs, phase, started, ended] of news.cells || []) {
      if (!this.cells.has(id)) this.cells.set(id, []);
      this.cells.get(id)[column] = { id: theirs, phase, started, ended };
    }
    if ("complete" in news) this.complete = news.complete;
  }

  entry(owner, spec) {
    const key = `${owner}/${spec}`;
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { key, id: owner ? "" : spec, owner, spec, name: spec, kind: "", phase: "", told: "" };
      this.entries.set(key, entry);
      if (!this.levels.has(owner)) this.levels.set(owner, []);
      this.levels.get(owner).push(entry);
    }
    return entry;
  }

  named(owner, spec, name, kind) {
    const entry = this.entry(owner, spec), called = `${owner}/${name}`;
    if (entry.name !== name) this.alike.set(called, (this.alike.get(called) || 0) + 1);
    entry.name = name;
    if (!(entry.kind && kind === "task")) entry.kind = kind;
    this.describe(entry);
  }

  stated(owner, [spec, phase, created, started, ended, hit, kind, href, id]) {
    const entry = this.entry(owner, spec);
    entry.id = id || spec;
    entry.phase = PHASES[phase];
    entry.created = created == null ? null : this.base + created;
    entry.started = started == null ? null : (entry.created ?? this.base) + started;
    entry.ended = ended == null ? null : (entry.started ?? entry.created ?? this.base) + ended;
    entry.hit = !!hit;
    entry.href = href || "";
    if (kind && (kind !== "workflow" || !entry.kind || entry.kind === "task")) entry.kind = kind;
    this.byId.set(entry.id, entry);
    this.describe(entry);
  }

  describe(entry) {
    entry.told = `${entry.name} ${entry.id} ${word(entry.phase)} ${KINDS[entry.kind] || "task"} ${entry.hit ? "cached" : ""}`.toLowerCase();
    entry.inner = INNER.has(entry.kind) && !!entry.phase;
  }

  // What tells a node from others of its level that have the same name.
  apart(entry) { return this.alike.get(`${entry.owner}/${entry.name}`) > 1 && !entry.element ? entry.spec : ""; }

  // A map's elements become rows of their own only once it is unfolded.
  elements(id, letters, again) {
    const entry = this.byId.get(id);
    if (!entry) return;
    entry.letters = letters;
    entry.repeats = again;
    entry.items = null;
    entry.strip = strip(letters);
  }

  items(entry) {
    if (!entry.items && entry.letters) {
      entry.items = Array.from(entry.letters, (letter, at) => {
        const item = { key: `${entry.id}#${at}`, id: `${entry.id}#${at}`, owner: entry.id, name: `${entry.name} [${at}]`, kind: "", phase: LETTERS[letter], hit: letter === "H", again: entry.repeats[at] || 0, element: true };
        this.describe(item);
        this.byId.set(item.id, item);
        return item;
      });
    }
    return entry.items || [];
  }

  // Whether an entry is what the address names: by its id, or its owner's and its own while it has none.
  is(entry, node) { return node === "" ? entry === this.run : entry.id === node || entry.key === node; }

  find(id) {
    const [array, at] = id.split("#");
    if (at !== undefined && this.byId.has(array)) return this.items(this.byId.get(array))[+at];
    return this.byId.get(id) || this.entries.get(`/${id}`) || this.entries.get(id);
  }

  // All rows in order: those that match, and what they are in.
  rows(open, text, phases) {
    const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
    const filtered = terms.length > 0 || phases !== null;
    const matches = (entry) => (phases === null || phases.includes(entry.phase)) && terms.every((term) => entry.told.includes(term));
    const walk = (entries, level) => {
      const found = [];
      for (let at = 0; at < entries.length; at++) {
        const entry = entries[at];
        const inner = open.has(entry.id) && entry.inner ? walk(entry.kind === "map" ? this.items(entry) : this.levels.get(entry.id) || [], level + 1) : [];
        if (filtered && !inner.length && !matches(entry)) continue;
        found.push({ entry, level, at, of: entries.length });
        for (const row of inner) found.push(row);
      }
      return found;
    };
    const rows = walk(this.levels.get("") || [], 2);
    rows.unshift({ entry: this.run, level: 1, at: 0, of: 1 });
    return rows;
  }

  counts() {
    const by = {};
    for (const entry of this.entries.values()) by[entry.phase] = (by[entry.phase] || 0) + 1;
    return GROUPS.map(([label, phases]) => ({ label, phases, count: phases.reduce((sum, one) => sum + (by[one] || 0), 0) }));
  }

  moving() { return !this.run.ended; }
}

// Pieces of a bar by what the elements came to, in the elements' order; a piece of many shows its worst.
function strip(letters) {
  const pieces = Math.min(letters.length, 120), worst = "FARQ.HS", counts = {};
  for (const letter of letters) counts[LETTERS[letter]] = (counts[LETTERS[letter]] || 0) + 1;
  const colours = [];
  for (let at = 0; at < pieces; at++) {
    const part = letters.slice(Math.floor((at * letters.length) / pieces), Math.floor(((at + 1) * letters.length) / pieces));
    colours.push(LETTERS[worst[Math.min(...Array.from(part, (one) => worst.indexOf(one)))]]);
  }
  return { runs: together(colours), counts };
}

function together(colours) {
  const runs = [];
  for (const phase of colours) runs.length && runs.at(-1).phase === phase ? runs.at(-1).width++ : runs.push({ phase, width: 1 });
  return runs;
}
