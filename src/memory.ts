// The memory that an engine's workers share, as the host sees it: words by address, and a heap for what jobs need.

import { HEAP, JOB_SCRATCH, MAX_PAGES, PAGE_BYTES, SCRATCH_BYTES, THREAD_BYTES, THREADS } from "../assembly/layout.ts";
import { EngineError, messageOf } from "./errors.ts";

/** A part of the heap that a job, or a view on its result, holds. */
export interface Block {
  readonly address: number;
  readonly bytes: number;
}

/** Blocks begin on 16 bytes: enough for any value that the kernel stores. */
const ALIGNMENT = 16;

/** Where the threads' scratch memory begins. */
const SCRATCH = align(HEAP);

export class EngineMemory {
  readonly memory: WebAssembly.Memory;
  readonly #maximumBytes: number;
  /** Whether the platform may grant a memory that can grow further than this one. */
  readonly #extensible: boolean;
  /** Where blocks begin. */
  readonly #heap: number;
  /** Blocks in use, by address. */
  readonly #blocks: Block[] = [];
  #view: DataView;
  #words: Int32Array;

  /**
   * The serial build of the kernel takes an unshared memory; every other build a shared one. `maximum`: pages that it
   * may grow to, if the platform grants so many. `threads`: how many have scratch memory, below the heap.
   */
  constructor(shared = true, maximum = MAX_PAGES, threads = 1) {
    this.#heap = SCRATCH + threads * SCRATCH_BYTES;
    const [memory, pages] = createMemory(shared, Math.ceil(this.#heap / PAGE_BYTES), maximum);
    this.memory = memory;
    this.#maximumBytes = pages * PAGE_BYTES;
    this.#extensible = pages === maximum && maximum < MAX_PAGES;
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.placeScratch();
  }

  /** Tells the threads where their scratch memory is; again, if somebody has written over the parameters of the job. */
  placeScratch(): void {
    this.setInt(JOB_SCRATCH, SCRATCH);
  }

  int(address: number): number {
    return this.#view.getInt32(address, true);
  }

  setInt(address: number, value: number): void {
    this.#view.setInt32(address, value, true);
  }

  /** A 64-bit integer as a number: all that the kernel counts stays below 2^53. */
  long(address: number): number {
    return Number(this.#view.getBigInt64(address, true));
  }

  double(address: number): number {
    return this.#view.getFloat64(address, true);
  }

  setDouble(address: number, value: number): void {
    this.#view.setFloat64(address, value, true);
  }

  /** Reads a word that a thread may write at the same time. */
  atomic(address: number): number {
    return Atomics.load(this.#words, address / 4);
  }

  /** Writes a word that a thread may read at the same time. */
  setAtomic(address: number, value: number): void {
    Atomics.store(this.#words, address / 4, value);
  }

  /** Whether another memory, of {@link pagesFor} so many bytes, could hold them, and this one cannot. */
  isTooSmallFor(bytes: number): boolean {
    return this.#extensible && this.#heap + bytes > this.#maximumBytes;
  }

  /** Takes the first gap of the heap that is large enough, and grows the memory if there is none. */
  allocate(bytes: number): Block {
    let address = align(this.#heap);
    let index = 0;
    for (const block of this.#blocks) {
      if (block.address - address >= bytes) break;
      address = align(block.address + block.bytes);
      index++;
    }
    this.#reserve(address + bytes, bytes);
    const block = { address, bytes };
    this.#blocks.splice(index, 0, block);
    return block;
  }

  /** Gives a block back. No effect if it was given back before. */
  free(block: Block): void {
    const index = this.#blocks.indexOf(block);
    if (index >= 0) this.#blocks.splice(index, 1);
  }

  #reserve(end: number, bytes: number): void {
    if (end > this.#maximumBytes) {
      throw new EngineError(
        "E_MEMORY",
        `the job needs ${megabytes(bytes)} MB, but a memory has ${megabytes(this.#maximumBytes)} MB at most` +
          `${this.#blocks.length > 0 ? `, and views that were not released hold ${megabytes(this.#held())} MB` : ""}: ` +
          "compute a smaller picture, or a part of it at a time",
      );
    }
    const missing = end - this.memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch (error) {
      throw new EngineError(
        "E_MEMORY",
        `the job needs ${megabytes(bytes)} MB, which the platform refused (${messageOf(error)}): ` +
          "free memory, or compute a smaller picture",
        { cause: error },
      );
    }
    // The buffer of before keeps its old length, so nobody may hold a view of it across this line.
    this.#view = new DataView(this.memory.buffer);
    this.#words = new Int32Array(this.memory.buffer);
  }

  #held(): number {
    return this.#blocks.reduce((sum, block) => sum + block.bytes, 0);
  }
}

/** The maximum of a memory for so many threads and so many bytes of a job, or twice as many: the next one may be larger. */
export function pagesFor(threads: number, bytes: number): number {
  return Math.min(MAX_PAGES, Math.ceil((SCRATCH + threads * SCRATCH_BYTES + 2 * bytes) / PAGE_BYTES));
}

/** Creates the memory with the largest maximum that the platform accepts; phones refuse what desktops merely reserve. */
function createMemory(shared: boolean, initial: number, wanted: number): [WebAssembly.Memory, number] {
  for (let maximum = wanted; ; maximum = Math.floor(maximum / 2)) {
    try {
      return [new WebAssembly.Memory({ initial, maximum, shared }), maximum];
    } catch (error) {
      if (maximum / 2 < Math.max(initial, 256)) {
        throw new EngineError(
          "E_MEMORY",
          `the platform refused a memory, even one of ${megabytes(maximum * PAGE_BYTES)} MB at most: ${messageOf(error)}`,
          { cause: error },
        );
      }
    }
  }
}

/** Address of a thread's block. */
export function blockOf(thread: number): number {
  return THREADS + thread * THREAD_BYTES;
}

function align(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT;
}

/** As error messages have it. */
export function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
