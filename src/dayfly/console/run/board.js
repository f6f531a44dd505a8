// The left side of the run page: rows in sight of the nodes' tree, with other runs or times beside them, or their graph.
import Graph from "dayfly-board/graph.js";
import { KINDS, LETTERS, Store, mark, span, word } from "dayfly-board/store.js";
import { bars, moved, ticks, whole, zoomed } from "dayfly-board/timeline.js";

const ROW = 30; // Pixels a row is high; board.css says the same.
const AROUND = 10; // Rows drawn above and below what is in sight.
const REST = 120; // Milliseconds without scrolling, after which is asked for what is in sight.
const VIEWS = [["grid", "Grid"], ["graph", "Graph"], ["timeline", "Timeline"]];

export default {
  components: { Graph },
  template: `
    <div class="board table-holder">
      <div class="board-bar">
        <div class="switch" role="group" aria-label="View"><button v-for="[name, label] in VIEWS" :key="name" type="button" :aria-pressed="view === name" @click="show(name)">{{ label }}</button></div>
        <input class="board-find" type="search" v-model="text" placeholder="Filter nodes  f" aria-label="Filter nodes by name or phase" @keydown.down.prevent="focus" @keydown.enter.prevent="focus" @keydown.esc.stop="leave">
        <span class="spacer"></span>
        <template v-if="view === 'timeline'"><button type="button" class="small" aria-label="Earlier" :disabled="!zoom" @click="pan(-0.3)">‹</button><button type="button" class="small" aria-label="Later" :disabled="!zoom" @click="pan(0.3)">›</button></template>
        <template v-if="view !== 'grid'"><button type="button" class="small" aria-label="Zoom out" @click="closer(1 / 1.5)">−</button><button type="button" class="small" aria-label="Zoom in" @click="closer(1.5)">+</button><button type="button" class="small" @click="fit">Fit</button></template>
      </div>
      <div class="board-chips" role="group" aria-label="Filter by phase">
        <button v-for="c in counts" :key="c.label" type="button" class="chip" :aria-pressed="chip === c.label" @click="chip = chip === c.label ? '' : c.label"><i class="bdot" :class="'fill-' + c.phases[0]" aria-hidden="true"></i>{{ c.label }} <b>{{ c.count.toLocaleString() }}</b></button>
        <span v-if="!complete" class="faint" role="status">reading …</span>
        <span v-if="problem" class="board-problem" role="alert">{{ problem }}</span>
      </div>
      <graph v-if="view === 'graph'" ref="graph" :graph="graph" :store="store" :node="node" :tick="tick" :now="now" @choose="choose" @fold="foldBox" @stack="stack"></graph>
      <div v-else class="board-scroll" :class="view" ref="scroll" role="treegrid" tabindex="0" data-rows aria-label="Nodes" :aria-rowcount="rows.length + 1" :aria-activedescendant="active" @scroll.passive="place" @keydown="key">
        <div role="rowgroup" class="board-head"><div role="row" class="bhead" aria-rowindex="1">
          <div role="columnheader" class="bname">Node <span class="faint" v-if="filtered">{{ (rows.length - 1).toLocaleString() }} shown</span></div>
          <template v-if="view === 'grid'"><div v-for="c in columns" :key="c.name" role="columnheader" class="bcell" :class="{own: c.own}"><a :href="c.href" class="bbar" tabindex="-1" :aria-label="c.label" :title="c.label"><i :class="'fill-' + c.phase" :style="{height: c.height + 'px'}"></i></a></div></template>
          <div v-else role="columnheader" class="btrack" ref="axis" aria-label="Time since the start" @wheel="wheel" @pointerdown="grab"><span v-for="t in axis" :key="t.left" class="btick" :style="{left: t.left + '%'}">{{ t.label }}</span></div>
        </div></div>
        <div role="rowgroup" class="board-rows" :style="{height: rows.length * ROW + 'px'}">
          <div v-for="r in shown" :key="r.index % slots" :id="'row-' + (r.entry.key || 'run')" role="row" class="brow" :class="{chosen: chosen(r.entry), cursor: r.index === cursor, waiting: !r.entry.phase}"
               :style="{top: r.index * ROW + 'px'}" :aria-rowindex="r.index + 2" :aria-level="r.level" :aria-posinset="r.at + 1" :aria-setsize="r.of" :aria-expanded="r.entry.inner ? open.has(r.entry.id) : undefined" :aria-selected="chosen(r.entry)"
               @click="pick(r, $event)" @dblclick="fold(r.entry)">
            <div role="rowheader" class="bname" :style="{paddingLeft: (r.level - 1) * 16 + 6 + 'px'}">
              <button v-if="r.entry.inner" type="button" class="bfold" tabindex="-1" :aria-label="(open.has(r.entry.id) ? 'Fold ' : 'Unfold ') + r.entry.name" @click.stop="fold(r.entry)">{{ open.has(r.entry.id) ? '▾' : '▸' }}</button><span v-else class="bfold" aria-hidden="true"></span>
              <i class="bmark" :class="'phase-' + r.entry.phase" :title="word(r.entry.phase)" aria-hidden="true">{{ mark(r.entry.phase) }}</i><span class="hidden">{{ word(r.entry.phase) }}</span>
              <span class="cut" :title="r.entry.title || r.entry.name + (r.entry.id ? ' · ' + r.entry.id : '')">{{ r.entry.name }}</span>
              <small v-if="store.apart(r.entry)" class="bkind">{{ store.apart(r.entry) }}</small><small v-if="KINDS[r.entry.kind]" class="bkind">{{ KINDS[r.entry.kind] }}</small><small v-if="r.entry.hit" class="bkind">cached</small><small v-if="r.entry.again" class="bkind">attempt {{ r.entry.again + 1 }}</small>
              <a v-if="r.entry.href" :href="r.entry.href" class="bkind" tabindex="-1" @click.stop>its run ↗</a>
              <span v-if="r.entry.strip" class="bstrip" :title="sums(r.entry.strip)" role="img" :aria-label="sums(r.entry.strip)"><i v-for="(p, n) in r.entry.strip.runs" :key="n" :class="'fill-' + p.phase" :style="{flexGrow: p.width}"></i></span><small v-if="r.entry.strip" class="bcounts">{{ short(r.entry.strip) }}</small>
              <span class="btook num">{{ took(r.entry) }}</span>
            </div>
            <template v-if="view === 'grid'"><div v-for="(c, n) in columns" :key="c.name" role="gridcell" class="bcell" :class="{own: c.own}"><template v-if="cell(r.entry, c, n)"><i v-if="c.own" class="bsquare" :class="'fill-' + r.entry.phase" :title="'This run: ' + word(r.entry.phase)"></i>
              <a v-else :href="c.href + (r.entry.id ? '?node=' + encodeURIComponent(cell(r.entry, c, n).id) : '')" tabindex="-1" class="bsquare" :class="'fill-' + cell(r.entry, c, n).phase" :aria-label="c.name + ': ' + word(cell(r.entry, c, n).phase)" :title="c.name + ': ' + word(cell(r.entry, c, n).phase) + cellTook(cell(r.entry, c, n))" @click.stop></a></template></div></template>
            <div v-else role="gridcell" class="btrack" @wheel="wheel"><span v-for="t in axis" :key="t.left" class="bline" :style="{left: t.left + '%'}" aria-hidden="true"></span>
              <i v-for="(b, n) in bars(r.entry)" :key="n" class="bpart" :class="b.what === 'waited' ? 'bwait' : 'fill-' + b.phase" :style="{left: b.left + '%', width: b.width + '%'}" :title="r.entry.name + ' ' + b.what + ' ' + span(b.took)" @click.stop="choose(r.entry, b.attempt)"></i></div>
          </div>
        </div>
        <p v-if="filtered && rows.length === 1" class="nothing">No node {{ chip ? 'like that' : 'has that in its name or phase' }}. What is folded is not looked at.</p>
      </div>
    </div>`,
  props: { start: String },
  emits: ["choose", "view", "unfold", "see", "graph", "came"],
  data() {
    const start = JSON.parse(this.start);
    this.store = new Store(start); // Not reactive: `tick` says when it has changed.
    this.inGraph = new Set();
    this.asked = { grid: new Set(), timeline: new Set() };
    return {
      VIEWS, KINDS, ROW, view: start.view, node: start.node, text: "", chip: "", cursor: 0, first: 0, last: 40, slots: 60,
      tick: 0, now: Date.now(), zoom: null, graph: null, open: new Set(), problem: "",
    };
  },
  created() { this.reveal(); },
  mounted() {
    addEventListener("popstate", this.came);
    document.addEventListener("dayfly-key", this.pressed);
    this.$el.addEventListener("dayfly-walk", this.walk);
    window.dayflyKeys = [...(window.dayflyKeys || []), ["f", "Filter nodes"], ["1 2 3", "Grid, graph, timeline"], ["← →", "Fold and unfold a node"]];
    this.watching = new ResizeObserver(this.place);
    this.watching.observe(this.$el);
    this.clock = setInterval(() => { if (this.store.moving()) this.now = Date.now(); }, 1000);
    this.cursor = Math.max(0, this.rows.findIndex((r) => this.chosen(r.entry)));
    this.$nextTick(() => { this.sight(); this.place(); if (this.view === "graph") this.draw(); });
  },
  unmounted() {
    removeEventListener("popstate", this.came);
    document.removeEventListener("dayfly-key", this.pressed);
    this.watching.disconnect();
    clearInterval(this.clock);
  },
  computed: {
    counts() { this.tick; return this.store.counts().filter((one) => one.count || one.label === this.chip); },
    complete() { this.tick; return this.store.complete; },
    filtered() { return !!(this.text.trim() || this.chip); },
    rows() { this.tick; return this.store.rows(this.open, this.text, this.chip ? this.counts.find((one) => one.label === this.chip)?.phases || [] : null); },
    shown() { return this.rows.slice(this.first, this.last).map((row, at) => ({ ...row, index: this.first + at })); },
    active() { const row = this.rows[this.cursor]; return row && this.cursor >= this.first && this.cursor < this.last ? `row-${row.entry.key || "run"}` : undefined; },
    columns() {
      this.tick;
      const all = this.store.columns.map((one) => (one.own ? { ...one, phase: this.store.run.phase, started: this.store.run.started, ended: this.store.run.ended } : one));
      const took = (one) => (one.started == null ? 0 : (one.ended ?? this.now) - one.started);
      const longest = Math.max(...all.map(took), 1);
      return all.map((one) => ({ ...one, height: Math.max(3, (36 * took(one)) / longest), label: `${one.name}: ${word(one.phase)}, ${span(took(one))}, ${one.own ? "this run" : `version ${one.version}`}` }));
    },
    span_() { return this.zoom || whole(this.store, this.now); },
    axis() { this.tick; return ticks(this.span_, this.store.run.started ?? this.store.base, span); },
  },
  watch: {
    rows(now, before) {
      // The cursor stays on its row, wherever that has come to be.
      const row = before?.[this.cursor]?.entry;
      if (row && now[this.cursor]?.entry !== row) { const at = now.findIndex((one) => one.entry === row); this.cursor = at >= 0 ? at : 0; }
      this.$nextTick(() => { if (this.sought) this.sight(); this.place(); });
    },
    view() { this.$nextTick(() => { if (this.view === "graph") this.draw(); else { this.sight(); this.place(); } }); },
  },
  methods: {
    mark, word, span,
    // -- what the server tells ------------------------------------------------------------------------------------------
    hear(told) {
      const news = JSON.parse(told);
      this.problem = news.problem ? `Not shown: ${news.problem}` : "";
      this.store.hear(news);
      if (news.graph) this.graph = Object.freeze(news.graph);
      this.now = Date.now();
      this.tick++;
      // What was chosen before it had started has got an id.
      const entry = this.node.includes("/") && this.store.entries.get(this.node);
      if (entry && entry.id) this.choose(entry, null, true);
    },
    chosen(entry) { return this.store.is(entry, this.node); },
    took(entry) { return entry.started == null ? "" : span((entry.ended ?? this.now) - entry.started); },
    bars(entry) { return bars(entry, this.span_, this.now); },
    cell(entry, column, at) {
      if (!entry.id && entry !== this.store.run) return null;
      if (column.own) return entry.phase ? entry : null;
      return entry === this.store.run ? column : this.store.cells.get(entry.id)?.[at];
    },
    cellTook(cell) { return cell.started != null && cell.ended != null ? `, ${span(cell.ended - cell.started)}` : ""; },
    sums(strip) { return Object.entries(strip.counts).map(([phase, count]) => `${count.toLocaleString()} ${word(phase).toLowerCase()}`).join(", "); },
    short(strip) {
      const all = Object.values(strip.counts).reduce((sum, one) => sum + one, 0), failed = strip.counts.FAILED || 0;
      return failed ? `${failed.toLocaleString()} of ${all.toLocaleString()} failed` : `${(strip.counts.SUCCEEDED || 0).toLocaleString()} / ${all.toLocaleString()}`;
    },
    // -- what is chosen, and the address -----------------------------------------------------------------------------
    choose(entry, attempt = null, here = false) {
      this.sought = false;
      const id = entry === this.store.run ? "" : entry.id || entry.key;
      if (id !== this.node || attempt !== null) this.go({ node: id, attempt: attempt === null ? "" : String(attempt) }, here);
      this.node = id;
      this.$emit("choose", { node: id, attempt });
    },
    show(view) {
      if (view === this.view) return;
      this.view = view;
      this.go({ view: view === "grid" ? "" : view }, true);
      this.$emit("view", { view });
    },
    go(changed, here = false) {
      const to = new URL(location.href);
      // What is about one log or cluster alone says nothing of another's.
      if ("node" in changed) for (const name of [...to.searchParams.keys()]) if (/^(line|at|log_.*)$/.test(name)) to.searchParams.delete(name);
      for (const [name, value] of Object.entries(changed)) value ? to.searchParams.set(name, value) : to.searchParams.delete(name);
      history[here ? "replaceState" : "pushState"](history.state, "", to);
    },
    came() {
      const query = Object.fromEntries(new URLSearchParams(location.search));
      this.node = query.node || "";
      this.view = VIEWS.some(([name]) => name === query.view) ? query.view : "grid";
      this.reveal();
      this.$nextTick(this.sight);
      this.$emit("came", { query });
    },
    // Unfold what is around the chosen node; it is scrolled to once it is there.
    reveal() {
      const [array, at] = this.node.split("#");
      for (let entry = this.node && this.store.find(array); entry?.owner; entry = this.store.byId.get(entry.owner)) this.open.add(entry.owner);
      if (at !== undefined && !this.open.has(array)) { this.open.add(array); this.$emit("unfold", { id: array }); }
      this.sought = true;
    },
    // -- rows ------------------------------------------------------------------------------------------------------------
    place() {
      const scroll = this.$refs.scroll;
      if (!scroll) return;
      // Rows that go out of sight become those that come in: making new ones is what takes time.
      this.slots = Math.ceil(scroll.clientHeight / ROW) + 2 * AROUND + 2;
      this.first = Math.max(0, Math.min(Math.floor(scroll.scrollTop / ROW) - AROUND, this.rows.length));
      this.last = Math.min(this.rows.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW) + AROUND);
      clearTimeout(this.resting);
      this.resting = setTimeout(this.ask, REST);
    },
    ask() {
      if (this.view === "graph") return;
      const ids = {}, asked = this.asked[this.view];
      for (const { entry } of this.rows.slice(this.first, this.last)) {
        if (!entry.id || !entry.phase || entry.element || asked.has(entry.id)) continue;
        asked.add(entry.id);
        (ids[entry.owner] ||= []).push(entry.id);
      }
      if (Object.keys(ids).length) this.$emit("see", { view: this.view, ids });
    },
    sight() {
      const at = this.node ? this.rows.findIndex((r) => this.chosen(r.entry)) : -1;
      if (at >= 0) { this.sought = false; this.cursor = at; this.into(at); }
    },
    into(at) {
      const scroll = this.$refs.scroll;
      if (!scroll) return;
      const head = scroll.querySelector(".board-head").offsetHeight, top = at * ROW, seen = scroll.clientHeight - head;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      else if (top + ROW > scroll.scrollTop + seen) scroll.scrollTop = top + ROW - seen;
    },
    pick(row, event) {
      this.cursor = row.index;
      if (!event.target.closest("a, button")) this.choose(row.entry);
    },
    fold(entry) {
      if (!entry.inner) return;
      if (this.open.has(entry.id)) return this.open.delete(entry.id);
      this.open.add(entry.id);
      this.$emit("unfold", { id: entry.id });
    },
    walk({ detail }) {
      if (detail === "open") return this.rows[this.cursor] && this.choose(this.rows[this.cursor].entry);
      if (detail === "next" || detail === "previous") this.step(this.cursor + (detail === "next" ? 1 : -1));
    },
    step(at) {
      this.cursor = Math.max(0, Math.min(this.rows.length - 1, at));
      this.into(this.cursor);
      this.place();
    },
    focus() { this.$refs.scroll?.focus(); this.step(Math.min(1, this.rows.length - 1)); },
    leave(event) { this.text = ""; event.target.blur(); },
    key(event) {
      const row = this.rows[this.cursor], page = Math.floor(this.$refs.scroll.clientHeight / ROW) - 2;
      const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.rows.length, End: this.rows.length };
      const opened = row && row.entry.inner && this.open.has(row.entry.id);
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in moves) this.step(this.cursor + moves[event.key]);
      else if (event.key === "Enter" || event.key === " ") this.choose(row.entry);
      else if ((event.key === "ArrowRight" || event.key === "+") && row.entry.inner && !opened) this.fold(row.entry);
      else if ((event.key === "ArrowLeft" || event.key === "-") && opened) this.fold(row.entry);
      else if (event.key === "ArrowLeft") { for (let at = this.cursor; at >= 0; at--) if (this.rows[at].level < row.level) { this.step(at); break; } }
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    pressed(event) {
      const { detail } = event;
      // At once, for the next key may be typed already.
      if (detail === "f") { event.preventDefault(); this.$el.querySelector(".board-find").focus(); }
      else if (VIEWS[detail - 1]) this.show(VIEWS[detail - 1][0]);
    },
    // -- graph -----------------------------------------------------------------------------------------------------------
    draw() { this.$emit("graph", { unfolded: [...this.inGraph] }); },
    foldBox(entry) {
      this.inGraph.has(entry.id) ? this.inGraph.delete(entry.id) : this.inGraph.add(entry.id);
      this.draw();
    },
    stack(entry) { this.text = entry.name; this.show("grid"); },
    // -- times -----------------------------------------------------------------------------------------------------------
    closer(factor, at) {
      if (this.view === "graph") return this.$refs.graph.zoom(factor);
      this.zoom = zoomed(whole(this.store, this.now), this.span_, factor, at);
    },
    pan(share) { this.zoom = moved(whole(this.store, this.now), this.span_, share); },
    fit() { this.view === "graph" ? this.$refs.graph.fit() : (this.zoom = null); },
    wheel(event) {
      const box = this.$refs.axis.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) this.closer(event.deltaY < 0 ? 1.25 : 0.8, (event.clientX - box.left) / box.width);
      else if (event.shiftKey && this.zoom) this.pan((event.deltaY || event.deltaX) / 1000);
      else return;
      event.preventDefault();
    },
    grab(event) {
      let x = event.clientX;
      const width = event.currentTarget.clientWidth;
      const move = (now) => { if (this.zoom) this.pan((x - now.clientX) / width); x = now.clientX; };
      const end = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", end); };
      addEventListener("pointermove", move);
      addEventListener("pointerup", end);
    },
  },
};
