// A barrier in one word, which holds (generation << BARRIER_BITS) + the threads that have arrived.
//
// It makes a measurement fair, by letting the threads of a job begin together, and is never needed for a right result.
// So it is bounded: a host that runs its threads one after the other gets past it as well.

import { now } from "../env";
import { BARRIER_BITS, CONTROL_BARRIER, JOB_BARRIER_MS, JOB_THREADS, WAIT_SLICE_MS } from "../layout";
import { add, read, wait, wakeAll, write } from "./atomics";
import { stopped } from "./thread";

/** Makes the barrier ready for a new job. Only `publish` may call it. */
export function resetBarrier(generation: i32): void {
  write(CONTROL_BARRIER, generation << BARRIER_BITS);
}

/** Waits until all threads of the job have arrived, for JOB_BARRIER_MS at most, or until the job is stopped. */
export function arrive(generation: i32): void {
  const limit = load<i32>(JOB_BARRIER_MS);
  if (limit == 0) return;
  const complete = (generation << BARRIER_BITS) + load<i32>(JOB_THREADS);
  if (add(CONTROL_BARRIER, 1) + 1 == complete) {
    wakeAll(CONTROL_BARRIER);
    return;
  }
  const deadline = now() + <f64>limit;
  let arrived = read(CONTROL_BARRIER);
  while (arrived != complete && !stopped(generation) && now() < deadline) {
    // Later arrivals change the word, so this sleeps only if it is still the latest; else it looks again at once.
    wait(CONTROL_BARRIER, arrived, WAIT_SLICE_MS);
    arrived = read(CONTROL_BARRIER);
  }
}
