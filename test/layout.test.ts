import { describe, expect, test } from "vitest";
import * as layout from "../assembly/layout.ts";
import { BUILDS, kernelBytes } from "./kernel.ts";

/** Every word of the memory, by the constant that places it, with its bytes. */
const WORDS = {
  control: {
    CONTROL_GENERATION: 4,
    CONTROL_STOP: 4,
    CONTROL_CLAIM: 4,
    CONTROL_RUNNING: 4,
    CONTROL_END: 4,
    CONTROL_BARRIER: 4,
    CONTROL_LOCK: 4,
    CONTROL_COUNT: 8,
    CONTROL_SPIN: 4,
    CONTROL_WATCH: 4,
    CONTROL_PUBLISHED_MS: 8,
  },
  job: {
    JOB_KIND: 4,
    JOB_THREADS: 4,
    JOB_SCHEDULE: 4,
    JOB_CHUNKS: 4,
    JOB_RECORDS: 4,
    JOB_BARRIER_MS: 4,
    JOB_SCRATCH: 4,
  },
  mandelbrot: {
    MANDELBROT_WIDTH: 4,
    MANDELBROT_HEIGHT: 4,
    MANDELBROT_MAX_ITERATIONS: 4,
    MANDELBROT_ALGORITHM: 4,
    MANDELBROT_TILE_WIDTH: 4,
    MANDELBROT_TILE_HEIGHT: 4,
    MANDELBROT_COUNTS: 4,
    MANDELBROT_MAGNITUDES: 4,
    MANDELBROT_RE_MIN: 8,
    MANDELBROT_RE_MAX: 8,
    MANDELBROT_IM_MIN: 8,
    MANDELBROT_IM_MAX: 8,
  },
  count: {
    COUNT_INCREMENTS: 4,
    COUNT_GUARD: 4,
  },
  thread: {
    THREAD_GENERATION: 4,
    THREAD_STATE: 4,
    THREAD_PARK_RESCUES: 4,
    THREAD_SPIN_SKIP: 4,
    THREAD_SPIN_PENALTY: 4,
    THREAD_PROGRESS: 4,
    THREAD_CHUNKS: 4,
    THREAD_ITERATIONS: 8,
    THREAD_BUSY_MS: 8,
    THREAD_LOCK_MS: 8,
    THREAD_LOCK_ACQUISITIONS: 4,
    THREAD_LOCK_CONTENDED: 4,
    THREAD_LOCK_WAITS: 4,
    THREAD_LOCK_RESCUES: 4,
  },
  record: {
    RECORD_STATE: 4,
    RECORD_THREAD: 4,
    RECORD_ITERATIONS: 8,
    RECORD_BEGIN_MS: 8,
    RECORD_END_MS: 8,
  },
} as const satisfies Record<string, Partial<Record<keyof typeof layout, 4 | 8>>>;

/** The constants that place no word. Together with WORDS these are all of layout.ts: a new one has to be put somewhere. */
const OTHERS = [
  ..."ABI_VERSION PAGE_BYTES MAX_PAGES MAX_THREADS CACHE_LINE CONTROL JOB JOB_ARGUMENTS JOB_BYTES THREADS".split(" "),
  ..."THREAD_BYTES RECORD_BYTES HEAP GENERATION_NONE GENERATION_CLOSED LOCK_FREE LOCK_HELD LOCK_CONTENDED".split(" "),
  ..."LOCK_BITS BARRIER_BITS JOB_KIND_MANDELBROT JOB_KIND_COUNT SCHEDULE_DYNAMIC SCHEDULE_STATIC".split(" "),
  ..."ALGORITHM_NAIVE ALGORITHM_EXACT MAGNITUDE_STEPS GUARD_NONE GUARD_ATOMIC GUARD_LOCK THREAD_NEW".split(" "),
  ..."THREAD_PARKED THREAD_WORKING THREAD_LEFT THREAD_CLOSED RECORD_FREE RECORD_CLAIMED RECORD_DONE".split(" "),
  ..."WORK_LAST WORK_STOPPED WORK_NONE WORK_WATCHED WAIT_SLICE_MS PARK_SLICE_MS SPIN_NONE SPIN_LAST".split(" "),
  ..."SPIN_ALL SPIN_US SPIN_LOOKS SPIN_MAX_PENALTY SCRATCH_BYTES".split(" "),
];

interface Word {
  name: string;
  begin: number;
  end: number;
}

/** The words of a group, by address. */
function words(group: keyof typeof WORDS): Word[] {
  return Object.entries(WORDS[group])
    .map(([name, bytes]) => {
      const begin = CONSTANTS[name as keyof typeof layout];
      return { name, begin, end: begin + bytes };
    })
    .sort((a, b) => a.begin - b.begin);
}

