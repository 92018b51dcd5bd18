// The engine that elements without one of their own share: it is there as long as one of them uses it.

import type { Engine } from "../../src/types.ts";
import { createEngine } from "../index.ts";

interface Shared {
  readonly engine: Promise<Engine>;
  users: number;
}

let shared: Shared | undefined;

/** A share in the engine. */
export interface Lease {
  readonly engine: Promise<Engine>;
  /** Gives it back; the last one closes the engine. No effect when called again. */
  end(): void;
}

export function leaseEngine(): Lease {
  const mine = shared ?? { engine: createEngine(), users: 0 };
  shared = mine;
  mine.users++;
  let ended = false;
  const leave = () => {
    if (ended) return;
    ended = true;
    mine.users--;
    if (mine.users > 0) return;
    if (shared === mine) shared = undefined;
    mine.engine.then(
      (engine) => engine.close(),
      () => {}, // its users were told
    );
  };
  // One that did not start is nobody's: who tries again gets another one.
  mine.engine.catch(() => {
    if (shared === mine) shared = undefined;
  });
  return { engine: mine.engine, end: leave };
}
