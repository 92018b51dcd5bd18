// How long a page's main thread does not answer.

/** Milliseconds from which on `longtask` entries exist at all. */
const LONG_TASK_MS = 50;

/**
 * The longest time, in milliseconds, for which the main thread was busy with one thing while `action` ran.
 *
 * Where the browser reports long tasks (Chromium), it is the longest of those, or 0 if there were none. Elsewhere it is
 * the longest gap between two messages that the page sends to itself without pause.
 */
export async function longestPause(action: () => Promise<unknown>): Promise<number> {
  const reportsLongTasks = PerformanceObserver.supportedEntryTypes.includes("longtask");
  return reportsLongTasks ? longestTask(action) : longestGap(action);
}

async function longestTask(action: () => Promise<unknown>): Promise<number> {
  const entries: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => entries.push(...list.getEntries()));
  observer.observe({ type: "longtask" });
  const begin = performance.now();
  await action();
  const end = performance.now();
  // Entries are reported after their task; this task is the last that can be one of them.
  await new Promise((resolve) => setTimeout(resolve, LONG_TASK_MS));
  entries.push(...observer.takeRecords());
  observer.disconnect();
  const during = entries.filter(({ startTime, duration }) => startTime < end && startTime + duration > begin);
  return Math.max(0, ...during.map(({ duration }) => duration));
}

async function longestGap(action: () => Promise<unknown>): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  let longest = 0;
  port1.onmessage = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    port2.postMessage(0);
  };
  port2.postMessage(0);
  await action();
  longest = Math.max(longest, performance.now() - last);
  port1.close();
  return longest;
}
