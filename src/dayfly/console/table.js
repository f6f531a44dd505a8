// Draws the rows in sight of a table: see table.py, which says what columns, rows and cells are.
const ROW = 40; // Pixels a row is high; the style sheet says the same.
const AROUND = 12; // Rows drawn above and below what is in sight.

export default {
  template: `
    <div class="table-holder" ref="holder" @scroll.passive="scrolled">
      <table class="table" :aria-label="label" :aria-rowcount="rows.length + 1" data-rows>
        <thead><tr>
          <th v-if="selectable" class="check"><input type="checkbox" aria-label="Choose all shown" :checked="all" @change="chooseAll"></th>
          <th v-for="c in columns" :key="c.key" scope="col" :class="c.kind" :style="c.width ? {width: c.width} : {}"
              :aria-sort="c.key === sorted ? (falling ? 'descending' : 'ascending') : undefined">
            <button v-if="c.sort" type="button" @click="$emit('sort', {key: c.key, falling: c.key === sorted ? !falling : true})">{{ c.label }}<span aria-hidden="true">{{ c.key === sorted ? (falling ? ' ↓' : ' ↑') : '' }}</span></button>
            <template v-else>{{ c.label }}</template>
          </th>
        </tr></thead>
        <tbody>
          <tr v-if="first > 0" aria-hidden="true" class="space"><td :colspan="width" :style="{height: first * ROW + 'px'}"></td></tr>
          <tr v-for="(r, n) in shown" :key="r.id" :data-id="r.id" :aria-rowindex="first + n + 2" :class="{chosen: chosen.has(r.id), walked: r.id === walked}"
              :data-href="r.href || undefined" @click="open(r, $event)">
            <td v-if="selectable" class="check"><input type="checkbox" :aria-label="'Choose ' + r.id" :checked="chosen.has(r.id)" @change="choose(r.id)" @click.stop></td>
            <td v-for="c in columns" :key="c.key" :class="c.kind"><template v-if="r.cells[c.key]">
              <span v-if="r.cells[c.key].phase" class="phase" :class="'phase-' + r.cells[c.key].phase"><i aria-hidden="true">{{ r.cells[c.key].mark }}</i>{{ r.cells[c.key].text }}</span>
              <time v-else-if="r.cells[c.key].at" :datetime="r.cells[c.key].at" data-ago :key="r.cells[c.key].at">{{ r.cells[c.key].at.slice(0, 19).replace('T', ' ') }}</time>
              <span v-else-if="r.cells[c.key].since" class="took"><span class="num" :data-since="r.cells[c.key].since" :key="r.cells[c.key].since">…</span></span>
              <span v-else-if="r.cells[c.key].share !== undefined" class="took"><span class="num">{{ r.cells[c.key].text }}</span><span class="share" :class="'fill-' + r.cells[c.key].tone" :style="{width: Math.max(2, r.cells[c.key].share * 72) + 'px'}"></span></span>
              <span v-else-if="r.cells[c.key].bars" class="run-bars" role="group" :aria-label="r.cells[c.key].label"><a v-for="b in r.cells[c.key].bars" :key="b.href" :href="b.href" :title="b.title" :aria-label="b.title" :class="'fill-' + b.tone" :style="{height: Math.max(4, b.share * 26) + 'px'}" @click.stop></a></span>
              <span v-else-if="r.cells[c.key].actions" class="row-actions"><button v-for="a in r.cells[c.key].actions" :key="a.name" type="button" class="small" :aria-label="a.label + ' ' + r.id" @click.stop="$emit('action', {id: r.id, name: a.name})">{{ a.label }}</button></span>
              <span v-else-if="r.cells[c.key].href" class="cell"><a :href="r.cells[c.key].href" @click.stop>{{ r.cells[c.key].text }}</a><small v-if="r.cells[c.key].below">{{ r.cells[c.key].below }}</small></span>
              <span v-else class="cell" :class="{faint: r.cells[c.key].faint}" :title="r.cells[c.key].title || undefined">{{ r.cells[c.key].text }}<small v-if="r.cells[c.key].below">{{ r.cells[c.key].below }}</small></span>
            </template></td>
          </tr>
          <tr v-if="last < rows.length" aria-hidden="true" class="space"><td :colspan="width" :style="{height: (rows.length - last) * ROW + 'px'}"></td></tr>
        </tbody>
      </table>
      <p v-if="!rows.length" class="nothing">{{ nothing }}</p>
    </div>`,
  props: { columns: Array, rows: Array, label: String, selectable: Boolean, nothing: String, sorted: String, falling: Boolean, more: Boolean },
  emits: ["select", "action", "sort", "more"],
  data: () => ({ first: 0, last: 60, chosen: new Set(), walked: null, ROW }),
  computed: {
    shown() { return this.rows.slice(this.first, this.last); },
    width() { return this.columns.length + (this.selectable ? 1 : 0); },
    all() { return this.rows.length > 0 && this.rows.every((r) => this.chosen.has(r.id)); },
  },
  watch: {
    rows(now, before) {
      // What is in sight stays where it is when rows come above it. At the top new ones are seen at once.
      const above = this.$el.getBoundingClientRect().top;
      const top = Math.floor(-above / ROW);
      if (top > 0 && before[top]) {
        const at = now.findIndex((r) => r.id === before[top].id);
        if (at >= 0 && at !== top) this.$nextTick(() => scrollBy(0, (at - top) * ROW));
      }
      const there = new Set(this.rows.map((r) => r.id));
      const gone = [...this.chosen].filter((id) => !there.has(id));
      if (gone.length) { gone.forEach((id) => this.chosen.delete(id)); this.tell(); }
      this.$nextTick(this.place);
    },
  },
  mounted() {
    addEventListener("scroll", this.place, { passive: true, capture: true });
    addEventListener("resize", this.place);
    this.$el.addEventListener("dayfly-walk", this.walk);
    this.place();
  },
  unmounted() {
    removeEventListener("scroll", this.place, { capture: true });
    removeEventListener("resize", this.place);
  },
  methods: {
    scrolled() { this.place(); },
    place() {
      const box = this.$refs.holder?.getBoundingClientRect();
      if (!box) return;
      // Whether the page scrolls or the holder does: what counts is how far the table's top is above what is in sight.
      const above = Math.max(0, -box.top) + this.$refs.holder.scrollTop;
      const sight = Math.min(innerHeight, this.$refs.holder.clientHeight || innerHeight);
      this.first = Math.max(0, Math.min(Math.floor(above / ROW) - AROUND, this.rows.length));
      this.last = Math.min(this.rows.length, Math.ceil((above + sight) / ROW) + AROUND);
      if (this.more && this.last >= this.rows.length) this.$emit("more");
      this.$nextTick(() => window.dayfly?.refresh());
    },
    open(row, event) {
      if (!row.href || getSelection().toString() || event.target.closest("a, button, input")) return;
      event.ctrlKey || event.metaKey ? window.open(row.href) : (location.href = row.href);
    },
    choose(id) { this.chosen.has(id) ? this.chosen.delete(id) : this.chosen.add(id); this.tell(); },
    chooseAll() {
      const all = this.all;
      this.rows.forEach((r) => (all ? this.chosen.delete(r.id) : this.chosen.add(r.id)));
      this.tell();
    },
    tell() { this.$emit("select", [...this.chosen]); },
    // Keys j, k, x and Enter of the page come as events: console.js.
    walk({ detail }) {
      const at = this.rows.findIndex((r) => r.id === this.walked);
      if (detail === "open") { if (at >= 0 && this.rows[at].href) location.href = this.rows[at].href; return; }
      if (detail === "choose") { if (at >= 0 && this.selectable) this.choose(this.walked); return; }
      const next = Math.max(0, Math.min(this.rows.length - 1, at + (detail === "next" ? 1 : -1)));
      if (!this.rows[next]) return;
      this.walked = this.rows[next].id;
      this.$nextTick(() => this.$el.querySelector("tr.walked")?.scrollIntoView({ block: "nearest" }));
    },
  },
};
