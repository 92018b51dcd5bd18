// What the engine needs from a platform. node/host.ts and web/host.ts implement it.

import type { Build, Problem } from "./types.ts";

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
  /** The memory that the workers share; undefined: each of them makes one for itself, and is sent its work. */
  memory: WebAssembly.Memory | undefined;
  /** The host's time origin, which the worker's clock counts from as well, so that all times compare. */
  timeOrigin: number;
}

/** What a worker says. */
export type WorkerMessage =
  /** It has instantiated the kernel, and waits for a job. */
  | { type: "allcores:ready" }
  /** It was the last to leave the job of this generation. Only where memory is shared. */
  | { type: "allcores:end"; generation: number }
  /**
   * It has computed the chunks `first` … `end` - 1 of those that it was sent: their records, then the outputs of their
   * units, one after the other. Only where memory is private.
   */
  | { type: "allcores:part"; job: number; first: number; end: number; bytes: Uint8Array<ArrayBuffer> }
  /** The kernel trapped, or something threw; the worker leaves. */
  | { type: "allcores:failed"; trap: boolean; message: string };

/**
 * What a worker with a private memory is told: to compute chunks from `first` on, for some milliseconds, but at least one,
 * and none from `end` on. Their units begin at `unit`, and all of them have `units`. It answers each message with one.
 */
export interface HostMessage {
  type: "allcores:part";
  job: number;
  task: PrivateTask;
  first: number;
  end: number;
  unit: number;
  units: number;
}

/** A job, as a worker with a private memory needs to know it. */
export interface PrivateTask {
  /** What JOB … JOB + JOB_BYTES of its memory is to hold, but for what the other fields name. */
  parameters: Uint8Array<ArrayBuffer>;
  /** Addresses of the parameters that hold the address of an array of the result: one element of 4 bytes a unit. */
  outputs: readonly number[];
  /** Chunks between two looks at the clock: a millisecond or so, even if they are the most expensive ones. */
  stride: number;
}

/** How a host tells the engine what became of a worker. */
export interface WorkerEvents {
  message(message: WorkerMessage): void;
  /** The worker's script could not be loaded, or threw outside the kernel. An EngineError says all that there is to say. */
  error(error: unknown): void;
  /** The worker is gone. The last event. */
  exit(): void;
}

export interface WorkerHandle {
  /** Lets the worker keep the program alive, or not. New workers do. */
  keepAlive(on: boolean): void;
  /** Only to a worker with a private memory; another one does not hear. */
  post(message: HostMessage): void;
  /** Ends the worker by force. Where a platform cannot do that at once, the thread may go on writing to its memory. */
  terminate(): void;
}

export interface Timer {
  cancel(): void;
}

export interface Host {
  /** Why workers cannot share one memory here, or undefined if they can. */
  readonly unshared: Problem | undefined;
  /** The same, having found out more about it: which header is missing, say. Never rejects. */
  whyUnshared(): Promise<Problem | undefined>;
  /** Pages that a shared memory gets as its maximum, unless a job needs more. */
  readonly memoryPages: number;
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
  /** As `soon`, for whoever computes in this thread: what is to be drawn is drawn first, if that is due. */
  yield(call: () => void): void;
  /** Loads and compiles a build of the kernel, once. */
  kernel(build: Build): Promise<WebAssembly.Module>;
  /** Loads the kernel that the caller gave, if he did: then no build is to be chosen. */
  readonly givenKernel: (() => Promise<WebAssembly.Module>) | undefined;
  /** Instantiates the kernel in this thread. */
  instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel;
  spawn(boot: WorkerBoot, events: WorkerEvents): WorkerHandle;
}
