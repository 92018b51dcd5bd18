// What every part of the protocol asks: where is my block, and am I to stop?

import { CONTROL_STOP, THREAD_BYTES, THREADS } from "../layout";
import { read } from "./atomics";

/** Address of a thread's block. */
export function blockOf(thread: i32): usize {
  return <usize>(THREADS + thread * THREAD_BYTES);
}

/** Whether the threads are to leave the job of this generation. Whoever computes for long asks every millisecond. */
export function stopped(generation: i32): bool {
  return read(CONTROL_STOP) == generation;
}
