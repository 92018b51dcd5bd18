// What a worker does where memory is shared, on any platform: park, work, report an end, until the memory is closed.

import { GENERATION_CLOSED, GENERATION_NONE, WORK_LAST, WORK_WATCHED } from "../assembly/layout.ts";
import { messageOf } from "./errors.ts";
import type { Kernel, WorkerMessage } from "./host.ts";

/**
 * Serves jobs until the memory is closed. Blocks the thread. `instantiate` makes this worker's kernel; whatever it, or
 * the kernel, throws is reported, and the worker is done: its instance may be in any state.
 */
export function serve(thread: number, instantiate: () => Kernel, post: (message: WorkerMessage) => void): void {
  try {
    const kernel = instantiate();
    post({ type: "allcores:ready" });
    let generation = GENERATION_NONE;
    for (;;) {
      generation = kernel.park(thread, generation);
      if (generation === GENERATION_CLOSED) return;
      const bits = kernel.work(thread) & (WORK_LAST | WORK_WATCHED);
      if (bits === WORK_LAST) post({ type: "allcores:end", generation });
    }
  } catch (error) {
    post(failureOf(error));
  }
}

/** What a worker says of what it, or its kernel, threw. */
export function failureOf(error: unknown): WorkerMessage {
  // By name: a platform may run this in another realm than the one that made the error.
  const trap = error instanceof Error && error.name === "RuntimeError";
  return { type: "allcores:failed", trap, message: messageOf(error) };
}
