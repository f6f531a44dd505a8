// What becomes of an hour of a hundred workers in the browser: see test_dask_tab.py.
async (url) => {
  const { Record, MAX_POINTS, MAX_TASKS, MAX_EVENTS, MAX_TOTALS } = await import(url);
  const record = new Record(100);
  const row = (memory) => ({ memory, managed: 1, spilled: 0, cpu: 50, running: 1, waiting: 0, threads: 1, memory_limit: 999 });
  for (let t = 1; t <= 3600; t += 1) {
    const workers = {};
    const tasks = [];
    for (let n = 0; n < 100; n += 1) {
      workers[`worker-${n}`] = row(t === 100 ? 900 : 100);
      if (n < 40) tasks.push({ prefix: `p${n % 12}`, worker: `worker-${n}`, start: t - 1, took: n === 7 ? 0.9 : 0.1, action: "compute" });
    }
    record.add([{ t, workers, tasks, events: [{ t, kind: "worker-status-change", worker: "worker-1", status: "running" }], prefixes: { p0: { done: t, erred: 0, processing: 0, waiting: 0, seconds: 1 } } }]);
  }
  const at = record.workersAt(2000);
  return {
    bounded: record.points <= MAX_POINTS && record.tasks.length <= MAX_TASKS && record.events.length <= MAX_EVENTS && record.totals.length <= MAX_TOTALS,
    workers: at.length, memory: at[0].row.memory, high: Math.max(...record.totals.map((one) => one.high)), dropped: record.dropped.tasks > 0,
    last: record.workersAt(3600)[99].name, done: record.prefixesAt(3600)[0].done, colours: new Set([...record.colours.values()]).size,
    same: new Record().colour("read_month") === new Record().colour("read_month"),
  };
}
