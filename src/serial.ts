// The best that one thread can do without threads: the serial build of the kernel, an unshared memory, no worker to
// wake. What the cost of being threaded is measured against. The other builds can be run in the same way, to compare.

import type { Kernel } from "./host.ts";
import { heapBytes, readCommon, resultAddress, writeJob } from "./jobs.ts";
import { mandelbrotJob } from "./mandelbrot.ts";
import { EngineMemory } from "./memory.ts";
import type { MandelbrotOptions, MandelbrotResult } from "./types.ts";

export class SerialKernel {
  readonly #memory: EngineMemory;
  readonly #kernel: Kernel;
  readonly #now: () => number;

  /** `instantiate` makes the kernel from its serial build, or from another, whose memory is `shared`. */
  constructor(instantiate: (memory: WebAssembly.Memory) => Kernel, now: () => number, shared = false) {
    this.#memory = new EngineMemory(shared);
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
