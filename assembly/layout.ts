// Every address, stride and state value of the kernel's memory.
//
// This file is compiled twice, by asc into the kernel and by tsc into the engine, so it must stay
// portable: numeric constants only; no AssemblyScript types, no decorators, no imports.
//
//   0 ─────────────┬ CONTROL ──────────┬ JOB ──────────────────┬ THREADS ───────────────┬ HEAP ─────────────
//   never touched  │ words that every  │ one job's parameters: │ one block a thread:    │ where the host
//                  │ thread writes,    │ the host writes them, │ that thread writes it, │ places chunk
//                  │ a line for each   │ then publishes        │ the host reads it      │ records and results
//   ───────────────┴───────────────────┴───────────────────────┴────────────────────────┴───────────────────
//
// All values are little-endian. Each offset is derived from the one before it.

/** Raised when anything in this file, or an export of the kernel, changes its meaning. */
export const ABI_VERSION = 2;

/** Bytes of a WebAssembly page. */
export const PAGE_BYTES = 65536;

/** Pages that the kernel declares as its memory's maximum; a host may choose fewer. */
export const MAX_PAGES = 65536;

/** Most threads that one memory has blocks for. */
export const MAX_THREADS = 256;

/** Bytes between two words that different threads write: two 64-byte lines, because x64 prefetches pairs of them. */
export const CACHE_LINE = 128;

// ── CONTROL: i32 words, accessed only atomically (COUNT is an i64). assembly/README.md has their states. ──

/** First used address. Binaryen may assume that nothing lies below 1024. */
export const CONTROL = 1024;

/** The generation of the last published job. Written by the host alone. */
export const CONTROL_GENERATION = CONTROL;
/** The generation of the job that is to stop, or any other value. */
export const CONTROL_STOP = CONTROL_GENERATION + CACHE_LINE;
/** The next chunk to claim in a dynamic job. */
export const CONTROL_CLAIM = CONTROL_STOP + CACHE_LINE;
/** Threads that have not yet left the job. */
export const CONTROL_RUNNING = CONTROL_CLAIM + CACHE_LINE;
/** The generation of the last job that every thread has left. */
export const CONTROL_END = CONTROL_RUNNING + CACHE_LINE;
/** Threads that wait at the barrier, below the generation: (generation << BARRIER_BITS) + arrived. */
export const CONTROL_BARRIER = CONTROL_END + CACHE_LINE;
/** The mutex: (generation << LOCK_BITS) + LOCK_FREE, LOCK_HELD or LOCK_CONTENDED. */
export const CONTROL_LOCK = CONTROL_BARRIER + CACHE_LINE;
/** The shared count of a count job: i64. */
export const CONTROL_COUNT = CONTROL_LOCK + CACHE_LINE;
/** SPIN_*: whether threads look for their next job before they sleep. Written by the host alone. */
export const CONTROL_SPIN = CONTROL_COUNT + CACHE_LINE;
/** Not 0 while the host looks at CONTROL_END by itself, and need not be told. Written by the host alone. */
export const CONTROL_WATCH = CONTROL_SPIN + CACHE_LINE;
/** f64, plain: when the last job was published, in milliseconds of the clock `env.now`. Written by `publish`. */
export const CONTROL_PUBLISHED_MS = CONTROL_WATCH + CACHE_LINE;

/** What CONTROL_GENERATION and THREAD_GENERATION hold before the first job. Generations are positive. */
export const GENERATION_NONE = 0;
/** What THREAD_GENERATION holds once that thread is to leave for good. */
export const GENERATION_CLOSED = -1;

/** What a new memory holds: threads sleep at once. */
export const SPIN_NONE = 0;
/** Only the last thread out of a job looks for the next one: for hosts with a core for each thread, but no more. */
export const SPIN_LAST = 1;
/** Every thread does. */
export const SPIN_ALL = 2;

export const LOCK_FREE = 0;
export const LOCK_HELD = 1;
export const LOCK_CONTENDED = 2;
export const LOCK_BITS = 2;

/** Enough bits to count MAX_THREADS arrivals. */
export const BARRIER_BITS = 9;

// ── JOB: written by the host before it publishes, read by every thread, never written during a job. ──

export const JOB = CONTROL_PUBLISHED_MS + CACHE_LINE;

