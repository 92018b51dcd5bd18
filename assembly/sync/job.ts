// The life of a job: publish → claim → finish. assembly/README.md tells who writes what, and which interleavings are
// feared. Nothing here knows what a chunk computes.

import { now } from "../env";
import {
  CONTROL_CLAIM,
  CONTROL_COUNT,
  CONTROL_END,
  CONTROL_GENERATION,
  CONTROL_PUBLISHED_MS,
  CONTROL_RUNNING,
  CONTROL_SPIN,
  CONTROL_STOP,
  CONTROL_WATCH,
  GENERATION_CLOSED,
  GENERATION_NONE,
  JOB_CHUNKS,
  JOB_RECORDS,
  JOB_SCHEDULE,
  JOB_THREADS,
  MAX_THREADS,
  PARK_SLICE_MS,
  RECORD_BEGIN_MS,
  RECORD_BYTES,
  RECORD_CLAIMED,
  RECORD_DONE,
  RECORD_END_MS,
  RECORD_ITERATIONS,
  RECORD_STATE,
  RECORD_THREAD,
  SCHEDULE_STATIC,
  SPIN_ALL,
  SPIN_LOOKS,
  SPIN_MAX_PENALTY,
  SPIN_NONE,
  SPIN_US,
  THREAD_BUSY_MS,
  THREAD_BYTES,
  THREAD_CHUNKS,
  THREAD_CLOSED,
  THREAD_GENERATION,
  THREAD_ITERATIONS,
  THREAD_LEFT,
  THREAD_PARK_RESCUES,
  THREAD_PARKED,
  THREAD_PROGRESS,
  THREAD_SPIN_PENALTY,
  THREAD_SPIN_SKIP,
  THREAD_STATE,
  THREAD_WORKING,
  WORK_LAST,
  WORK_STOPPED,
  WORK_WATCHED,
} from "../layout";
import { add, read, WAIT_TIMED_OUT, wait, wakeAll, write } from "./atomics";
import { resetBarrier } from "./barrier";
import { resetLock } from "./lock";
import { blockOf, stopped } from "./thread";

function recordOf(chunk: i32): usize {
  return <usize>load<u32>(JOB_RECORDS) + <usize>chunk * RECORD_BYTES;
}

// ── The host's side: one caller, never two at once ──

/**
 * Starts the job whose parameters the host has written, and returns its generation.
 *
 * Call it only when every thread has left the job before (CONTROL_END is its generation): until then the threads read
 * the parameters and write what is reset here.
 */
export function publish(): i32 {
  let generation = read(CONTROL_GENERATION) + 1;
  if (generation <= GENERATION_NONE) generation = GENERATION_NONE + 1; // wrapped, after 2³¹ jobs

  const threads = load<i32>(JOB_THREADS);
  for (let thread = 0; thread < threads; thread++) {
    const block = blockOf(thread);
    write(block + THREAD_PROGRESS, 0);
    memory.fill(block + THREAD_CHUNKS, 0, THREAD_BYTES - THREAD_CHUNKS);
  }
  memory.fill(recordOf(0), 0, <usize>load<i32>(JOB_CHUNKS) * RECORD_BYTES);
  store<i64>(CONTROL_COUNT, 0);
  store<f64>(CONTROL_PUBLISHED_MS, now());
  write(CONTROL_STOP, GENERATION_NONE); // an old stop would hit this job if generations have wrapped to its number
  write(CONTROL_CLAIM, 0);
  write(CONTROL_RUNNING, threads);
  write(CONTROL_GENERATION, generation);
  resetBarrier(generation);
  resetLock(generation);

  // Each write publishes the parameters and all of the above to one thread, which looks at nothing else before it has
  // read this generation. A thread without a part is not told, so it cannot read parameters that change under it.
  for (let thread = 0; thread < threads; thread++) write(blockOf(thread) + THREAD_GENERATION, generation);
  // Whoever looks has begun by now; a wake-up takes a while.
  for (let thread = 0; thread < threads; thread++) wakeAll(blockOf(thread) + THREAD_GENERATION);
  return generation;
}

/** Asks the threads to leave the job of this generation within milliseconds. No effect on any other job. */
export function stop(generation: i32): void {
  write(CONTROL_STOP, generation);
}

/** Asks every thread to leave for good, out of a running job or out of parking. The memory cannot be used again. */
export function close(): void {
  // A thread that reads its mailbox before the loop gets there enters the job, and finds it stopped.
  stop(read(CONTROL_GENERATION));
  for (let thread = 0; thread < MAX_THREADS; thread++) {
    const mailbox = blockOf(thread) + THREAD_GENERATION;
    write(mailbox, GENERATION_CLOSED);
    wakeAll(mailbox);
  }
}

// ── A thread's side ──

/** Reads of the mailbox between two looks at the clock. */
const SPIN_READS: i32 = 64;

/**
 * Waits until there is a job for this thread other than the one it has seen last (GENERATION_NONE at first), and
 * returns that job's generation; GENERATION_CLOSED tells the thread to leave.
 *
 * Blocks, so never call it on a browser's main thread. A host that gives each job threads of its own need not call it.
 */
export function park(thread: i32, seen: i32): i32 {
  const block = blockOf(thread);
  write(block + THREAD_STATE, THREAD_PARKED);
  const generation = waitForJob(block, seen);
  if (generation == GENERATION_CLOSED) write(block + THREAD_STATE, THREAD_CLOSED);
  return generation;
}

/**
 * Sleeps, or looks for a while first, if jobs have come soon enough of late for that to pay: a thread that looks needs
 * no wake-up, but the core that it looks on may be the one that the host, or whoever, waits for.
 */
