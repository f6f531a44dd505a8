// A cluster's flight record as the browser keeps it: series by worker and prefix, totals, tasks, events; see docs/http-api.md.
// Whatever the record's length, what is kept is bounded: of what is old every second point goes, and its short tasks.
export const MAX_POINTS = 60000; // Rows of workers.
export const MAX_TOTALS = 3600;
export const MAX_TASKS = 60000;
export const MAX_EVENTS = 2000;

// Told apart also by those who do not see all colours, on light and dark; red is for what failed.
const COLOURS = ["#4477aa", "#ee7733", "#009988", "#aa3377", "#33a5d6", "#b8a11f", "#7a5ea8", "#8c564b", "#6f9b3c", "#d46a9f"];

function hash(text) {
  let sum = 2166136261;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 16777619) >>> 0;
  return sum;
}

// The last place in a rising list that is not above `t`; -1 where all are.
export function before(times, t) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const byName = new Intl.Collator("en", { numeric: true }).compare;

export class Record {
  constructor(wanted = 0) {
    this.workers = new Map();
    this.prefixes = new Map();
    this.tasks = [];
    this.events = [];
    this.totals = [];
    this.began = 0;
    this.ended = 0;
    this.points = 0;
    this.dropped = { tasks: 0, events: 0 };
    this.wanted = wanted; // What the cluster was made with; events say when that changes.
    this.groups = null;
    this.colours = new Map();
    this.there = new Set();
  }

  get last() { return this.ended; }

  add(frames) {
    for (const frame of frames) this.#add(frame);
    if (this.points > MAX_POINTS) this.#thinWorkers();
    if (this.totals.length > MAX_TOTALS) this.#thinTotals();
    if (this.tasks.length > MAX_TASKS) this.#thinTasks();
    if (this.events.length > MAX_EVENTS) this.dropped.events += this.events.splice(0, this.events.length - MAX_EVENTS).length;
  }

  #add(frame) {
    const gone = new Map();
    for (const event of frame.events || []) {
      this.#note(event);
      if (event.kind === "remove-worker") gone.set(event.worker, event.t - 0.001);
      if (event.kind === "add-worker") gone.delete(event.worker);
    }
    for (const [name, row] of Object.entries(frame.workers || {})) {
      const worker = this.#worker(name, frame.t);
      // A frame that stands for many may tell of one that is gone by its end.
      if (!this.there.has(name) && !gone.has(name)) this.#join(worker, frame.t);
      worker.times.push(gone.get(name) ?? frame.t);
      worker.rows.push(row);
      worker.threads = row.threads;
      this.points += 1;
    }
    for (const [name, row] of Object.entries(frame.prefixes || {})) {
      const prefix = this.#prefix(name);
      prefix.times.push(frame.t);
      prefix.rows.push(row);
    }
    for (const task of frame.tasks || []) this.#place(task);
    this.dropped.tasks += frame.tasks_dropped || 0;
    this.dropped.events += frame.events_dropped || 0;
    this.began ||= this.events.length ? Math.min(frame.t, this.events[0].t) : frame.t;
    this.ended = frame.t;
    this.totals.push(this.#total(frame.t));
  }