/** i32: JOB_KIND_*. */
export const JOB_KIND = JOB;
/** i32: threads that take part, numbered from 0. Every one of them must call `work`. */
export const JOB_THREADS = JOB_KIND + 4;
/** i32: SCHEDULE_*. */
export const JOB_SCHEDULE = JOB_THREADS + 4;
/** i32: chunks of the job; with SCHEDULE_STATIC as many as threads. */
export const JOB_CHUNKS = JOB_SCHEDULE + 4;
/** u32: address of JOB_CHUNKS chunk records, 8-aligned. */
export const JOB_RECORDS = JOB_CHUNKS + 4;
/** i32: longest time that a thread waits for the others at the barrier, in milliseconds; 0: no barrier. */
export const JOB_BARRIER_MS = JOB_RECORDS + 4;
/**
 * u32: address of SCRATCH_BYTES for each thread, one after the other, 16-aligned: the threads' own during a job, to use as
 * they like. Only Mandelbrot jobs need them.
 */
export const JOB_SCRATCH = JOB_BARRIER_MS + 4;
/** First address of the parameters that only one kind of job has, 8-aligned. */
export const JOB_ARGUMENTS = JOB_SCRATCH + 8;

/** Bytes of scratch memory for each thread. */
export const SCRATCH_BYTES = 150400;

export const JOB_KIND_MANDELBROT = 1;
export const JOB_KIND_COUNT = 2;

/** Each thread claims the next chunk by one atomic add. */
export const SCHEDULE_DYNAMIC = 0;
/** Chunk number t belongs to thread t. */
export const SCHEDULE_STATIC = 1;

// JOB_KIND_MANDELBROT. A dynamic chunk is a tile of the picture, numbered left to right, then top to bottom.

/** i32, pixels. */
export const MANDELBROT_WIDTH = JOB_ARGUMENTS;
/** i32, pixels. */
export const MANDELBROT_HEIGHT = MANDELBROT_WIDTH + 4;
/** i32: the count of a pixel that does not escape. */
export const MANDELBROT_MAX_ITERATIONS = MANDELBROT_HEIGHT + 4;
/** i32: ALGORITHM_*. */
export const MANDELBROT_ALGORITHM = MANDELBROT_MAX_ITERATIONS + 4;
/** i32, pixels: width of a tile. MANDELBROT_WIDTH makes the tile a band of rows. */
export const MANDELBROT_TILE_WIDTH = MANDELBROT_ALGORITHM + 4;
/** i32, rows: height of a tile. With SCHEDULE_STATIC, rows of every band but the last, which has the remainder too. */
export const MANDELBROT_TILE_HEIGHT = MANDELBROT_TILE_WIDTH + 4;
/** u32: address of the counts, one u32 a pixel, row-major, 4-aligned. */
export const MANDELBROT_COUNTS = MANDELBROT_TILE_HEIGHT + 4;
/** u32: address of the magnitudes, one f32 a pixel, row-major, 4-aligned; 0: none are wanted. */
export const MANDELBROT_MAGNITUDES = MANDELBROT_COUNTS + 4;
/** f64: the region's bounds. */
export const MANDELBROT_RE_MIN = MANDELBROT_MAGNITUDES + 4;
export const MANDELBROT_RE_MAX = MANDELBROT_RE_MIN + 8;
export const MANDELBROT_IM_MIN = MANDELBROT_RE_MAX + 8;
export const MANDELBROT_IM_MAX = MANDELBROT_IM_MIN + 8;

/** Every iteration of every pixel is executed. */
export const ALGORITHM_NAIVE = 0;
/** Iterations whose outcome is known are skipped; every count stays the same. */
export const ALGORITHM_EXACT = 1;

/** Steps after the escape at which a magnitude, |z|², is taken: far enough out for a smooth colour. */
export const MAGNITUDE_STEPS = 3;

// JOB_KIND_COUNT. Static: chunk t is what thread t adds.

/** i32: what each thread adds, one at a time. */
export const COUNT_INCREMENTS = JOB_ARGUMENTS;
/** i32: GUARD_*. */
export const COUNT_GUARD = COUNT_INCREMENTS + 4;

/** A plain load, add and store: updates get lost. */
export const GUARD_NONE = 0;
/** One atomic add. */
export const GUARD_ATOMIC = 1;
/** A plain load, add and store inside the mutex. */
export const GUARD_LOCK = 2;

export const JOB_BYTES = 256;

// ── THREADS: one block for each thread. ──

export const THREADS = JOB + JOB_BYTES;
/** Bytes from one thread's block to the next: a line that the host writes and a line that the thread writes. */
export const THREAD_BYTES = 2 * CACHE_LINE;

// Offsets in a thread's block. The i32 words down to THREAD_PARK_RESCUES are accessed atomically, because they are
// read while they may be written; the rest is plain, and the host reads it after the job's end.

