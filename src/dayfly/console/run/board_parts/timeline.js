// Where bars and ticks of the timeline are: pure sums over times, in shares of the track's width.
const STEPS = [10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 12e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5, 6048e5];
const NARROWEST = 20; // Milliseconds; nobody needs to see less.

export function whole(store, now) {
  const from = store.run.started ?? store.base;
  return { from: Math.min(from, store.base), to: Math.max(store.run.ended ?? now, from + 20) };
}

export function zoomed(all, view, factor, at = 0.5) {
  const width = Math.max(NARROWEST, (view.to - view.from) / factor);
  if (width >= all.to - all.from) return null;
  return shifted(all, { from: view.from + (view.to - view.from) * at - width * at, to: 0 }, width);
}

export function moved(all, view, share) {
  const width = view.to - view.from;
  return shifted(all, { from: view.from + width * share, to: 0 }, width);
}

function shifted(all, view, width) {
  const from = Math.max(all.from, Math.min(view.from, all.to - width));
  return { from, to: from + width };
}

export function ticks(view, start, span) {
  const width = view.to - view.from;
  const step = STEPS.find((one) => width / one <= 6) || STEPS.at(-1);
  const found = [];
  for (let at = Math.ceil((view.from - start) / step) * step; at <= view.to - start; at += step) {
    found.push({ left: share(view, start + at), label: at === 0 ? "0" : span(at) });
  }
  return found;
}

// The parts of a row: what waited, and each attempt, or the node as a whole.
export function bars(entry, view, now) {
  const found = [];
  const add = (from, to, phase, what, attempt) => {
    if (from == null || to < view.from || from > view.to) return;
    const left = Math.max(0, share(view, from)), right = Math.min(100, share(view, to));
    found.push({ left, width: Math.max(0, right - left), phase, what, attempt, took: to - from });
  };
  const last = entry.ended ?? now;
  if (entry.attempts?.length > 1) {
    for (const one of entry.attempts) {
      add(one.created, one.started ?? one.ended ?? last, "QUEUED", "waited", one.number);
      add(one.started, one.ended ?? last, one.phase, `attempt ${one.number + 1}`, one.number);
    }
    return found;
  }
  if (entry.created != null) add(entry.created, entry.started ?? last, "QUEUED", "waited", null);
  add(entry.started, last, entry.phase, "ran", null);
  return found;
}

const share = (view, at) => (100 * (at - view.from)) / (view.to - view.from);
