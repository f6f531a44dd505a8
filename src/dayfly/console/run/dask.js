// A Dask cluster at one moment: while it lives the last one, ever after any that its record tells. See dask.py.
// The record is fetched from the public API and kept in the browser, bounded (static/dask-record.js).
const EVERY = 1000; // Milliseconds between looks at a cluster that lives.
const FRAMES = 1000; // In one answer of the server.
const SHOWN_WORKERS = 24;
const SHOWN_PREFIXES = 12;
const SHOWN_EVENTS = 60;
const SPANS = [10, 30, 120, 600, 3600];
const SPEEDS = [1, 2, 5, 20, 60, 240];

export default {
  template: `
    <div class="dask" ref="root">
      <p v-if="trouble" class="stale" role="status">{{ trouble }}</p>
      <div class="dask-head">
        <span v-if="mode === 'live'" class="phase phase-RUNNING"><i aria-hidden="true">●</i>Live</span>
        <span v-else class="phase"><i aria-hidden="true">◷</i>{{ live ? 'Looking back' : 'Flight record' }}</span>
        <template v-if="total">
          <span data-fact="workers"><b class="num">{{ total.workers }}</b> of {{ total.wanted }} workers</span>
          <span data-fact="done"><b class="num">{{ done.toLocaleString('en') }}</b> tasks done</span>
          <span><b class="num">{{ total.running }}</b> of {{ total.threads }} threads busy</span>
          <span><b class="num">{{ words.mebibytes(total.memory) }}</b> held<template v-if="total.spilled">, {{ words.mebibytes(total.spilled) }} spilled</template></span>
        </template>
      </div>
      <p v-if="!total" class="dask-none">{{ loading ? 'Reading the record …' : live ? 'No worker has been seen yet. ' + lastSaid : 'This cluster left no record: it never got so far that a worker joined.' }}</p>
      <div v-show="total" class="dask-whole">
        <canvas ref="whole" role="img" :aria-label="wholeTold" @pointerdown="seekStart" @pointermove="seekMove"></canvas>
        <div class="transport" role="group" aria-label="Replay">
          <button type="button" class="small" :aria-label="mode === 'play' ? 'Pause' : 'Play'" @click="toggle">{{ mode === 'play' ? '❚❚' : '▶' }}</button>
          <input type="range" min="0" :max="step * Math.ceil(length / step)" :step="step" :value="atEnd ? step * Math.ceil(length / step) : offset" aria-label="Position in the record" :aria-valuetext="clockText"
            @input="seek(began + Number($event.target.value))" @keydown.space.prevent="toggle">
          <output class="num" data-position>{{ clockText }}</output>
          <select class="field" aria-label="Speed" v-model.number="speed"><option v-for="one in speeds" :key="one" :value="one">{{ one }}×</option></select>
          <button v-if="live" type="button" class="small" :disabled="mode === 'live'" @click="goLive">Live</button>
        </div>
        <details class="alike" @toggle="open.whole = $event.target.open; update()"><summary>As a table</summary>
          <table v-if="open.whole" class="table tight"><caption class="unseen">Workers and memory over time</caption>
            <thead><tr><th scope="col">At</th><th scope="col" class="num">Workers</th><th scope="col" class="num">Wanted</th><th scope="col" class="num">Memory</th><th scope="col" class="num">Spilled</th><th scope="col" class="num">Threads busy</th></tr></thead>
            <tbody><tr v-for="one in samples" :key="one.t"><td class="num">{{ words.clock(one.t - began) }}</td><td class="num">{{ one.workers }}</td><td class="num">{{ one.wanted }}</td><td class="num">{{ words.mebibytes(one.memory) }}</td><td class="num">{{ words.mebibytes(one.spilled) }}</td><td class="num">{{ one.running }} / {{ one.threads }}</td></tr></tbody></table>
        </details>
        <p v-if="!open.whole" class="legend" aria-hidden="true"><span><i class="data"></i>data</span><span><i class="other"></i>other memory</span><span><i class="disk"></i>spilled</span><span><i class="there"></i>workers</span><span><i class="asked"></i>wanted</span><span><i class="lost">▲</i>lost or failed</span></p>
      </div>
      <section v-show="prefixes.length" aria-label="Progress"><h3>Progress</h3>
        <ul class="progress"><li v-for="one in prefixes" :key="one.name" :data-prefix="one.name">
          <span class="name"><i class="swatch" :style="{background: one.colour}" aria-hidden="true"></i><span :title="one.name">{{ one.name }}</span></span>
          <span class="bar-of" role="img" :aria-label="one.told"><i v-for="part in one.parts" :key="part.kind" :class="part.kind" :style="{width: part.share + '%', background: part.kind === 'done' ? one.colour : undefined}"></i></span>
          <span class="num counts">{{ one.done.toLocaleString('en') }} / {{ one.all.toLocaleString('en') }}<em v-if="one.erred"> · {{ one.erred }} failed</em></span>
          <small class="num">{{ one.mean }}</small></li></ul>
        <button v-if="others" type="button" class="small" @click="allPrefixes = !allPrefixes; update()">{{ allPrefixes ? 'Show fewer' : 'Show all ' + others + ' prefixes' }}</button>
      </section>
      <section v-show="total" aria-label="Task stream">
        <div class="row-of between"><h3>Task stream</h3>
          <label class="choice">last <select class="field" v-model.number="span" @change="update"><option v-for="one in spans" :key="one" :value="one">{{ one < 60 ? one + ' s' : one < 3600 ? one / 60 + ' min' : '1 h' }}</option><option :value="0">all</option></select></label></div>
        <div class="stream"><canvas ref="stream" role="img" :aria-label="streamTold" @pointermove="point" @pointerleave="pointed = null"></canvas>
          <div v-if="pointed" class="tip" :style="{left: pointed.x + 'px', top: pointed.y + 'px'}"><b>{{ pointed.task.prefix }}</b> {{ pointed.task.action }} · {{ words.seconds(pointed.task.took) }}<br>{{ pointed.task.worker }}, at {{ words.clock(pointed.task.start - began) }}</div></div>
        <p v-if="dropped" class="faint note">{{ dropped.toLocaleString('en') }} short tasks were counted, and are not drawn.</p>
        <details class="alike" @toggle="open.stream = $event.target.open; update()"><summary>As a table</summary>
          <table v-if="open.stream" class="table tight"><caption class="unseen">Tasks of the stream</caption>
            <thead><tr><th scope="col">Worker</th><th scope="col">Tasks</th><th scope="col" class="num">Number</th><th scope="col" class="num">Time</th><th scope="col" class="num">Longest</th></tr></thead>
            <tbody><tr v-for="one in streamed" :key="one.key"><td>{{ one.worker }}</td><td>{{ one.prefix }}<em v-if="one.action !== 'compute'"> {{ one.action }}</em></td><td class="num">{{ one.count }}</td><td class="num">{{ words.seconds(one.took) }}</td><td class="num">{{ words.seconds(one.longest) }}</td></tr></tbody></table>
        </details>
      </section>
      <section v-show="workers.length" aria-label="Workers">
        <div class="row-of between"><h3>Workers</h3><label class="choice">by <select class="field" v-model="sorting" @change="update"><option>name</option><option>memory</option><option>CPU</option></select></label></div>
        <ul class="workers"><li v-for="one in workers" :key="one.name" class="worker" :class="one.state" :data-worker="one.name">
          <div class="worker-head"><b>{{ one.name }}</b><span v-for="badge in one.badges" :key="badge.text" class="badge" :class="badge.tone">{{ badge.text }}</span></div>
          <div class="meter" role="img" :aria-label="'Memory: ' + one.memory"><i class="managed" :style="{width: one.managed + '%'}"></i><i class="unmanaged" :class="{high: one.high}" :style="{width: one.unmanaged + '%'}"></i><i class="spilled" :style="{width: one.spilled + '%'}"></i></div>
          <small :title="one.memory">{{ one.memory }}</small>
          <div class="meter thin" role="img" :aria-label="'CPU: ' + one.cpu"><i class="cpu" :style="{width: one.cpuShare + '%'}"></i></div>
          <small>{{ one.cpu }} · {{ one.tasks }}</small></li></ul>
        <button v-if="more" type="button" class="small" @click="all = !all; update()">{{ all ? 'Show fewer' : 'Show all ' + more + ' workers' }}</button>
      </section>
      <section v-show="events.length" aria-label="Events"><h3>Events</h3>
        <ol class="feed" tabindex="0" aria-label="What happened, the newest first"><li v-for="one in events" :key="one.key" :class="one.tone"><button type="button" class="at num" :title="'Go to ' + one.moment" @click="seek(one.t)">{{ one.at }}</button><i aria-hidden="true">{{ one.sign }}</i><span>{{ one.text }}<small v-if="one.why">{{ one.why }}</small></span></li></ol>
      </section>
    </div>`,
  props: { base: String, modules: String, live: Boolean, wanted: Number, said: Array, spot: Boolean, every: Number, tasks: Number },
  data: () => ({
    mode: "still", loading: true, trouble: "", words: { mebibytes: String, clock: String, seconds: String, moment: String },
    began: 0, length: 0, offset: 0, position: 0, total: null, done: 0, prefixes: [], workers: [], events: [], samples: [], streamed: [],
    more: 0, all: false, others: 0, allPrefixes: false, sorting: "name", span: 30, speed: 1, dropped: 0, pointed: null, open: { whole: false, stream: false }, speeds: SPEEDS, spans: SPANS,
    wholeTold: "", streamTold: "",
  }),
  computed: {
    step() { return Math.max(0.1, Number((this.length / 600).toFixed(1))); },
    lastSaid() { return this.said.length ? this.said[this.said.length - 1][1] : ""; },
    atEnd() { return this.offset >= this.length - 0.05; },
    clockText() { return `${this.words.clock(this.offset)} of ${this.words.clock(this.length)}`; },
  },
  watch: {
    base() { this.begin(); },
    live(now) { if (!now && this.mode === "live") this.mode = "still"; this.soon(0); },
    said() { this.update(); },
    wanted(now) { if (this.record) { this.record.wanted = now; this.update(); } },
  },
  async mounted() {
    this.watching = new ResizeObserver(() => this.draw());
    this.watching.observe(this.$refs.root);
    document.addEventListener("dayfly-key", this.key);
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    window.dayflyKeys = [...(window.dayflyKeys || []).filter(([name]) => name !== "p"), ["p", "Play or pause a record"], [", .", "A second back or on in it"]];
    const part = (name) => import(`${this.modules}/${name}.js`);
    [this.parts, this.words, this.drawing] = await Promise.all([part("dask-record"), part("dask-words"), part("dask-draw")]);
    this.begin();
  },
  unmounted() {
    this.over = true;
    clearTimeout(this.timer);
    clearInterval(this.player);
    clearTimeout(this.telling);
    clearTimeout(this.closer);
    this.watching.disconnect();
    this.theme.disconnect();
    document.removeEventListener("dayfly-key", this.key);
  },
  methods: {
    // -- the record ---------------------------------------------------------------------------------------------------
    async begin() {
      if (!this.parts) return;
      this.turn = (this.turn || 0) + 1;
      this.record = new this.parts.Record(this.wanted);
      this.loading = true;
      this.wasLast = false;
      this.near = null;
      const asked = new URLSearchParams(location.search).get("at");
      const at = asked === null || asked === "" ? NaN : Number(asked);
      this.mode = this.live && !Number.isFinite(at) ? "live" : "still";
      await this.look(this.turn, { every: this.every, tasks: this.tasks });
      const { began, ended } = this.record;
      this.position = Number.isFinite(at) ? Math.min(Math.max(began + at, began), ended) : ended;
      this.speed = SPEEDS.find((one) => (ended - began) / one <= 40) || SPEEDS[SPEEDS.length - 1];
      this.span = !this.live && ended - began <= 45 ? 0 : 30;
      this.loading = false;
      this.update();
      this.soon(EVERY);
    },
    async look(turn, coarse = {}) {
      const query = (since) => new URLSearchParams({ since, limit: FRAMES, ...(coarse.every ? coarse : {}) });
      try {
        for (let more = true; more; ) {
          const answer = await fetch(`${this.base}/frames?${query(this.record.last)}`);
          if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `the server answers ${answer.status}`);
          const { frames } = await answer.json();
          if (turn !== this.turn || this.over) return;
          this.record.add(frames);
          more = frames.length === FRAMES;
        }
        this.trouble = "";
      } catch (error) {
        this.trouble = `Not up to date: ${error.message || error}`;
      }
    },
    soon(milliseconds) {
      clearTimeout(this.timer);
      if (this.over) return;
      // Once more after its end, for what the scheduler wrote last.
      const last = !this.live;
      if (last && this.wasLast && milliseconds) return;
      this.timer = setTimeout(async () => {
        if (document.hidden && this.live) return this.soon(EVERY);
        const turn = this.turn;
        await this.look(turn);
        if (turn !== this.turn || this.over) return;
        if (this.mode === "live" || (last && this.mode === "still" && this.position >= this.began + this.length - 0.05)) this.position = this.record.ended;
        this.update();
        this.wasLast = last && !this.trouble;
        if (!this.wasLast) this.soon(this.trouble ? 3 * EVERY : EVERY);
      }, milliseconds);
    },
    // -- where one looks ----------------------------------------------------------------------------------------------
    seek(t) {
      this.mode = "still";
      clearInterval(this.player);
      this.position = Math.min(Math.max(t, this.began), this.record.ended);
      this.later();
    },
    // A slider that is dragged tells of more positions than there are pictures, and addresses may not change so often.
    later() {
      this.asked ||= requestAnimationFrame(() => { this.asked = 0; this.update(); });
      clearTimeout(this.telling);
      this.telling = setTimeout(() => this.tell(), 150);
    },
    goLive() { this.mode = "live"; clearInterval(this.player); this.position = this.record.ended; this.update(); this.tell(); },
    toggle() {
      clearInterval(this.player);
      if (this.mode === "play") { this.mode = "still"; return this.tell(); }
      if (this.position >= this.record.ended - 0.05) this.position = this.began;
      this.mode = "play";
      let last = performance.now();
      this.player = setInterval(() => {
        const now = performance.now();
        this.position += ((now - last) / 1000) * this.speed;
        last = now;
        if (this.position >= this.record.ended) this.live ? this.goLive() : this.seek(this.record.ended);
        else this.later();
      }, 100);
    },
    tell() {
      if (this.over || this.mode === "play") return;
      const address = new URL(location.href);
      const end = this.mode === "live" || this.position >= this.record.ended - 0.05;
      end ? address.searchParams.delete("at") : address.searchParams.set("at", (this.position - this.began).toFixed(1));
      history.replaceState(history.state, "", address);
    },
    key({ detail }) {
      if (!this.total) return;
      if (detail === "p") this.toggle();
      if (detail === "," || detail === ".") this.seek(this.position + (detail === "." ? 1 : -1));
    },
    seekStart(event) { event.target.setPointerCapture(event.pointerId); this.seekMove(event, true); },
    seekMove(event, pressed) { if ((pressed || event.buttons & 1) && this.momentOf) this.seek(this.momentOf(event.offsetX)); },
    point(event) {
      const task = this.taskAt?.(event.offsetX, event.offsetY);
      this.pointed = task ? { task, x: Math.min(event.offsetX + 10, event.target.clientWidth - 190), y: event.offsetY + 14 } : null;
    },
    // -- what is shown ------------------------------------------------------------------------------------------------
    update() {
      const { record, words } = this;
      if (!record) return;
      const t = this.position;
      this.began = record.began;
      this.length = Math.max(0, record.ended - record.began);
      this.offset = Math.max(0, t - record.began);
      this.total = record.totals.length ? record.totalAt(t) : null;
      const counted = record.prefixesAt(t);
      this.done = counted.reduce((sum, one) => sum + one.done + one.erred, 0);
      this.others = counted.length > SHOWN_PREFIXES ? counted.length : 0;
      if (this.others && !this.allPrefixes) counted.sort((a, b) => b.seconds - a.seconds).splice(SHOWN_PREFIXES);
      this.prefixes = counted.map((one) => this.progress(one));
      const found = record.workersAt(t).map((one) => this.worker(one));
      if (this.sorting !== "name") found.sort((a, b) => b[this.sorting] - a[this.sorting]);
      this.more = found.length > SHOWN_WORKERS ? found.length : 0;
      this.workers = this.all ? found : found.slice(0, SHOWN_WORKERS);
      const feed = record.eventsUntil(t, SHOWN_EVENTS).map((event) => ({ event, ...words.say(event, this.said) }));
      const used = new Set(feed.map((one) => one.why));
      const zero = record.began || this.said[0]?.[0] || 0;
      const said = this.said.filter(([at, text]) => (!record.began || at <= t + 0.5) && text && !used.has(text)).slice(-SHOWN_EVENTS);
      feed.push(...said.map(([at, text]) => { const event = { kind: "said", t: at, text }; return { event, ...words.say(event) }; }));
      feed.sort((a, b) => b.event.t - a.event.t);
      this.events = feed.slice(0, SHOWN_EVENTS).map(({ event, sign, tone, text, why }) => ({
        key: `${event.t} ${event.kind} ${event.worker} ${text}`, t: event.t, at: words.clock(event.t - zero), moment: words.moment(event.t), sign, tone, text, why: why || "",
      }));
      if (this.open.whole) this.samples = this.sample(20);
      this.$nextTick(this.draw);
      this.lookCloser();
    },
    // Of a long record only the longest tasks are kept: those around the moment where its reader stays are fetched.
    lookCloser() {
      clearTimeout(this.closer);
      const from = this.position - this.span;
      if (!this.every || this.mode !== "still" || !this.span || this.span > 120) return;
      if (this.near?.from <= from && this.near.to >= this.position) return;
      this.closer = setTimeout(async () => {
        const [since, to, turn] = [from - this.span / 2, this.position + this.span / 2, this.turn];
        const answer = await fetch(`${this.base}/frames?${new URLSearchParams({ since, limit: Math.ceil(to - since), tasks: 400 })}`).catch(() => null);
        if (!answer?.ok || turn !== this.turn || this.over) return; // What is kept will do.
        const record = new this.parts.Record();
        record.colours = this.record.colours;
        record.add((await answer.json()).frames);
        this.near = { from: since, to, record };
        this.draw();
      }, 300);
    },
    progress(one) {
      const all = one.done + one.erred + one.processing + one.waiting;
      const parts = ["done", "erred", "processing", "waiting"].map((kind) => ({ kind, share: all ? (100 * one[kind]) / all : 0 }));
      const mean = one.done ? `${this.words.seconds(one.seconds / one.done)} each` : "";
      return { ...one, all, parts, mean, told: `${one.done} done, ${one.erred} failed, ${one.processing} on workers, ${one.waiting} waiting` };
    },
    worker({ name, row, state }) {
      const badges = [];
      if (this.spot) badges.push({ text: "spot", tone: "busy" });
      if (state === "paused") badges.push({ text: "paused", tone: "warn" });
      if (state === "closing_gracefully" || state === "closing") badges.push({ text: "retiring", tone: "calm" });
      if (!row) return { name, state, badges, memory: "not heard of yet", managed: 0, unmanaged: 0, spilled: 0, cpu: "–", cpuShare: 0, tasks: "", CPU: 0 };
      const { mebibytes, part } = this.words;
      const limit = row.memory_limit || Math.max(row.memory, 1) * 1.5;
      const managed = Math.min(row.managed, row.memory);
      const memory = (row.memory_limit ? part(row.memory, row.memory_limit) : mebibytes(row.memory)) + (row.spilled ? ` · ${mebibytes(row.spilled)} disk` : "");
      return {
        name, state, badges, memory, managed: (100 * managed) / limit, unmanaged: Math.min(100, (100 * (row.memory - managed)) / limit), spilled: Math.min(100, (100 * row.spilled) / limit),
        high: row.memory_limit && row.memory > 0.8 * row.memory_limit, cpu: `CPU ${Math.round(row.cpu)} %`, cpuShare: Math.min(100, row.cpu / Math.max(1, row.threads)), CPU: row.cpu,
        tasks: `${row.running} running${row.waiting ? `, ${row.waiting} waiting` : ""}`,
      };
    },
    sample(most) {
      const { totals } = this.record;
      const every = Math.max(1, Math.ceil(totals.length / most));
      const some = totals.filter((_, at) => at % every === 0 || at === totals.length - 1);
      return some.map((one) => ({ ...one, wanted: this.record.wantedOf(one) }));
    },
    draw() {
      if (this.over || !this.record?.totals.length || !this.$refs.whole?.clientWidth) return;
      const { record, words, drawing } = this;
      this.momentOf = drawing.drawWhole(this.$refs.whole, record, this.position);
      const span = this.span || Math.max(1, this.length);
      const from = Math.max(record.began, this.position - span);
      const near = this.near?.from <= from && this.near.to >= this.position ? this.near.record : record;
      const tasks = near.tasksBetween(from, this.position);
      this.dropped = near.dropped.tasks;
      this.taskAt = drawing.drawStream(this.$refs.stream, record, tasks, from, from + span, this.position);
      const high = record.totals.reduce((sum, one) => (one.high > sum.high ? one : sum));
      this.wholeTold = `The whole record, ${words.clock(this.length)} long: most memory ${words.mebibytes(high.high)}, up to ${record.totals.reduce((sum, one) => Math.max(sum, one.workers), 0)} workers. The table below has the figures.`;
      this.streamTold = `Task stream from ${words.clock(from - record.began)} to ${words.clock(this.offset)}: ${tasks.length} tasks on ${new Set(tasks.map((one) => one.worker)).size} workers. The table below has them summed up.`;
      if (this.open.stream) this.streamed = sumUp(tasks);
    },
  },
};

function sumUp(tasks) {
  const sums = new Map();
  for (const { worker, prefix, action, took } of tasks) {
    const key = `${worker} ${prefix} ${action}`;
    const sum = sums.get(key) || { key, worker, prefix, action, count: 0, took: 0, longest: 0 };
    sum.count += 1;
    sum.took += took;
    sum.longest = Math.max(sum.longest, took);
    sums.set(key, sum);
  }
  return [...sums.values()].sort((a, b) => b.took - a.took).slice(0, 100);
}
