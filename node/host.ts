// What the engine needs from Node, Deno and Bun: `node:worker_threads` is the same in all three.

import { Worker } from "node:worker_threads";
import { MAX_PAGES } from "../assembly/layout.ts";
import type { Host, Timer, WorkerBoot, WorkerEvents, WorkerHandle, WorkerMessage } from "../src/host.ts";
import { readCores } from "./cores.ts";
import { compileKernel, instantiateKernel } from "./kernel.ts";

/** Where the built files are. The defaults are right for the published package. */
export interface NodeHostFiles {
  worker?: URL;
  /** The folder of kernel.wasm and kernel-scalar.wasm. */
  kernels?: URL;
}

export function createNodeHost(files: NodeHostFiles = {}): Host {
  const workerUrl = files.worker ?? new URL("./node-worker.cjs", import.meta.url);
  const kernels = files.kernels ?? new URL("./", import.meta.url);
  return {
    unshared: undefined, // these runtimes always let workers share a memory
    whyUnshared: async () => undefined,
    memoryPages: MAX_PAGES, // address space, of which there is plenty
    cores: () => readCores().usable,
    timeOrigin: performance.timeOrigin,
    now: () => performance.now(),
    after: (ms, call) => unreferenced(setTimeout(call, ms)),
    every: (ms, call) => unreferenced(setInterval(call, ms)),
    soon: (call) => void setImmediate(call),
    yield: (call) => void setImmediate(call),
    kernel: (build) => compileKernel(new URL(build === "simd" ? "kernel.wasm" : "kernel-scalar.wasm", kernels)),
    givenKernel: undefined,
    instantiate: (module, memory) => instantiateKernel(module, memory, performance.timeOrigin),
    spawn: (boot, events) => spawn(workerUrl, boot, events),
  };
}

/**
 * Far more than a worker's few megabytes, in case the program's NODE_OPTIONS load something into every thread. V8 lays
 * out a heap that has a limit, whichever, more thriftily: a tenth less memory for a worker. Deno and Bun ignore it.
 */
const LIMITS = { maxOldGenerationSizeMb: 256 };

function spawn(url: URL, boot: WorkerBoot, events: WorkerEvents): WorkerHandle {
  // The program's own flags (--input-type, --import, …) are about its code, not the worker's.
  const worker = new Worker(url, {
    workerData: boot,
    name: `allcores ${boot.thread}`,
    execArgv: [],
    resourceLimits: LIMITS,
  });
  worker.on("message", (message: WorkerMessage) => events.message(message));
  worker.on("messageerror", (error) => events.error(error));
  worker.on("error", (error) => events.error(error));
  worker.on("exit", () => events.exit());
  return {
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
    post: (message) => worker.postMessage(message),
    // Bun's promise may stay pending for a busy worker, so nobody waits for it: "exit" tells.
    terminate: () => void worker.terminate(),
  };
}

function unreferenced(timer: NodeJS.Timeout): Timer {
  timer.unref();
  return { cancel: () => clearTimeout(timer) };
}