function waitForJob(block: usize, seen: i32): i32 {
  const spin = read(CONTROL_SPIN);
  if (spin == SPIN_NONE) return sleep(block, seen);
  const begin = now();
  const skip = read(block + THREAD_SPIN_SKIP);
  // While the others are in the job, none can be published, and one of them may need this core.
  if (skip == 0 && (spin == SPIN_ALL || read(CONTROL_END) == seen)) {
    const generation = look(block, seen, begin);
    if (generation != seen) return generation;
    return sleep(block, seen);
  }
  const generation = sleep(block, seen);
  const wouldHavePaid = generation > GENERATION_NONE && load<f64>(CONTROL_PUBLISHED_MS) - begin < <f64>SPIN_US / 1000;
  write(block + THREAD_SPIN_SKIP, wouldHavePaid ? max(skip - 1, 0) : max(skip, 1));
  return generation;
}

/** Looks at the mailbox for SPIN_US at most, and returns what it holds. */
function look(block: usize, seen: i32, begin: f64): i32 {
  for (let looks = 0; looks < SPIN_LOOKS; looks++) {
    for (let reads = 0; reads < SPIN_READS; reads++) {
      const generation = read(block + THREAD_GENERATION);
      if (generation != seen) {
        write(block + THREAD_SPIN_PENALTY, 0);
        return generation;
      }
    }
    if (now() - begin >= <f64>SPIN_US / 1000) break;
  }
  const penalty = min(2 * read(block + THREAD_SPIN_PENALTY) + 1, SPIN_MAX_PENALTY);
  write(block + THREAD_SPIN_PENALTY, penalty);
  write(block + THREAD_SPIN_SKIP, penalty);
  return seen;
}

function sleep(block: usize, seen: i32): i32 {
  let generation = read(block + THREAD_GENERATION);
  while (generation == seen) {
    // The host writes the mailbox before it wakes, and the wait compares before it sleeps: a job that is published
    // between the read above and the wait makes the wait return at once.
    const outcome = wait(block + THREAD_GENERATION, seen, PARK_SLICE_MS);
    generation = read(block + THREAD_GENERATION);
    if (outcome == WAIT_TIMED_OUT && generation != seen) add(block + THREAD_PARK_RESCUES, 1);
  }
  return generation;
}

/** Enters the job that was published to this thread last. Returns its generation, which is not positive if there is none. */
export function enter(thread: i32): i32 {
  const block = blockOf(thread);
  const generation = read(block + THREAD_GENERATION);
  if (generation > GENERATION_NONE) write(block + THREAD_STATE, THREAD_WORKING);
  return generation;
}

/** Claims the next chunk for this thread. Returns its number, or -1 when there is none left or the job is stopped. */
export function claim(thread: i32, generation: i32): i32 {
  if (stopped(generation)) return -1;
  let chunk: i32;
  if (load<i32>(JOB_SCHEDULE) == SCHEDULE_STATIC) {
    chunk = load<i32>(blockOf(thread) + THREAD_CHUNKS) == 0 ? thread : -1;
  } else {
    // A thread stops asking after its first -1, so CLAIM passes JOB_CHUNKS by at most JOB_THREADS: it cannot wrap.
    chunk = add(CONTROL_CLAIM, 1);
    if (chunk >= load<i32>(JOB_CHUNKS)) chunk = -1;
  }
  if (chunk >= 0) {
    const record = recordOf(chunk);
    store<i32>(record + RECORD_THREAD, thread);
    write(record + RECORD_STATE, RECORD_CLAIMED);
  }
  return chunk;
}

/** Counts a finished chunk, and returns the time, which is when the next one begins. */
export function finish(thread: i32, chunk: i32, iterations: i64, begin: f64): f64 {
  const end = now();
  const block = blockOf(thread);
  store<i32>(block + THREAD_CHUNKS, load<i32>(block + THREAD_CHUNKS) + 1);
  store<i64>(block + THREAD_ITERATIONS, load<i64>(block + THREAD_ITERATIONS) + iterations);
  store<f64>(block + THREAD_BUSY_MS, load<f64>(block + THREAD_BUSY_MS) + (end - begin));

  const record = recordOf(chunk);
  store<i64>(record + RECORD_ITERATIONS, iterations);
  store<f64>(record + RECORD_BEGIN_MS, begin);
  store<f64>(record + RECORD_END_MS, end);
  write(record + RECORD_STATE, RECORD_DONE);
  return end;
}

/** Shows the host that this thread has done `units` more pixels or increments of the job. */
export function progress(thread: i32, units: i32): void {
  const word = blockOf(thread) + THREAD_PROGRESS;
  write(word, read(word) + units); // no add: this thread alone writes the word
}

/** Leaves the job; the last thread out ends it. Returns a set of WORK_* bits. */
export function leave(thread: i32, generation: i32): i32 {
  write(blockOf(thread) + THREAD_STATE, THREAD_LEFT);
  const bits = stopped(generation) ? WORK_STOPPED : 0;
  // Each subtraction publishes its thread's results to the later ones, and the last thread's write of END all of them
  // to the host. After it this thread writes nothing that belongs to the job.
  if (add(CONTROL_RUNNING, -1) > 1) return bits;
  write(CONTROL_END, generation);
  wakeAll(CONTROL_END);
  // The host that stops looking writes WATCH before it looks at END a last time. So either it sees this end, or this
  // thread sees that it is to be told.
  return bits | WORK_LAST | (read(CONTROL_WATCH) == 0 ? 0 : WORK_WATCHED);
}
