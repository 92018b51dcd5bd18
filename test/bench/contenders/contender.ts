// Whoever renders a view on one thread.

import type { View } from "../views.ts";

export interface Rendering {
  /** Inside the computation: no message, no copy. */
  elapsedMs: number;
  counts: Uint32Array;
  /** Which of its ways a contender with several took. */
  variant?: string;
}

export interface Contender {
  /** For programs; stays the same. */
  readonly id: string;
  /** For people. */
  readonly title: string;
  /** One that takes a second for what others do in a tenth: it gets fewer samples. */
  readonly slow: boolean;
  /** One call at a time. Rejects if the contender fails. */
  render(view: View): Promise<Rendering>;
  close(): Promise<void>;
}

/** One that this machine, or its compiler, does not have. */
export interface Skipped {
  readonly id: string;
  readonly title: string;
  /** Why, for people. */
  readonly reason: string;
}
