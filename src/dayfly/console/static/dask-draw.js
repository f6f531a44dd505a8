// Draws a cluster's record on canvases: the whole of it with a cursor, and the stream of tasks around one moment.
import { clock, mebibytes } from "./dask-words.js";

export const GUTTER = 78; // Pixels at the left, for names.
const AXIS = 16; // Pixels at the bottom, for times.

function begin(canvas, height) {
  const width = canvas.clientWidth;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "11px Roboto, system-ui, sans-serif";
  pen.textBaseline = "middle";
  return { pen, width, height, ink };
}

// Colours of the theme, read once for each: to ask for a style makes the browser work out all of them.
const inks = new Map();

function ink(name) {
  const key = `${document.documentElement.dataset.theme} ${name}`;
  if (!inks.has(key)) inks.set(key, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return inks.get(key);
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];

function axis({ pen, width, height, ink }, from, to, origin) {
  const room = width - GUTTER;
  const step = STEPS.find((one) => ((to - from) / one) * 64 < room) || 86400;
  pen.textAlign = "center";
  for (let t = Math.ceil((from - origin) / step) * step; t + origin <= to; t += step) {
    const x = GUTTER + ((t + origin - from) / (to - from)) * room;
    pen.fillStyle = ink("line");
    pen.fillRect(Math.round(x), 0, 1, height - AXIS);
    pen.fillStyle = ink("ink-faint");
    if (x > GUTTER + 12 && x < width - 18 && t >= 0) pen.fillText(step < 1 ? `${t.toFixed(1)} s` : clock(t).replace(/\.0$/, ""), x, height - AXIS / 2);
  }
}

function label(pen, text, y, colour) {
  pen.textAlign = "right";
  pen.fillStyle = colour;
  let told = text;
  if (pen.measureText(told).width > GUTTER - 8) {
    const tail = /-?\d+(-r\d+)?$/.exec(text)?.[0] || "";
    let head = text.slice(0, text.length - tail.length);
    while (head && pen.measureText(`${head}…${tail}`).width > GUTTER - 8) head = head.slice(0, -1);
    told = `${head}…${tail}`;
  }
  pen.fillText(told, GUTTER - 6, y);
}

// Memory of all workers above, how many there are and are wanted below. Returns the moment that a pixel stands for.
export function drawWhole(canvas, record, position) {
  const MEMORY = 64;
  const WORKERS = 40;
  const GAP = 10;
  const stage = begin(canvas, MEMORY + GAP + WORKERS + AXIS);
  const { pen, width, height, ink } = stage;
  const from = record.began;
  const to = Math.max(record.ended, from + 1);
  const x = (t) => GUTTER + ((t - from) / (to - from)) * (width - GUTTER);
  const totals = record.totals.map((one) => ({ ...one, wanted: record.wantedOf(one) }));
  axis(stage, from, to, from);
  const most = totals.reduce((sum, one) => Math.max(sum, one.high + one.spilled), 1);
  const limit = totals.reduce((sum, one) => Math.max(sum, one.limit), 0);
  const top = limit && limit < most * 4 ? Math.max(limit, most) : most * 1.15;
  const y = (n) => MEMORY - (n / top) * (MEMORY - 4);
  const area = (low, high, colour) => {
    pen.beginPath();
    totals.forEach((one, at) => (at ? pen.lineTo(x(one.t), y(high(one))) : pen.moveTo(x(one.t), y(high(one)))));
    for (let at = totals.length - 1; at >= 0; at -= 1) pen.lineTo(x(totals[at].t), y(low(totals[at])));
    pen.fillStyle = colour;
    pen.fill();
  };
  area(() => 0, (one) => one.managed, ink("busy-fill"));
  area((one) => one.managed, (one) => Math.max(one.managed, one.high), `${ink("busy-fill")}77`);
  area((one) => Math.max(one.managed, one.high), (one) => Math.max(one.managed, one.high) + one.spilled, ink("warn-fill"));
  if (limit && limit <= top) line(pen, GUTTER, width, y(limit), ink("bad-fill"));
  label(pen, mebibytes(top), 6, ink("ink-faint"));
  label(pen, "memory", MEMORY - 6, ink("ink-soft"));
  const people = totals.reduce((sum, one) => Math.max(sum, one.workers, one.wanted), 1);
  const floor = MEMORY + GAP + WORKERS;
  const up = (n) => floor - (n / people) * (WORKERS - 3);
  steps(pen, totals, x, up, "workers", to, (path) => {
    path.lineTo(x(to), floor);
    path.lineTo(x(totals[0].t), floor);
    path.fillStyle = `${ink("good-fill")}44`;
    path.fill();
  });
  pen.strokeStyle = ink("good-fill");
  pen.lineWidth = 1.5;
  steps(pen, totals, x, up, "workers", to, (path) => path.stroke());
  pen.setLineDash([4, 3]);
  pen.strokeStyle = ink("ink-soft");
  steps(pen, totals, x, up, "wanted", to, (path) => path.stroke());
  pen.setLineDash([]);
  label(pen, String(people), floor - WORKERS + 6, ink("ink-faint"));
  label(pen, "workers", floor - 6, ink("ink-soft"));
  pen.fillStyle = ink("bad-fill");
  for (const event of record.events) {
    if ((event.kind === "remove-worker" && !event.expected) || event.kind === "task-erred") triangle(pen, x(event.t), floor);
  }
  pen.fillStyle = ink("accent");
  pen.fillRect(Math.min(width - 2, Math.round(x(position)) - 1), 0, 2, height - AXIS);
  return (pixel) => from + ((pixel - GUTTER) / (width - GUTTER)) * (to - from);
}

function line(pen, from, to, y, colour) {
  pen.setLineDash([2, 3]);
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(from, y);
  pen.lineTo(to, y);
  pen.stroke();
  pen.setLineDash([]);
}

function steps(pen, totals, x, y, key, to, finish) {
  if (!totals.length) return;
  pen.beginPath();
  pen.moveTo(x(totals[0].t), y(totals[0][key]));
  totals.forEach((one, at) => {
    if (at) pen.lineTo(x(one.t), y(totals[at - 1][key]));
    pen.lineTo(x(one.t), y(one[key]));
  });
  pen.lineTo(x(to), y(totals[totals.length - 1][key]));
  finish(pen);
}

function triangle(pen, x, floor) {
  pen.beginPath();
  pen.moveTo(x - 4, floor);
  pen.lineTo(x + 4, floor);
  pen.lineTo(x, floor - 7);
  pen.fill();
}

// Threads of workers as rows, tasks as bars in their prefix's colour. Returns what is at a pixel.
export function drawStream(canvas, record, tasks, from, to, now) {
  const busy = new Set(tasks.map((one) => one.worker));
  const rows = record.sorted().filter((worker) => busy.has(worker.name) || worker.spans.some((one) => one.from <= now && (one.to === null || one.to >= from)));
  const lanes = rows.map((worker) => Math.max(1, worker.threads || worker.lanes.length));
  const all = lanes.reduce((sum, one) => sum + one, 0) || 1;
  const lane = Math.max(1, Math.min(14, Math.floor(260 / all)));
  const stage = begin(canvas, Math.max(28, all * lane) + AXIS);
  const { pen, width, height, ink } = stage;
  const room = width - GUTTER;
  const x = (t) => GUTTER + ((t - from) / (to - from)) * room;
  axis(stage, from, to, record.began);
  const above = new Map();
  const lanesOf = new Map();
  let y = 0;
  let told = -12;
  rows.forEach((worker, at) => {
    above.set(worker.name, y);
    lanesOf.set(worker.name, lanes[at]);
    const middle = Math.max(6, y + (lanes[at] * lane) / 2);
    if (middle - told >= 12) { label(pen, worker.name, middle, ink("ink-soft")); told = middle; }
    if (lane > 3) { pen.fillStyle = ink("line"); pen.fillRect(GUTTER, y + lanes[at] * lane - 1, room, 1); }
    for (const span of worker.spans) {
      if (span.to === null || span.to > now || span.to < from || span.event?.expected) continue;
      pen.fillStyle = ink("bad-fill");
      pen.textAlign = "center";
      lane > 7 ? pen.fillText("✕", x(span.to), middle) : pen.fillRect(x(span.to), y, 2, lanes[at] * lane);
    }
    y += lanes[at] * lane;
  });
  const boxes = [];
  for (const task of tasks) {
    if (!above.has(task.worker)) continue;
    const left = Math.max(GUTTER, x(task.start));
    const right = Math.min(width, x(Math.min(task.end, now)));
    const box = { task, left, right: Math.max(right, left + 1), top: above.get(task.worker) + Math.min(task.lane, lanesOf.get(task.worker) - 1) * lane, bottom: 0 };
    const tall = Math.max(1, lane - (lane > 4 ? 2 : 0));
    if (task.moved) box.top += tall - Math.max(1, tall * 0.25);
    box.bottom = box.top + (task.moved ? Math.max(1, tall * 0.25) : tall);
    pen.fillStyle = task.moved ? ink("ink-faint") : task.action === "failed" ? ink("bad-fill") : task.colour;
    // A hair between neighbours, so that many short tasks do not look like a long one.
    const wide = box.right - box.left;
    pen.fillRect(box.left, box.top, wide > 3 ? wide - 0.6 : wide, box.bottom - box.top);
    if (task.action === "failed" && wide > 8 && lane > 8) { pen.fillStyle = "#fff"; pen.textAlign = "center"; pen.fillText("✕", box.left + wide / 2, box.top + tall / 2); }
    boxes.push(box);
  }
  pen.fillStyle = ink("accent");
  pen.fillRect(Math.min(width - 1, x(now)), 0, 1, height - AXIS);
  return (px, py) => {
    let found = null;
    for (const box of boxes) if (px >= box.left - 1 && px <= box.right + 1 && py >= box.top && py <= box.bottom + 1) found = box.task;
    return found;
  };
}
