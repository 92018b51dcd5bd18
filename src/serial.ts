// A kernel in the thread of the caller, which it blocks: no worker to wake. With the serial build of the kernel and an
// unshared memory it is what the cost of being threaded is measured against; with the others, their self-test.

import type { Kernel } from "./host.ts";
import { heapBytes, readCommon, resultAddress, writeJob } from "./jobs.ts";
import { mandelbrotJob } from "./mandelbrot.ts";
import { EngineMemory } from "./memory.ts";
import type { MandelbrotOptions, MandelbrotResult } from "./types.ts";

export class SerialKernel {
  readonly #memory: EngineMemory;
  readonly #kernel: Kernel;
  readonly #now: () => number;

  /** `instantiate` makes the kernel, over a memory of the kind that its build takes: by default the serial build's. */
  constructor(
    instantiate: (memory: WebAssembly.Memory) => Kernel,
    now: () => number,
    memory: EngineMemory = new EngineMemory(false),
  ) {
    this.#memory = memory;
    this.#kernel = instantiate(this.#memory.memory);
    this.#now = now;
  }

  /** Renders in this thread, which it blocks. The result is a copy. `signal` and `onProgress` have no effect. */
  mandelbrot(options: MandelbrotOptions): MandelbrotResult {
    const [job] = mandelbrotJob(options, 1);
    const block = this.#memory.allocate(heapBytes(job));
    try {
      writeJob(this.#memory, job, block);
      const begin = this.#now();
      this.#kernel.publish();
      this.#kernel.work(0);
      const elapsedMs = this.#now() - begin;
      const common = readCommon(this.#memory, job, block, begin, elapsedMs);
      return job.read(this.#memory, resultAddress(job, block), common, () => () => {});
    } finally {
      this.#memory.free(block);
    }
  }
}
