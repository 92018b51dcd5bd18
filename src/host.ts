// What the engine needs from a platform. node/host.ts implements it.

import type { Build } from "./types.ts";

/** A kernel's exports, as far as the engine calls them; the constants of layout.ts are exported beside them. */
export interface Kernel {
  publish(): number;
  stop(generation: number): void;
  close(): void;
  park(thread: number, seen: number): number;
  work(thread: number): number;
  readonly ABI_VERSION: { readonly value: number };
  readonly SIMD: { readonly value: number };
}

/** What a worker is started with. Everything in it can be posted. */
export interface WorkerBoot {
  /** The worker's number, from 0. */
  thread: number;
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** The host's time origin, which the worker's clock counts from as well, so that all times compare. */
  timeOrigin: number;
}

/** What a worker says. */
export type WorkerMessage =
  /** It has instantiated the kernel, and parks next. */
  | { type: "allcores:ready" }
  /** It was the last to leave the job of this generation. */
  | { type: "allcores:end"; generation: number }
  /** The kernel trapped, or something threw; the worker leaves. */
  | { type: "allcores:failed"; trap: boolean; message: string };

/** How a host tells the engine what became of a worker. */
export interface WorkerEvents {
  message(message: WorkerMessage): void;
  /** The worker's script could not be loaded, or threw outside the kernel. */
  error(error: unknown): void;
  /** The worker is gone. The last event. */
  exit(): void;
}

export interface WorkerHandle {
  /** Lets the worker keep the program alive, or not. New workers do. */
  keepAlive(on: boolean): void;
  /** Ends the worker by force. Where a platform cannot do that at once, the thread may go on writing to its memory. */
  terminate(): void;
}

export interface Timer {
  cancel(): void;
}

export interface Host {
  /** Cores that the process may use: an integer, at least 1. */
  cores(): number;
  /** The moment, in milliseconds of the wall clock, at which `now()` was 0. Workers count from it, too. */
  readonly timeOrigin: number;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back once, or every `ms` milliseconds. Does not keep the program alive. */
  after(ms: number, call: () => void): Timer;
  every(ms: number, call: () => void): Timer;
  /** Calls back in a later turn of the event loop, as soon as what has come meanwhile was heard. */
  soon(call: () => void): void;
  /** Loads and compiles a build of the kernel, once. */
  kernel(build: Build): Promise<WebAssembly.Module>;
  /** Instantiates the kernel in this thread. */
  instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel;
  spawn(boot: WorkerBoot, events: WorkerEvents): WorkerHandle;
}
