// allcores for web pages. Importing it does nothing, so a server may do that, too.

import { diagnoseOn } from "../src/diagnose.ts";
import { createEngineOn } from "../src/engine.ts";
import type { Diagnosis, Engine, EngineOptions, FileOptions } from "../src/types.ts";
import { filesOf, type OwnFiles } from "./files.ts";
import { createWebHost } from "./host.ts";

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
 * Where workers cannot share a memory, or there are none, the engine does its best, and `engine.modeReason` says why. On Node,
 * Deno and Bun an idle engine does not keep the program alive.
 *
 * @throws {EngineError} (as a rejection) `E_ARGUMENT`; if there is no kernel, `E_KERNEL…`, `E_CSP_WASM`, `E_CSP_CONNECT` or
 * `E_UNSUPPORTED`; if you insist on a mode, what is in its way.
 */
export async function createEngine(options?: EngineOptions): Promise<Engine> {
  return createEngineOn((raw) => createWebHost(filesOf(raw, OWN)), options);
}

/**
 * Finds out what is possible here, and what is in the way of more, by trying. Takes some tenths of a second; if a server does
 * not answer, as long as `createEngine`. Give it the files that you give `createEngine`.
 *
 * @throws {EngineError} (as a rejection) `E_ARGUMENT`. All else is in what it resolves with.
 */
export async function diagnose(files?: FileOptions): Promise<Diagnosis> {
  return diagnoseOn((raw) => createWebHost(filesOf(raw, OWN)), files);
}

/** SHA-256 of the kernels, for `fetch`. The build defines it. */
declare const KERNEL_INTEGRITY: { simd: string; scalar: string };

/** The addresses are written as bundlers look for them, each whole and in its place. */
const OWN: OwnFiles = {
  kernel: (build) =>
    build === "simd"
      ? { url: new URL("./kernel.wasm", import.meta.url).href, integrity: KERNEL_INTEGRITY.simd }
      : { url: new URL("./kernel-scalar.wasm", import.meta.url).href, integrity: KERNEL_INTEGRITY.scalar },
  startWorker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
};
