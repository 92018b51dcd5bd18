// allcores for web pages.

import { createEngineOn } from "../src/engine.ts";
import type { Engine, EngineOptions } from "../src/types.ts";
import { createWebHost } from "./host.ts";

export { EngineError, type ErrorCode } from "../src/errors.ts";
export type * from "../src/types.ts";

/**
 * Starts the workers, and resolves when all of them are ready.
 *
 * @throws {EngineError} (as a rejection) `E_ARGUMENT`, `E_UNSUPPORTED`, `E_KERNEL`, `E_MEMORY` or `E_WORKER_START`.
 */
export async function createEngine(options?: EngineOptions): Promise<Engine> {
  return createEngineOn(createWebHost(), options);
}