  #worker(name, t) {
    let worker = this.workers.get(name);
    if (!worker) {
      worker = { name, times: [], rows: [], spans: [], states: [], lanes: [], threads: 0 };
      this.workers.set(name, worker);
      this.order = null;
    }
    return worker;
  }

  #join(worker, t) {
    this.there.add(worker.name);
    worker.spans.push({ from: t, to: null, event: null });
    worker.states.push([t, "running"]);
  }

  #prefix(name) {
    let prefix = this.prefixes.get(name);
    if (!prefix) {
      prefix = { name, colour: this.colour(name), times: [], rows: [] };
      this.prefixes.set(name, prefix);
    }
    return prefix;
  }

  // The same name has the same colour in each record, unless another one has taken it there.
  colour(name) {
    if (!this.colours.has(name)) {
      const taken = new Set(this.colours.values());
      const first = hash(name) % COLOURS.length;
      const free = COLOURS.map((_, step) => COLOURS[(first + step) % COLOURS.length]).find((one) => !taken.has(one));
      this.colours.set(name, free || COLOURS[first]);
    }
    return this.colours.get(name);
  }

  #note(event) {
    this.events.push(event);
    if (event.kind === "scale") this.groups = { ...this.groups, ...event.wanted };
    if (!event.worker) return;
    const known = this.#worker(event.worker, event.t);
    if (event.kind === "add-worker" && !this.there.has(event.worker)) this.#join(known, event.t);
    if (event.kind === "worker-status-change") known.states.push([event.t, event.status]);
    if (event.kind === "remove-worker") {
      this.there.delete(event.worker);
      const span = known.spans[known.spans.length - 1];
      if (span && span.to === null) { span.to = event.t; span.event = event; }
    }
  }

  // Dask does not tell the thread: it is one that was free when the task began. Tasks come in the order they ended.
  #place(task) {
    const worker = this.#worker(task.worker, task.start);
    const end = task.start + task.took;
    const moved = task.action !== "compute" && task.action !== "failed";
    let lane = 0;
    if (!moved) {
      lane = worker.lanes.findIndex((free) => free <= task.start + 0.005);
      if (lane < 0) lane = worker.lanes.length < Math.max(1, worker.threads) ? worker.lanes.length : worker.lanes.indexOf(Math.min(...worker.lanes));
      worker.lanes[lane] = end;
    }
    this.tasks.push({ prefix: task.prefix, worker: task.worker, start: task.start, end, took: task.took, action: task.action, lane, moved, colour: this.colour(task.prefix) });
  }

  #total(t) {
    const total = { t, workers: this.there.size, wanted: this.#wantedNow(), memory: 0, high: 0, managed: 0, spilled: 0, limit: 0, cpu: 0, running: 0, threads: 0 };
    for (const name of this.there) {
      const { rows } = this.workers.get(name);
      const row = rows[rows.length - 1];
      if (!row) continue;
      total.memory += row.memory;
      total.high += row.memory_high || row.memory;
      total.managed += row.managed;
      total.spilled += row.spilled;
      total.limit += row.memory_limit;
      total.cpu += row.cpu;
      total.running += row.running;
      total.threads += row.threads;
    }
    return total;
  }

  // Events tell of the groups whose number follows the work; of others there are as many as there are.
  #wantedNow() {
    if (!this.groups) return null;
    const group = (name) => name.replace(/-\d+(-r\d+)?$/, "");
    const others = [...this.there].filter((name) => !(group(name) in this.groups)).length;
    return others + Object.values(this.groups).reduce((sum, one) => sum + one, 0);
  }

  // Before the first such event it is not known; without one it is what the cluster was made with.
  wantedOf(total) {
    return total.wanted ?? (this.groups ? total.workers : this.wanted || total.workers);
  }

  // -- what was at a moment -------------------------------------------------------------------------------------------
  sorted() {
    this.order ||= [...this.workers.values()].sort((a, b) => byName(a.name, b.name));
    return this.order;
  }

  workersAt(t) {
    const found = [];
    for (const worker of this.sorted()) {
      const span = worker.spans.find((one) => one.from <= t && (one.to === null || one.to > t));
      if (!span) continue;
      const at = before(worker.times, t);
      const row = at >= 0 && worker.times[at] >= span.from - 0.001 ? worker.rows[at] : null;
      const state = worker.states[before(worker.states.map((one) => one[0]), t)];
      found.push({ name: worker.name, row, state: state ? state[1] : "running" });
    }
    return found;
  }

  prefixesAt(t) {
    const found = [];
    for (const prefix of this.prefixes.values()) {
      const at = before(prefix.times, t);
      if (at >= 0) found.push({ name: prefix.name, colour: prefix.colour, ...prefix.rows[at] });
    }
    return found;
  }

  totalAt(t) {
    const at = before(this.totals.map((one) => one.t), t);
    const total = this.totals[Math.max(0, at)];
    return total ? { ...total, wanted: this.wantedOf(total) } : null;
  }

  eventsUntil(t, most) {
    const found = [];
    for (let at = this.events.length - 1; at >= 0 && found.length < most; at -= 1) {
      if (this.events[at].t <= t + 0.001) found.push(this.events[at]);
    }
    return found;
  }

  // Also those that a moment finds in the middle.
  tasksBetween(from, to) {
    return this.tasks.filter((task) => task.end >= from && task.start <= to);
  }

  // -- bounds ---------------------------------------------------------------------------------------------------------
  #thinWorkers() {
    this.points = 0;
    for (const worker of this.workers.values()) {
      const old = (worker.times.length >> 1) - 1;
      const kept = worker.times.map((_, at) => at).filter((at) => at > old || at % 2 === 0);
      for (const at of kept) {
        const next = at <= old ? worker.rows[at + 1] : null;
        const high = next && Math.max(next.memory_high || next.memory, worker.rows[at].memory_high || worker.rows[at].memory);
        if (high > worker.rows[at].memory) worker.rows[at] = { ...worker.rows[at], memory_high: high };
      }
      worker.times = kept.map((at) => worker.times[at]);
      worker.rows = kept.map((at) => worker.rows[at]);
      this.points += kept.length;
    }
    for (const prefix of this.prefixes.values()) {
      const old = (prefix.times.length >> 1) - 1;
      const kept = prefix.times.map((_, at) => at).filter((at) => at > old || at % 2 === 0);
      prefix.times = kept.map((at) => prefix.times[at]);
      prefix.rows = kept.map((at) => prefix.rows[at]);
    }
  }

  #thinTotals() {
    const old = this.totals.length >> 1;
    this.totals = this.totals.filter((one, at) => {
      if (at >= old || at % 2 === 0) return true;
      this.totals[at - 1].high = Math.max(this.totals[at - 1].high, one.high);
      return false;
    });
  }

  #thinTasks() {
    const old = this.tasks.slice(0, MAX_TASKS / 2);
    const median = old.map((one) => one.took).sort((a, b) => a - b)[old.length >> 1];
    let left = old.length >> 1;
    const kept = old.filter((one) => one.took > median || (one.took === median && (left -= 1) > 0));
    this.dropped.tasks += old.length - kept.length;
    this.tasks = kept.concat(this.tasks.slice(MAX_TASKS / 2));
  }
}
