// The serial build of the kernel in a worker of its own, so that the program's main thread stays free to hear Ctrl-C.

import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { SerialKernel } from "../src/serial.ts";
import type { MandelbrotOptions } from "../src/types.ts";
import { compileKernel, instantiateKernel } from "./kernel.ts";

/** What the worker answers: the time inside the kernel, and the counts. */
export interface SerialResult {
  elapsedMs: number;
  counts: Uint32Array;
}

/** Renders on one thread, without shared memory. */
export class SerialRunner {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(): Promise<SerialRunner> {
    const module = await compileKernel(new URL("./kernel-serial.wasm", import.meta.url));
    const worker = new Worker(new URL("./node-serial.js", import.meta.url), {
      workerData: { serialModule: module },
      execArgv: [],
    });
    return new SerialRunner(worker);
  }

  /** One call at a time. Rejects if the worker fails, and when the signal aborts; then it can only be closed. */
  async mandelbrot(options: MandelbrotOptions, signal: AbortSignal): Promise<SerialResult> {
    this.#worker.postMessage(options);
    const [result] = (await once(this.#worker, "message", { signal })) as [SerialResult];
    return result;
  }

  async close(): Promise<void> {
    // Idle or not: nobody shares its memory, so it may be ended at any time.
    await this.#worker.terminate();
  }
}

const module = isMainThread ? undefined : (workerData as { serialModule?: WebAssembly.Module } | null)?.serialModule;
if (module !== undefined) {
  const { timeOrigin } = performance;
  const kernel = new SerialKernel(
    (memory) => instantiateKernel(module, memory, timeOrigin),
    () => performance.now(),
  );
  parentPort?.on("message", (options: MandelbrotOptions) => {
    const { elapsedMs, counts } = kernel.mandelbrot(options);
    parentPort?.postMessage({ elapsedMs, counts } satisfies SerialResult, [counts.buffer as ArrayBuffer]);
  });
}