const CONSTANTS: Record<keyof typeof layout, number> = { ...layout };
const groups = Object.keys(WORDS) as (keyof typeof WORDS)[];

describe("layout.ts", () => {
  test("has no constant that this test does not know", () => {
    const known = [...groups.flatMap((group) => Object.keys(WORDS[group])), ...OTHERS];
    expect(Object.keys(layout).sort()).toEqual(known.sort());
  });

  test.each(groups)("aligns every %s word to its size, and lets none overlap", (group) => {
    const sorted = words(group);
    expect(sorted.filter(({ begin, end }) => begin % (end - begin) !== 0)).toEqual([]);
    expect(sorted.filter(({ begin }, i) => i > 0 && begin < (sorted[i - 1] as Word).end)).toEqual([]);
  });

  test("gives every control word a cache line of its own", () => {
    const lines = words("control").map(({ begin }) => Math.floor(begin / layout.CACHE_LINE));
    expect(new Set(lines).size).toBe(lines.length);
    expect(layout.JOB % layout.CACHE_LINE).toBe(0);
  });

  test("gives every thread's block whole cache lines, and the host's word in it one of its own", () => {
    expect(layout.THREADS % layout.CACHE_LINE).toBe(0);
    expect(layout.THREAD_BYTES % layout.CACHE_LINE).toBe(0);
    const sharing = words("thread").filter(({ begin }) => begin < layout.THREAD_GENERATION + layout.CACHE_LINE);
    expect(sharing.map(({ name }) => name)).toEqual(["THREAD_GENERATION"]);
    expect(layout.HEAP % layout.CACHE_LINE).toBe(0);
  });

  test("places the regions one after the other, and every word inside its region", () => {
    const { CONTROL, JOB, JOB_ARGUMENTS, JOB_BYTES, THREADS, THREAD_BYTES, MAX_THREADS, RECORD_BYTES, HEAP } = layout;
    expect(outside("control", CONTROL, JOB)).toEqual([]);
    expect(outside("job", JOB, JOB_ARGUMENTS)).toEqual([]);
    expect(outside("mandelbrot", JOB_ARGUMENTS, JOB + JOB_BYTES)).toEqual([]);
    expect(outside("count", JOB_ARGUMENTS, JOB + JOB_BYTES)).toEqual([]);
    expect(outside("thread", 0, THREAD_BYTES)).toEqual([]);
    expect(outside("record", 0, RECORD_BYTES)).toEqual([]);
    expect(CONTROL).toBeGreaterThanOrEqual(1024);
    expect(THREADS).toBeGreaterThanOrEqual(JOB + JOB_BYTES);
    expect(HEAP).toBeGreaterThanOrEqual(THREADS + MAX_THREADS * THREAD_BYTES);
    expect(JOB_ARGUMENTS % 8).toBe(0);
    expect(RECORD_BYTES % 8).toBe(0);
  });

  test("has bits enough for the states of the lock and for every thread at the barrier", () => {
    expect(layout.LOCK_CONTENDED).toBeLessThan(1 << layout.LOCK_BITS);
    expect(layout.MAX_THREADS).toBeLessThan(1 << layout.BARRIER_BITS);
  });

  test.each([
    "GENERATION_",
    "LOCK_(?!BITS)",
    "JOB_KIND_",
    "SCHEDULE_",
    "ALGORITHM_",
    "GUARD_",
    "THREAD_(NEW|PARKED|WORKING|LEFT|CLOSED)",
    "RECORD_(FREE|CLAIMED|DONE)",
    "WORK_",
    "SPIN_(NONE|LAST|ALL)",
  ])("gives the values /^%s/ numbers of their own", (pattern) => {
    const values = Object.entries(layout).filter(([name]) => new RegExp(`^${pattern}`).test(name));
    expect(values.length).toBeGreaterThan(1);
    expect(new Set(values.map(([, value]) => value)).size).toBe(values.length);
  });
});

function outside(group: keyof typeof WORDS, from: number, to: number): Word[] {
  return words(group).filter(({ begin, end }) => begin < from || end > to);
}

describe.each(BUILDS)("the %s build", (build) => {
  const module = new WebAssembly.Module(kernelBytes(build));
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: build !== "serial" });
  const { exports } = new WebAssembly.Instance(module, { env: { memory, now: () => 0 } });
  const globals = Object.entries(exports).filter(([, value]) => value instanceof WebAssembly.Global);

  test("exports every constant of layout.ts with its value, and no other but SIMD", () => {
    const compiled = Object.fromEntries(globals.map(([name, global]) => [name, (global as WebAssembly.Global).value]));
    expect(compiled).toEqual({ ...layout, SIMD: build === "scalar" ? 0 : 1 });
  });
});
