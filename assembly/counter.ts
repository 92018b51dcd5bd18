// Shared state: every thread adds COUNT_INCREMENTS to one 64-bit count, one at a time, guarded in one of three ways.

import { now } from "./env";
import { CONTROL_COUNT, COUNT_GUARD, COUNT_INCREMENTS, GUARD_ATOMIC, GUARD_LOCK } from "./layout";
import { add64 } from "./sync/atomics";
import { arrive } from "./sync/barrier";
import { claim, finish, progress } from "./sync/job";
import { lock, unlock } from "./sync/lock";
import { stopped } from "./sync/thread";

/** Increments between two looks at the stop word. */
const SLICE: i32 = 1024;

/** A thread's part of a count job: its chunk is what it adds. */
export function count(thread: i32, generation: i32): void {
  arrive(generation);
  const chunk = claim(thread, generation);
  if (chunk < 0) return;
  const begin = now();
  const increments = load<i32>(COUNT_INCREMENTS);
  let done = 0;
  while (done < increments) {
    const slice = min(SLICE, increments - done);
    if (stopped(generation) || !addSlice(thread, generation, slice)) return;
    progress(thread, slice);
    done += slice;
  }
  finish(thread, chunk, done, begin);
}

/** Adds one `times` times. Returns false if the job was stopped meanwhile. */
function addSlice(thread: i32, generation: i32, times: i32): bool {
  const guard = load<i32>(COUNT_GUARD);
  if (guard == GUARD_LOCK) {
    for (let i = 0; i < times; i++) {
      if (!lock(thread, generation)) return false;
      addUnguarded();
      unlock(generation);
    }
  } else if (guard == GUARD_ATOMIC) {
    for (let i = 0; i < times; i++) add64(CONTROL_COUNT, 1);
  } else {
    for (let i = 0; i < times; i++) addUnguarded();
  }
  return true;
}

/** A plain load, add and store. Whatever another thread stores in between is lost; that is what it shows. */
function addUnguarded(): void {
  store<i64>(CONTROL_COUNT, load<i64>(CONTROL_COUNT) + 1);
}
