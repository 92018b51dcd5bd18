// What the engine needs from a browser. Nothing here runs when the file is imported: a server may do that, too.

import type { Host, Timer, WorkerBoot, WorkerEvents, WorkerHandle, WorkerMessage } from "../src/host.ts";
import type { Build, Problem } from "../src/types.ts";
import { instantiateKernel } from "./kernel.ts";

/** What a page's worker is sent first: the module, or where that cannot be posted, its bytes. */
export interface PostedBoot extends Omit<WorkerBoot, "module"> {
  module: WebAssembly.Module | ArrayBuffer;
}

/** What a page's worker says at its end, beside what all workers say. */
type PageWorkerMessage = WorkerMessage | { type: "allcores:exit" };

/**
 * 256 MB, enough for a picture of sixty million pixels. Phones count a shared memory's maximum as if it were used, and refuse
 * much; a job that needs more gets it, if the platform grants it.
 */
const MEMORY_PAGES = 4096;

export function createWebHost(): Host {
  return {
    unshared: isolationReason(),
    whyUnshared: async () => isolationReason(),
    memoryPages: MEMORY_PAGES,
    givenKernel: undefined,
    cores: () => navigator.hardwareConcurrency || 1,
    timeOrigin: performance.timeOrigin,
    now: () => performance.now(),
    after: (ms, call) => timer(setTimeout(call, ms), clearTimeout),
    every: (ms, call) => timer(setInterval(call, ms), clearInterval),
    soon,
    kernel: loadKernel,
    instantiate: (module, memory) => instantiateKernel(module, memory, performance.timeOrigin),
    spawn,
  };
}

function isolationReason(): Problem | undefined {
  if (globalThis.crossOriginIsolated) return undefined;
  return {
    code: "not-isolated",
    message:
      "The page is not cross-origin isolated, so its workers cannot share a memory: serve it with the headers " +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.",
  };
}

function timer(id: number, clear: (id: number) => void): Timer {
  return { cancel: () => clear(id) };
}

/** What is to be called soon. A timer would wait for 4 milliseconds, and in a hidden page for a second. */
const calls: (() => void)[] = [];
let channel: MessageChannel | undefined;

function soon(call: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => calls.shift()?.();
  }
  calls.push(call);
  channel.port2.postMessage(0);
}

/** By URL: the kernels of this page. */
const modules = new Map<string, Promise<WebAssembly.Module>>();
/** For places where a module cannot be posted. */
const bytesOf = new WeakMap<WebAssembly.Module, ArrayBuffer>();

function loadKernel(build: Build): Promise<WebAssembly.Module> {
  const url =
    build === "simd" ? new URL("./kernel.wasm", import.meta.url) : new URL("./kernel-scalar.wasm", import.meta.url);
  let module = modules.get(url.href);
  if (module === undefined) {
    module = compile(url);
    module.catch(() => modules.delete(url.href)); // so that a later attempt may succeed
    modules.set(url.href, module);
  }
  return module;
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const bytes = await response.arrayBuffer();
  const module = await WebAssembly.compile(bytes);
  bytesOf.set(module, bytes);
  return module;
}

function spawn(boot: WorkerBoot, events: WorkerEvents): WorkerHandle {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  let gone = false;
  const exit = () => {
    if (gone) return;
    gone = true;
    worker.terminate();
    events.exit();
  };
  worker.addEventListener("message", ({ data }: MessageEvent<PageWorkerMessage>) => {
    if (data?.type === "allcores:exit") exit();
    else events.message(data);
  });
  worker.addEventListener("messageerror", () => events.error(new Error("a message could not be read")));
  worker.addEventListener("error", (event) => {
    event.preventDefault(); // it is told to the caller, so the console need not hear of it
    events.error(new Error(event.message || "its script could not be loaded"));
  });
  try {
    worker.postMessage(boot satisfies PostedBoot);
  } catch (error) {
    const module = bytesOf.get(boot.module);
    if (module === undefined) throw error;
    worker.postMessage({ ...boot, module } satisfies PostedBoot);
  }
  return {
    keepAlive: () => {}, // workers live as long as their page
    post: (message) => worker.postMessage(message),
    terminate: exit,
  };
}
