// The contenders that run in JavaScript's own threads: the kernel's builds, AssemblyScript's plain loop, TypeScript's.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { BUNDLE } from "../paths.ts";
import { pictureOf, type View } from "../views.ts";
import type { Contender, Rendering, Skipped } from "./contender.ts";
import type { Order, Program } from "./one-thread-worker.ts";

/** The builds of the engine's kernel. */
const BUILDS = [
  { id: "simd", title: "SIMD", file: "kernel.wasm", shared: true, needsSimd: true },
  { id: "serial", title: "no threads", file: "kernel-serial.wasm", shared: false, needsSimd: true },
  { id: "scalar", title: "scalar", file: "kernel-scalar.wasm", shared: true, needsSimd: false },
] as const;

class OneThread implements Contender {
  readonly id: string;
  readonly title: string;
  readonly slow: boolean;
  readonly #worker: Worker;

  constructor(id: string, title: string, slow: boolean, program: Program) {
    this.id = id;
    this.title = title;
    this.slow = slow;
    this.#worker = new Worker(new URL("one-thread-worker.js", BUNDLE), { workerData: program, execArgv: [] });
  }

  async render(view: View): Promise<Rendering> {
    this.#worker.postMessage({ picture: pictureOf(view), repeats: view.repeats ?? 1 } satisfies Order);
    const [rendering] = (await once(this.#worker, "message")) as [Rendering];
    return rendering;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

const SIMD_REASON = "this platform has no WebAssembly SIMD";

/** Starts one worker for each. `kernels` is the folder of the engine's kernels. */
export function startOneThreadContenders(kernels: URL, simd: boolean): { contenders: Contender[]; skipped: Skipped[] } {
  const pathOf = (file: string, folder: URL) => fileURLToPath(new URL(file, folder));
  const contenders: Contender[] = [];
  const skipped: Skipped[] = [];
  for (const { id, title, file, shared, needsSimd } of BUILDS) {
    for (const algorithm of ["exact", "naive"] as const) {
      const row = { id: `${algorithm}-${id}`, title: `allcores ${algorithm}, ${title}` };
      const program: Program = { kind: "kernel", file: pathOf(file, kernels), shared, algorithm };
      const slow = id === "scalar" && algorithm === "naive";
      if (needsSimd && !simd) skipped.push({ ...row, reason: SIMD_REASON });
      else contenders.push(new OneThread(row.id, row.title, slow, program));
    }
  }
  const plain = { kind: "assemblyscript", file: pathOf("plain.wasm", BUNDLE) } as const;
  contenders.push(new OneThread("assemblyscript", "AssemblyScript, plain loop", true, plain));
  contenders.push(new OneThread("typescript", "TypeScript, plain loop", true, { kind: "typescript" }));
  return { contenders, skipped };
}
