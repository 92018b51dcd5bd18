// allcores for Node, Deno and Bun.

import { diagnoseOn } from "../src/diagnose.ts";
import { createEngineOn } from "../src/engine.ts";
import type { Diagnosis, Engine, EngineOptions, FileOptions } from "../src/types.ts";
import { createNodeHost } from "./host.ts";

export { EngineError, type ErrorCode } from "../src/errors.ts";
export type * from "../src/types.ts";

/**
 * Starts the workers, and resolves when all of them are ready.
 *
 * ```js
 * import { createEngine } from "allcores";
 *
 * const engine = await createEngine();
 * const { counts } = await engine.mandelbrot({ width: 1000, height: 1000 });
 * await engine.close();
 * ```
 *
 * An idle engine does not keep the program alive.
 *
 * @throws {EngineError} (as a rejection) `E_ARGUMENT`, `E_UNSUPPORTED` or `E_KERNEL`; if you insist on a mode, `E_MEMORY` or
 * `E_WORKER_START`.
 */
export function createEngine(options?: EngineOptions): Promise<Engine> {
  return createEngineOn(createNodeHost(), options);
}

/**
 * Finds out what is possible here, and what is in the way of more, by trying. There are no files to give here, as there are in
 * web pages.
 */
export async function diagnose(files?: FileOptions): Promise<Diagnosis> {
  return diagnoseOn(createNodeHost(), files);
}
