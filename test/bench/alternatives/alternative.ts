// Ways to use several cores, behind one door.

import type { Order } from "./bands.ts";

/** All of them, as people read them. */
export const ALTERNATIVES = {
  shared: "allcores shared",
  view: "allcores shared, view",
  isolated: "allcores isolated",
  piscina: "Piscina",
  tinypool: "Tinypool",
  workerpool: "workerpool",
  processes: "child processes",
  messages: "bare postMessage",
} as const;

export type AlternativeId = keyof typeof ALTERNATIVES;

export interface Alternative {
  /** Renders with all its workers, or with `threads` of them where it can. Resolves when the counts are in the caller's hands. */
  render(order: Order, threads?: number): Promise<Counts>;
  /** A job of so many tasks that do nothing. */
  nothing(tasks: number): Promise<unknown>;
  /** Processes that it started. */
  readonly children: readonly number[];
  /** Processor time of those, in milliseconds. */
  childrenCpuMs(): Promise<number>;
  close(): Promise<unknown>;
}

export interface Counts {
  counts: Uint32Array;
  /** Milliseconds that the workers were in chunks, summed; where somebody has measured it. */
  busyMs?: number;
  /** To be called when they have been looked at. */
  release(): void;
}

/** For those that have no processes. */
export const NO_CHILDREN = { children: [], childrenCpuMs: async () => 0 } as const;

/** Thrown where an alternative does not exist in this build; the message says why. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}
