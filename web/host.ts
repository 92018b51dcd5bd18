// What the engine needs from a browser. Nothing here runs when the file is imported: a server may do that, too.

import { EngineError } from "../src/errors.ts";
import type { Host, Timer, WorkerBoot, WorkerEvents, WorkerHandle, WorkerMessage } from "../src/host.ts";
import type { WorkerLike } from "../src/types.ts";
import { unsharedReason, watchPolicy, whyNoWorker, whyUnshared } from "./diagnose.ts";
import type { PageFiles } from "./files.ts";
import { instantiateKernel } from "./kernel.ts";
import { bytesOfModule, loadKernel } from "./load.ts";

/** What a page's worker is sent first: the module, or where that cannot be posted, its bytes. */
export interface PostedBoot extends Omit<WorkerBoot, "module"> {
  module: WebAssembly.Module | Uint8Array<ArrayBuffer>;
}

/** What a page's worker says at its end, beside what all workers say. */
type PageWorkerMessage = WorkerMessage | { type: "allcores:exit" };

/**
 * 256 MB, enough for a picture of sixty million pixels. Phones count a shared memory's maximum as if it were used, and refuse
 * much; a job that needs more gets it, if the platform grants it.
 */
const MEMORY_PAGES = 4096;

/** @throws {EngineError} `E_UNSUPPORTED` where there is no browser. */
export function createWebHost({ kernel, ...files }: PageFiles): Host {
  if (typeof navigator !== "object" || typeof location !== "object" || typeof WebAssembly !== "object") {
    throw new EngineError(
      "E_UNSUPPORTED",
      "there is no browser here: on a server, import allcores if you like, but create engines in the page only",
    );
  }
  return {
    unshared: unsharedReason(),
    whyUnshared,
    memoryPages: MEMORY_PAGES,
    cores: () => navigator.hardwareConcurrency || 1,
    timeOrigin: performance.timeOrigin,
    now: () => performance.now(),
    after: (ms, call) => timer(setTimeout(call, ms), clearTimeout),
    every: (ms, call) => timer(setInterval(call, ms), clearInterval),
    soon,
    yield: yieldTo,
    kernel: (build) => loadKernel(typeof kernel === "function" ? kernel(build) : kernel),
    givenKernel: typeof kernel === "function" ? undefined : () => loadKernel(kernel),
    instantiate: (module, memory) => instantiateKernel(module, memory, performance.timeOrigin),
    spawn: (boot, events) => spawn(files, boot, events),
  };
}

function timer(id: number, clear: (id: number) => void): Timer {
  return { cancel: () => clear(id) };
}

/** What is to be called soon, each in a turn of its own, in this order. */
const calls: (() => void)[] = [];
const turn = () => calls.shift()?.();
let channel: MessageChannel | undefined;

/** A timer would wait for 4 milliseconds, and in a hidden page for a second. */
function soon(call: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = turn;
  }
  calls.push(call);
  channel.port2.postMessage(0);
}

/** Milliseconds that a frame may wait for: as long as one is shown, and some more. */
const FRAME_MS = 20;

/** Since when a frame is waited for; undefined: for none. */
let frameDue: number | undefined;

/** Firefox lets a chain of messages run for 60 milliseconds before it draws; behind a timer it draws at once. */
function yieldTo(call: () => void): void {
  if (typeof requestAnimationFrame !== "function" || globalThis.document?.visibilityState === "hidden") {
    soon(call); // nothing is drawn
    return;
  }
  const now = performance.now();
  if (frameDue === undefined) {
    frameDue = now;
    requestAnimationFrame(() => {
      frameDue = undefined;
    });
  }
  if (now - frameDue <= FRAME_MS) {
    soon(call);
    return;
  }
  calls.push(call);
  setTimeout(turn, 0);
}

function spawn(files: Omit<PageFiles, "kernel">, boot: WorkerBoot, events: WorkerEvents): WorkerHandle {
  if (typeof Worker !== "function") throw new EngineError("E_UNSUPPORTED", "there are no workers here");
  const policy = watchPolicy();
  let worker: WorkerLike | undefined;
  let started = false;
  let gone = false;
  const exit = () => {
    if (gone) return;
    gone = true;
    policy.stop();
    worker?.terminate();
    events.exit();
  };
  /** The script could not be started. Whoever has given the worker up meanwhile is told nothing more. */
  const explain = async (cause: unknown) => {
    const error = cause instanceof EngineError ? cause : await whyNoWorker(files.workerUrl(), cause, policy.forbids);
    if (!gone) events.error(error);
  };
  const hear = ({ data }: MessageEvent<PageWorkerMessage>) => {
    started = true;
    policy.stop();
    if (data?.type === "allcores:exit") exit();
    else events.message(data);
  };
  const fail = (event: Event & { message?: string }) => {
    event.preventDefault?.(); // it is told to the caller, so the console need not hear of it
    if (event.message) events.error(new Error(event.message));
    else if (started) events.error(new Error("it was ended, and the browser says no more"));
    else void explain(event);
  };
  try {
    worker = files.startWorker();
  } catch (error) {
    void explain(error);
  }
  worker?.addEventListener("message", hear);
  worker?.addEventListener("messageerror", () => events.error(new Error("a message could not be read")));
  worker?.addEventListener("error", fail);
  try {
    if (worker !== undefined) postBoot(worker, boot);
  } catch (error) {
    exit();
    throw error;
  }
  return {
    keepAlive: () => {}, // workers live as long as their page
    post: (message) => worker?.postMessage(message),
    terminate: exit,
  };
}

function postBoot(worker: WorkerLike, boot: WorkerBoot): void {
  try {
    worker.postMessage(boot);
  } catch {
    worker.postMessage({ ...boot, module: bytesOfModule(boot.module) } satisfies PostedBoot);
  }
}
