// A mutex in one word, which holds (generation << LOCK_BITS) + state.
//
//   state           the world                                who leaves it, and how
//   ─────────────── ──────────────────────────────────────── ─────────────────────────────────────────
//   LOCK_FREE       nobody is inside                         any thread: → HELD (fast), → CONTENDED (slow)
//   LOCK_HELD       one thread is inside, nobody sleeps      the owner: → FREE
//                                                            a rival, before it sleeps: → CONTENDED
//   LOCK_CONTENDED  one thread is inside, some may sleep     the owner: → FREE, then wakes one
//
// Publication: the owner's plain writes are visible to the next owner, whose exchange reads the FREE that the owner's
// exchange wrote. The generation keeps a job's lock apart from that of any other job.
//
// The interleaving to fear: the owner leaves, sees no sleeper and wakes nobody, while a rival that has found the lock
// taken goes to sleep. It cannot happen: the rival writes CONTENDED before it sleeps, and sleeps only while the word
// still is CONTENDED. So either the owner's exchange returns CONTENDED and it wakes one, or the rival's wait returns
// at once.
//
// A thread that has slept takes the lock as CONTENDED, even if it is the last: it cannot know whether others sleep.
// The price is one needless wake-up; taking it as HELD loses a wake-up as soon as there are three threads (that bug was
// shipped by musl, commit 0db393d3, and by glibc, bug 20973). This is the third mutex of Drepper, "Futexes Are Tricky".

import { now } from "../env";
import {
  CONTROL_LOCK,
  LOCK_BITS,
  LOCK_CONTENDED,
  LOCK_FREE,
  LOCK_HELD,
  THREAD_LOCK_ACQUISITIONS,
  THREAD_LOCK_CONTENDED,
  THREAD_LOCK_MS,
  THREAD_LOCK_RESCUES,
  THREAD_LOCK_WAITS,
  WAIT_SLICE_MS,
} from "../layout";
import { compareExchange, exchange, read, WAIT_TIMED_OUT, wait, wakeOne, write } from "./atomics";
import { blockOf, stopped } from "./thread";

/** Makes the lock free for a new job. Only `publish` may call it. */
export function resetLock(generation: i32): void {
  write(CONTROL_LOCK, (generation << LOCK_BITS) + LOCK_FREE);
}

/**
 * Acquires the lock. Returns false, without it, if the job was stopped while the thread waited: the owner may have died.
 * Blocks while the lock is taken. Not recursive.
 */
export function lock(thread: i32, generation: i32): bool {
  const word = generation << LOCK_BITS;
  const block = blockOf(thread);
  if (
    compareExchange(CONTROL_LOCK, word + LOCK_FREE, word + LOCK_HELD) != word + LOCK_FREE &&
    !lockSlow(block, generation)
  ) {
    return false;
  }
  count(block + THREAD_LOCK_ACQUISITIONS);
  return true;
}

function lockSlow(block: usize, generation: i32): bool {
  const word = generation << LOCK_BITS;
  const begin = now();
  count(block + THREAD_LOCK_CONTENDED);
  while (exchange(CONTROL_LOCK, word + LOCK_CONTENDED) != word + LOCK_FREE) {
    count(block + THREAD_LOCK_WAITS);
    const outcome = wait(CONTROL_LOCK, word + LOCK_CONTENDED, WAIT_SLICE_MS);
    if (outcome == WAIT_TIMED_OUT && read(CONTROL_LOCK) != word + LOCK_CONTENDED) count(block + THREAD_LOCK_RESCUES);
    if (stopped(generation)) return false;
  }
  store<f64>(block + THREAD_LOCK_MS, load<f64>(block + THREAD_LOCK_MS) + (now() - begin));
  return true;
}

/** Releases the lock. Only the thread that acquired it may call this. */
export function unlock(generation: i32): void {
  const word = generation << LOCK_BITS;
  if (exchange(CONTROL_LOCK, word + LOCK_FREE) == word + LOCK_CONTENDED) wakeOne(CONTROL_LOCK);
}

/** Adds one to a word of the thread's own block. */
function count(word: usize): void {
  store<i32>(word, load<i32>(word) + 1);
}
