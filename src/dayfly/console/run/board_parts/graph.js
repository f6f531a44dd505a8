// Draws a graph whose boxes and lines the server has placed; what each box shows is the same entry as in the tree.
import { KINDS, mark, span, word } from "dayfly-board/store.js";

const LEAST = 0.15, MOST = 2, ROOM = 24;

export default {
  template: `
    <div class="graph" ref="holder" tabindex="0" role="group" aria-label="Graph of nodes" @pointerdown="grab" @wheel="wheel" @keydown="key">
      <p v-if="!graph" class="nothing">Drawing the graph …</p>
      <p v-else-if="!graph.boxes.length" class="nothing">The workflow has no nodes.</p>
      <div v-else :style="{width: graph.width * scale + 2 * ROOM + 'px', height: graph.height * scale + 2 * ROOM + 'px'}" class="graph-sheet">
        <div class="graph-inner" :style="{transform: 'translate(' + left + 'px,' + ROOM + 'px) scale(' + scale + ')', width: graph.width + 'px', height: graph.height + 'px'}">
          <template v-for="b in boxes" :key="b.key">
            <div v-if="b.group" class="graph-group" :class="{chosen: b.chosen}" :style="b.place"></div>
          </template>
          <svg :width="graph.width" :height="graph.height" aria-hidden="true"><path v-for="(d, n) in paths" :key="n" :d="d"></path></svg>
          <template v-for="b in boxes" :key="b.key">
            <div v-if="b.group" class="graph-title" :style="b.title">
              <button type="button" class="graph-name" :aria-pressed="b.chosen" @click="$emit('choose', b.entry)"><i class="bmark" :class="'phase-' + b.entry.phase" aria-hidden="true">{{ mark(b.entry.phase) }}</i>{{ b.entry.name }}<span class="hidden">{{ word(b.entry.phase) }}</span></button>
              <button type="button" class="graph-fold" :aria-label="'Fold ' + b.entry.name" @click="$emit('fold', b.entry)">−</button>
            </div>
            <div v-else-if="b.count > 1" class="graph-box graph-stack" :style="b.place">
              <button type="button" class="graph-name" @click="$emit('stack', b.entry)" :title="'Show all ' + b.count + ' in the grid'"><b>{{ b.entry.name }} <span class="faint">× {{ b.count }}</span></b>
                <small>{{ b.sum }}</small></button><span class="bstrip" aria-hidden="true"><i v-for="(p, n) in b.strip" :key="n" :class="'fill-' + p.phase" :style="{flexGrow: p.width}"></i></span>
            </div>
            <div v-else class="graph-box" :class="['edge-' + b.entry.phase, {chosen: b.chosen, waiting: !b.entry.phase}]" :style="b.place">
              <button type="button" class="graph-name" :aria-pressed="b.chosen" :title="b.entry.name" @click="$emit('choose', b.entry)">
                <b><i class="bmark" :class="'phase-' + b.entry.phase" aria-hidden="true">{{ mark(b.entry.phase) }}</i><span class="cut">{{ b.entry.name }}</span></b><small>{{ b.under }}</small></button>
              <button v-if="b.entry.inner && b.entry.kind !== 'map'" type="button" class="graph-fold" :aria-label="'Unfold ' + b.entry.name" @click="$emit('fold', b.entry)">+</button>
            </div>
          </template>
        </div>
      </div>
      <p v-if="graph && graph.hidden" class="graph-note" role="status">{{ graph.hidden.toLocaleString() }} more nodes have no room here. The grid and the timeline show all.</p>
    </div>`,
  props: { graph: Object, store: Object, node: String, tick: Number, now: Number },
  emits: ["choose", "fold", "stack"],
  data: () => ({ scale: 1, room: 0, ROOM }),
  computed: {
    left() { return Math.max(ROOM, (this.room - this.graph.width * this.scale) / 2); },
    boxes() {
      this.tick;
      return this.graph.boxes.map(([owner, specs, x, y, width, height, group]) => {
        const entry = this.store.entry(owner, specs[0]);
        const box = { key: `${entry.key}:${specs.length}`, entry, group, count: specs.length, chosen: this.store.is(entry, this.node), place: { left: x + "px", top: y + "px", width: width + "px", height: height + "px" } };
        if (group) box.title = { left: x + "px", top: y + "px", width: width + "px" };
        else if (specs.length > 1) this.sum(box, owner, specs);
        else box.under = this.under(entry);
        return box;
      });
    },
    paths() { return this.graph.lines.map(curve); },
  },
  watch: { graph(now, before) { if (now && !before) this.$nextTick(this.fit); } },
  mounted() {
    this.watching = new ResizeObserver(() => { this.room = this.$refs.holder?.clientWidth || 0; });
    this.watching.observe(this.$refs.holder);
    this.room = this.$refs.holder.clientWidth;
    if (this.graph) this.fit();
  },
  unmounted() { this.watching.disconnect(); },
  methods: {
    mark, word,
    under(entry) {
      const kind = KINDS[entry.kind] || "task";
      const around = this.store.byId.get(entry.owner);
      if (!entry.phase) return `${kind} · not ${around?.kind === "branch" && around.ended ? "taken" : "started"}`;
      const took = entry.started == null ? word(entry.phase).toLowerCase() : span((entry.ended ?? this.now) - entry.started);
      return `${kind} · ${entry.hit ? "cached · " : ""}${took}`;
    },
    sum(box, owner, specs) {
      const by = {};
      for (const spec of specs) { const phase = this.store.entry(owner, spec).phase; by[phase] = (by[phase] || 0) + 1; }
      const sorted = Object.entries(by).sort((one, other) => other[1] - one[1]);
      box.strip = sorted.map(([phase, width]) => ({ phase, width }));
      box.sum = sorted.map(([phase, count]) => `${count} ${word(phase).toLowerCase()}`).join(", ");
    },
    fit() {
      const holder = this.$refs.holder;
      if (!this.graph || !holder.clientWidth) return;
      const wide = (holder.clientWidth - 2 * ROOM) / this.graph.width, high = (holder.clientHeight - 2 * ROOM) / this.graph.height;
      this.scale = Math.max(Math.min(1, wide, Math.max(high, 0.75)), Math.min(1, Math.max(LEAST, 0.45)));
    },
    zoom(factor) { this.scale = Math.max(LEAST, Math.min(MOST, this.scale * factor)); },
    wheel(event) {
      if (!event.ctrlKey && !event.metaKey) return; // Without a key the wheel scrolls.
      event.preventDefault();
      const holder = this.$refs.holder, box = holder.getBoundingClientRect(), before = this.scale;
      const x = event.clientX - box.left, y = event.clientY - box.top;
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
      const grown = this.scale / before;
      this.$nextTick(() => { holder.scrollLeft = (holder.scrollLeft + x) * grown - x; holder.scrollTop = (holder.scrollTop + y) * grown - y; });
    },
    grab(event) {
      if (event.button !== 0 || event.target.closest("button")) return;
      const holder = this.$refs.holder, from = { x: event.clientX + holder.scrollLeft, y: event.clientY + holder.scrollTop };
      const move = (now) => { holder.scrollLeft = from.x - now.clientX; holder.scrollTop = from.y - now.clientY; };
      const end = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", end); };
      addEventListener("pointermove", move);
      addEventListener("pointerup", end);
    },
    key(event) {
      if (event.target !== this.$refs.holder) return;
      if (event.key === "+" || event.key === "=") this.zoom(1.2);
      else if (event.key === "-") this.zoom(1 / 1.2);
      else if (event.key === "0") this.fit();
    },
  },
};

function curve(points) {
  let path = `M${points[0]},${points[1]}`;
  for (let at = 2; at < points.length; at += 2) {
    const [x, y, nx, ny] = [points[at - 2], points[at - 1], points[at], points[at + 1]];
    path += x === nx ? `V${ny}` : `C${x},${(y + ny) / 2} ${nx},${(y + ny) / 2} ${nx},${ny}`;
  }
  return path;
}
