// The count job: options in, parameters written, the count and what the lock went through out.

import {
  CONTROL_COUNT,
  COUNT_GUARD,
  COUNT_INCREMENTS,
  GUARD_ATOMIC,
  GUARD_LOCK,
  GUARD_NONE,
  JOB_KIND_COUNT,
  SCHEDULE_STATIC,
  THREAD_LOCK_ACQUISITIONS,
  THREAD_LOCK_CONTENDED,
  THREAD_LOCK_MS,
  THREAD_LOCK_RESCUES,
  THREAD_LOCK_WAITS,
} from "../assembly/layout.ts";
import { JOB_OPTIONS, type Job, type JobControl, readControl } from "./jobs.ts";
import { blockOf, type EngineMemory } from "./memory.ts";
import { integer, oneOf, readOptions } from "./options.ts";
import type { CountResult, LockReport } from "./types.ts";

const MAX_INCREMENTS = 2 ** 31 - 1;

/** Milliseconds that a thread waits for the others, so that all begin together: contention is what is to be seen. */
const BARRIER_MS = 1_000;

const GUARDS = { lock: GUARD_LOCK, atomic: GUARD_ATOMIC, none: GUARD_NONE } as const;

/** Checks the options of `engine.count` for an engine of so many threads, of which a job may ask for `mostThreads`. */
export function countJob(
  options: unknown,
  engineThreads: number,
  mostThreads = engineThreads,
): [Job<CountResult>, JobControl] {
  const raw = readOptions("count options", options, [...JOB_OPTIONS, "increments", "guard"]);
  const control = readControl(raw, engineThreads, mostThreads);
  const threads = control.threads;
  const increments = integer(raw, "increments", 1, MAX_INCREMENTS, 100_000);
  const guard = oneOf(raw, "guard", ["lock", "atomic", "none"], "lock");
  const expected = threads * increments;

  const job: Job<CountResult> = {
    kind: JOB_KIND_COUNT,
    schedule: SCHEDULE_STATIC,
    threads,
    chunks: threads,
    barrierMs: BARRIER_MS,
    units: expected,
    bytes: 0,

    write(memory) {
      memory.setInt(COUNT_INCREMENTS, increments);
      memory.setInt(COUNT_GUARD, GUARDS[guard]);
    },

    read(memory, _address, common) {
      const value = memory.long(CONTROL_COUNT);
      const locks = common.workers.map((_, thread) => readLock(memory, blockOf(thread)));
      return { ...common, increments, guard, expected, value, lost: expected - value, lock: sum(locks), locks };
    },
  };
  return [job, control];
}

function readLock(memory: EngineMemory, block: number): LockReport {
  return {
    acquisitions: memory.int(block + THREAD_LOCK_ACQUISITIONS),
    contended: memory.int(block + THREAD_LOCK_CONTENDED),
    waits: memory.int(block + THREAD_LOCK_WAITS),
    waitMs: memory.double(block + THREAD_LOCK_MS),
    rescues: memory.int(block + THREAD_LOCK_RESCUES),
  };
}

function sum(locks: LockReport[]): LockReport {
  const total: LockReport = { acquisitions: 0, contended: 0, waits: 0, waitMs: 0, rescues: 0 };
  for (const lock of locks) {
    total.acquisitions += lock.acquisitions;
    total.contended += lock.contended;
    total.waits += lock.waits;
    total.waitMs += lock.waitMs;
    total.rescues += lock.rescues;
  }
  return total;
}
