// What is wrong with what a host program has made of a job: one sentence for each thing.

import * as layout from "../../assembly/layout.ts";
import { plural } from "../../src/bench/format.ts";
import { blockOf } from "../../src/memory.ts";
import { sha256 } from "../hash.ts";
import type { Line } from "./job.ts";
import type { Outcome } from "./program.ts";

/** What a job has to come to. */
export interface Expected {
  /** Of the counts, as little-endian u32. */
  countsSha256?: string;
  /** Of the magnitudes, as little-endian f32. */
  magnitudesSha256?: string;
  /** Over all chunks: a count's increments, or a picture's iterations where none may be skipped. */
  iterations?: number;
  /** At CONTROL_COUNT. */
  count?: number;
}

const ADDRESSES: Readonly<Record<string, number>> = layout;

/** The share of waits that may end too late. An engine that loses some wake-ups is slow then, and right all the same. */
const MOST_RESCUES = 0.25;
/** Rescues that are no sign of anything: a wait may time out in the very moment in which it is woken. */
const FEW_RESCUES = 3;

/** `pictureOf` computes the counts of a line's picture; it is called only to tell what is wrong with them. */
export async function complaints(
  line: Line,
  expected: Expected,
  { answer, memory }: Outcome,
  pictureOf: (line: Line) => Promise<Uint32Array>,
): Promise<string[]> {
  const words = new Words(memory, line.from);
  const found = [...misplaced(line, words), ...unended(line, words)];
  if (found.length > 0) return found; // what comes next would only say the same again
  found.push(...statistics(line, words), ...records(line, expected, words), ...waits(line, words));
  if (expected.countsSha256 !== undefined) found.push(...(await counts(line, expected.countsSha256, words, pictureOf)));
  if (expected.magnitudesSha256 !== undefined) {
    const actual = sha256(words.part(line.MANDELBROT_MAGNITUDES as number, pixelsOf(line)));
    if (actual !== expected.magnitudesSha256)
      found.push(`the magnitudes have SHA-256 ${actual}, not ${expected.magnitudesSha256}`);
  }
  if (expected.count !== undefined) found.push(...count(line, expected.count, answer.count, words));
  found.push(...stray(line, words));
  if (answer.returned !== layout.WORK_LAST) {
    found.push(
      `what work returned sums up to ${answer.returned}, not ${layout.WORK_LAST}: one thread is the last to leave, the others return 0`,
    );
  }
  if (!(answer.elapsedMs >= 0)) found.push(`elapsedMs is ${answer.elapsedMs}`);
  return found;
}

/** The part of the memory that came back, by addresses. */
class Words {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #from: number;

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#from = from;
  }

  /** Whether the words below the heap came back, too. */
  get hasControl(): boolean {
    return this.#from === 0;
  }

  int(address: number): number {
    return this.#view.getInt32(address - this.#from, true);
  }

  long(address: number): bigint {
    return this.#view.getBigInt64(address - this.#from, true);
  }

  double(address: number): number {
    return this.#view.getFloat64(address - this.#from, true);
  }

  /** A copy of that many 32-bit elements. */
  part(address: number, elements: number): Uint32Array {
    const begin = address - this.#from;
    return new Uint32Array(this.#bytes.slice(begin, begin + 4 * elements).buffer);
  }

  /** The first address from `begin` to `end` at which there is not 0. */
  firstUsed(begin: number, end: number): number | undefined {
    const index = this.#bytes.subarray(begin - this.#from, end - this.#from).findIndex((byte) => byte !== 0);
    return index < 0 ? undefined : begin + index;
  }
}

function pixelsOf(line: Line): number {
  return (line.MANDELBROT_WIDTH as number) * (line.MANDELBROT_HEIGHT as number);
}

/** Parameters that are not where they belong. */
function misplaced(line: Line, words: Words): string[] {
  if (!words.hasControl) return [];
  return Object.entries(line).flatMap(([name, value]) => {
    if (!/^[A-Z]/.test(name)) return [];
    const address = ADDRESSES[name] as number;
    const isDouble = /^MANDELBROT_(RE|IM)_/.test(name);
    const actual = isDouble ? words.double(address) : words.int(address);
    if (Object.is(actual, isDouble ? value : value | 0)) return [];
    return [
      `${name}, the ${isDouble ? "f64" : "i32"} at address ${address}, is ${actual}, where ${value} was asked for`,
    ];
  });
}

