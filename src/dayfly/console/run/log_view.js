// Draws the lines in sight of a log: see log_view.py. Lines are kept outside of what Vue watches, for there are many.
const ROW = 20; // Pixels a line is high; panel.css says the same.
const AROUND = 30; // Lines drawn above and below what is in sight.
const TAIL = 2000; // Lines that are asked for first: what is wanted is mostly at the end.
const PAGE = 5000;
const MOST = 300000; // Lines that are kept; the oldest are dropped.
const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
const COLOURS = 6;

const two = (n) => String(n).padStart(2, "0");

export default {
  template: `
    <div class="log" :class="'log-of-' + kind">
      <div class="log-bar" role="group" aria-label="Which lines">
        <input type="search" class="field" v-model.trim="search" @change="again" @keydown.enter="again" :aria-label="kind === 'events' ? 'Search events' : 'Search the logs'" placeholder="Search" data-log-search>
        <select class="field" v-model="level" @change="again" aria-label="Level">
          <option value="">{{ kind === 'events' ? 'All events' : 'All levels' }}</option><option v-for="l in levels" :key="l" :value="l">{{ label(l) }}</option>
        </select>
        <select v-if="roles.length > 1" class="field" v-model="role" @change="again" aria-label="Process">
          <option value="">All processes</option><option v-if="workers > 1" value="worker">All workers</option>
          <option v-for="r in roles" :key="r" :value="r">{{ r }}</option>
        </select>
        <span class="spacer"></span>
        <button v-if="kind === 'lines' && !whole && count >= TAIL" type="button" class="small" @click="loadWhole" :disabled="loading">From the beginning</button>
        <button type="button" class="small" @click="save" :disabled="!count">Download</button>
      </div>
      <div class="log-lines" ref="holder" tabindex="0" role="region" :aria-label="kind === 'events' ? 'What happened' : 'Log lines'" @scroll.passive="scrolled" @keydown="key">
        <div class="log-space" :style="{height: count * ROW + 'px', minWidth: width + 'ch'}">
          <div class="log-window" :style="{transform: 'translateY(' + first * ROW + 'px)'}">
            <div v-for="l in shown" :key="l.id" class="log-line" :class="['level-' + l.level, {chosen: l.id === chosen}]">
              <a :href="l.href" tabindex="-1" class="log-time" :class="{guessed: !l.timed}" :title="l.at + (l.timed ? '' : ' or later')" @click.prevent="choose(l.id)">{{ l.clock }}</a>
              <a v-if="l.node" class="log-role" :href="l.node" tabindex="-1">{{ l.role }}</a>
              <span v-else class="log-role" :class="'colour-' + l.colour">{{ l.role }}</span>
              <span v-if="l.level && l.level !== 'INFO' && kind === 'lines'" class="log-level">{{ l.level }}</span><span class="log-text"><template v-for="(p, n) in marked(l.shown)" :key="n"><mark v-if="n % 2">{{ p }}</mark><template v-else>{{ p }}</template></template></span>
            </div>
          </div>
        </div>
        <p v-if="!count && !loading" class="nothing">{{ nothing }}</p>
      </div>
      <div class="log-foot">
        <span role="status">{{ status }}</span><span class="spacer"></span>
        <button v-if="!atEnd && count" type="button" class="small" @click="toEnd">{{ fresh ? fresh.toLocaleString('en') + (fresh === 1 ? ' new line' : ' new lines') : 'To the end' }} ↓</button>
      </div>
      <div v-if="detail" class="log-detail"><div class="row-of"><b>{{ detail.role }}</b><span class="faint">{{ detail.at }}{{ detail.timed ? '' : ' or later' }}</span><span class="spacer"></span>
        <button type="button" class="small" @click="copyLink">{{ copied || 'Copy link to this line' }}</button><button type="button" class="small" aria-label="Close the line" @click="choose(null)">✕</button></div>
        <pre class="block" tabindex="0" role="region" aria-label="The whole line">{{ detail.text }}</pre></div>
    </div>`,
  props: { lines: String, logs: String, live: Boolean, kind: String, nodeHref: String, name: String },
  data: () => ({ count: 0, first: 0, last: 0, search: "", level: "", role: "", roles: [], chosen: null, loading: true, whole: false,
    atEnd: true, fresh: 0, width: 80, problem: "", ended: false, following: false, copied: "", version: 0, dropped: 0, ROW, TAIL }),
  computed: {
    shown() {
      this.version;
      const to = new URL(location.href);
      return this.all.slice(this.first, this.last).map((l) => { to.searchParams.set("line", l.id); return { ...l, href: to.pathname + to.search }; });
    },
    levels() { return this.kind === "events" ? ["WARNING", "ERROR"] : LEVELS; },
    workers() { return this.roles.filter((r) => r.startsWith("worker")).length; },
    detail() { this.version; return this.chosen && this.all.find((l) => l.id === this.chosen); },
    nothing() {
      if (this.problem) return this.problem;
      if (this.search || this.level || this.role) return this.kind === "events" ? "No event is like that. Choose fewer filters." : "No line is like that. Choose fewer filters.";
      return this.kind === "events" ? "Nothing has happened yet." : this.ended ? "Nothing was written." : "Nothing has been written yet. Lines come here as they are.";
    },
    status() {
      if (this.problem) return this.problem;
      const word = this.kind === "events" ? "event" : "line";
      const many = `${this.count.toLocaleString("en")} ${word}${this.count === 1 ? "" : "s"}`;
      const what = this.dropped ? `the last ${many}` : !this.whole && this.count >= TAIL ? `${many}, from the end` : many;
      return this.loading ? `${what} … reading` : this.following ? `${what} · following` : what;
    },
  },
  created() { this.all = []; this.said = new Map(); this.stream = null; this.turn = 0; },
  mounted() {
    const asked = new URLSearchParams(location.search);
    this.search = asked.get("log_search") || "";
    this.level = (asked.get("log_level") || "").toUpperCase();
    if (!LEVELS.includes(this.level)) this.level = "";
    this.role = asked.get("log_role") || "";
    const line = asked.get("line");
    if (line) { this.chosen = line; this.atEnd = false; }
    this.resized = new ResizeObserver(() => this.place());
    this.resized.observe(this.$refs.holder);
    if (this.logs) this.readRoles();
    this.read(Boolean(line) || this.kind === "events");
  },
  unmounted() { this.turn += 1; this.stream?.close(); this.resized.disconnect(); },
  methods: {
    label(level) {
      if (this.kind === "events") return level === "ERROR" ? "Failures" : "Failures and stops";
      return level === "CRITICAL" ? "Critical" : `${level[0]}${level.slice(1).toLowerCase()} or worse`;
    },
    async ask(path, query) {
      const answer = await fetch(`${path}?${query}`);
      const told = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new Error(answer.status === 404 && this.kind === "lines" ? (this.live ? "There are no logs yet." : "It left no logs.") : told.error || `The server answers ${answer.status}.`);
      return told;
    },
    async readRoles() {
      try { this.roles = (await this.ask(this.logs, "limit=1000")).logs.map((one) => one.role); } catch { this.roles = []; }
      if (this.role && this.role !== "worker" && !this.roles.includes(this.role)) this.roles = [...this.roles, this.role];
    },
    query(more = {}) {
      const asked = new URLSearchParams(more);
      if (this.kind === "events") return asked;
      if (this.role) asked.append("role", this.role);
      if (this.level) asked.set("level", this.level.toLowerCase());
      if (this.search) asked.set("search", this.search);
      return asked;
    },
    // Reads what is there, page by page, then follows. `turn` ends the reading of what is not wanted any more.
    async read(whole) {
      const turn = (this.turn += 1);
      this.stream?.close();
      Object.assign(this, { loading: true, following: false, problem: "", whole, dropped: 0 });
      this.all = []; this.said = new Map(); this.count = 0; this.version += 1; this.fresh = 0;
      let token = "";
      try {
        for (let page = 0; ; page += 1) {
          const more = token ? { token } : this.kind === "lines" && !whole ? { tail: TAIL } : {};
          const told = await this.ask(this.lines, this.query({ limit: this.kind === "events" ? 1000 : PAGE, ...more }));
          if (turn !== this.turn) return;
          this.take(told);
          const end = this.kind === "events" ? !told.token : told.at_end;
          token = told.token || token;
          if (this.kind === "events" && told.events.length) token = String(told.events.at(-1).sequence);
          this.ended = told.ended ?? !this.live;
          if (end) break;
        }
      } catch (error) {
        if (turn !== this.turn) return;
        this.problem = error.message;
        this.loading = false;
        if (this.live) setTimeout(() => turn === this.turn && this.read(whole), 2000);
        return;
      }
      this.loading = false;
      if (this.chosen) this.$nextTick(() => this.reveal(this.chosen));
      if (!this.ended) this.follow(token);
    },
    follow(token) {
      const stream = (this.stream = new EventSource(`${this.lines}?${this.query(token ? { follow: "true", token } : { follow: "true" })}`));
      this.following = true;
      stream.addEventListener(this.kind, (event) => this.take(JSON.parse(event.data)));
      stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) { this.following = false; this.problem = "The server does not let it be followed any more: load the page anew."; } };
      stream.addEventListener("end", () => { stream.close(); this.following = false; this.ended = true; });
      // A new process has its log: it shall be among those to choose from.
      if (this.logs) stream.addEventListener("lines", () => { if (this.all.at(-1) && !this.roles.includes(this.all.at(-1).role)) this.readRoles(); });
    },
    take(told) {
      const made = (told.lines || told.events.filter((one) => this.says(one))).map((one) => this.made(one));
      const wanted = this.kind === "events" ? made.filter((l) => this.wants(l)) : made;
      if (!wanted.length) return;
      for (const one of wanted) this.all.push(one);
      if (this.all.length > MOST) { this.dropped += this.all.length - MOST; this.all = this.all.slice(-MOST); }
      this.count = this.all.length;
      this.width = wanted.reduce((most, l) => Math.max(most, Math.min(l.shown.length, 2000) + 34), this.width);
      this.version += 1;
      if (this.atEnd) this.$nextTick(this.toEnd);
      else { this.fresh += this.loading ? 0 : wanted.length; this.$nextTick(this.place); }
    },
    made(one) {
      const at = new Date(one.at);
      const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
      if (this.kind === "events") {
        const level = /Failed|Refused/.test(one.kind) ? "ERROR" : /Stop|Abort|Lost|Timer/.test(one.kind) ? "WARNING" : "";
        const node = one.node ? this.nodeHref.replace("NODE", encodeURIComponent(one.node)) : "";
        return { id: String(one.sequence), at: one.at, clock, timed: true, role: one.node || "run", node, level, colour: 0, text: one.told || one.kind, shown: (one.told || one.kind).trim().replace(/\s*\n[^]*$/, " …") };
      }
      return { id: `${one.role}:${one.offset}`, at: one.at, clock, timed: one.timed, role: one.role, level: one.level, colour: this.colour(one.role), text: one.text, shown: this.shorter(one) };
    },
    // Progress that has no new words is for machines.
    says(one) {
      const key = `${one.node} ${one.attempt}`, again = one.kind === "AttemptProgressed" && this.said.get(key) === one.told;
      this.said.set(key, one.told);
      return !again;
    },
    // Time and level have columns of their own, so that the line need not begin with them.
    shorter(one) {
      const found = one.timed && /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S*\s+-\s+(?:(\S+)\s+-\s+)?(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\s+-\s+(.*)$/.exec(one.text);
      return found ? (found[1] ? `${found[1]}: ${found[2]}` : found[2]) : one.text;
    },
    wants(line) {
      if (this.search && !`${line.role} ${line.text}`.toLowerCase().includes(this.search.toLowerCase())) return false;
      return !this.level || LEVELS.indexOf(line.level || "INFO") >= LEVELS.indexOf(this.level);
    },
    colour(role) {
      if (!role.startsWith("worker")) return role === "driver" ? 0 : 1;
      return 2 + (Number(role.replace(/\D+/g, "").slice(0, 6)) || 0) % (COLOURS - 2);
    },
    marked(text) {
      if (!this.search) return [text];
      const parts = [], low = text.toLowerCase(), wanted = this.search.toLowerCase();
      let from = 0;
      for (let at = low.indexOf(wanted); at >= 0 && parts.length < 60; at = low.indexOf(wanted, from)) {
        parts.push(text.slice(from, at), text.slice(at, at + wanted.length));
        from = at + wanted.length;
      }
      return [...parts, text.slice(from)];
    },
    // -- the address -------------------------------------------------------------------------------------------------
    tell() {
      const to = new URL(location.href);
      for (const [name, value] of [["log_search", this.search], ["log_level", this.level.toLowerCase()], ["log_role", this.role], ["line", this.chosen]]) value ? to.searchParams.set(name, value) : to.searchParams.delete(name);
      history.replaceState(history.state, "", to.pathname + to.search);
    },
    again() { this.atEnd = true; this.chosen = null; this.tell(); this.read(this.kind === "events" || this.whole); },
    loadWhole() { this.atEnd = false; this.read(true).then(() => { if (this.$refs.holder) this.$refs.holder.scrollTop = 0; }); },
    choose(id) { this.chosen = this.chosen === id ? null : id; this.copied = ""; this.tell(); },
    async copyLink() {
      try { await navigator.clipboard.writeText(location.href); this.copied = "Copied"; } catch { this.copied = "It is in the address bar"; }
    },
    reveal(id) {
      const at = this.all.findIndex((l) => l.id === id);
      if (at < 0) { this.problem = this.kind === "lines" ? `The line ${id} is not in this log.` : ""; return; }
      this.$refs.holder.scrollTop = Math.max(0, at * ROW - this.$refs.holder.clientHeight / 2);
      this.place();
    },
    key(event) {
      if (!["ArrowUp", "ArrowDown"].includes(event.key) || event.target !== this.$refs.holder || !this.count) return;
      event.preventDefault();
      const at = this.all.findIndex((l) => l.id === this.chosen);
      const next = at < 0 ? (event.key === "ArrowUp" ? this.last - AROUND - 1 : this.first + AROUND) : at + (event.key === "ArrowUp" ? -1 : 1);
      const line = this.all[Math.max(0, Math.min(this.count - 1, next))];
      this.chosen = line.id;
      this.atEnd = false;
      this.tell();
      const top = this.all.indexOf(line) * ROW, holder = this.$refs.holder;
      if (top < holder.scrollTop) holder.scrollTop = top;
      else if (top + ROW > holder.scrollTop + holder.clientHeight) holder.scrollTop = top + ROW - holder.clientHeight;
    },
    // -- what is in sight --------------------------------------------------------------------------------------------
    scrolled() {
      const holder = this.$refs.holder;
      // While it is read anew it is short, and that it is at its end says nothing of what is wanted.
      if (!this.loading) this.atEnd = holder.scrollTop + holder.clientHeight >= this.count * ROW - ROW / 2;
      if (this.atEnd) this.fresh = 0;
      this.place();
    },
    place() {
      const holder = this.$refs.holder;
      if (!holder) return;
      this.first = Math.max(0, Math.min(Math.floor(holder.scrollTop / ROW) - AROUND, this.count));
      this.last = Math.min(this.count, Math.ceil((holder.scrollTop + holder.clientHeight) / ROW) + AROUND);
    },
    toEnd() {
      const holder = this.$refs.holder;
      if (!holder) return;
      this.atEnd = true;
      this.fresh = 0;
      holder.scrollTop = holder.scrollHeight;
      this.place();
    },
    // One log as it is, where one is meant; else the lines that are here.
    save() {
      const one = this.roles.length === 1 ? this.roles[0] : this.roles.includes(this.role) ? this.role : "";
      if (one && !this.search && !this.level) {
        Object.assign(document.createElement("a"), { href: `${this.logs}/${encodeURIComponent(one)}`, download: this.name.replace(/\.log$/, `-${one}.log`) }).click();
        return;
      }
      const text = this.all.map((l) => `${l.at} ${l.role} ${l.text}\n`).join("");
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: this.name || "log.txt" });
      link.click();
      URL.revokeObjectURL(link.href);
    },
  },
};