/** i32: the generation of the last job that this thread has a part in; written by the host. The thread parks on it. */
export const THREAD_GENERATION = 0;
/** i32: THREAD_*, for diagnosis. First word of the thread's own line. */
export const THREAD_STATE = THREAD_GENERATION + CACHE_LINE;
/** i32: times that a wait timed out while parked although a job had come, over the life of the memory. */
export const THREAD_PARK_RESCUES = THREAD_STATE + 4;
/** i32: jobs that this thread will sleep for before it looks for one again; its own affair. 0: it looks for the next. */
export const THREAD_SPIN_SKIP = THREAD_PARK_RESCUES + 4;
/** i32: what it will set THREAD_SPIN_SKIP to when it next looks in vain; its own affair. 0 after it has found a job so. */
export const THREAD_SPIN_PENALTY = THREAD_SPIN_SKIP + 4;
/** i32, bit pattern of a u32: units of work finished in this job (pixels, increments). */
export const THREAD_PROGRESS = THREAD_SPIN_PENALTY + 4;
/** i32: chunks finished. */
export const THREAD_CHUNKS = THREAD_PROGRESS + 4;
/** i64: iterations executed for pixels, or increments made. */
export const THREAD_ITERATIONS = THREAD_CHUNKS + 4;
/** f64, milliseconds: time spent inside chunks. */
export const THREAD_BUSY_MS = THREAD_ITERATIONS + 8;
/** f64, milliseconds: time from the first attempt that found the lock taken until it was acquired, summed. */
export const THREAD_LOCK_MS = THREAD_BUSY_MS + 8;
/** i32: times that the lock was acquired. */
export const THREAD_LOCK_ACQUISITIONS = THREAD_LOCK_MS + 8;
/** i32: acquisitions that found the lock taken. */
export const THREAD_LOCK_CONTENDED = THREAD_LOCK_ACQUISITIONS + 4;
/** i32: waits inside those acquisitions. */
export const THREAD_LOCK_WAITS = THREAD_LOCK_CONTENDED + 4;
/** i32: waits that timed out although the lock's word had changed: a wake-up was lost. */
export const THREAD_LOCK_RESCUES = THREAD_LOCK_WAITS + 4;

export const THREAD_NEW = 0;
export const THREAD_PARKED = 1;
export const THREAD_WORKING = 2;
export const THREAD_LEFT = 3;
export const THREAD_CLOSED = 4;

// ── Chunk records: at JOB_RECORDS, one a chunk; written by the thread that claimed the chunk. ──

/** Bytes from one chunk's record to the next. */
export const RECORD_BYTES = 32;
/** i32, accessed atomically: RECORD_*. */
export const RECORD_STATE = 0;
/** i32: the thread that claimed the chunk. */
export const RECORD_THREAD = RECORD_STATE + 4;
/** i64: iterations executed, or increments made. */
export const RECORD_ITERATIONS = RECORD_THREAD + 4;
/** f64, milliseconds of the clock `env.now`. */
export const RECORD_BEGIN_MS = RECORD_ITERATIONS + 8;
export const RECORD_END_MS = RECORD_BEGIN_MS + 8;

export const RECORD_FREE = 0;
export const RECORD_CLAIMED = 1;
export const RECORD_DONE = 2;

// ── HEAP: the host's. The kernel writes there only where a job's parameters point. ──

export const HEAP = THREADS + MAX_THREADS * THREAD_BYTES;

// ── What `work` returns: a set of bits. ──

/** This thread was the last to leave: the job has ended, and its result may be read. */
export const WORK_LAST = 1;
/** The job was stopped; its result is incomplete. */
export const WORK_STOPPED = 2;
/** There was nothing to do: no job was published to this thread, or the memory is being closed. */
export const WORK_NONE = 4;
/** With WORK_LAST: the host was looking at CONTROL_END when it was written, and need not be told. */
export const WORK_WATCHED = 8;

// ── Waiting. Every wait is bounded and re-checks its condition: some hosts lose wake-ups. ──

/** Longest single wait of a thread inside a job, in milliseconds. */
export const WAIT_SLICE_MS = 20;
/** Longest single wait of a parked thread, in milliseconds. */
export const PARK_SLICE_MS = 1000;

/** Longest time that a thread looks for its next job before it sleeps, in microseconds. */
export const SPIN_US = 50;
/** Most looks at the clock meanwhile: a bound where the clock is coarse, or stands still. */
export const SPIN_LOOKS = 1024;
/** Most jobs that a thread sleeps for, after it has looked in vain again and again, before it looks once more. */
export const SPIN_MAX_PENALTY = 1023;
