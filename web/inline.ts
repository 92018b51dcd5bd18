// allcores for web pages, in one file: for tools that copy no files. The worker comes from a blob: URL, so a Content Security
// Policy has to allow blob: in worker-src; where it does not, the engine is in single mode.

import { diagnoseOn } from "../src/diagnose.ts";
import { createEngineOn } from "../src/engine.ts";
import type { Diagnosis, Engine, EngineOptions, FileOptions } from "../src/types.ts";
import { filesOf, type OwnFiles } from "./files.ts";
import { createWebHost } from "./host.ts";

export { EngineError, type ErrorCode } from "../src/errors.ts";
export type * from "../src/types.ts";

/** As `createEngine` of `allcores`. */
export async function createEngine(options?: EngineOptions): Promise<Engine> {
  return createEngineOn((raw) => createWebHost(filesOf(raw, OWN)), options);
}

/** As `diagnose` of `allcores`. */
export async function diagnose(files?: FileOptions): Promise<Diagnosis> {
  return diagnoseOn((raw) => createWebHost(filesOf(raw, OWN)), files);
}

/** The worker's script, and the kernels as data: URLs. The build defines them. */
declare const EMBEDDED_WORKER: string;
declare const EMBEDDED_KERNELS: { simd: string; scalar: string };

let url: string | undefined;

const OWN: OwnFiles = {
  kernel: (build) => ({ url: EMBEDDED_KERNELS[build], integrity: undefined }),
  startWorker: () => new Worker(workerUrl(), { type: "module" }),
};

function workerUrl(): string {
  url ??= URL.createObjectURL(new Blob([EMBEDDED_WORKER], { type: "text/javascript" }));
  return url;
}
