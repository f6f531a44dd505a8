// What happened in a cluster, in words: one sign, one tone and one sentence for each event of its record.
export const mebibytes = (n) => (n >= 10240 ? `${(n / 1024).toFixed(0)} GiB` : n >= 1024 ? `${(n / 1024).toFixed(1)} GiB` : `${Math.round(n)} MiB`);

// A part of a whole: 1.2 of 4.0 GiB.
export function part(some, all) {
  const [told, unit] = mebibytes(some).split(" ");
  return `${mebibytes(all).endsWith(unit) ? told : `${told} ${unit}`} of ${mebibytes(all)}`;
}

export function seconds(n) {
  if (n < 0.001) return `${(n * 1e6).toFixed(0)} µs`;
  if (n < 1) return `${(n * 1000).toFixed(n < 0.01 ? 1 : 0)} ms`;
  return n < 60 ? `${n.toFixed(n < 10 ? 2 : 1)} s` : `${Math.floor(n / 60)} min ${Math.round(n % 60)} s`;
}

// A position in a record: 1:04.5, or 2:01:04 in a long one.
export function clock(n) {
  const s = Math.max(0, n);
  const pad = (part, digits = 2) => String(part).padStart(digits, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  if (h) return `${h}:${pad(m)}:${pad(Math.floor(s % 60))}`;
  return `${m}:${pad((Math.floor(s * 10) % 600 / 10).toFixed(1), 4)}`;
}

export const moment = (t) => new Date(t * 1000).toLocaleTimeString("en-GB");

const some = (keys, most = 2) => keys.slice(0, most).join(", ") + (keys.length > most ? ` and ${keys.length - most} more` : "");

function gone(event, why) {
  if (event.expected) return { sign: "–", tone: "calm", text: `${event.worker} ${event.cause || "retired, as it was asked to"}` };
  const computing = event.processing?.length ? ` while it had ${some(event.processing)}` : "";
  const lost = event.lost?.length ? `; ${event.lost.length} result${event.lost.length > 1 ? "s" : ""} to be computed again` : "";
  return { sign: "✕", tone: "bad", text: `${event.worker} ${why ? "was killed" : "was lost"}${computing}${lost}`, why };
}

const STATES = {
  paused: ["‖", "warn", "paused: too much memory in use, it takes no more tasks"],
  closing_gracefully: ["↘", "calm", "retires: its data moves to others"],
  running: ["▶", "good", "goes on"],
};

function stated(event) {
  const [sign, tone, text] = STATES[event.status] || ["·", "calm", `is ${event.status}`];
  return { sign, tone, text: `${event.worker} ${text}` };
}

const SAYING = {
  "add-worker": (e) => ({ sign: "+", tone: "good", text: `${e.worker} joined` }),
  "worker-status-change": stated,
  scale: (e) => ({ sign: "⇅", tone: "busy", text: `${Object.values(e.wanted || {}).reduce((a, b) => a + b, 0)} workers wanted`, why: e.told }),
  "task-erred": (e) => ({ sign: "✕", tone: "bad", text: `${e.key} failed on ${e.worker || "a worker"}`, why: e.error }),
  "spill-failed": (e) => ({ sign: "!", tone: "bad", text: `${e.worker} could not spill to disk`, why: e.error }),
  "worker-memory-terminate": (e) => ({ sign: "✕", tone: "bad", text: `${e.worker} was ended for its memory` }),
  "versions-differ": (e) => ({ sign: "!", tone: "warn", text: `${e.worker} has other versions than the scheduler` }),
  restart: () => ({ sign: "↻", tone: "calm", text: "All workers were restarted" }),
  unfinished: (e) => ({ sign: "·", tone: "warn", text: "The driver ended before its tasks had", why: e.told }),
  said: (e) => ({ sign: "i", tone: "calm", text: e.text }),
};

// Why a worker went is known to who watches its process: of what the platform said then, what names the worker.
export function whyGone(event, said) {
  const role = event.worker.replace(/-r\d+$/, "");
  const found = said.filter(([t, text]) => Math.abs(t - event.t) < 2 && text.includes(role));
  found.sort((a, b) => Math.abs(a[0] - event.t) - Math.abs(b[0] - event.t));
  return found.length ? found[0][1] : "";
}

export function say(event, said = []) {
  if (event.kind === "remove-worker") return gone(event, event.expected ? "" : whyGone(event, said));
  if (SAYING[event.kind]) return SAYING[event.kind](event);
  return { sign: "·", tone: "warn", text: event.told || `${event.kind} ${event.worker || ""}` };
}