function unended(line: Line, words: Words): string[] {
  if (!words.hasControl) return [];
  const generation = words.int(layout.CONTROL_GENERATION);
  if (generation <= layout.GENERATION_NONE) return [`no job was published: CONTROL_GENERATION is ${generation}`];
  const running = words.int(layout.CONTROL_RUNNING);
  if (words.int(layout.CONTROL_END) === generation && running === 0) return [];
  const threads = Array.from({ length: line.JOB_THREADS }, (_, thread) => thread);
  const states = threads.map((thread) => words.int(blockOf(thread) + layout.THREAD_STATE));
  const never = threads.filter(
    (thread) => states[thread] === layout.THREAD_NEW || states[thread] === layout.THREAD_PARKED,
  );
  const inside = threads.filter((thread) => states[thread] === layout.THREAD_WORKING);
  return [
    `the job had not ended when the program answered: CONTROL_RUNNING is ${running}` +
      (inside.length > 0 ? `; ${listOf(inside)} still in work (join the threads first)` : "") +
      (never.length > 0 ? `; ${listOf(never)} never in work (each of JOB_THREADS threads must call it)` : ""),
  ];
}

function listOf(threads: number[]): string {
  return `${threads.length === 1 ? "thread" : "threads"} ${threads.join(", ")} ${threads.length === 1 ? "is" : "are"}`;
}

/** What the threads say that they did. */
function statistics(line: Line, words: Words): string[] {
  if (!words.hasControl) return [];
  const found: string[] = [];
  let units = 0;
  let chunks = 0;
  for (let thread = 0; thread < line.JOB_THREADS; thread++) {
    const block = blockOf(thread);
    const state = words.int(block + layout.THREAD_STATE);
    if (state !== layout.THREAD_LEFT)
      found.push(`the state of thread ${thread} is ${state}, not ${layout.THREAD_LEFT}`);
    units += words.int(block + layout.THREAD_PROGRESS) >>> 0;
    chunks += words.int(block + layout.THREAD_CHUNKS);
  }
  const wanted = line.COUNT_INCREMENTS === undefined ? pixelsOf(line) : line.JOB_THREADS * line.COUNT_INCREMENTS;
  if (units !== wanted) found.push(`the threads have done ${units} pixels or increments, not ${wanted}`);
  if (chunks !== line.JOB_CHUNKS) found.push(`the threads have done ${chunks} chunks, not ${line.JOB_CHUNKS}`);
  return found;
}

function records(line: Line, expected: Expected, words: Words): string[] {
  const found: string[] = [];
  const undone: number[] = [];
  let iterations = 0n;
  for (let chunk = 0; chunk < line.JOB_CHUNKS; chunk++) {
    const record = line.JOB_RECORDS + chunk * layout.RECORD_BYTES;
    const thread = words.int(record + layout.RECORD_THREAD);
    const begin = words.double(record + layout.RECORD_BEGIN_MS);
    const end = words.double(record + layout.RECORD_END_MS);
    if (words.int(record + layout.RECORD_STATE) !== layout.RECORD_DONE) undone.push(chunk);
    else if (!(thread >= 0 && thread < line.JOB_THREADS)) found.push(`chunk ${chunk} was done by thread ${thread}`);
    else if (line.JOB_SCHEDULE === layout.SCHEDULE_STATIC && thread !== chunk) {
      found.push(`chunk ${chunk} of a static job was done by thread ${thread}`);
    } else if (!(begin <= end))
      found.push(`chunk ${chunk} ended at ${end} ms, before it began at ${begin} ms: env.now is not monotonic`);
    iterations += words.long(record + layout.RECORD_ITERATIONS);
  }
  if (undone.length > 0) {
    found.push(`${plural(undone.length, "chunk")} of ${line.JOB_CHUNKS} never done, first chunk ${undone[0]}`);
  }
  if (expected.iterations !== undefined && iterations !== BigInt(expected.iterations)) {
    found.push(`the chunks took ${iterations} iterations, not ${expected.iterations}`);
  }
  return found.slice(0, 5);
}

/** What the waits tell: threads that do not run at once, and wake-ups that did not come. */
function waits(line: Line, words: Words): string[] {
  if (!words.hasControl) return [];
  const found: string[] = [];
  const barrierMs = line.JOB_BARRIER_MS as number;
  const published = words.double(layout.CONTROL_PUBLISHED_MS);
  for (let chunk = 0; chunk < line.JOB_CHUNKS; chunk++) {
    const record = line.JOB_RECORDS + chunk * layout.RECORD_BYTES;
    if (words.int(record + layout.RECORD_STATE) !== layout.RECORD_DONE) continue;
    const thread = words.int(record + layout.RECORD_THREAD);
    const waited = words.double(record + layout.RECORD_BEGIN_MS) - published;
    if (waited < 0)
      found.push(`thread ${thread} began ${-waited} ms before the job was published: env.now has another zero there`);
    else if (barrierMs > 0 && waited >= barrierMs) {
      found.push(`thread ${thread} waited for the others for ${barrierMs} ms, in vain: the threads do not run at once`);
    }
  }
  let lockWaits = 0;
  let lockRescues = 0;
  for (let thread = 0; thread < line.JOB_THREADS; thread++) {
    const block = blockOf(thread);
    lockWaits += words.int(block + layout.THREAD_LOCK_WAITS);
    lockRescues += words.int(block + layout.THREAD_LOCK_RESCUES);
    const parked = words.int(block + layout.THREAD_PARK_RESCUES);
    if (parked > 0) found.push(`wake-ups are lost: thread ${thread} slept on in park after its job had been published`);
  }
  if (lockRescues > FEW_RESCUES && lockRescues > MOST_RESCUES * lockWaits) {
    found.push(
      `wake-ups are lost: ${lockRescues} of ${lockWaits} waits for the lock timed out although it had changed`,
    );
  }
  return found.slice(0, 5);
}

async function counts(
  line: Line,
  expected: string,
  words: Words,
  pictureOf: (line: Line) => Promise<Uint32Array>,
): Promise<string[]> {
  const actual = words.part(line.MANDELBROT_COUNTS as number, pixelsOf(line));
  const actualSha256 = sha256(actual);
  if (actualSha256 === expected) return [];
  const right = await pictureOf(line);
  const wrong = actual.reduce((total, value, pixel) => (value === right[pixel] ? total : total + 1), 0);
  const first = actual.findIndex((value, pixel) => value !== right[pixel]);
  const width = line.MANDELBROT_WIDTH as number;
  return [
    `the counts have SHA-256 ${actualSha256}, not ${expected}: ${wrong} of ${actual.length} are wrong, ` +
      `the first at x ${first % width}, y ${Math.floor(first / width)} is ${actual[first]}, not ${right[first]}`,
  ];
}

function count(line: Line, expected: number, answered: number, words: Words): string[] {
  const found: string[] = [];
  const actual = Number(words.long(layout.CONTROL_COUNT));
  if (actual !== expected) {
    const torn =
      line.count > 0 && actual < line.count ? ": a carry into the upper half was lost, so 64-bit values are torn" : "";
    found.push(`the count is ${actual}, not ${expected}${torn}`);
  } else if (answered !== actual) {
    found.push(`the program answered that the count is ${answered}, but ${actual} is in the memory: read it as an i64`);
  }
  return found;
}

/** Where something was written that nobody had to write. */
function stray(line: Line, words: Words): string[] {
  const parts: [begin: number, bytes: number][] = [[line.JOB_RECORDS, line.JOB_CHUNKS * layout.RECORD_BYTES]];
  if (line.MANDELBROT_COUNTS) parts.push([line.MANDELBROT_COUNTS, 4 * pixelsOf(line)]);
  if (line.MANDELBROT_MAGNITUDES) parts.push([line.MANDELBROT_MAGNITUDES, 4 * pixelsOf(line)]);
  const found: (number | undefined)[] = [];
  if (words.hasControl) found.push(words.firstUsed(0, layout.CONTROL));
  let from = Math.max(layout.HEAP, line.from);
  for (const [begin, bytes] of parts) {
    found.push(words.firstUsed(from, begin));
    from = begin + bytes;
  }
  found.push(words.firstUsed(from, line.from + line.bytes));
  return found
    .filter((address) => address !== undefined)
    .map((address) => `something was written to address ${address}, which is nobody's: begin with a memory of zeros`);
}
